package clickhouse_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/clickhouse"
)

func TestTheContextOfAnInsert(t *testing.T) {
	t.Run("ends with the caller's while it is sent", func(t *testing.T) {
		caller, leave := context.WithCancel(t.Context())
		sending, done := clickhouse.Patient(caller, time.Hour)
		defer done()
		leave()
		<-sending.Done()
	})
	t.Run("outlives the caller's once it is sent", func(t *testing.T) {
		caller, leave := context.WithCancel(t.Context())
		sending, done := clickhouse.Patient(caller, time.Hour)
		done()
		leave()
		if err := sending.Err(); err != nil {
			t.Errorf("ended: %v; the driver may close a connection that is another's by now", err)
		}
	})
}

// The driver's watchdog of one insert must not close the connection of the next (seen once in CI before patient was there).
func TestManySmallInsertsAtOnceKeepTheirConnections(t *testing.T) {
	db := open(t, single(realserver.StartClickHouse(t)))
	r := source(t, 21)
	var wg sync.WaitGroup
	for w := range 4 {
		var batches []store.Batch
		for i := range 25 {
			b := passages(r, store.Position(i*5), 5, noon.AddDate(0, 0, w).Add(time.Duration(i)*time.Second), time.Millisecond)
			b.Node = string(rune('a' + w))
			batches = append(batches, b)
		}
		wg.Go(func() {
			for _, b := range batches {
				ctx, cancel := context.WithCancel(t.Context())
				err := db.Load(ctx, b)
				cancel()
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := total(t, db); got != 500 {
		t.Errorf("counted %d, want 500", got)
	}
}
