package ship

import (
	"context"
	"fmt"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Window is how long a window of Reconcile is.
const Window = 10 * time.Minute

// reconcileChunk is how many entries are read at once.
const reconcileChunk = 5000

// Source is one node's journal.
type Source struct {
	Node    string
	Journal store.Journal
}

// Difference is a window whose passages the journals and the warehouse count differently.
type Difference struct {
	Start     time.Time // UTC; the window is half-open on Passage.At
	Journal   uint64    // distinct passages in the journals, as far as they are loaded
	Warehouse uint64
}

// Report is what Reconcile found.
type Report struct {
	Windows     int    // compared
	Passages    uint64 // counted in the warehouse
	Differences []Difference
}

// Reconcile compares, for each 10 minutes of [since, until) on Passage.At, the distinct passages in the journals of all
// nodes with the count of the warehouse. The journals must reach back to since: what retention removed would show as a
// difference (kangma.Invalid when their first entries are later). It reads each journal once, and once more where windows
// differ. Passages that arrive late meanwhile are waited for by counting those windows again.
func Reconcile(ctx context.Context, w store.Warehouse, sources []Source, since, until time.Time) (Report, error) {
	if !since.Truncate(Window).Equal(since) || !until.Truncate(Window).Equal(until) || !since.Before(until) {
		return Report{}, kangma.E(kangma.Invalid, "reconcile_range", "since and until are whole windows of 10 minutes, since before until")
	}
	r := reconciler{w: w, sources: sources, since: since.UTC(), until: until.UTC()}
	return r.run(ctx)
}

type reconciler struct {
	w            store.Warehouse
	sources      []Source
	since, until time.Time
}

func (r *reconciler) run(ctx context.Context) (Report, error) {
	for _, s := range r.sources {
		if err := r.reachesBack(ctx, s); err != nil {
			return Report{}, err
		}
	}
	// First simply count, a retry on two nodes twice; it costs no memory and mostly nothing more is needed.
	n := int(r.until.Sub(r.since) / Window)
	counts := make([]uint64, n)
	if err := r.walk(ctx, func(i int, _ kangma.EventID) { counts[i]++ }); err != nil {
		return Report{}, err
	}
	report := Report{Windows: n}
	suspects := map[int]map[kangma.EventID]bool{}
	for i := range n {
		stored, err := r.stored(ctx, i)
		if err != nil {
			return Report{}, err
		}
		report.Passages += stored
		if stored != counts[i] {
			suspects[i] = nil
		}
	}
	// Then, of the windows that differ, every id; more than once, because the world goes on meanwhile.
	for range 3 {
		if len(suspects) == 0 {
			break
		}
		if err := r.again(ctx, suspects, &report); err != nil {
			return Report{}, err
		}
	}
	return report, nil
}

// again counts suspects exactly and drops those that agree.
func (r *reconciler) again(ctx context.Context, suspects map[int]map[kangma.EventID]bool, report *Report) error {
	for i := range suspects {
		suspects[i] = map[kangma.EventID]bool{}
	}
	err := r.walk(ctx, func(i int, id kangma.EventID) {
		if ids, suspect := suspects[i]; suspect {
			ids[id] = true
		}
	})
	if err != nil {
		return err
	}
	report.Differences = nil
	for i := range report.Windows {
		ids, suspect := suspects[i]
		if !suspect {
			continue
		}
		stored, err := r.stored(ctx, i)
		if err != nil {
			return err
		}
		if stored == uint64(len(ids)) {
			delete(suspects, i)
			continue
		}
		report.Differences = append(report.Differences, Difference{Start: r.start(i), Journal: uint64(len(ids)), Warehouse: stored})
	}
	return nil
}

func (r *reconciler) start(i int) time.Time { return r.since.Add(time.Duration(i) * Window) }

// stored asks the warehouse for one window.
func (r *reconciler) stored(ctx context.Context, i int) (uint64, error) {
	res, err := r.w.Query(ctx, store.Query{Measures: []store.Measure{store.Count}, Since: r.start(i), Until: r.start(i + 1)})
	if err != nil {
		return 0, fmt.Errorf("count in the warehouse: %w", err)
	}
	if len(res.Groups) == 0 {
		return 0, nil
	}
	return res.Groups[0].Values[0], nil
}

// walk tells of every passage in the range that is in a journal and should be in the warehouse.
func (r *reconciler) walk(ctx context.Context, each func(window int, id kangma.EventID)) error {
	for _, s := range r.sources {
		loaded, err := r.w.Loaded(ctx, s.Node)
		if err != nil {
			return fmt.Errorf("how far %s is loaded: %w", s.Node, err)
		}
		for pos := first(s.Journal) - 1; pos < loaded; {
			entries, err := s.Journal.After(ctx, pos, reconcileChunk)
			if err != nil {
				return fmt.Errorf("journal of %s after %d: %w", s.Node, pos, err)
			}
			if len(entries) == 0 {
				return kangma.E(kangma.Conflict, "journal_rolled_back",
					fmt.Sprintf("the journal of %s ends at %d, the warehouse has %d", s.Node, pos, loaded)).Because(ErrRolledBack)
			}
			for _, e := range entries {
				if pos = e.Position; pos > loaded {
					break
				}
				if e.Event.Kind != kangma.EventPassage {
					continue
				}
				p, err := wire.DecodePassage(e.Event.Data)
				if err != nil || p.At.Before(r.since) || !p.At.Before(r.until) {
					continue
				}
				each(int(p.At.Sub(r.since)/Window), p.ID)
			}
		}
	}
	return nil
}

func first(j store.Journal) store.Position {
	if b, ok := j.(bounds); ok {
		return b.First()
	}
	return 1
}

// reachesBack refuses a range of which retention has removed a part.
func (r *reconciler) reachesBack(ctx context.Context, s Source) error {
	pos := first(s.Journal)
	if pos <= 1 {
		return nil
	}
	got, err := s.Journal.After(ctx, pos-1, 1)
	if err != nil {
		return fmt.Errorf("journal of %s: %w", s.Node, err)
	}
	if len(got) == 1 && got[0].Recorded.After(r.since) {
		return kangma.E(kangma.Invalid, "reconcile_range", "the journal of "+s.Node+" begins later than the range; begin at "+
			got[0].Recorded.Add(Window).Truncate(Window).Format(time.RFC3339))
	}
	return nil
}
