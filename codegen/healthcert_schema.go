package codegen

import "regexp"

// A certificate that its signer's key made is genuine, whatever it says; some also do not say what the schema demands (DCC
// combined schema 1.3: https://github.com/ehn-dcc-development/ehn-dcc-schema). Flaws names these, for the person at the gate
// who decides about a foreign document. Where real issuers write another form of the same (dates as milliseconds or with a time,
// doses as floats), that is none.
var (
	dateForm = regexp.MustCompile(`^(?:(?:19|20)\d\d-\d\d-\d\d(?:[T ].{0,40})?|\d{10}|\d{13})$`)
	bornForm = regexp.MustCompile(`^(?:(?:19|20)\d\d(?:-\d\d(?:-\d\d(?:[T ].{0,40})?)?)?)?$`)
	versForm = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
)

// flaws lists what of a certificate does not follow the schema, by its field names.
func (d *dcc) flaws() (all []string) {
	say := func(bad bool, what string) {
		if bad {
			all = append(all, what)
		}
	}
	say(!versForm.MatchString(string(d.Version)), "ver: no version")
	say(d.Name.FamilyT == "" && d.Name.GivenT == "" && d.Name.Family == "", "nam: no name")
	say(!bornForm.MatchString(string(d.Born)), "dob: no date")
	kinds := 0
	for _, entries := range [][]dccEntry{d.Vacc, d.Tests, d.Recov} {
		kinds += min(len(entries), 1)
		say(len(entries) > 1, "more than one entry")
	}
	say(kinds > 1, "more than one sort of certificate")
	for i := range d.Vacc {
		e := &d.Vacc[i]
		all = append(all, e.lacks("v", []loose{e.Given}, field{"mp", e.Product})...)
		dose, ok1 := integer(e.Dose)
		doses, ok2 := integer(e.Doses)
		say(!ok1 || !ok2 || dose < 1 || doses < 1, "v: dn, sd are no numbers of doses")
	}
	for i := range d.Tests {
		e := &d.Tests[i]
		all = append(all, e.lacks("t", []loose{e.Sampled}, field{"tt", e.Type}, field{"tr", e.Result})...)
	}
	for i := range d.Recov {
		e := &d.Recov[i]
		all = append(all, e.lacks("r", []loose{e.First, e.From, e.Until})...)
	}
	return all
}

// field is one that must not be empty.
type field struct {
	name string
	is   loose
}

// lacks lists which fields that every entry has, or the given ones, are empty, and whether a date is none.
func (e *dccEntry) lacks(sort string, dates []loose, others ...field) (all []string) {
	for _, f := range append([]field{{"tg", e.Disease}, {"co", e.Country}, {"is", e.Issuer}, {"ci", e.ID}}, others...) {
		if f.is == "" {
			all = append(all, sort+": "+f.name+" is missing")
		}
	}
	for _, d := range dates {
		if !dateForm.MatchString(string(d)) {
			return append(all, sort+": a date is missing or none")
		}
	}
	return all
}
