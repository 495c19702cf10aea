package storetest

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Warehouse is the conformance suite of store.Warehouse, and of store.Dropper where it is one.
func Warehouse(t *testing.T, open Opener[store.Warehouse]) {
	check(t, open, "every query is answered as by counting one by one", warehouseEqualsCounting)
	check(t, open, "a passage comes back exactly as it was loaded", warehousePassages)
	check(t, open, "a batch loaded twice or cut differently counts once", warehouseOnce)
	check(t, open, "a passage brought again by another node or days later counts once", warehouseElsewhere)
	check(t, open, "an empty batch moves the position, and no batch moves it back", warehousePositions)
	check(t, open, "an empty warehouse answers nothing", warehouseEmpty)
	check(t, open, "what is no question is refused", warehouseInvalid)
	check(t, open, "nodes load at the same time while others ask", warehouseConcurrent)
	check(t, open, "what is dropped stays away", warehouseDrop)
	check(t, open, "a call whose context is over does nothing", warehouseCanceled)
	town := NewTown(source(t, 47))
	passages := town.Passages(300)
	reopened(t, open, "what was loaded is there after opening again", func(t *testing.T, w store.Warehouse) {
		wantOK(t, w.Load(t.Context(), BatchOf("n1", 0, passages...)))
	}, func(t *testing.T, w store.Warehouse) {
		wantLoaded(t, w, "n1", 300)
		wantAnswer(t, w, passages, everything(store.ByGate, store.ByColour))
		wantOK(t, w.Load(t.Context(), BatchOf("n1", 100, passages[100:]...)))
		more := town.Passages(50)
		wantOK(t, w.Load(t.Context(), BatchOf("n1", 300, more...)))
		wantAnswer(t, w, slices.Concat(passages, more), everything(store.ByHour, store.ByDistrict))
	})
	check(t, open, "an archive gives back what was loaded", warehouseArchive)
}

// everything asks for all there is, both measures.
func everything(by ...store.Dimension) store.Query {
	return store.Query{Measures: []store.Measure{store.Count, store.People}, Dimensions: by,
		Since: time.Date(2022, 6, 1, 0, 0, 0, 0, time.UTC), Until: time.Date(2022, 9, 1, 0, 0, 0, 0, time.UTC)}
}

// wantAnswer asks for what q measures and, since a warehouse may count in another way when people are not asked for,
// for counts alone.
func wantAnswer(t *testing.T, w store.Warehouse, passages []kangma.Passage, q store.Query) {
	t.Helper()
	wantExactly(t, w, passages, q)
	if slices.Contains(q.Measures, store.People) {
		q.Measures = []store.Measure{store.Count}
		wantExactly(t, w, passages, q)
	}
}

func wantExactly(t *testing.T, w store.Warehouse, passages []kangma.Passage, q store.Query) {
	t.Helper()
	got, err := w.Query(t.Context(), q)
	if err != nil {
		t.Errorf("%s: %v", describe(q), err)
		return
	}
	want := Evaluate(passages, q)
	if len(got.Groups) == 0 {
		got.Groups = nil
	}
	for i, g := range got.Groups {
		if len(g.Keys) == 0 {
			got.Groups[i].Keys = nil
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", describe(q), brief(got), brief(want))
	}
}

func wantLoaded(t *testing.T, w store.Warehouse, node string, want store.Position) {
	t.Helper()
	if got, err := w.Loaded(t.Context(), node); err != nil || got != want {
		t.Errorf("loaded of %s: got %d, %v, want %d", node, got, err, want)
	}
}

func warehouseEqualsCounting(t *testing.T, w store.Warehouse) {
	town := NewTown(source(t, 41))
	passages := town.Passages(1500)
	for i := 0; i < len(passages); i += 250 {
		wantOK(t, w.Load(t.Context(), BatchOf("n1", store.Position(i), passages[i:i+250]...)))
	}
	found := 0
	for range 300 {
		q := town.Query()
		wantExactly(t, w, passages, q)
		found += len(Evaluate(passages, q).Groups)
		if t.Failed() {
			return
		}
	}
	t.Logf("300 queries found %d groups", found)
	if found < 3000 {
		t.Errorf("the queries found %d groups only: they test too little", found)
	}
}

func warehousePassages(t *testing.T, w store.Warehouse) {
	town := NewTown(source(t, 42))
	passages := town.Passages(400)
	wantOK(t, w.Load(t.Context(), BatchOf("n1", 0, passages...)))
	for range 60 {
		q := town.PassageQuery()
		got, err := w.Passages(t.Context(), q)
		if want := EvaluatePassages(passages, q); err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v:\ngot  %d %+v, %v\nwant %d %+v", q, len(got), got, err, len(want), want)
		}
	}
}

