package ship

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Shipper loads the passages of one node's journal into the warehouse. It holds one batch at a time, and while that is being loaded
// the next one where a full one waits: when the warehouse is slow or gone, what waits waits in the journal, on disk. Make one with
// New; Run is called once.
type Shipper struct {
	cfg Config

	mu      sync.Mutex
	stats   Stats
	oldest  time.Time // Recorded of the oldest entry that is not loaded; zero: none known
	told    map[string]bool
	waiting time.Time     // since when something is there to be loaded; zero: nothing is
	hurry   int           // Drains under way: do not linger
	moved   chan struct{} // closed and made anew at each progress

	wake chan struct{} // something was appended
	rush chan struct{} // a Drain began
	over chan struct{} // closed when Run has returned
	next time.Time     // before which no load begins, see Config.MinInterval
}

// ErrRolledBack is the cause of the error of Run when the warehouse has more of the journal than the journal itself.
var ErrRolledBack = errors.New("ship: the warehouse is ahead of the journal")

// New makes a Shipper. kangma.Invalid: something required is missing.
func New(cfg Config) (*Shipper, error) {
	if cfg.Node == "" || cfg.Journal == nil || cfg.Warehouse == nil {
		return nil, kangma.E(kangma.Invalid, "ship_config", "a shipper needs a node, a journal and a warehouse")
	}
	s := &Shipper{cfg: cfg.withDefaults(), told: map[string]bool{}, moved: make(chan struct{}), wake: make(chan struct{}, 1),
		rush: make(chan struct{}, 1), over: make(chan struct{})}
	s.stats.Progress = s.cfg.Now()
	return s, nil
}

// Wake says that something was appended. Without it the Shipper looks every Config.Linger.
func (s *Shipper) Wake() { poke(s.wake) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run ships until ctx is done, trying for ever what fails. It returns nil when ctx is done, and an error only where going
// on would lose passages: kangma.Conflict when the journal is an older copy of what was already shipped.
func (s *Shipper) Run(ctx context.Context) error {
	defer close(s.over)
	from, err := retry(ctx, s, func(ctx context.Context) (store.Position, error) { return s.cfg.Warehouse.Loaded(ctx, s.cfg.Node) })
	if err != nil {
		return nil
	}
	s.confirmed(cutting{batch: store.Batch{From: from, To: from}})
	next := func(store.Position) (c cutting, ready bool) { return c, false }
	for ctx.Err() == nil {
		if err := s.notRolledBack(from); err != nil {
			return err
		}
		if !s.linger(ctx, from) {
			continue
		}
		c, ready := next(from)
		if !ready {
			if c, err = retry(ctx, s, func(ctx context.Context) (cutting, error) { return s.cut(ctx, from) }); err != nil || c.batch.To == from {
				continue
			}
		}
		next = s.ahead(ctx, c)
		if !s.load(ctx, c) {
			next(c.batch.To) // the journal may be closed once Run has returned
			return nil
		}
		from = c.batch.To
		s.release(ctx, from)
	}
	return nil
}

// linger waits until it is time to cut a batch: it is full, or it has waited long enough for more, or somebody drains. It
// says false when there is nothing, after having waited for something.
func (s *Shipper) linger(ctx context.Context, from store.Position) bool {
	first, err := retry(ctx, s, func(ctx context.Context) ([]store.Entry, error) {
		got, err := s.cfg.Journal.After(ctx, from, 1)
		if errors.Is(err, kangma.NotFound) {
			return []store.Entry{{}}, nil // the cut deals with it
		}
		return got, err
	})
	if err != nil {
		return false
	}
	if len(first) == 0 {
		sleep(ctx, s.cfg.Linger, s.wake, s.rush)
		return false
	}
	s.mu.Lock()
	s.oldest = first[0].Recorded
	if s.waiting.IsZero() {
		s.waiting = s.cfg.Now()
	}
	hurry := s.hurry > 0
	s.mu.Unlock()
	b, ok := s.cfg.Journal.(bounds)
	if !hurry && !(ok && b.Last() >= s.boundary(from)) && !sleep(ctx, s.cfg.Linger, s.rush, nil) {
		return false
	}
	return s.cfg.Busy == nil || !ok || s.standBack(ctx, b, from)
}

// notRolledBack refuses a journal that ends before what the warehouse has: its next events would be taken for old ones.
func (s *Shipper) notRolledBack(from store.Position) error {
	b, ok := s.cfg.Journal.(bounds)
	if !ok || b.Last() >= from {
		return nil
	}
	what := fmt.Sprintf("the journal ends at %d, the warehouse has %d: it was replaced by an older copy; give the node a new name", b.Last(), from)
	s.alarm("rolled-back", what)
	return kangma.E(kangma.Conflict, "journal_rolled_back", what).Because(ErrRolledBack)
}

// load makes the warehouse take the batch, the same one until it does. It says false when ctx is done before.
func (s *Shipper) load(ctx context.Context, c cutting) bool {
	if wait := s.next.Sub(s.cfg.Now()); wait > 0 && !sleep(ctx, wait, nil, nil) {
		return false
	}
	s.next = s.cfg.Now().Add(s.cfg.MinInterval)
	_, err := retry(ctx, s, func(ctx context.Context) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, s.cfg.LoadTimeout)
		defer cancel()
		return struct{}{}, s.cfg.Warehouse.Load(ctx, c.batch)
	})
	if err != nil {
		return false
	}
	s.confirmed(c)
	return true
}

