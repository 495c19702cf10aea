package sample_test

import (
	"os"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/areas/sample"
)

func TestAnAreaAppearsFallsAndVanishes(t *testing.T) {
	newest := time.Date(2026, 3, 4, 17, 45, 0, 0, time.UTC)
	lists, err := sample.Lists(newest)
	if err != nil {
		t.Fatal(err)
	}
	table, err := areas.Build(lists...)
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Newest(); !got.Equal(newest.Truncate(time.Hour)) {
		t.Errorf("newest is %v", got)
	}
	place := kangma.Place{Division: 441_581_001, Community: "望海示例花园"}
	for i, want := range []kangma.Level{kangma.NoLevel, kangma.HighLevel, kangma.MidLevel, kangma.LowLevel} {
		if h := table.LevelAt(place, lists[i].At, time.Time{}, time.Time{}); h.Level != want {
			t.Errorf("list %d: %+v, want %v", i, h, want)
		}
	}
}

func TestEveryRowIsResolvedAndTestdataHasTheSameFiles(t *testing.T) {
	lists, err := sample.Lists(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	s := areas.NewSummary()
	for _, l := range lists {
		s.Add("", l)
	}
	if len(s.Unresolved) != 0 || s.Resolved.Zone != 2 || s.Resolved.Street != 2 {
		t.Errorf("%+v", s)
	}
	entries, err := os.ReadDir("../../../testdata/risk-areas")
	if err != nil || len(entries) != len(lists) {
		t.Errorf("testdata/risk-areas has %d files, %v", len(entries), err)
	}
}
