package interop_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/interop"
	"github.com/kangma/kangma/risk/rules"
)

// The values as published, docs/interop.md: a table of its own, so that a slip in the data is seen.
func TestEveryVendorsValueMeansWhatItsMakerSays(t *testing.T) {
	const g, y, r = "green", "yellow", "red"
	want := map[string]map[string]string{
		"gbt": {"00": g, "01": y, "10": r}, "hebei": {"00": g, "01": y, "10": r}, "glodon": {"0": r, "1": g, "2": y},
		"alipay": {"green": g, "yellow": y, "red": r, "init": "check_online"},
		"aliyun": {"1": g, "2": y, "3": r, "4": "expired", "5": "unknown_person", "6": "check_online", "7": "check_online"},
		"hikvision": {"0": "check_online", "1": "unknown_person", "2": "check_online", "3": g, "4": y, "5": r, "6": "unknown_person",
			"7": "check_online", "8": "check_online"},
		"dahua": {"0": "check_online", "1": r, "2": g, "3": y, "4": "check_online"},
		"wecom": {"0": g, "1": "check_online", "2": "check_online"},
		"ocr":   {"green": g, "yellow": y, "red": r, "grey": "check_online"},
	}
	if len(interop.Vendors) != len(want) {
		t.Errorf("%d vendors, want %d", len(interop.Vendors), len(want))
	}
	for _, v := range interop.Vendors {
		if len(v.Values) != len(want[v.Name]) {
			t.Errorf("%s has %d values, want %d", v.Name, len(v.Values), len(want[v.Name]))
		}
		for value, w := range want[v.Name] {
			st, err := interop.FromVendor(v.Name, value)
			got := string(st.Why)
			if st.Told {
				got = st.Colour.String()
			}
			if err != nil || got != w || st.Told == (st.Why != "") {
				t.Errorf("%s %s: %+v (%v), want %s", v.Name, value, st, err, w)
			}
			if back, ok := interop.ToVendor(v.Name, st); st.Told && (!ok || back != value) {
				t.Errorf("%s %s comes back as %q", v.Name, value, back)
			}
		}
		for _, odd := range []string{"", "99", "GREEN", " 00", "-1"} {
			if st, _ := interop.FromVendor(v.Name, odd); st.Told {
				t.Errorf("%s %q is told as %s", v.Name, odd, st.Colour)
			}
		}
	}
	if st, err := interop.FromVendor("nobody", "00"); err == nil || st.Told {
		t.Errorf("an unknown vendor: %+v", st)
	}
}

func TestAReasonNeverBecomesAColourForADevice(t *testing.T) {
	for _, v := range interop.Vendors {
		for _, why := range []kangma.CannotTell{"", kangma.TellExpired, kangma.TellUnknownPerson, kangma.TellForged, kangma.TellStaleGate, "new"} {
			value, ok := interop.ToVendor(v.Name, interop.Status{Why: why, Colour: kangma.Green})
			if st, _ := interop.FromVendor(v.Name, value); ok && st.Told {
				t.Errorf("%s shows %q as %s", v.Name, why, st.Colour)
			}
		}
	}
}

func TestSymptomsContactsAndTimes(t *testing.T) {
	for codes, want := range map[string][]string{"1": nil, "2": {"cough"}, "2^3^4^5^6": {"cough", "breath", "nausea", "chest", "conjunctivitis"}, "2^2": {"cough"}} {
		got, err := interop.ParseSymptoms(codes)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v", codes, got, err)
		}
		if back := interop.FormatSymptoms(got); back != codes && codes != "2^2" {
			t.Errorf("%s comes back as %s", codes, back)
		}
	}
	for _, bad := range []string{"", "0", "7", "02", "2^", "^2", "x", "2,3"} {
		if got, err := interop.ParseSymptoms(bad); err == nil {
			t.Errorf("%q is %v", bad, got)
		}
	}
	for code, want := range map[string]string{"1": "yes", "2": "no", "3": "unsure", "": ""} {
		if got, err := interop.ParseContact(code); err != nil || got != want || interop.FormatContact(got) != code {
			t.Errorf("contact %s: %q %v", code, got, err)
		}
	}
	if tenths, err := interop.ParseTemperature("37.3"); err != nil || tenths != 373 {
		t.Errorf("%d %v", tenths, err)
	}
	for _, bad := range []string{"99", "x", "NaN", "-Inf", "1e9"} {
		if n, err := interop.ParseTemperature(bad); err == nil {
			t.Errorf("%s is %d", bad, n)
		}
	}
	at := time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)
	if got, err := interop.ParseTime(interop.FormatTime(at)); err != nil || !got.Equal(at) || interop.FormatTime(at) != "2022-08-11 12:00:00" {
		t.Errorf("%v %v", got, err)
	}
}

