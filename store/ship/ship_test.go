package ship_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
	"github.com/kangma/kangma/store/storetest"
)

func source() *rand.Rand { return rand.New(rand.NewPCG(3, 4)) }

// inBubble runs a test whose time passes only while everybody waits.
func inBubble(t *testing.T, name string, f func(t *testing.T, j *journal.Journal, w *table)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j := newJournal(t, journal.Options{MaxSegmentBytes: 5000})
			f(t, j, newTable(source(), 0))
			j.Close()
		})
	})
}

func TestShipper(t *testing.T) {
	inBubble(t, "cuts batches at multiples of the batch size", fixedBoundaries)
	inBubble(t, "loads a failed batch again just as it was", sameBatch)
	inBubble(t, "lingers for more before it loads a batch that is not full", lingers)
	inBubble(t, "keeps a distance between loads", keepsDistance)
	inBubble(t, "waits longer and longer, raises the alarm once, and recovers", stalls)
	inBubble(t, "gives up on a load that hangs and tries again", hangs)
	inBubble(t, "drains without lingering, or says what is left", drains)
	inBubble(t, "reads nothing ahead while the warehouse is slow", pressure)
	inBubble(t, "releases what every consumer has", releases)
	inBubble(t, "refuses a journal older than the warehouse", rolledBack)
	inBubble(t, "passes over what retention removed, and says so", gap)
	inBubble(t, "passes over a passage nobody can read, and says so", undecodable)
	inBubble(t, "tells its lag in entries and time", lag)
}

func fixedBoundaries(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 95)
	for range 2 {
		s, stop := start(t, ship.Config{Journal: j, Warehouse: w, BatchSize: 10})
		if err := s.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()
		fill(t, j, source(), 20)
	}
	from := store.Position(0)
	for i, b := range w.loads() {
		want := (from/10 + 1) * 10
		if i == 9 { // 95 was the end when it was cut
			want = 95
		}
		if i < 10 && (b.From != from || b.To != want) || b.From != from || b.To > want {
			t.Errorf("batch %d is (%d, %d], want (%d, %d]", i, b.From, b.To, from, want)
		}
		for _, r := range b.Rows {
			if r.Position <= b.From || r.Position > b.To {
				t.Errorf("batch %d has the row of position %d", i, r.Position)
			}
		}
		from = b.To
	}
	if from != 115 {
		t.Errorf("shipped up to %d, want 115", from)
	}
}

func sameBatch(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 5)
	failures := 3
	w.insert = func(w *table, b store.Batch) error {
		if failures--; failures >= 0 {
			return storetest.Injected
		}
		return careful(w, b)
	}
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w})
	defer stop()
	for range 20 { // the journal grows meanwhile
		fill(t, j, source(), 1)
		time.Sleep(100 * time.Millisecond)
	}
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	for i := 1; i < 4; i++ {
		if b := w.loads()[i]; b.From != w.loads()[0].From || b.To != w.loads()[0].To || len(b.Rows) != len(w.loads()[0].Rows) {
			t.Errorf("try %d was (%d, %d], the first (%d, %d]", i+1, b.From, b.To, w.loads()[0].From, w.loads()[0].To)
		}
	}
	if st := s.Stats(); st.Failures != 3 || st.LastError != "" {
		t.Errorf("got %d failures, last %q; want 3 and none", st.Failures, st.LastError)
	}
}

func lingers(t *testing.T, j *journal.Journal, w *table) {
	_, stop := start(t, ship.Config{Journal: j, Warehouse: w, BatchSize: 100, Linger: time.Second})
	defer stop()
	for range 10 {
		fill(t, j, source(), 3)
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(2 * time.Second)
	synctest.Wait()
	if len(w.loads()) > 2 {
		t.Errorf("%d loads for half a second of events, want 2 at most", len(w.loads()))
	}
	if w.upTo() != 30 {
		t.Errorf("loaded up to %d, want 30", w.upTo())
	}
}

func keepsDistance(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 60)
	var at []time.Time
	w.insert = func(*table, store.Batch) error { at = append(at, time.Now()); return nil }
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w, BatchSize: 10, MinInterval: 3 * time.Second})
	defer stop()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	for i := 1; i < len(at); i++ {
		if d := at[i].Sub(at[i-1]); d < 3*time.Second {
			t.Errorf("load %d came %v after the one before", i, d)
		}
	}
	if len(at) != 6 {
		t.Errorf("got %d loads, want 6", len(at))
	}
}

// ears collects alarms.
type ears struct {
	mu    sync.Mutex
	codes []string
}

