package rules_test

import (
	"os"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/rules"
)

func loadCases(t testing.TB, id string) (*rules.Set, *rules.Cases) {
	t.Helper()
	set, err := rules.Preset(id)
	if err != nil {
		t.Fatal(err)
	}
	name := "presets/" + id + ".cases.yaml"
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := rules.LoadCases(name, file, set.Zone())
	if err != nil {
		t.Fatal(err)
	}
	return set, cases
}

// Every preset comes with cases, and they hold.
func TestPresetsDoWhatTheirCasesSay(t *testing.T) {
	total := 0
	for _, id := range rules.Presets() {
		t.Run(id, func(t *testing.T) {
			set, cases := loadCases(t, id)
			faults, n := cases.Run(set)
			for _, f := range faults {
				t.Error(f)
			}
			if n < 10 {
				t.Errorf("only %d expectations", n)
			}
			total += n
		})
	}
	t.Logf("%d presets, %d expectations", len(rules.Presets()), total)
}

// Every rule of every preset fires in at least one of its cases: a rule no case reaches is not tested.
func TestEveryRuleOfAPresetFiresInACase(t *testing.T) {
	for _, id := range rules.Presets() {
		set, cases := loadCases(t, id)
		fired := map[string]bool{"override-red": true, "override-yellow": true}
		cases.Each(func(_ string, q rules.Input) bool {
			a := set.Evaluate(q)
			for _, list := range [][]kangma.Assignment{a.Assignments, a.Duties} {
				for _, x := range list {
					fired[x.Rule] = true
				}
			}
			return true
		})
		for _, rule := range set.RuleIDs() {
			if !fired[rule] {
				t.Errorf("%s: no case reaches rule %s", id, rule)
			}
		}
	}
}

// Whatever a source left out: in no preset is somebody green who was found infected, or is a suspected case, the day before.
func TestNoPresetLeavesTheInfectedGreen(t *testing.T) {
	for _, id := range rules.Presets() {
		set, err := rules.Preset(id)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2022, 4, 5, 10, 0, 0, 0, set.Zone())
		for what, e := range map[string]kangma.Evidence{
			"a positive test":               {Kind: kangma.KindTest, Test: &kangma.Test{Method: "pcr", Result: "positive"}},
			"a positive antigen test":       {Kind: kangma.KindTest, Test: &kangma.Test{Method: "antigen", Result: "positive"}},
			"an infection without symptoms": {Kind: kangma.KindClinic, Clinic: &kangma.Clinic{What: "diagnosis", Diagnosis: "asymptomatic"}},
			"a confirmed case":              {Kind: kangma.KindClinic, Clinic: &kangma.Clinic{What: "diagnosis", Diagnosis: "confirmed"}},
			"a suspected case":              {Kind: kangma.KindClinic, Clinic: &kangma.Clinic{What: "diagnosis", Diagnosis: "suspected"}},
		} {
			e.ID, e.Observed = kangma.EventID{1}, at
			d := person(e)
			d.Registered = at
			for days := range 3 {
				if a := set.Evaluate(rules.Input{Dossier: d, Areas: listed{999_999_000, kangma.HighLevel}, At: at.AddDate(0, 0, days)}); !a.Told || a.Colour == kangma.Green {
					t.Errorf("%s: %s is green after %d days", id, what, days)
				}
			}
		}
	}
}
