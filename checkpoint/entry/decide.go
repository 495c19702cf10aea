package entry

import (
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// Facts is all that a decision at a post rests on: the live assessment, what was measured and seen there, and what the
// driver declared. Divisions that are not known are zero.
type Facts struct {
	At             time.Time
	Post           kangma.Division // where the post stands: what is local is measured from here
	Assessment     kangma.Assessment
	LatestNegative time.Time // sampling of the latest negative PCR test; zero: none known
	Doses          int       // of vaccine
	Temperature    int       // tenths of °C; 0: not taken
	Document       string    // type, domain codes 10 to 99; "": none shown
	Infant         bool      // travels with somebody who answers for it, without a document
	Symptoms       bool      // declared in the filing
	Firm           bool      // travels for a firm on the list of those back at work, in force now

	Household   kangma.Division   // 户籍: the division of the ID number
	Residence   kangma.Division   // 住所: of the dossier
	Origin      kangma.Division   // of the journey
	Destination kangma.Division   // of this person
	Stays       []kangma.Division // of the last 14 days, declared or known, the origin too
	Level       kangma.Level      // worst risk level of these stays by the area table
}

// Outcome is what the rules say of one person. With AsGuardian the decision is that of who answers for the infant.
type Outcome struct {
	Decision   kangma.Decision
	AsGuardian bool
	Rule       string // id, the reason code of the passage
	Reason     kangma.Text
	Guidance   kangma.Text
}

// Decide applies the first rule whose conditions all hold. It is pure and total: when none does, the person is referred.
func (s *Set) Decide(f Facts) Outcome {
	for i := range s.Rules {
		if r := &s.Rules[i]; s.holds(&r.When, &f) {
			return Outcome{r.Decision.is, r.Decision.asGuardian, r.ID, r.Reason, r.Guidance}
		}
	}
	return Outcome{
		Decision: kangma.Refer, Rule: "no_rule",
		Reason:   kangma.Text{Zh: "没有适用的规则", En: "No rule fits"},
		Guidance: kangma.Text{Zh: "请人工核验", En: "Check by hand"},
	}
}

func (s *Set) holds(c *When, f *Facts) bool {
	a := &f.Assessment
	return is(c.Told, a.Told) &&
		(len(c.Colours) == 0 || a.Told && slices.Contains(c.Colours, a.Colour)) &&
		is(c.Fever, s.fever(f)) && is(c.Measured, f.Temperature != 0) && is(c.Symptoms, f.Symptoms) &&
		is(c.Epidemic, s.epidemic(f)) && is(c.Infant, f.Infant) && is(c.Firm, f.Firm) &&
		is(c.Local, s.local(f.Household, f) || s.local(f.Residence, f)) &&
		s.place(c.Household, f.Household, f) && s.place(c.Residence, f.Residence, f) &&
		s.place(c.Origin, f.Origin, f) && s.place(c.Destination, f.Destination, f) &&
		(len(c.Documents) == 0 || slices.Contains(c.Documents, f.Document)) &&
		(c.TestHours == 0 || tested(f, c.TestHours)) && is(c.Tested, tested(f, s.TestHours)) && f.Doses >= c.Doses
}

func is(want *bool, got bool) bool { return want == nil || *want == got }

func (s *Set) fever(f *Facts) bool { return f.Temperature >= int(s.Fever*10+0.5) }

func tested(f *Facts, hours int) bool {
	age := f.At.Sub(f.LatestNegative)
	return !f.LatestNegative.IsZero() && age >= 0 && age <= time.Duration(hours)*time.Hour
}

// epidemic reports whether any stay was in an epidemic area, by the set's own list or by the risk-area table.
func (s *Set) epidemic(f *Facts) bool {
	return s.Epidemic.level != kangma.NoLevel && f.Level >= s.Epidemic.level ||
		slices.ContainsFunc(f.Stays, s.Epidemic.holds) || s.Epidemic.holds(f.Origin)
}

func (e Epidemic) holds(d kangma.Division) bool {
	return slices.ContainsFunc(e.divisions, func(x kangma.Division) bool { return x.Contains(d) })
}

// local reports whether a division lies in the same county, city or province as the post, as the set says.
func (s *Set) local(d kangma.Division, f *Facts) bool {
	cut := kangma.Division.City
	switch s.Local {
	case "county":
		cut = kangma.Division.County
	case "province":
		cut = kangma.Division.Province
	}
	return cut(d) != 0 && cut(d) == cut(f.Post)
}

// place compares a division with a word of the rule file.
func (s *Set) place(word string, d kangma.Division, f *Facts) bool {
	switch word {
	case "":
		return true
	case "unknown":
		return d == 0
	case "local":
		return s.local(d, f)
	case "epidemic":
		return s.Epidemic.holds(d)
	}
	return d != 0 && !s.local(d, f) // other
}