// confirmed notes progress.
func (s *Shipper) confirmed(c cutting) {
	now := s.cfg.Now()
	s.mu.Lock()
	st := &s.stats
	st.Loaded, st.Progress, st.LastError = c.batch.To, now, ""
	s.oldest, s.waiting = time.Time{}, time.Time{}
	st.Rows += uint64(len(c.batch.Rows))
	st.Undecodable += uint64(c.bad)
	if n := uint64(c.batch.To - c.batch.From); c.gap {
		st.Skipped += n
	} else if n > 0 {
		st.Entries += n
		st.Batches++
	}
	close(s.moved)
	s.moved = make(chan struct{})
	s.mu.Unlock()
	s.calm("stalled")
	if c.gap {
		s.alarm("gap", fmt.Sprintf("positions %d to %d are no longer in the journal and not in the warehouse", c.batch.From+1, c.batch.To))
	}
	if c.bad > 0 {
		s.alarm("undecodable", fmt.Sprintf("%d passages up to position %d cannot be read; they stay in the journal only", c.bad, c.batch.To))
	}
	if lag := s.Stats().Lag; lag > s.cfg.HighWater {
		s.alarm("high-water", fmt.Sprintf("%d entries of the journal are not in the warehouse", lag))
	} else {
		s.calm("high-water")
	}
}

// release lets the journal go up to what everybody has. A failure is no harm: the next one releases more.
func (s *Shipper) release(ctx context.Context, loaded store.Position) {
	pos := loaded
	if s.cfg.Others != nil {
		pos = min(pos, s.cfg.Others())
	}
	if err := s.cfg.Journal.Release(ctx, pos); err != nil {
		s.failed(err)
		return
	}
	s.mu.Lock()
	s.stats.Released = max(s.stats.Released, pos)
	s.mu.Unlock()
}

// Drain ships without lingering until everything that is in the journal now is loaded, or ctx is done. Run must be
// running, or kangma.Unavailable comes back at once when it has ended. The journal must have Last; else Drain waits until one look finds nothing more.
func (s *Shipper) Drain(ctx context.Context) error {
	s.mu.Lock()
	s.hurry++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.hurry--
		s.mu.Unlock()
	}()
	target, err := s.end(ctx)
	if err != nil {
		return err
	}
	for {
		s.mu.Lock()
		loaded, moved := s.stats.Loaded, s.moved
		s.mu.Unlock()
		if loaded >= target {
			return nil
		}
		poke(s.rush)
		left := kangma.E(kangma.Unavailable, "ship_drain", fmt.Sprintf("%d entries are not in the warehouse yet; they stay in the journal", target-loaded))
		select {
		case <-moved:
		case <-s.over:
			return left
		case <-ctx.Done():
			return left.Because(ctx.Err())
		}
	}
}

// end gives the last position in the journal now.
func (s *Shipper) end(ctx context.Context) (store.Position, error) {
	if b, ok := s.cfg.Journal.(bounds); ok {
		return b.Last(), nil
	}
	s.mu.Lock()
	pos := s.stats.Loaded
	s.mu.Unlock()
	for {
		got, err := s.cfg.Journal.After(ctx, pos, 1000)
		if err != nil || len(got) == 0 {
			return pos, err
		}
		pos = got[len(got)-1].Position
	}
}

// retry calls f until it succeeds; the only error it returns is that of ctx.
func retry[T any](ctx context.Context, s *Shipper, f func(context.Context) (T, error)) (T, error) {
	wait := s.cfg.RetryMin
	for {
		v, err := f(ctx)
		if err == nil || ctx.Err() != nil {
			return v, ctx.Err()
		}
		s.failed(err)
		// Full jitter, so that many nodes do not knock on a returning server at once.
		if !sleep(ctx, wait/2+rand.N(wait/2+1), nil, nil) {
			return v, ctx.Err()
		}
		wait = min(2*wait, s.cfg.RetryMax)
	}
}

func (s *Shipper) failed(err error) {
	s.mu.Lock()
	s.stats.Failures++
	s.stats.LastError = err.Error()
	if s.waiting.IsZero() {
		s.waiting = s.cfg.Now()
	}
	stalled := s.cfg.Now().Sub(s.waiting) >= s.cfg.StallAfter
	s.mu.Unlock()
	s.cfg.Logger.Warn("ship", "node", s.cfg.Node, "error", err)
	if stalled {
		s.alarm("stalled", "nothing has reached the warehouse for "+s.cfg.StallAfter.String()+": "+err.Error())
	}
}

// sleep waits for d or for one of two channels. It says false when ctx was done first.
func sleep(ctx context.Context, d time.Duration, a, b <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-a:
	case <-b:
	case <-ctx.Done():
		return false
	}
	return true
}
