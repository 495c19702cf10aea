package ship_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
)

func TestReplayGoesOnWhereItStopped(t *testing.T) {
	j := newJournal(t, journal.Options{})
	fill(t, j, source(), 3500)
	mark, seen, fail := store.Mark{Node: node}, store.Position(0), true
	apply := func(_ context.Context, entries []store.Entry) error {
		if seen == 2000 && fail {
			fail = false
			return errors.New("no")
		}
		for _, e := range entries {
			if seen++; e.Position != seen {
				t.Fatalf("got position %d, want %d", e.Position, seen)
			}
		}
		return nil
	}
	told := 0
	mark, err := ship.Replay(t.Context(), j, mark, apply, func(store.Mark) { told++ })
	if err == nil || mark.Applied != 2000 {
		t.Fatalf("the first replay came to %d, %v; want 2000 and an error", mark.Applied, err)
	}
	mark, err = ship.Replay(t.Context(), j, mark, apply, func(store.Mark) { told++ })
	if err != nil || mark.Applied != 3500 || mark.Node != node || told != 4 {
		t.Fatalf("the second replay came to %+v, %v, with %d tellings; want 3500 and 4", mark, err, told)
	}
}

func TestFollowTriesAgainAndFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(t, journal.Options{})
		fill(t, j, source(), 10)
		seen, failures := store.Position(0), 0
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan store.Mark)
		go func() {
			done <- ship.Follow(ctx, j, store.Mark{Node: node}, time.Second, func(_ context.Context, entries []store.Entry) error {
				if failures < 3 {
					return errors.New("not yet")
				}
				seen = entries[len(entries)-1].Position
				return nil
			}, nil, func(error) { failures++ })
		}()
		time.Sleep(time.Minute)
		fill(t, j, source(), 10)
		time.Sleep(2 * time.Second)
		cancel()
		if mark := <-done; mark.Applied != 20 || seen != 20 || failures != 3 {
			t.Errorf("followed to %d, saw %d, %d failures; want 20, 20 and 3", mark.Applied, seen, failures)
		}
		j.Close()
	})
}

func TestReconcileFindsWhatDiffers(t *testing.T) {
	j, other, w := newJournal(t, journal.Options{}), newJournal(t, journal.Options{}), newTable(source(), 0)
	passages := fill(t, j, source(), 600)
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w, BatchSize: 100})
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := agree(t, j, w, passages); err != nil {
		t.Fatal(err)
	}
	// The same events on a second node, as after retries through a balancer, change no count.
	sources := []ship.Source{{Node: node, Journal: j}, {Node: "n2", Journal: other}}
	entries, err := j.After(t.Context(), 0, 600)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := other.Append(t.Context(), e.Event); err != nil {
			t.Fatal(err)
		}
	}
	r, err := ship.Reconcile(t.Context(), w, sources, since, until)
	if err != nil || len(r.Differences) > 0 || r.Passages != 400 || r.Windows != 3*144 {
		t.Fatalf("two nodes: %+v, %v; want 400 passages in 432 windows and no difference", r, err)
	}
	fill(t, j, source(), 30) // not loaded yet, so not missing
	if r, err = ship.Reconcile(t.Context(), w, sources[:1], since, until); err != nil || len(r.Differences) > 0 {
		t.Fatalf("with entries that are not loaded yet: %+v, %v; want no difference", r.Differences, err)
	}
	gone := w.rows[17].Passage.At.Truncate(ship.Window)
	w.rows = append(w.rows[:17], w.rows[18:]...)
	r, err = ship.Reconcile(t.Context(), w, sources[:1], since, until)
	if err != nil || len(r.Differences) != 1 || !r.Differences[0].Start.Equal(gone) || r.Differences[0].Journal != r.Differences[0].Warehouse+1 {
		t.Fatalf("one row taken away from %v: %+v, %v", gone, r.Differences, err)
	}
	w.loaded = 700
	if _, err := ship.Reconcile(t.Context(), w, sources[:1], since, until); !errors.Is(err, ship.ErrRolledBack) {
		t.Errorf("a warehouse ahead of the journal gave %v, want %v", err, ship.ErrRolledBack)
	}
	for _, bad := range [][2]time.Time{{since.Add(time.Second), until}, {until, since}, {since, since}} {
		if _, err := ship.Reconcile(t.Context(), w, sources, bad[0], bad[1]); !errors.Is(err, kangma.Invalid) {
			t.Errorf("range %v gave %v, want %v", bad, err, kangma.Invalid)
		}
	}
}
