package clickhouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
)

// BenchmarkLoad loads batches of passages of a busy minute, looked up before and after as in production.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 50_000} {
		b.Run(fmt.Sprintf("batch of %d", n), func(b *testing.B) {
			db, r := open(b, single(realserver.StartClickHouse(b))), source(b, 9)
			from, start := store.Position(0), noon
			rows := 0
			for b.Loop() {
				b.StopTimer()
				batch := passages(r, from, n, start, time.Millisecond)
				from, start = batch.To, start.Add(time.Duration(n)*time.Millisecond)
				b.StartTimer()
				load(b, db, batch)
				rows += n
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
