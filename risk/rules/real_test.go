package rules_test

import (
	"os"
	"path/filepath"
	"slices"

	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/rules"
)

// realLists reads the official lists whose file names lie between two dates (yyyymmdd); the folder is KANGMA_SHARED, or
// shared beside the repository.
func realLists(tb testing.TB, from, to string) []*areas.List {
	tb.Helper()
	root := os.Getenv("KANGMA_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared") // this package lies two folders below go.mod
	}
	files, err := filepath.Glob(filepath.Join(root, "data", "risk-areas", "*.json.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	if len(files) == 0 {
		tb.Skip("the real risk-area lists are not at hand: put them in ../shared/data/risk-areas or set KANGMA_SHARED")
	}
	var out []*areas.List
	for _, name := range files {
		if day := filepath.Base(name)[:8]; day < from || day > to {
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		l, err := areas.ParseList(f)
		f.Close()
		if err != nil {
			tb.Fatalf("%s: %v", filepath.Base(name), err)
		}
		out = append(out, l)
	}
	return out
}

// On the real lists of July 2022: whoever stayed in a listed area has its colour under the 9th edition with Taiyuan's
// mapping, on both sides of the last day.
func TestStaysInRealAreasHaveTheirColour(t *testing.T) {
	lists := realLists(t, "20220703", "20220724")
	table, err := areas.Build(lists...)
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Preset("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[kangma.Level]int{}
	for _, l := range lists {
		for i, row := range l.Rows {
			if i%3 != 0 || len(row.Communities) == 0 {
				continue
			}
			area := areas.Resolve(row.Province, row.City, row.County)
			place := kangma.Place{Division: area.Division, Community: row.Communities[0]}
			left := l.At.Add(time.Hour)
			hit := table.LevelAt(place, left.Add(-30*time.Minute), left, time.Time{})
			if hit.Sure != hit.Level {
				continue // the table itself is in doubt
			}
			d := person(kangma.Evidence{Kind: kangma.KindStay, Observed: left, Source: "feed",
				Stay: &kangma.Stay{Place: place, From: left.Add(-30 * time.Minute), To: left}})
			y, m, day := left.In(set.Zone()).Date()
			end := time.Date(y, m, day+8, 0, 0, 0, 0, set.Zone())
			want := map[kangma.Level]kangma.Colour{kangma.HighLevel: kangma.Red, kangma.MidLevel: kangma.Yellow, kangma.LowLevel: kangma.Yellow}[hit.Level]
			in := rules.Input{Dossier: d, Areas: table, At: end.Add(-time.Second), Known: left}
			if a := set.Evaluate(in); !a.Told || a.Colour != want || len(a.Assignments) != 1 || !a.Assignments[0].Until.Equal(end) {
				t.Fatalf("%v %s: %s with %d assignments, want %s until %v", l.At, hit.Level, a.Colour, len(a.Assignments), want, end)
			}
			if in.At = end; set.Evaluate(in).Colour != kangma.Green {
				t.Fatalf("%v %s: not green on day 8", l.At, hit.Level)
			}
			seen[hit.Level]++
		}
	}
	t.Logf("stays by level: %v", seen)
	if seen[kangma.HighLevel] < 50 || seen[kangma.MidLevel] < 50 || seen[kangma.LowLevel] < 1 {
		t.Errorf("too few real areas: %v", seen)
	}
}

// A stay known only by county that may have been in a high area is never green and never red on that alone, and the
// assessment says so in both languages. A set that says nothing of unclear stays takes the worst.
func TestAStayKnownOnlyByCountySaysHowItWasJudged(t *testing.T) {
	lists := realLists(t, "20220717", "20220724")
	table, err := areas.Build(lists...)
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Preset("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(lists[0].Rows, func(r areas.Row) bool {
		a := areas.Resolve(r.Province, r.City, r.County)
		hit := table.LevelAt(kangma.Place{Division: a.Division}, lists[0].At, lists[0].At.Add(time.Hour), time.Time{})
		return a.Division.Rank() == kangma.County && hit.Level == kangma.HighLevel && !hit.Exact
	})
	if i < 0 {
		t.Fatal("no county of that list has a high area in a part of it")
	}
	row := lists[0].Rows[i]
	place := kangma.Place{Division: areas.Resolve(row.Province, row.City, row.County).Division}
	left := lists[0].At.Add(time.Hour)
	d := person(kangma.Evidence{Kind: kangma.KindStay, Observed: left, Stay: &kangma.Stay{Place: place, From: lists[0].At, To: left}})
	a := set.Evaluate(rules.Input{Dossier: d, Areas: table, At: left, Known: left})
	if a.Colour != kangma.Yellow || len(a.Assignments[0].Notes) != 2 || a.Assignments[0].Notes[0].Zh == "" || a.Assignments[0].Notes[1].En == "" {
		t.Fatalf("%s, notes %v", a.Colour, a.Assignments[0].Notes)
	}
	worst, err := rules.Load("worst", worstSet)
	if err != nil {
		t.Fatal(err)
	}
	if w := worst.Evaluate(rules.Input{Dossier: d, Areas: table, At: left, Known: left}); w.Colour != kangma.Red || len(w.Assignments[0].Notes) != 2 ||
		w.Assignments[0].Notes[1] == a.Assignments[0].Notes[1] {
		t.Fatalf("worst: %s, notes %v", w.Colour, w.Assignments[0].Notes)
	}
	found := slices.ContainsFunc(rules.Explain(a, set.Zone()), func(x kangma.Text) bool { return x == a.Assignments[0].Notes[0] })
	if !found || a.Areas != table.Version() {
		t.Errorf("the note is not in the explanation, or the version of the table is missing")
	}
}

var worstSet = []byte(`id: t
version: "1"
title: {zh: a, en: a}
timezone: Asia/Shanghai
rules:
  - {id: a, colour: red, on: "stay('high')", when: "it.within(7)", until: "it.end(7)", reason: {zh: a, en: a}, guidance: {zh: a, en: a}, clears: {zh: a, en: a}}
`)

// BenchmarkAssessRealAreas assesses the typical dossier of 8 items against the table of the whole of 2022.
func BenchmarkAssessRealAreas(b *testing.B) {
	table, err := areas.Build(realLists(b, "20220101", "20231231")...)
	if err != nil {
		b.Fatal(err)
	}
	set, err := rules.Preset("national-9th-2022")
	if err != nil {
		b.Fatal(err)
	}
	for name, red := range map[string]bool{"green": false, "red": true} {
		b.Run(name, func(b *testing.B) {
			in := rules.Input{Dossier: rules.Typical(red), Areas: table, At: time.Date(2022, 7, 5, 12, 0, 0, 0, set.Zone())}
			b.ReportAllocs()
			start := rules.CPUTime(b)
			for b.Loop() {
				set.Evaluate(in)
			}
			b.ReportMetric(float64(rules.CPUTime(b)-start)/float64(b.N), "cpu-ns/op")
		})
	}
}
