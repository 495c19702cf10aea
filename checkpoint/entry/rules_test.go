package entry_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/entry"
)

func preset(t testing.TB, id string) *entry.Set {
	t.Helper()
	raw, err := entry.PresetFile(id)
	if err != nil {
		t.Fatal(err)
	}
	s, err := entry.LoadRules(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryPresetDecidesItsCasesAndEveryRuleHasOne(t *testing.T) {
	for _, id := range entry.Presets {
		s := preset(t, id)
		cases, err := entry.PresetCases(id)
		if err != nil {
			t.Fatal(err)
		}
		failed, used, err := s.RunCases(cases)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range failed {
			t.Errorf("%s: %s: got %s, want %s", id, f.Name, f.Got, f.Want)
		}
		for _, r := range s.Rules {
			if !used[r.ID] {
				t.Errorf("%s: no case is decided by rule %s", id, r.ID)
			}
		}
		if len(s.Digest()) != 64 {
			t.Errorf("%s: digest %q", id, s.Digest())
		}
	}
}

// TestNobodyUnknownOrFeverishPassesByAPreset draws random facts: whatever else holds, a fever, an untold colour and a red
// one never pass, and the same facts decide the same.
func TestNobodyUnknownOrFeverishPassesByAPreset(t *testing.T) {
	t.Log("seed 5")
	r := rand.New(rand.NewPCG(5, 1))
	sets := []*entry.Set{preset(t, "wuxing-2020"), preset(t, "guangdong-2022")}
	places := []kangma.Division{0, 330502000, 330503000, 441521000, 441521101, 420106000, 440000000}
	pick := func() kangma.Division { return places[r.IntN(len(places))] }
	for range 20000 {
		f := entry.Facts{
			At: noon, Post: pick(), Temperature: []int{0, 365, 372, 373, 390}[r.IntN(5)], Document: []string{"", "10", "14", "20", "99"}[r.IntN(5)],
			Symptoms: r.IntN(2) == 0, Firm: r.IntN(2) == 0, Household: pick(), Residence: pick(), Origin: pick(), Destination: pick(),
			Stays: []kangma.Division{pick()}, Level: kangma.Level(r.IntN(4)), LatestNegative: noon.Add(-time.Duration(r.IntN(100)-10) * time.Hour),
		}
		f.Assessment.Told, f.Assessment.Colour = r.IntN(4) > 0, kangma.Colour(r.IntN(3))
		for _, s := range sets {
			out := s.Decide(f)
			if out.Decision == kangma.Pass && (f.Temperature >= 373 || !f.Assessment.Told || f.Assessment.Colour == kangma.Red || f.Symptoms) {
				t.Fatalf("%s passes %+v by %s", s.ID, f, out.Rule)
			}
			if out.Reason.Zh == "" || out.Guidance.En == "" || out.AsGuardian {
				t.Fatalf("%+v", out)
			}
		}
	}
}

func TestWithoutAFittingRuleThePersonIsReferred(t *testing.T) {
	if out := new(entry.Set).Decide(entry.Facts{}); out.Decision != kangma.Refer || out.Rule != "no_rule" {
		t.Errorf("%+v", out)
	}
}

func TestRuleFilesWithFaultsAreRefused(t *testing.T) {
	raw, _ := entry.PresetFile("guangdong-2022")
	good := string(raw)
	change := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in the preset", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for what, bad := range map[string]string{
		"empty":                     "",
		"not YAML":                  "{",
		"an unknown field":          change("local: city", "lokal: city"),
		"an unknown condition":      change("{told: false}", "{tolled: false}"),
		"an unknown decision":       change("decision: turn-back", "decision: shoot"),
		"an unknown colour":         change("[red]", "[purple]"),
		"an unknown locality":       change("local: city", "local: planet"),
		"no fever":                  change("fever: 37.3", "fever: 25"),
		"a fever that is no number": change("fever: 37.3", "fever: .nan"),
		"an unknown division":       change("epidemic: {level: mid}", `epidemic: {divisions: ["449999"]}`),
		"an unknown level":          change("level: mid", "level: extreme"),
		"an unknown document":       change(`documents: ["14", "15", "16", "20", "34", "99"]`, `documents: ["11"]`),
		"an unknown place":          change("destination: local", "destination: here"),
		"two rules of one id":       change("id: yellow_other", "id: yellow_local"),
		"a reserved id":             change("id: yellow_other", "id: no_rule"),
		"no English":                change("en: The code is red", "en: ''"),
		"adults as guardians":       change("when: {infant: true}", "when: {symptoms: true}"),
		"a rule after the last":     change("{told: false}", "{}"),
		"two documents":             good + "\n---\nid: x\n",
		"too long":                  good + strings.Repeat("#", 300<<10),
	} {
		if _, err := entry.LoadRules([]byte(bad)); kangma.CodeOf(err) != "vehicle_rules" || kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzLoadRules(f *testing.F) {
	for _, id := range entry.Presets {
		raw, _ := entry.PresetFile(id)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := entry.LoadRules(raw); err == nil {
			s.Decide(entry.Facts{At: noon})
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	s := preset(b, "guangdong-2022")
	f := entry.Facts{At: noon, Post: 441521000, Temperature: 365, Document: "10", Household: 441521000, Origin: 440103000,
		Assessment: kangma.Assessment{Told: true, Colour: kangma.Green}}
	for b.Loop() {
		s.Decide(f)
	}
}