// Another region's colour keeps its source and age, and never overrides newer local evidence, whenever and in whatever
// order it arrives: checked with rule sets that use foreign colours, on random histories.
func TestAForeignColourNeverOverridesNewerLocalEvidence(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	at := time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)
	for _, preset := range []string{"guangdong-2022", "shenzhen-2022"} {
		set, coloured, kept := loadPreset(t, preset), 0, 0
		for range 400 {
			issued := at.Add(-time.Duration(rnd.IntN(6*24*60)) * time.Minute)
			colour := []kangma.Colour{kangma.Red, kangma.Yellow}[rnd.IntN(2)]
			arrives := issued.Add(time.Duration(rnd.IntN(int(at.Sub(issued)/time.Minute)+1)) * time.Minute)
			report := interop.Report{Region: 440300000 + kangma.Division(rnd.IntN(2))*100000000, Issued: issued, Status: interop.Status{Told: true, Colour: colour}}
			if report.Region == 540300000 {
				report.Region = 110000000
			}
			foreign, ok := report.Evidence(kangma.NewEventID(arrives), arrives)
			if !ok || foreign.ForeignCode.Region != report.Region || !foreign.ForeignCode.Issued.Equal(issued) || !foreign.Observed.Equal(issued) {
				t.Fatalf("source or age lost: %+v", foreign)
			}
			foreign.Received = arrives
			cleared := at.Add(-time.Duration(rnd.IntN(6*24*60)) * time.Minute)
			local := kangma.Evidence{ID: kangma.NewEventID(cleared), Kind: kangma.KindOverride, Observed: cleared, Received: cleared,
				Override: &kangma.Override{Colour: kangma.Green, Reason: []string{"foreign-clearance", "correction", "appeal-granted"}[rnd.IntN(3)],
					Until: at.Add(48 * time.Hour), Requested: "a", Approved: "b"}}
			judge := func(evs ...kangma.Evidence) kangma.Assessment {
				d := kangma.Dossier{Person: kangma.PersonID{1}, Registered: at.AddDate(-1, 0, 0), Home: kangma.Place{Division: 441502000}, Evidence: evs}
				slices.SortFunc(d.Evidence, func(a, b kangma.Evidence) int { return slices.Compare(a.ID[:], b.ID[:]) })
				return set.Evaluate(rules.Input{Dossier: &d, At: at})
			}
			alone, both, without := judge(foreign), judge(foreign, local), judge(local)
			newer := cleared.After(issued)
			if alone.Colour != kangma.Green {
				coloured++
			}
			if !newer && both.Colour != kangma.Green {
				kept++
			}
			if newer && both.Colour != without.Colour {
				t.Fatalf("%s: a colour of %v, arriving at %v, overrides what was cleared here at %v: %s, without it %s", preset, issued, arrives, cleared, both.Colour, without.Colour)
			}
			if !newer && !cleared.Equal(issued) && both.Colour != alone.Colour {
				t.Fatalf("%s: a clearance of %v takes back a colour given later, at %v: %s", preset, cleared, issued, both.Colour)
			}
			for _, as := range alone.Assignments {
				if as.Since.After(at) || len(as.Evidence) == 0 {
					t.Fatalf("an assignment without its evidence or age: %+v", as)
				}
			}
		}
		if coloured < 100 || kept < 30 {
			t.Errorf("%s: %d histories were coloured by another region and %d kept it: too few to show anything", preset, coloured, kept)
		}
	}
}

