package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

func TestAQueryNamesEveryFaultOfItself(t *testing.T) {
	since := time.Date(2022, 7, 10, 0, 0, 0, 0, time.UTC)
	good := store.Query{Measures: []store.Measure{store.Count}, Since: since, Until: since.Add(time.Hour)}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	bad := store.Query{Measures: []store.Measure{store.Count, store.Count}, Dimensions: []store.Dimension{"x"}, Since: since, Until: since,
		Zone: "east", Colours: []string{"blue"}, Decisions: []kangma.Decision{9}, Districts: []kangma.Division{7},
		Gates: make([]string, store.MaxFilter+1), K: -1}
	err := bad.Validate()
	var e *kangma.Error
	if !errors.As(err, &e) || e.Kind != kangma.Invalid || len(e.Faults) != 9 {
		t.Errorf("got %v, want 9 faults", err)
	}
	if err := (store.Query{}).Validate(); kangma.KindOf(err) != kangma.Invalid {
		t.Errorf("the zero query: got %v", err)
	}
	for zone, want := range map[string]time.Duration{"": 8 * time.Hour, "+480": 8 * time.Hour, "0": 0, "-210": -210 * time.Minute, "345": 345 * time.Minute} {
		if got, err := (store.Query{Zone: zone}).Offset(); got != want || err != nil {
			t.Errorf("zone %q: got %v, %v", zone, got, err)
		}
	}
	if err := (store.PassageQuery{Since: since, Until: since.Add(1), Limit: 10}).Validate(); kangma.KindOf(err) != kangma.Invalid {
		t.Errorf("everybody's passages: got %v", err)
	}
	if err := (store.PassageQuery{Gates: []string{"g"}, Since: since, Until: since.Add(1), Limit: 10}).Validate(); err != nil {
		t.Error(err)
	}
}
