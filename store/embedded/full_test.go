package embedded_test

import (
	"context"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

// A full disk: what was acknowledged is there, what was not is not half there, reads go on, and all goes on when there
// is room again.
func TestAFullDiskIsUnavailableAndHeals(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "state.db"), embedded.Options{})
	if err := embedded.LimitPages(db, 200); err != nil {
		t.Fatal(err)
	}
	r := source(t, 97)
	var acked []kangma.Dossier
	var full error
	for pos := store.Position(1); full == nil && pos < 2000; pos++ {
		pair := []kangma.Dossier{storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 8), storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 8)}
		if full = db.Dossiers().Update(t.Context(), store.Mark{Node: "n", Applied: pos}, pair...); full == nil {
			acked = append(acked, pair...)
			continue
		}
		for _, p := range pair {
			if _, err := db.Dossiers().Get(t.Context(), p.Person); kangma.KindOf(err) != kangma.NotFound {
				t.Errorf("of the update that failed: got %v, want nobody", err)
			}
		}
	}
	if kangma.KindOf(full) != kangma.Unavailable || len(acked) < 100 {
		t.Fatalf("got %v after %d people", full, len(acked))
	}
	rec, err := db.Records().Get(t.Context(), "applied", "n")
	if err != nil || string(rec.Data) != strconv.Itoa(len(acked)/2) {
		t.Errorf("mark: got %s, %v, want %d", rec.Data, err, len(acked)/2)
	}
	for _, d := range acked {
		if got, err := db.Dossiers().Get(t.Context(), d.Person); err != nil || digestOf(got) != digestOf(d) {
			t.Fatalf("somebody acknowledged: %v", err)
		}
	}
	if err := embedded.LimitPages(db, 0); err != nil {
		t.Fatal(err)
	}
	if err := db.Dossiers().Update(t.Context(), store.Mark{}, storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 8)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if _, err := db.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// One change that cannot be made must not fail those that share its transaction.
func TestAWriteThatFailsDoesNotFailItsNeighbours(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "state.db"), embedded.Options{})
	if err := embedded.LimitPages(db, 300); err != nil {
		t.Fatal(err)
	}
	r := source(t, 98)
	var wg sync.WaitGroup
	var small, large atomic.Int64
	for i := range 60 {
		d := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 1)
		wg.Go(func() {
			if i%6 == 0 { // far over what fits
				err := db.Records().Put(context.Background(), store.Record{Kind: "area-list", ID: strconv.Itoa(i), Version: 1, Data: make([]byte, 4<<20)})
				if kangma.KindOf(err) == kangma.Unavailable {
					large.Add(1)
				}
			} else if err := db.Dossiers().Update(context.Background(), store.Mark{}, d); err == nil {
				small.Add(1)
			} else {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if small.Load() != 50 || large.Load() != 10 {
		t.Errorf("%d small ones stored and %d large ones refused, want 50 and 10", small.Load(), large.Load())
	}
}

// Codes that an undone load gave to gates are given to others later: nobody may go on using them.
func TestALoadThatFailedLeavesNoCodesBehind(t *testing.T) {
	w, err := embedded.OpenWarehouse(filepath.Join(t.TempDir(), "warehouse.db"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	city := storetest.NewCity(3, 30_000, 2, 3000, 7, 500)
	first, second, third := city.Next(100), city.Next(20_000), city.Next(3000)
	if err := w.Load(t.Context(), storetest.BatchOf("n", 0, first...)); err != nil {
		t.Fatal(err)
	}
	if err := embedded.LimitPages(w, 120); err != nil {
		t.Fatal(err)
	}
	if err := w.Load(t.Context(), storetest.BatchOf("n", 100, second...)); kangma.KindOf(err) != kangma.Unavailable {
		t.Fatalf("on a full disk: got %v", err)
	}
	if err := embedded.LimitPages(w, 0); err != nil {
		t.Fatal(err)
	}
	if err := w.Load(t.Context(), storetest.BatchOf("n", 100, third...)); err != nil { // other gates, in another order
		t.Fatal(err)
	}
	q := store.Query{Measures: []store.Measure{store.Count, store.People}, Dimensions: []store.Dimension{store.ByGate, store.ByReason},
		Since: city.Start, Until: city.Start.Add(72 * time.Hour)}
	for range 2 {
		got, err := w.Query(t.Context(), q)
		want := storetest.Evaluate(append(first[:100:100], third...), q)
		if err != nil || len(got.Groups) != len(want.Groups) {
			t.Fatalf("got %d groups, %v, want %d", len(got.Groups), err, len(want.Groups))
		}
		for i := range want.Groups {
			if got.Groups[i].Keys[0] != want.Groups[i].Keys[0] || got.Groups[i].Values[0] != want.Groups[i].Values[0] {
				t.Fatalf("group %d: got %v, want %v", i, got.Groups[i], want.Groups[i])
			}
		}
		q.Measures = q.Measures[:1] // from the hourly counts too
	}
}

// An uncommon question over more than the limit is refused, and says how far it is while it runs.
func TestAnUncommonQuestionHasALimitAndTellsItsProgress(t *testing.T) {
	told := 0
	w, err := embedded.OpenWarehouse("", embedded.Options{ScanLimit: 25_000, Progress: func(done, total int64) {
		if told++; done > total || total != 20_000 {
			t.Errorf("progress %d of %d", done, total)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	city := storetest.NewCity(4, 30_000, 2, 50, 7, 500)
	if err := w.Load(t.Context(), storetest.BatchOf("n", 0, city.Next(20_000)...)); err != nil {
		t.Fatal(err)
	}
	people := store.Query{Measures: []store.Measure{store.People}, Since: city.Start, Until: city.Start.Add(72 * time.Hour)}
	if _, err := w.Query(t.Context(), people); err != nil || told < 2 {
		t.Errorf("within the limit: %v, told %d times", err, told)
	}
	if err := w.Load(t.Context(), storetest.BatchOf("n", 20_000, city.Next(10_000)...)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Query(t.Context(), people); kangma.CodeOf(err) != "scan_limit" || kangma.KindOf(err) != kangma.TooLarge {
		t.Errorf("over the limit: got %v", err)
	}
	people.Measures = []store.Measure{store.Count}
	if r, err := w.Query(t.Context(), people); err != nil || r.Groups[0].Values[0] != 30_000 {
		t.Errorf("counts have no limit: got %v, %v", r, err)
	}
}
