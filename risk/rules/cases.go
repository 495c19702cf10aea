package rules

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/kangma/kangma"
)

// Cases is a file of examples beside a rule set: dossiers, moments, and the assessment that is expected.
type Cases struct {
	Table Areas // the area table the file describes
	list  []testCase
}

type testCase struct {
	name    string
	dossier *kangma.Dossier
	names   map[kangma.EventID]string
	wants   []want
}

// want is what is expected at one moment. Absent fields are not compared.
type want struct {
	line     int
	at       time.Time
	known    time.Time
	colour   string // red, yellow, green, unknown
	label    *string
	rules    []string
	duties   []string
	evidence []string
	until    time.Time
	since    time.Time
	next     *time.Time
	have     *int
	need     *int
}

// CaseFault says how one expectation was not met.
type CaseFault struct {
	Case string
	Line int       // in the case file
	At   time.Time // the moment asked about
	What string
}

func (f CaseFault) String() string {
	return fmt.Sprintf("line %d: %s at %s: %s", f.Line, f.Case, f.At.Format("2006-01-02 15:04"), f.What)
}

// LoadCases reads a case file for sets of a zone. The error is a kangma.Error with every fault found.
func LoadCases(name string, file []byte, zone *time.Location) (*Cases, error) {
	r := &caseReader{reader: reader{file: name}, zone: zone}
	c := r.load(file)
	if len(r.faults) > 0 {
		e := kangma.E(kangma.Invalid, "cases", "the case file has faults; mend them and load it again")
		e.Faults = r.faults
		return nil, e
	}
	return c, nil
}

// Each calls yield with every question the cases ask, until yield returns false.
func (c *Cases) Each(yield func(name string, in Input) bool) {
	for _, t := range c.list {
		for _, w := range t.wants {
			if !yield(t.name, Input{Dossier: t.dossier, Areas: c.Table, At: w.at, Known: w.known}) {
				return
			}
		}
	}
}

// Run evaluates every case and gives what was not as expected, and how many expectations there were.
func (c *Cases) Run(s *Set) (faults []CaseFault, expectations int) {
	for _, t := range c.list {
		for _, w := range t.wants {
			expectations++
			got := s.Evaluate(Input{Dossier: t.dossier, Areas: c.Table, At: w.at, Known: w.known})
			for _, what := range w.differences(got, t.names) {
				faults = append(faults, CaseFault{t.name, w.line, w.at, what})
			}
		}
	}
	return faults, expectations
}

func (w *want) differences(a kangma.Assessment, names map[kangma.EventID]string) (out []string) {
	differ := func(what string, got, want any) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			out = append(out, fmt.Sprintf("%s is %v, expected %v", what, got, want))
		}
	}
	colour := a.Colour.String()
	if !a.Told {
		colour = "unknown"
	}
	differ("colour", colour, w.colour)
	if w.label != nil {
		differ("label", a.Label, *w.label)
	}
	if w.rules != nil {
		differ("rules", ruleNames(a.Assignments), w.rules)
	}
	if w.duties != nil {
		differ("duties", ruleNames(a.Duties), w.duties)
	}
	first := append(slices.Clone(a.Assignments), a.Duties...)
	if len(first) > 0 {
		out = append(out, w.firstDifferences(first[0], names)...)
	} else if !w.until.IsZero() || !w.since.IsZero() || w.evidence != nil || w.have != nil || w.need != nil {
		out = append(out, "there is no assignment to compare")
	}
	if w.next != nil && !a.NextChange.Equal(*w.next) {
		out = append(out, fmt.Sprintf("next change is %v, expected %v", a.NextChange, *w.next))
	}
	return out
}

