package ship

import (
	"context"
	"errors"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// cutting is a batch and what was noticed when it was cut.
type cutting struct {
	batch store.Batch
	bad   int  // passages that could not be read
	gap   bool // the journal no longer has these positions; there are no rows
}

// boundary is where a batch behind from ends at the latest: the next multiple of the batch size. So two processes, or
// one before and after a crash, cut the same full batches from the same journal.
func (s *Shipper) boundary(from store.Position) store.Position {
	n := store.Position(s.cfg.BatchSize)
	return (from/n + 1) * n
}

// cut makes the batch behind from out of what the journal has now; its To is from when there is nothing.
func (s *Shipper) cut(ctx context.Context, from store.Position) (cutting, error) {
	c := cutting{batch: store.Batch{Node: s.cfg.Node, From: from, To: from}}
	for end := s.boundary(from); c.batch.To < end; {
		got, err := s.cfg.Journal.After(ctx, c.batch.To, int(end-c.batch.To))
		if errors.Is(err, kangma.NotFound) && c.batch.To == from {
			return s.gap(c, err)
		}
		if err != nil && c.batch.To == from {
			return c, err
		}
		if err != nil || len(got) == 0 { // what was read is a batch; the error comes back with the next
			return c, nil
		}
		c.batch.Rows = slices.Grow(c.batch.Rows, s.likely(got, int(end-c.batch.To)))
		for _, e := range got {
			s.take(&c, e)
		}
	}
	return c, nil
}

// take puts one entry into the batch.
func (s *Shipper) take(c *cutting, e store.Entry) {
	c.batch.To = e.Position
	if e.Event.Kind != kangma.EventPassage {
		return
	}
	p, err := s.cfg.Decode(e.Event)
	if err != nil || p.ID != e.Event.ID {
		c.bad++
		return
	}
	c.batch.Rows = append(c.batch.Rows, store.Row{Position: e.Position, Passage: p})
}

// gap covers positions that retention removed before they were loaded, so that the warehouse can go on behind them.
func (s *Shipper) gap(c cutting, err error) (cutting, error) {
	b, ok := s.cfg.Journal.(bounds)
	if !ok || b.First() <= c.batch.From+1 {
		return c, err
	}
	c.batch.To, c.gap = b.First()-1, true
	return c, nil
}

// likely is how many rows the entries and those behind them up to the end of the batch will give, so that rows, which are large, are
// seldom moved.
func (s *Shipper) likely(got []store.Entry, left int) int {
	passages := 0
	for _, e := range got {
		if e.Event.Kind == kangma.EventPassage {
			passages++
		}
	}
	if b, ok := s.cfg.Journal.(bounds); ok {
		left = min(left, int(b.Last()-got[0].Position)+1)
	}
	return max(passages, passages*left/len(got))
}

// ahead cuts the batch behind c while c is being loaded, if a full one waits. What it returns gives that batch once, when it is asked
// for the one that begins there and it could be cut; reading the journal again is always right too.
func (s *Shipper) ahead(ctx context.Context, c cutting) func(from store.Position) (cutting, bool) {
	b, ok := s.cfg.Journal.(bounds)
	if end := s.boundary(c.batch.To); !ok || c.gap || b.Last() < end {
		return func(store.Position) (none cutting, ready bool) { return none, false }
	}
	var next cutting
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		next, err = s.cut(ctx, c.batch.To)
	}()
	return func(from store.Position) (cutting, bool) {
		<-done
		got := next
		next = cutting{}
		return got, err == nil && !got.gap && got.batch.From == from && got.batch.To > from
	}
}
