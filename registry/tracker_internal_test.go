package registry

import (
	"math/rand/v2"
	"testing"

	"github.com/kangma/kangma/store"
)

// Writers mark what they applied in any order, and the healer marks single positions that a writer marks again: the mark must be the
// last position before the first gap, and nothing up to it may be kept.
func TestTheMarkIsTheLastPositionBeforeTheFirstGap(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		type run struct {
			last store.Position
			n    int
		}
		low := store.Position(r.IntN(50))
		var runs []run
		end := low
		for range 40 {
			n := 1 + r.IntN(5)
			end += store.Position(n)
			runs = append(runs, run{end, n})
			if r.IntN(3) == 0 { // the healer was there too
				runs = append(runs, run{end - store.Position(r.IntN(n)), 1})
			}
		}
		r.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
		tr, done := newTracker(low), map[store.Position]bool{}
		for _, x := range runs {
			tr.mark(x.last, x.n)
			for p := x.last - store.Position(x.n) + 1; p <= x.last; p++ {
				done[p] = true
			}
			want, beyond := low, 0
			for done[want+1] {
				want++
			}
			for p := range done {
				if p > want {
					beyond++
				}
			}
			if got, n := tr.position(); got != want || n != beyond {
				t.Fatalf("seed %d, after %v: mark %d with %d beyond it, want %d with %d", seed, x, got, n, want, beyond)
			}
		}
	}
}
