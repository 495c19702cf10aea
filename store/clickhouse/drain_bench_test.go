package clickhouse_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/ship"
	"github.com/kangma/kangma/store/wire"
)

// BenchmarkDrain is how fast a backlog of passages in the journal reaches the warehouse, b.N passages, the shipper as it is in a node:
// read, decoded, looked up, loaded, looked at again. The clients' time holds journal and shipper.
func BenchmarkDrain(b *testing.B) {
	b.Run("one server", func(b *testing.B) {
		srv := realserver.StartClickHouse(b)
		benchDrain(b, open(b, single(srv)), srv)
	})
	b.Run("two shards", func(b *testing.B) {
		c := realserver.StartClickHouseCluster(b)
		benchDrain(b, open(b, cluster(c)), c.Shards...)
	})
	b.Run("embedded", func(b *testing.B) {
		w, err := embedded.OpenWarehouse(filepath.Join(b.TempDir(), "warehouse.db"), embedded.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { w.Close() })
		benchDrain(b, w)
	})
}

func benchDrain(b *testing.B, w store.Warehouse, servers ...*realserver.ClickHouse) {
	j, err := journal.Open(filepath.Join(b.TempDir(), "journal"), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { j.Close() })
	r := source(b, 11)
	for n := 0; n < b.N; n += 5000 {
		var events []kangma.Event
		for _, row := range passages(r, 0, min(5000, b.N-n), noon.Add(time.Duration(n)*50*time.Microsecond), 50*time.Microsecond).Rows {
			events = append(events, wire.PassageEvent(row.Passage))
		}
		if _, err := j.Append(b.Context(), events...); err != nil {
			b.Fatal(err)
		}
	}
	s, err := ship.New(ship.Config{Node: "n1", Journal: j, Warehouse: w})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan error, 1)
	own, theirs := -ownCPU(), -serverCPU(servers)
	b.ResetTimer()
	go func() { done <- s.Run(ctx) }()
	if err := s.Drain(ctx); err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	own, theirs = own+ownCPU(), theirs+serverCPU(servers)
	stop()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	if got := total(b, w); got != uint64(b.N) {
		b.Fatal(fmt.Sprintf("%d passages are there, want %d", got, b.N))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(theirs.Microseconds())/float64(b.N), "server-µs/row")
	b.ReportMetric(float64(own.Microseconds())/float64(b.N), "client-µs/row")
}
