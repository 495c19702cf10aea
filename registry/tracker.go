package registry

import (
	"sync"

	"github.com/kangma/kangma/store"
)

// tracker knows which positions of the journal are applied. Appends of many writers are applied in any order; low is
// the position up to which everything is.
type tracker struct {
	mu   sync.Mutex
	low  store.Position
	done map[store.Position]struct{} // applied beyond low
}

func newTracker(low store.Position) *tracker {
	return &tracker{low: low, done: map[store.Position]struct{}{}}
}

// mark notes that the n entries ending at last are applied.
func (t *tracker) mark(last store.Position, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if first := last - store.Position(n) + 1; first <= t.low+1 { // the usual way: nothing before it is missing
		for p := t.low + 1; p <= last && len(t.done) > 0; p++ {
			delete(t.done, p)
		}
		t.low = max(t.low, last)
	} else {
		for p := first; p <= last; p++ {
			t.done[p] = struct{}{}
		}
	}
	for {
		if _, ok := t.done[t.low+1]; !ok {
			return
		}
		t.low++
		delete(t.done, t.low)
	}
}

// position gives the mark and how many positions beyond it are applied already.
func (t *tracker) position() (low store.Position, beyond int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.low, len(t.done)
}

// isDone reports whether one position is applied.
func (t *tracker) isDone(p store.Position) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.done[p]
	return ok || p <= t.low
}