func warehouseOnce(t *testing.T, w store.Warehouse) {
	town := NewTown(source(t, 43))
	passages := town.Passages(200)
	load := func(from, to int) {
		t.Helper()
		wantOK(t, w.Load(t.Context(), BatchOf("n1", store.Position(from), passages[from:to]...)))
	}
	load(0, 100)
	load(0, 100)
	load(50, 150)
	load(140, 141)
	load(0, 200)
	load(199, 200)
	wantLoaded(t, w, "n1", 200)
	wantAnswer(t, w, passages, everything())
	wantAnswer(t, w, passages, everything(store.ByHour, store.ByDecision))
	twice := BatchOf("n1", 200, passages[7], passages[7]) // even within one batch
	wantOK(t, w.Load(t.Context(), twice))
	wantAnswer(t, w, passages, everything(store.ByDay))
}

func warehouseElsewhere(t *testing.T, w store.Warehouse) {
	town := NewTown(source(t, 44))
	passages := town.Passages(120)
	wantOK(t, w.Load(t.Context(), BatchOf("n1", 0, passages[:80]...)))
	wantOK(t, w.Load(t.Context(), BatchOf("n2", 0, passages[40:]...)))
	late := town.Passages(1)[0]
	late.At = town.Start.AddDate(0, 0, -9)
	wantOK(t, w.Load(t.Context(), BatchOf("n2", 80, late, passages[3])))
	wantOK(t, w.Load(t.Context(), BatchOf("n3", 0, late)))
	changed := passages[5]
	changed.Decision, changed.Gate = (changed.Decision+1)%5, "elsewhere"
	wantOK(t, w.Load(t.Context(), BatchOf("n3", 1, changed))) // the first one loaded stays
	all := append(slices.Clone(passages), late)
	wantAnswer(t, w, all, everything())
	wantAnswer(t, w, all, everything(store.ByGate, store.ByDecision))
	wantLoaded(t, w, "n1", 80)
	wantLoaded(t, w, "n2", 82)
}

func warehousePositions(t *testing.T, w store.Warehouse) {
	wantLoaded(t, w, "n1", 0)
	wantOK(t, w.Load(t.Context(), store.Batch{Node: "n1", From: 0, To: 500}))
	wantLoaded(t, w, "n1", 500)
	wantOK(t, w.Load(t.Context(), store.Batch{Node: "n1", From: 100, To: 200}))
	wantLoaded(t, w, "n1", 500)
	wantLoaded(t, w, "n:%一", 0)
	wantOK(t, w.Load(t.Context(), store.Batch{Node: "n:%一", From: 0, To: 1 << 40}))
	wantLoaded(t, w, "n:%一", 1<<40)
	wantLoaded(t, w, "n1", 500)
}

func warehouseEmpty(t *testing.T, w store.Warehouse) {
	wantAnswer(t, w, nil, everything())
	wantAnswer(t, w, nil, everything(store.ByHour))
	got, err := w.Passages(t.Context(), store.PassageQuery{Gates: []string{"x"}, Since: time.Unix(0, 0), Until: time.Now(), Limit: 5})
	if err != nil || len(got) != 0 {
		t.Errorf("got %d, %v", len(got), err)
	}
}

