package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/rules"
)

// custom loads a set of one red rule with other header lines and fields.
func custom(t *testing.T, header, on, when, more string) *rules.Set {
	t.Helper()
	set, err := rules.Load("custom", []byte(head+header+"rules:\n  - id: r\n    colour: red\n    on: "+on+"\n    when: "+when+"\n"+more+
		"    until: it.end(20)\n    reason: {zh: a, en: a}\n    guidance: {zh: a, en: a}\n    clears: {zh: a, en: a}\n"))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func person(es ...kangma.Evidence) *kangma.Dossier {
	for i := range es {
		es[i].ID = kangma.EventID{byte(i), 1}
	}
	return &kangma.Dossier{Person: kangma.PersonID{1}, Evidence: es}
}

func contactAt(t time.Time) kangma.Evidence {
	return kangma.Evidence{Kind: kangma.KindContact, Observed: t, Contact: &kangma.Contact{Degree: "close"}}
}

func TestTheDayConventionBelongsToTheSet(t *testing.T) {
	at := time.Date(2022, 7, 5, 23, 0, 0, 0, time.FixedZone("", 8*3600)) // 23:00 in Shanghai, 15:00 in UTC
	for name, c := range map[string]struct {
		header string
		ends   time.Time
	}{
		"calendar days in Shanghai": {"", time.Date(2022, 7, 7, 16, 0, 0, 0, time.UTC)},
		"periods of 24 hours":       {"day: {count: 24h}\n", at.Add(48 * time.Hour)},
	} {
		set := custom(t, c.header, "contact('close')", "it.within(1)", "")
		if name == "calendar days in Shanghai" {
			c.ends = time.Date(2022, 7, 7, 0, 0, 0, 0, at.Location())
		}
		in := rules.Input{Dossier: person(contactAt(at)), At: c.ends.Add(-time.Microsecond)}
		if a := set.Evaluate(in); a.Colour != kangma.Red || !a.NextChange.Equal(c.ends) {
			t.Errorf("%s: just before %v: %s, next %v", name, c.ends, a.Colour, a.NextChange)
		}
		in.At = c.ends
		if a := set.Evaluate(in); a.Colour != kangma.Green {
			t.Errorf("%s: at %v: %s", name, c.ends, a.Colour)
		}
	}
}

// published is a table of one area that turned high at from and became public as high at public.
type published struct{ from, public time.Time }

func (p published) LevelAt(_ kangma.Place, _, to, known time.Time) areas.Hit {
	if !p.from.Before(to) || !known.IsZero() && known.Before(p.public) {
		return areas.Hit{Exact: true}
	}
	return areas.Hit{Level: kangma.HighLevel, Sure: kangma.HighLevel, Since: p.from, Exact: true}
}

func (published) Version() string { return "published" }

func TestAreasAreJudgedByWhatWasPublishedThenOrLater(t *testing.T) {
	left := time.Date(2022, 7, 5, 18, 0, 0, 0, time.UTC)
	d := person(kangma.Evidence{Kind: kangma.KindStay, Observed: left, Stay: &kangma.Stay{Place: kangma.Place{Division: 440103000}, From: left.Add(-48 * time.Hour), To: left}})
	then := custom(t, "areas: then\n", "stay('high')", "it.within(7)", "")
	later := custom(t, "areas: then-or-later\n", "stay('high')", "it.within(7)", "")
	hours := func(n int) time.Time { return left.Add(time.Duration(n) * time.Hour) }
	for name, c := range map[string]struct {
		from, public, at, known time.Time
		then, later             kangma.Colour
	}{
		"high and public while there":            {hours(-24), hours(-24), hours(72), time.Time{}, kangma.Red, kangma.Red},
		"high while there, public the day after": {hours(-24), hours(24), hours(72), time.Time{}, kangma.Green, kangma.Red},
		"the same, asked by what was known then": {hours(-24), hours(24), hours(72), hours(12), kangma.Green, kangma.Green},
		"high from the day after":                {hours(24), hours(24), hours(72), time.Time{}, kangma.Green, kangma.Red},
		"the same, asked before":                 {hours(24), hours(24), hours(23), time.Time{}, kangma.Green, kangma.Green},
		"the same, asked at that very moment":    {hours(24), hours(24), hours(24), time.Time{}, kangma.Green, kangma.Red},
	} {
		in := rules.Input{Dossier: d, Areas: published{c.from, c.public}, At: c.at, Known: c.known}
		if a, b := then.Evaluate(in).Colour, later.Evaluate(in).Colour; a != c.then || b != c.later {
			t.Errorf("%s: then %s, then or later %s; want %s, %s", name, a, b, c.then, c.later)
		}
	}
}

func TestSinceMayLieAheadAndThenItIsTheNextChange(t *testing.T) {
	set := custom(t, "", "contact('close')", "it.within(9)", "    since: it.end(2)\n")
	at := time.Date(2022, 7, 5, 10, 0, 0, 0, set.Zone())
	begins := time.Date(2022, 7, 8, 0, 0, 0, 0, set.Zone())
	in := rules.Input{Dossier: person(contactAt(at)), At: at}
	if a := set.Evaluate(in); a.Colour != kangma.Green || !a.NextChange.Equal(begins) {
		t.Errorf("before: %s, next %v", a.Colour, a.NextChange)
	}
	in.At = begins
	if a := set.Evaluate(in); a.Colour != kangma.Red || !a.Assignments[0].Since.Equal(begins) {
		t.Errorf("then: %s", a.Colour)
	}
}

func TestAnInclusiveEndFlipsOneMicrosecondLater(t *testing.T) {
	set := custom(t, "", "contact('close')", "now <= it.at + duration('24h')", "")
	at := time.Date(2022, 7, 5, 10, 0, 0, 0, time.UTC)
	in := rules.Input{Dossier: person(contactAt(at)), At: at.Add(24 * time.Hour)}
	a := set.Evaluate(in)
	if a.Colour != kangma.Red || !a.NextChange.Equal(in.At.Add(time.Microsecond)) {
		t.Errorf("%s, next %v", a.Colour, a.NextChange)
	}
}

func TestNoAssignmentOutlivesTheLimitOfItsSet(t *testing.T) {
	set := custom(t, "max_days: 5\n", "contact('close')", "it.within(20)", "")
	at := time.Date(2022, 7, 5, 10, 0, 0, 0, time.UTC)
	in := rules.Input{Dossier: person(contactAt(at)), At: at}
	if a := set.Evaluate(in); a.Colour != kangma.Red || !a.Assignments[0].Until.Equal(at.Add(5*24*time.Hour)) {
		t.Errorf("until %v", a.Assignments)
	}
	in.At = at.Add(5 * 24 * time.Hour)
	if a := set.Evaluate(in); a.Colour != kangma.Green {
		t.Errorf("past the limit: %s", a.Colour)
	}
}

func TestAnAssessmentCitesAtMostSixteenPiecesOfEvidence(t *testing.T) {
	set := custom(t, "", "contact('close')", "it.within(7)", "")
	at := time.Date(2022, 7, 5, 10, 0, 0, 0, time.UTC)
	var es []kangma.Evidence
	for i := range 40 {
		es = append(es, contactAt(at.Add(time.Duration(i)*time.Minute)))
	}
	a := set.Evaluate(rules.Input{Dossier: person(es...), At: at.Add(time.Hour)})
	if len(a.Assignments) != 1 || len(a.Assignments[0].Evidence) != 16 {
		t.Errorf("%d assignments, %d pieces", len(a.Assignments), len(a.Assignments[0].Evidence))
	}
}

func TestALabelStaysWithItsColour(t *testing.T) {
	set := custom(t, "labels: {red: crimson}\n", "contact('close')", "it.within(7)", "")
	at := time.Date(2022, 7, 5, 10, 0, 0, 0, time.UTC)
	a := set.Evaluate(rules.Input{Dossier: person(contactAt(at)), At: at})
	if a.Label != "crimson" || a.Assignments[0].Label != "crimson" || !strings.Contains(rules.Explain(a, nil)[0].En, "crimson") {
		t.Errorf("label %q", a.Label)
	}
}
