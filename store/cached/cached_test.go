package cached_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

func memory(tb testing.TB) store.Dossiers {
	db, err := embedded.Open("", embedded.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db.Dossiers()
}

func TestCachedIsAStoreOfDossiers(t *testing.T) {
	for name, o := range map[string]cached.Options{"large": {}, "one-entry": {Entries: 1}, "short-lived": {TTL: time.Nanosecond},
		"behind": {Behind: 1 << 20}, "little room behind": {Entries: 1, Behind: 300}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			storetest.Dossiers(t, func(tb testing.TB, name string) store.Dossiers {
				db, err := embedded.Open(filepath.Join(dir, name+".db"), embedded.Options{Relaxed: true})
				if err != nil {
					tb.Fatal(err)
				}
				c := cached.New(db.Dossiers(), o)
				tb.Cleanup(func() {
					if err := errors.Join(c.Close(), db.Close()); err != nil {
						tb.Error(err)
					}
				})
				return c
			})
		})
	}
}

func TestAReadAfterAWriteNeverSeesWhatWasBefore(t *testing.T) {
	c := cached.New(memory(t), cached.Options{Entries: 64})
	person := kangma.PersonID{1}
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			last := uint64(0)
			for {
				select {
				case <-done:
					return
				default:
				}
				d, err := c.Get(context.Background(), person)
				if err != nil && kangma.KindOf(err) != kangma.NotFound || d.Version < last {
					t.Errorf("version %d after %d, %v", d.Version, last, err)
					return
				}
				last = d.Version
			}
		})
	}
	for v := uint64(1); v <= 300; v++ {
		if err := c.Update(t.Context(), store.Mark{}, kangma.Dossier{Person: person, Version: v}); err != nil {
			t.Fatal(err)
		}
		if d, err := c.Get(t.Context(), person); err != nil || d.Version != v {
			t.Fatalf("right after version %d: got %d, %v", v, d.Version, err)
		}
	}
	close(done)
	wg.Wait()
}

// slow lets a test hold a read between the store's answer and the memory.
type slow struct {
	store.Dossiers
	answered, release chan struct{}
}

func (s slow) Get(ctx context.Context, id kangma.PersonID) (kangma.Dossier, error) {
	d, err := s.Dossiers.Get(ctx, id)
	if s.answered != nil {
		s.answered <- struct{}{}
		<-s.release
	}
	return d, err
}

func TestAnAnswerOfBeforeAWriteIsNotKept(t *testing.T) {
	inner := &slow{Dossiers: memory(t)}
	c := cached.New(inner, cached.Options{})
	person := kangma.PersonID{1}
	update := func(v uint64) {
		t.Helper()
		if err := c.Update(t.Context(), store.Mark{}, kangma.Dossier{Person: person, Version: v}); err != nil {
			t.Fatal(err)
		}
	}
	update(1)
	inner.answered, inner.release = make(chan struct{}), make(chan struct{})
	first := make(chan struct{})
	go func() { c.Get(context.Background(), person); close(first) }()
	<-inner.answered // the store has answered version 1
	update(2)
	close(inner.release)
	<-first
	inner.answered = nil
	if d, err := c.Get(t.Context(), person); err != nil || d.Version != 2 {
		t.Errorf("got version %d, %v, want 2", d.Version, err)
	}
}

func TestWhatAnotherProcessWroteIsSeenAfterTheTTL(t *testing.T) {
	inner, now := memory(t), time.Unix(1e9, 0)
	c := cached.New(inner, cached.Options{TTL: time.Second, Now: func() time.Time { return now }})
	person := storetest.RandomPerson(rand.New(rand.NewPCG(1, 1)), -1)
	want := func(when string, version uint64) {
		t.Helper()
		if d, err := c.Get(t.Context(), person); err != nil || d.Version != version {
			t.Errorf("%s: got version %d, %v, want %d", when, d.Version, err, version)
		}
	}
	put := func(v uint64) {
		t.Helper()
		if err := inner.Update(t.Context(), store.Mark{}, kangma.Dossier{Person: person, Version: v}); err != nil {
			t.Fatal(err)
		}
	}
	put(1)
	want("first", 1)
	put(2) // not through the memory
	now = now.Add(time.Second - 1)
	want("within the TTL", 1)
	now = now.Add(1)
	want("after the TTL", 2)
	if hits, all := c.Hits(); hits != 1 || all != 3 {
		t.Errorf("got %d hits of %d, want 1 of 3", hits, all)
	}
}

func BenchmarkGet(b *testing.B) {
	db, err := embedded.Open(filepath.Join(b.TempDir(), "state.db"), embedded.Options{Relaxed: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(1, 1))
	var people []kangma.Dossier
	for range 20_000 {
		people = append(people, storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 8))
	}
	if err := db.Dossiers().Update(b.Context(), store.Mark{}, people...); err != nil {
		b.Fatal(err)
	}
	for name, s := range map[string]store.Dossiers{"sqlite": db.Dossiers(), "cached": cached.New(db.Dossiers(), cached.Options{})} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := rand.IntN(len(people)); pb.Next(); i += 7 {
					if _, err := s.Get(context.Background(), people[i%len(people)].Person); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
