package ship_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
)

func TestShipperStandsBack(t *testing.T) {
	inBubble(t, "while others are more urgent, and not longer", standsBack)
	inBubble(t, "not for good: what is old is loaded in full batches", standsBackAMinute)
	inBubble(t, "not when too much waits", standsBackUpTo)
	inBubble(t, "not for a drain", standsBackUnlessDrained)
	inBubble(t, "not with next to nothing", standsBackWithMany)
	inBubble(t, "a moment for a larger batch while nobody is urgent", standsForMore)
	inBubble(t, "until it is told to end", standsBackUntilStopped)
}

// urgent runs a shipper beside others who are more urgent until told otherwise.
func urgent(t *testing.T, j *journal.Journal, w *table, cfg ship.Config) (s *ship.Shipper, busy *atomic.Bool, stop func() error) {
	busy = new(atomic.Bool)
	busy.Store(true)
	cfg.Journal, cfg.Warehouse, cfg.Busy, cfg.Few = j, w, busy.Load, 10
	s, stop = start(t, cfg)
	return s, busy, stop
}

// after lets time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func expectUpTo(t *testing.T, w *table, want store.Position, when string) {
	t.Helper()
	if got := w.upTo(); got != want {
		t.Errorf("%s: loaded up to %d, want %d", when, got, want)
	}
}

func standsBack(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 95)
	_, busy, stop := urgent(t, j, w, ship.Config{BatchSize: 30})
	defer stop()
	after(50 * time.Second)
	expectUpTo(t, w, 0, "while others are urgent")
	busy.Store(false)
	after(100 * time.Millisecond)
	expectUpTo(t, w, 0, "at the first glimpse")
	after(10 * time.Second)
	expectUpTo(t, w, 95, "when it was calm")
}

func standsBackAMinute(t *testing.T, j *journal.Journal, w *table) {
	s, _, stop := urgent(t, j, w, ship.Config{BatchSize: 300})
	defer stop()
	for range 150 {
		fill(t, j, source(), 20)
		after(time.Second)
		if age := s.Stats().LagTime; age > 63*time.Second {
			t.Fatalf("a passage has waited for %v", age)
		}
	}
	if w.upTo() < 1500 || w.upTo() > 2100 {
		t.Errorf("loaded up to %d of 3000, want the batches that began more than a minute ago: up to 2100", w.upTo())
	}
	for _, b := range w.loads() {
		if b.To-b.From != 300 {
			t.Errorf("(%d, %d] is not a full batch", b.From, b.To)
		}
	}
}

func standsBackUpTo(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 130)
	_, _, stop := urgent(t, j, w, ship.Config{BatchSize: 20, StandMost: 100})
	defer stop()
	after(5 * time.Second)
	expectUpTo(t, w, 40, "with more than a hundred waiting")
}

func standsBackUnlessDrained(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 95)
	s, _, stop := urgent(t, j, w, ship.Config{BatchSize: 30})
	defer stop()
	after(5 * time.Second)
	began := time.Now()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 0 {
		t.Errorf("the drain waited for %v", took)
	}
}

func standsBackWithMany(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 9)
	_, _, stop := urgent(t, j, w, ship.Config{Linger: time.Second})
	defer stop()
	after(1500 * time.Millisecond)
	expectUpTo(t, w, 9, "after it lingered")
}

func standsForMore(t *testing.T, j *journal.Journal, w *table) {
	_, busy, stop := urgent(t, j, w, ship.Config{BatchSize: 1000, Linger: 300 * time.Millisecond})
	defer stop()
	busy.Store(false)
	for range 100 {
		fill(t, j, source(), 10)
		after(100 * time.Millisecond)
	}
	after(3 * time.Second)
	expectUpTo(t, w, 1000, "in the end")
	if n := len(w.loads()); n > 7 {
		t.Errorf("%d loads in ten seconds, want one for some two seconds", n)
	}
}

func standsBackUntilStopped(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 95)
	_, _, stop := urgent(t, j, w, ship.Config{})
	after(5 * time.Second)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	expectUpTo(t, w, 0, "told to end while it stood back")
}