func (w *want) firstDifferences(a kangma.Assignment, names map[kangma.EventID]string) (out []string) {
	if !w.until.IsZero() && !a.Until.Equal(w.until) {
		out = append(out, fmt.Sprintf("until is %v, expected %v", a.Until, w.until))
	}
	if !w.since.IsZero() && !a.Since.Equal(w.since) {
		out = append(out, fmt.Sprintf("since is %v, expected %v", a.Since, w.since))
	}
	if w.evidence != nil {
		var got []string
		for _, e := range a.Evidence {
			got = append(got, names[e.ID])
		}
		slices.Sort(got)
		if !slices.Equal(got, w.evidence) {
			out = append(out, fmt.Sprintf("evidence is %v, expected %v", got, w.evidence))
		}
	}
	have, need := -1, -1
	if a.Progress != nil {
		have, need = a.Progress.Have, a.Progress.Need
	}
	if w.have != nil && have != *w.have || w.need != nil && need != *w.need {
		out = append(out, fmt.Sprintf("progress is %d of %d", have, need))
	}
	return out
}

func ruleNames(as []kangma.Assignment) []string {
	out := make([]string, 0, len(as))
	for _, a := range as {
		out = append(out, a.Rule)
	}
	return out
}

func (r *caseReader) load(file []byte) *Cases {
	if len(file) > 4*maxFile {
		r.faultAt(1, 1, "too_large", "a case file has at most 1 MiB")
		return nil
	}
	top := r.document(file)
	if top == nil {
		return nil
	}
	f := r.mapping(top, []string{"day0", "cases"}, []string{"areas"})
	r.day0 = r.date(f["day0"], r.zone)
	c := &Cases{Table: r.areas(f["areas"])}
	for _, n := range r.list(f["cases"], 2000) {
		c.list = append(c.list, r.one(n))
	}
	return c
}

// one reads a case: a name, a dossier, and what is wanted when.
func (r *caseReader) one(n *yaml.Node) testCase {
	f := r.mapping(n, []string{"name", "want"}, []string{"evidence", "home", "registered"})
	t := testCase{name: r.text(f["name"], 300), names: map[kangma.EventID]string{}}
	t.dossier = &kangma.Dossier{Person: kangma.PersonID(idOf("person " + t.name))}
	if f["home"] != nil {
		t.dossier.Home = r.place(f["home"])
	}
	if f["registered"] != nil {
		t.dossier.Registered = r.moment(f["registered"])
	}
	if f["evidence"] != nil && f["evidence"].Kind == yaml.SequenceNode {
		for i, en := range f["evidence"].Content {
			e, name := r.evidence(en, i)
			t.names[e.ID] = name
			t.dossier.Evidence = append(t.dossier.Evidence, e)
		}
	}
	slices.SortFunc(t.dossier.Evidence, func(a, b kangma.Evidence) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for _, wn := range r.list(f["want"], 100) {
		t.wants = append(t.wants, r.want(wn))
	}
	return t
}

func (r *caseReader) want(n *yaml.Node) want {
	f := r.mapping(n, []string{"at", "colour"}, []string{"known", "label", "rules", "duties", "evidence", "until", "since", "next", "have", "need"})
	w := want{line: n.Line, at: r.moment(f["at"]), colour: r.choice(f["colour"], "unknown", "red", "yellow", "green", "unknown")}
	if f["known"] != nil {
		w.known = r.moment(f["known"])
	}
	if f["label"] != nil {
		l := f["label"].Value
		w.label = &l
	}
	w.rules, w.duties, w.evidence = r.words(f["rules"]), r.words(f["duties"]), r.words(f["evidence"])
	slices.Sort(w.evidence)
	if f["until"] != nil {
		w.until = r.moment(f["until"])
	}
	if f["since"] != nil {
		w.since = r.moment(f["since"])
	}
	if f["next"] != nil {
		var t time.Time
		if strings.TrimSpace(f["next"].Value) != "never" {
			t = r.moment(f["next"])
		}
		w.next = &t
	}
	for k, p := range map[string]**int{"have": &w.have, "need": &w.need} {
		if f[k] != nil {
			v := r.number(f[k], 0, 0, 100)
			*p = &v
		}
	}
	return w
}
