package rules_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/rules"
)

// listed is an area table of one entry.
type listed struct {
	in    kangma.Division
	level kangma.Level
}

func (l listed) LevelAt(p kangma.Place, _, _, _ time.Time) areas.Hit {
	if l.in.Contains(p.Division) {
		return areas.Hit{Level: l.level, Exact: true}
	}
	return areas.Hit{Exact: true}
}

func (listed) Version() string { return "test" }

func TestEveryPresetLoads(t *testing.T) {
	for _, id := range rules.Presets() {
		if _, err := rules.Preset(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestWithoutRulesOrPersonItCouldNotTell(t *testing.T) {
	var none *rules.Set
	now := time.Date(2022, 7, 1, 12, 0, 0, 0, time.UTC)
	if a := none.Evaluate(rules.Input{At: now}); a.Told || a.CannotTell != kangma.TellNoRules {
		t.Errorf("no set: %+v", a)
	}
	set, err := rules.Preset("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*kangma.Dossier{nil, {}} {
		if a := set.Evaluate(rules.Input{Dossier: d, At: now}); a.Told || a.CannotTell != kangma.TellUnknownPerson {
			t.Errorf("no person: %+v", a)
		}
	}
}

func TestAStayInAHighAreaIsRedForSevenDays(t *testing.T) {
	set, err := rules.Preset("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	zone := set.Zone()
	left := time.Date(2022, 7, 5, 18, 0, 0, 0, zone)
	d := &kangma.Dossier{Person: kangma.PersonID{1}, Evidence: []kangma.Evidence{{
		ID: kangma.EventID{1}, Kind: kangma.KindStay, Observed: left, Source: "feed",
		Stay: &kangma.Stay{Place: kangma.Place{Division: 440103000}, From: left.Add(-48 * time.Hour), To: left},
	}}}
	in := rules.Input{Dossier: d, Areas: listed{440103000, kangma.HighLevel}, At: time.Date(2022, 7, 12, 23, 59, 0, 0, zone)}
	a := set.Evaluate(in)
	end := time.Date(2022, 7, 13, 0, 0, 0, 0, zone)
	if !a.Told || a.Colour != kangma.Red || a.ReasonCode() != "high-area" || !a.NextChange.Equal(end) || !a.Assignments[0].Until.Equal(end) {
		t.Errorf("day 7: %+v", a)
	}
	in.At = end
	if a := set.Evaluate(in); !a.Told || a.Colour != kangma.Green || !a.NextChange.IsZero() {
		t.Errorf("day 8: %+v", a)
	}
	in.Areas = nil
	if a := set.Evaluate(rules.Input{Dossier: d, At: left}); a.Told {
		t.Errorf("without an area table: %+v", a)
	}
}
