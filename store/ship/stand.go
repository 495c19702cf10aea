package ship

import (
	"context"
	"time"

	"github.com/kangma/kangma/store"
)

const (
	standLook = 50 * time.Millisecond
	standCalm = 10 // looks in a row at which nobody was more urgent: it is over
	standMore = 2 * time.Second
)

// standBack waits while somebody is more urgent, within the bounds of Config.Busy. While nobody is, it gives a batch that is not full
// and not small standMore to become larger: a row of a large batch costs SQLite half as much as one of a small batch. It says
// false when ctx is done.
func (s *Shipper) standBack(ctx context.Context, b bounds, from store.Position) bool {
	began, calm := s.cfg.Now(), standCalm
	for !s.presses(b, from) {
		if calm++; s.cfg.Busy() {
			calm = 0
		}
		if calm > standCalm && (b.Last() >= s.boundary(from) || s.cfg.Now().Sub(began) >= standMore) {
			return true
		}
		if !sleep(ctx, standLook, s.rush, nil) {
			return false
		}
	}
	return true
}

// presses reports whether what waits behind from is to be loaded whoever else is busy: it is next to nothing, or somebody drains, or it
// has become too old or too much.
func (s *Shipper) presses(b bounds, from store.Position) bool {
	s.mu.Lock()
	hurry, oldest, waiting := s.hurry > 0, s.oldest, s.waiting
	s.mu.Unlock()
	last, now := b.Last(), s.cfg.Now()
	if hurry || last < from {
		return true
	}
	lag := uint64(last - from)
	// Whichever is longer: the clock that dated the entry may have been wrong.
	age := max(now.Sub(oldest), now.Sub(waiting))
	return lag < s.cfg.Few || lag >= s.cfg.StandMost || age >= s.cfg.StandBack
}