func warehouseInvalid(t *testing.T, w store.Warehouse) {
	for _, change := range []func(*store.Query){
		func(q *store.Query) { q.Measures = nil },
		func(q *store.Query) { q.Measures = []store.Measure{"sum"} },
		func(q *store.Query) { q.Dimensions = []store.Dimension{"1; DROP TABLE passage"} },
		func(q *store.Query) { q.Dimensions = []store.Dimension{store.ByGate, store.ByGate} },
		func(q *store.Query) { q.Until = q.Since },
		func(q *store.Query) { q.Zone = "Asia/Shanghai" },
		func(q *store.Query) { q.Colours = []string{"blue"} },
		func(q *store.Query) { q.Limit = -1 },
	} {
		q := everything(store.ByGate)
		change(&q)
		_, err := w.Query(t.Context(), q)
		wantKind(t, err, kangma.Invalid)
	}
	_, err := w.Passages(t.Context(), store.PassageQuery{Since: time.Unix(0, 0), Until: time.Unix(1, 0), Limit: 1})
	wantKind(t, err, kangma.Invalid)
}

func warehouseConcurrent(t *testing.T, w store.Warehouse) {
	r := source(t, 45)
	var wg sync.WaitGroup
	var all []kangma.Passage
	for _, node := range []string{"a", "b", "c", "d"} {
		passages := NewTown(r).Passages(200)
		all = append(all, passages...)
		wg.Go(func() {
			for i := 0; i < len(passages); i += 20 {
				if err := w.Load(context.Background(), BatchOf(node, store.Position(i), passages[i:i+20]...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	last := uint64(0)
	for range 20 { // counts only rise
		got, err := w.Query(t.Context(), everything())
		wantOK(t, err)
		if len(got.Groups) == 0 {
			continue
		}
		if n := got.Groups[0].Values[0]; n < last {
			t.Errorf("counted %d after %d", n, last)
		} else {
			last = n
		}
	}
	wg.Wait()
	wantAnswer(t, w, all, everything(store.ByGate, store.ByReason))
	for _, node := range []string{"a", "b", "c", "d"} {
		wantLoaded(t, w, node, 200)
	}
}

func warehouseDrop(t *testing.T, w store.Warehouse) {
	d, ok := w.(store.Dropper)
	if !ok {
		t.Log("this warehouse cannot drop days")
		return
	}
	town := NewTown(source(t, 46))
	passages := town.Passages(500)
	wantOK(t, w.Load(t.Context(), BatchOf("n1", 0, passages...)))
	before := town.Start.AddDate(0, 0, 2).Truncate(24 * time.Hour)
	kept := slices.DeleteFunc(slices.Clone(passages), func(p kangma.Passage) bool { return p.At.Before(before) })
	wantOK(t, d.Drop(t.Context(), before))
	for range 2 {
		wantAnswer(t, w, kept, everything(store.ByGate, store.ByDay))
		wantAnswer(t, w, kept, everything(store.ByColour, store.ByHour))
		wantOK(t, w.Load(t.Context(), BatchOf("n1", 0, passages...))) // a late retry does not bring them back
	}
	wantLoaded(t, w, "n1", 500)
	wantOK(t, d.Drop(t.Context(), before.AddDate(0, 0, -1))) // an earlier day changes nothing
	wantAnswer(t, w, kept, everything())
	got, err := w.Passages(t.Context(), store.PassageQuery{Gates: town.Gates, Since: town.Start, Until: before, Limit: 10})
	if err != nil || len(got) != 0 {
		t.Errorf("dropped passages: got %d, %v", len(got), err)
	}
}

func warehouseCanceled(t *testing.T, w store.Warehouse) {
	town := NewTown(source(t, 48))
	wantCanceled(t, w.Load(canceled(), BatchOf("n1", 0, town.Passages(5)...)))
	wantLoaded(t, w, "n1", 0)
	wantAnswer(t, w, nil, everything())
	_, err := w.Query(canceled(), everything())
	wantCanceled(t, err)
	_, err = w.Loaded(canceled(), "n1")
	wantCanceled(t, err)
	_, err = w.Passages(canceled(), town.PassageQuery())
	wantCanceled(t, err)
}
