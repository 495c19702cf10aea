package ship_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
	"github.com/kangma/kangma/store/ship"
	"github.com/kangma/kangma/store/storetest"
	"github.com/kangma/kangma/store/wire"
)

const node = "n1"

var (
	quiet = slog.New(slog.NewTextHandler(io.Discard, nil))
	since = time.Date(2022, 7, 9, 0, 0, 0, 0, time.UTC)
	until = since.AddDate(0, 0, 3)
)

// passageAt makes a passage; gates that were offline upload late, so At lies anywhere in three days.
func passageAt(rnd *rand.Rand) kangma.Passage {
	at := since.Add(time.Duration(rnd.Int64N(int64(until.Sub(since))))).Truncate(time.Microsecond)
	return kangma.Passage{ID: kangma.NewEventID(at), At: at, Gate: "gate-1", Person: kangma.Pseudonym{1}, Reason: "ok", Verified: "online"}
}

// newJournal makes a journal in memory.
func newJournal(t testing.TB, opt journal.Options) *journal.Journal {
	t.Helper()
	if opt.FS == nil {
		opt.FS = crashfs.New()
	}
	opt.CheckpointEvery, opt.Logger = time.Hour, quiet
	j, err := journal.Open("/data/journal", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// fill appends n events, two of three of them passages, and gives the passages.
func fill(t testing.TB, j store.Journal, rnd *rand.Rand, n int) (out []kangma.Passage) {
	t.Helper()
	var events []kangma.Event
	for i := range n {
		if i%3 == 2 {
			events = append(events, kangma.Event{ID: kangma.NewEventID(since), Kind: kangma.EventAccess, Person: kangma.PersonID{1}})
			continue
		}
		p := passageAt(rnd)
		out, events = append(out, p), append(events, wire.PassageEvent(p))
	}
	if _, err := j.Append(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
	return out
}

// table is a model of a warehouse whose inserts are whole for one day (partition) and may be cut short between days, and
// whose answers may be lost, as reliability.md measured it on ClickHouse.
type table struct {
	mu     sync.Mutex
	rnd    *rand.Rand
	faults int // in a hundred calls
	rows   []store.Row
	loaded store.Position
	calls  []store.Batch

	insert func(t *table, b store.Batch) error // how a batch is loaded; the mutants differ here
	commit func(b store.Batch) store.Position
}

func newTable(rnd *rand.Rand, faults int) *table {
	return &table{rnd: rnd, faults: faults, insert: careful, commit: func(b store.Batch) store.Position { return b.To }}
}

func (t *table) Load(ctx context.Context, b store.Batch) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	t.calls = append(t.calls, b)
	if err := t.insert(t, b); err != nil {
		return err
	}
	t.loaded = max(t.loaded, t.commit(b))
	if t.fails() {
		return storetest.Injected
	}
	return nil
}

func (t *table) fail(inAHundred int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = inAHundred
}

func (t *table) loads() []store.Batch {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.calls)
}

func (t *table) upTo() store.Position {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.loaded
}

func (t *table) fails() bool { return t.rnd.IntN(100) < t.faults }

// put is one INSERT: each day in it arrives whole, but only one day is sure to arrive with the others.
func (t *table) put(days ...[]store.Row) error {
	if t.fails() {
		return storetest.Injected
	}
	for _, rows := range days {
		t.rows = append(t.rows, rows...)
		if t.fails() {
			return storetest.Injected // the answer is lost, and the days behind this one as well
		}
	}
	return nil
}

func (t *table) has(id kangma.EventID) bool {
	return slices.ContainsFunc(t.rows, func(r store.Row) bool { return r.Passage.ID == id })
}

func byDay(rows []store.Row) (days [][]store.Row) {
	at := map[time.Time]int{}
	for _, r := range rows {
		day := r.Passage.At.Truncate(24 * time.Hour)
		if _, ok := at[day]; !ok {
			at[day], days = len(days), append(days, nil)
		}
		days[at[day]] = append(days[at[day]], r)
	}
	return days
}

// careful is one insert a day, of what is not there yet.
func careful(t *table, b store.Batch) error {
	for _, day := range byDay(b.Rows) {
		day = slices.DeleteFunc(slices.Clone(day), func(r store.Row) bool { return t.has(r.Passage.ID) })
		if len(day) == 0 {
			continue
		}
		if err := t.put(day); err != nil {
			return err
		}
	}
	return nil
}

// blind is a mutant: it does not look whether the last try arrived.
func blind(t *table, b store.Batch) error {
	for _, day := range byDay(b.Rows) {
		if err := t.put(day); err != nil {
			return err
		}
	}
	return nil
}

// together is a mutant: all days in one insert, taken as arrived when anything of it did.
func together(t *table, b store.Batch) error {
	if slices.ContainsFunc(b.Rows, func(r store.Row) bool { return t.has(r.Passage.ID) }) || len(b.Rows) == 0 {
		return nil
	}
	return t.put(byDay(b.Rows)...)
}

func (t *table) Loaded(context.Context, string) (store.Position, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.loaded, nil
}

func (t *table) Query(_ context.Context, q store.Query) (store.Result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []kangma.Passage
	for _, r := range t.rows {
		if !r.Passage.At.Before(q.Since) && r.Passage.At.Before(q.Until) {
			all = append(all, r.Passage)
		}
	}
	return storetest.Evaluate(all, q), nil
}

func (t *table) Passages(context.Context, store.PassageQuery) ([]kangma.Passage, error) {
	return nil, nil
}

// start runs a shipper until stop is called, which gives the error of Run.
func start(t testing.TB, cfg ship.Config) (s *ship.Shipper, stop func() error) {
	t.Helper()
	cfg.Node, cfg.Logger = node, quiet
	s, err := ship.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, sync.OnceValue(func() error { cancel(); return <-done })
}

// agree compares the journal and the warehouse window by window and row by row.
func agree(t testing.TB, j store.Journal, w *table, want []kangma.Passage) error {
	t.Helper()
	r, err := ship.Reconcile(t.Context(), w, []ship.Source{{Node: node, Journal: j}}, since, until)
	if err != nil {
		return err
	}
	if len(r.Differences) > 0 {
		d := r.Differences[0]
		return fmt.Errorf("%d windows differ; at %s the journal has %d, the warehouse %d", len(r.Differences), d.Start.Format(time.RFC3339), d.Journal, d.Warehouse)
	}
	seen := map[kangma.EventID]bool{}
	for _, row := range w.rows {
		if seen[row.Passage.ID] {
			return fmt.Errorf("position %d is there twice", row.Position)
		}
		seen[row.Passage.ID] = true
	}
	for _, p := range want {
		if !seen[p.ID] {
			return fmt.Errorf("a passage of %s is missing", p.At.Format(time.RFC3339))
		}
	}
	if len(seen) != len(want) {
		return fmt.Errorf("%d passages, want %d", len(seen), len(want))
	}
	return nil
}