func (e *ears) hear(a ship.Alarm) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.codes = append(e.codes, a.Code)
}

func (e *ears) heard() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.codes)
}

func stalls(t *testing.T, j *journal.Journal, w *table) {
	var e ears
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w, Alarm: e.hear})
	defer stop()
	fill(t, j, source(), 3)
	time.Sleep(time.Hour) // nothing to do is no stall, also after something was done
	synctest.Wait()
	w.fail(100)
	fill(t, j, source(), 5)
	time.Sleep(4 * time.Minute)
	synctest.Wait()
	if len(e.heard()) > 0 {
		t.Fatalf("alarms %v after 4 minutes", e.heard())
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	if st := s.Stats(); !slices.Equal(e.heard(), []string{"stalled"}) || !st.Stalled || st.LastError == "" {
		t.Errorf("alarms %v, stalled %v, last error %q; want one alarm", e.heard(), st.Stalled, st.LastError)
	}
	// 64 minutes at no more than 30 seconds, and at least half of that, are 128 to 270 tries.
	if n := len(w.loads()); n < 120 || n > 280 {
		t.Errorf("%d tries in 64 minutes", n)
	}
	w.fail(0)
	time.Sleep(time.Minute)
	if st := s.Stats(); st.Stalled || st.Lag != 0 {
		t.Errorf("after the warehouse came back: %+v", st)
	}
}

func hangs(t *testing.T, j *journal.Journal, w *table) {
	fill(t, j, source(), 5)
	hung := &hanging{table: w, times: 2}
	s, stop := start(t, ship.Config{Journal: j, Warehouse: hung, LoadTimeout: 10 * time.Second})
	defer stop()
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Failures != 2 || st.Loaded != 5 {
		t.Errorf("got %d failures and %d loaded, want 2 and 5", st.Failures, st.Loaded)
	}
}

type hanging struct {
	*table
	times int
}

func (h *hanging) Load(ctx context.Context, b store.Batch) error {
	if h.times--; h.times >= 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.table.Load(ctx, b)
}

func drains(t *testing.T, j *journal.Journal, w *table) {
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w, Linger: time.Hour})
	defer stop()
	time.Sleep(time.Minute)
	fill(t, j, source(), 7)
	before := time.Now()
	err := s.Drain(t.Context())
	synctest.Wait()
	if err != nil || w.upTo() != 7 {
		t.Errorf("drain: %v, loaded up to %d, want 7", err, w.upTo())
	}
	if d := time.Since(before); d > 0 {
		t.Errorf("the drain lingered for %v", d)
	}
	w.fail(100)
	fill(t, j, source(), 7)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.Drain(ctx); !errors.Is(err, kangma.Unavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drain with the warehouse gone gave %v", err)
	}
	stop()
	w.fail(0)
	_, stop = start(t, ship.Config{Journal: j, Warehouse: w})
	defer stop()
	time.Sleep(time.Minute)
	synctest.Wait()
	if w.upTo() != 14 {
		t.Errorf("the next shipper loaded up to %d, want 14", w.upTo())
	}
}

// counted counts the reads of a journal.
type counted struct {
	*journal.Journal
	mu    sync.Mutex
	reads int
}

func (c *counted) After(ctx context.Context, pos store.Position, limit int) ([]store.Entry, error) {
	c.mu.Lock()
	c.reads++
	c.mu.Unlock()
	return c.Journal.After(ctx, pos, limit)
}

func (c *counted) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads
}

func pressure(t *testing.T, j *journal.Journal, w *table) {
	gate := make(chan struct{})
	w.insert = func(w *table, b store.Batch) error { <-gate; return nil }
	c := &counted{Journal: j}
	var e ears
	s, stop := start(t, ship.Config{Journal: c, Warehouse: w, BatchSize: 10, HighWater: 500, Alarm: e.hear})
	fill(t, j, source(), 100)
	time.Sleep(10 * time.Second)
	synctest.Wait()
	before := c.count()
	for range 10 {
		fill(t, j, source(), 100)
		time.Sleep(10 * time.Second)
	}
	synctest.Wait()
	if c.count() != before {
		t.Errorf("%d reads of the journal while a load was under way", c.count()-before)
	}
	gate <- struct{}{}
	synctest.Wait()
	if !slices.Equal(e.heard(), []string{"high-water"}) {
		t.Errorf("alarms %v, want high-water", e.heard())
	}
	if st := s.Stats(); st.Lag != 1090 {
		t.Errorf("lag %d, want 1090", st.Lag)
	}
	close(gate)
	stop()
}
