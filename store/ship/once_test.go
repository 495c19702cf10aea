package ship_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
)

// troubled ships a journal that grows while the warehouse fails and the shipper is killed and started again, and says
// what is wrong in the end.
func troubled(t *testing.T, seed uint64, mutate func(*table)) (loads, rows int, err error) {
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		j := newJournal(t, journal.Options{MaxSegmentBytes: 5000})
		w := newTable(rand.New(rand.NewPCG(seed, 12)), 25)
		mutate(w)
		var want []kangma.Passage
		for range 5 {
			_, stop := start(t, ship.Config{Journal: j, Warehouse: w, BatchSize: 20, RetryMax: time.Second})
			for range 4 {
				want = append(want, fill(t, j, rnd, 1+rnd.IntN(40))...)
				time.Sleep(time.Duration(rnd.IntN(3000)) * time.Millisecond)
			}
			stop()
		}
		s, stop := start(t, ship.Config{Journal: j, Warehouse: w, BatchSize: 20, RetryMax: time.Second})
		if err = s.Drain(t.Context()); err == nil {
			stop()
			err = agree(t, j, w, want)
		}
		stop()
		j.Close()
		loads, rows = len(w.calls), len(want)
	})
	return loads, rows, err
}

func seedOf(t *testing.T) uint64 { return soak.Seed(t, 20221123) }

func TestEveryPassageArrivesOnceWhateverFails(t *testing.T) {
	seed := seedOf(t)
	loads, rows := 0, 0
	for run := range uint64(100) {
		l, r, err := troubled(t, seed+run, func(*table) {})
		if err != nil {
			t.Fatalf("seed %d: %v", seed+run, err)
		}
		loads, rows = loads+l, rows+r
	}
	t.Logf("seed %d: 100 passed, 0 failed; %d loads for %d passages, each there once", seed, loads, rows)
}

func TestExactlyOnceTestCatchesMutants(t *testing.T) {
	for name, mutate := range map[string]func(*table){
		"blind retry":                  func(w *table) { w.insert = blind },
		"two partitions in one insert": func(w *table) { w.insert = together },
		"wrong offset committed":       func(w *table) { w.commit = func(b store.Batch) store.Position { return b.To + 1 } },
		"offset committed before the rows": func(w *table) {
			w.insert = func(w *table, b store.Batch) error {
				w.loaded = b.To
				return careful(w, b)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for run := range uint64(50) {
				if _, _, err := troubled(t, 1+run, mutate); err != nil {
					t.Logf("caught in run %d: %v", run+1, err)
					return
				}
			}
			t.Error("the mutant was not caught")
		})
	}
}