func TestARegionsOlderColourNeverComesBack(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 2))
	at := time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)
	for range 300 {
		var all []kangma.Evidence
		for range 1 + rnd.IntN(8) {
			issued := at.Add(-time.Duration(rnd.IntN(100)) * time.Hour)
			r := interop.Report{Region: []kangma.Division{110000000, 420000000}[rnd.IntN(2)], Issued: issued, Status: interop.Status{Told: true, Colour: kangma.Colour(rnd.IntN(3))}}
			ev, _ := r.Evidence(kangma.NewEventID(at), at)
			all = append(all, ev)
		}
		want := interop.Newest(all, at)
		rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		got := interop.Newest(all, at)
		for region, ev := range want {
			if g := got[region]; g.ForeignCode == nil || g.ForeignCode.Colour != ev.ForeignCode.Colour || !g.Observed.Equal(ev.Observed) {
				t.Fatalf("the order of arrival counts: %+v, %+v", g, ev)
			}
			for _, o := range all {
				if o.ForeignCode.Region == region && o.Observed.After(ev.Observed) {
					t.Fatalf("%v is newer than %v", o.Observed, ev.Observed)
				}
			}
		}
	}
	for _, bad := range []interop.Report{
		{Region: 110000000, Issued: at}, {Issued: at, Status: interop.Status{Told: true}}, {Region: 110000000, Status: interop.Status{Told: true}},
		{Region: 110000000, Issued: at.Add(time.Second), Status: interop.Status{Told: true}},
	} {
		if ev, ok := bad.Evidence(kangma.NewEventID(at), at); ok {
			t.Errorf("evidence of %+v: %+v", bad, ev)
		}
	}
}

func TestPayloadsAndValuesAreExplained(t *testing.T) {
	content := `{"person":{"desensitizeName":"张*"},"healthyReport":[{"province":"130000","healthyStaus":"01"},{"healthyStaus":"77"}]}`
	wrapped, err := json.Marshal(map[string]any{"data": map[string]string{"content": content}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{content, string(wrapped), `{"data":{"content":` + content + `}}`} {
		e, ok := interop.Explain(text)
		if !ok || len(e.Statuses) != 2 || !e.Statuses[0].Status.Told || e.Statuses[0].Status.Colour != kangma.Yellow || e.Statuses[1].Status.Told {
			t.Errorf("%s: %+v", text, e)
		}
	}
	if e, ok := interop.Explain(`{"risk_assessment_grade":"10","report_date":"2022-08-11"}`); !ok || e.Statuses[0].Status.Colour != kangma.Red {
		t.Errorf("%+v", e)
	}
	if e, ok := interop.Explain(`{"province":"130000","healthyStaus":"10"}`); !ok || len(e.Statuses) != 1 || e.Statuses[0].Region != "130000" || e.Statuses[0].Status.Colour != kangma.Red || !e.Statuses[0].Status.Told {
		t.Errorf("one report alone: %+v", e)
	}
	if e, ok := interop.Explain("hikvision:5"); !ok || e.Value.Colour != kangma.Red || !e.Value.Told {
		t.Errorf("%+v", e)
	}
	e, ok := interop.Explain("1")
	colours := map[string]bool{}
	for _, st := range e.Readings {
		colours[st.Means] = true
	}
	if want := map[string]bool{"green": true, "red": true, "not-applied": true, "abnormal": true}; !ok || !reflect.DeepEqual(colours, want) {
		t.Errorf("what 1 means: %v", colours)
	}
	for _, text := range []string{"", "{}", "[]", "{", "KM1:ABC", "nobody:1", "a long text that is none"} {
		if e, ok := interop.Explain(text); ok {
			t.Errorf("%q: %+v", text, e)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add(`{"data":{"content":"{\"healthyReport\":[{\"healthyStaus\":\"00\"}]}"}}`)
	f.Add("dahua:2")
	f.Fuzz(func(t *testing.T, text string) {
		if e, ok := interop.Explain(text); ok {
			if _, err := json.Marshal(e); err != nil {
				t.Error(err)
			}
		}
	})
}

func loadPreset(t *testing.T, name string) *rules.Set {
	t.Helper()
	raw, err := rules.PresetFile(name)
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Load(name, raw)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
