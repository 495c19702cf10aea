package storetest_test

import (
	"context"
	"sync"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

func memory(t *testing.T) *embedded.DB {
	t.Helper()
	db, err := embedded.Open("", embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// stale answers every third read with what it read before: a cache nobody invalidates.
type stale struct {
	store.Dossiers
	mu    sync.Mutex
	reads int
	kept  map[kangma.PersonID]kangma.Dossier
}

func (s *stale) Get(ctx context.Context, id kangma.PersonID) (kangma.Dossier, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if d, ok := s.kept[id]; ok && s.reads%3 == 0 {
		return d, nil
	}
	d, err := s.Dossiers.Get(ctx, id)
	if err == nil {
		s.kept[id] = d
	}
	return d, err
}

// careless stores without looking at the version.
type careless struct{ store.Dossiers }

func (s careless) Update(ctx context.Context, m store.Mark, ds ...kangma.Dossier) error {
	for i := range ds {
		got, err := s.Dossiers.Get(ctx, ds[i].Person)
		if err != nil && kangma.KindOf(err) != kangma.NotFound {
			return err
		}
		ds[i].Version = got.Version + 1
	}
	return s.Dossiers.Update(ctx, m, ds...)
}

func TestTheLinearizabilityCheckCanFail(t *testing.T) {
	if err := storetest.Linear(1, memory(t).Dossiers()); err != nil {
		t.Errorf("a good store: %v", err)
	}
	for name, bad := range map[string]store.Dossiers{
		"stale reads":  &stale{Dossiers: memory(t).Dossiers(), kept: map[kangma.PersonID]kangma.Dossier{}},
		"lost updates": careless{memory(t).Dossiers()},
	} {
		if err := storetest.Linear(1, bad); err == nil {
			t.Errorf("%s: passed as linearizable", name)
		}
	}
}

func TestFaultsFailTheCallTheyName(t *testing.T) {
	db := memory(t)
	put := func(s store.Records, v uint64) error {
		return s.Put(t.Context(), store.Record{Kind: "gate", ID: "g", Version: v})
	}
	f := storetest.NewFaults(storetest.Fail(2), storetest.FailButPersist(3))
	s := storetest.FaultyRecords(db.Records(), f)
	if err := put(s, 1); err != nil {
		t.Errorf("first: %v", err)
	}
	if err := put(s, 2); kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("second: got %v", err)
	}
	if r, err := s.Get(t.Context(), "gate", "g"); err != nil || r.Version != 1 {
		t.Errorf("after the call that did nothing: got version %d, %v", r.Version, err)
	}
	if err := put(s, 2); kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("third: got %v", err)
	}
	if r, err := s.Get(t.Context(), "gate", "g"); err != nil || r.Version != 2 {
		t.Errorf("after the call that worked and failed: got version %d, %v", r.Version, err)
	}
	if f.Calls() != 3 {
		t.Errorf("got %d calls, want 3", f.Calls())
	}
	f.Set(storetest.Fault{})
	if err := put(s, 3); err == nil {
		t.Error("every call should fail now")
	}
}

// A warehouse whose loads fail after they did their work is loaded again, and counts once.
func TestALoadThatFailedButPersistedCountsOnce(t *testing.T) {
	w, err := embedded.OpenWarehouse("", embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	f := storetest.NewFaults(storetest.FailButPersist(1), storetest.Fail(3))
	s := storetest.FaultyWarehouse(w, f)
	b := storetest.BatchOf("n", 0, storetest.NewCity(1, 100, 1, 5, 2, 50).Next(100)...)
	for n := 0; s.Load(t.Context(), b) != nil; n++ {
		if n > 3 {
			t.Fatal("never loaded")
		}
	}
	q := store.Query{Measures: []store.Measure{store.Count}, Since: b.Rows[0].Passage.At, Until: b.Rows[99].Passage.At.Add(1)}
	if r, err := w.Query(t.Context(), q); err != nil || len(r.Groups) != 1 || r.Groups[0].Values[0] != 100 {
		t.Errorf("got %+v, %v, want 100", r, err)
	}
}
