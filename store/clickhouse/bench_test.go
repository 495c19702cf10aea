package clickhouse_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
)

// BenchmarkLoad loads batches of passages of a busy minute, looked up before and after as in production, on one server and on two
// shards. "blind" is one INSERT and no look: what the server needs at least.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 50_000, 200_000} {
		b.Run(fmt.Sprintf("batch of %d", n), func(b *testing.B) {
			srv := realserver.StartClickHouse(b)
			benchLoad(b, n, open(b, single(srv)).Load, srv)
		})
	}
	b.Run("two shards, batch of 200000", func(b *testing.B) {
		c := realserver.StartClickHouseCluster(b)
		benchLoad(b, 200_000, open(b, cluster(c)).Load, c.Shards...)
	})
	b.Run("blind, batch of 200000", func(b *testing.B) {
		srv := realserver.StartClickHouse(b)
		benchLoad(b, 200_000, open(b, single(srv)).InsertBlindly, srv)
	})
}

func benchLoad(b *testing.B, n int, load func(context.Context, store.Batch) error, servers ...*realserver.ClickHouse) {
	r, from, start := source(b, 9), store.Position(0), noon
	rows := 0
	var own, theirs time.Duration
	for b.Loop() {
		b.StopTimer()
		batch := passages(r, from, n, start, 5*time.Microsecond)
		from, start = batch.To, start.Add(time.Duration(n)*5*time.Microsecond)
		own, theirs = own-ownCPU(), theirs-serverCPU(servers)
		b.StartTimer()
		if err := load(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		own, theirs, rows = own+ownCPU(), theirs+serverCPU(servers), rows+n
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(theirs.Microseconds())/float64(rows), "server-µs/row")
	b.ReportMetric(float64(own.Microseconds())/float64(rows), "client-µs/row")
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func serverCPU(servers []*realserver.ClickHouse) (d time.Duration) {
	for _, s := range servers {
		d += s.CPU()
	}
	return d
}

// BenchmarkQuery asks the common questions of KANGMA_PASSAGES passages (1,000,000 unless said) of ten days, without and
// with a doubtful day.
func BenchmarkQuery(b *testing.B) {
	n, _ := strconv.Atoi(os.Getenv("KANGMA_PASSAGES"))
	if n == 0 {
		n = 1_000_000
	}
	srv := realserver.StartClickHouse(b)
	cfg := single(srv)
	db, r := open(b, cfg), source(b, 21)
	const days = 10
	step := 12 * time.Hour / time.Duration(n/days)
	for day := range days {
		start := noon.Add(-8*time.Hour).AddDate(0, 0, -day)
		for at := 0; at < n/days; at += 100_000 {
			batch := passages(r, store.Position(day*n+at), min(100_000, n/days-at), start.Add(time.Duration(at)*step), step)
			if err := db.InsertBlindly(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	for range 2 {
		if _, err := srv.Exec("OPTIMIZE TABLE kangma.passages"); err != nil {
			b.Log(err)
		}
	}
	bytes, _ := strconv.ParseFloat(srv.Must("SELECT sum(bytes) / sum(rows) FROM system.parts WHERE active AND table = 'passages'"), 64)
	span := func(days int, q store.Query) store.Query {
		q.Measures, q.Until, q.K = append(q.Measures, store.Count), noon.Add(16*time.Hour), 10
		q.Since = q.Until.AddDate(0, 0, -days)
		return q
	}
	person := []kangma.Pseudonym{pseudonym(7)}
	ask := func(prefix string) {
		for _, c := range []struct {
			name string
			q    store.Query
		}{
			{"a day, hour by colour in one district", span(1, store.Query{Dimensions: []store.Dimension{store.ByHour, store.ByColour}, Districts: []kangma.Division{440103000}})},
			{"ten days, district by colour", span(10, store.Query{Dimensions: []store.Dimension{store.ByDistrict, store.ByColour}})},
			{"ten days, distinct people of each district", span(10, store.Query{Measures: []store.Measure{store.People}, Dimensions: []store.Dimension{store.ByDistrict}})},
			{"ten days, hour by district", span(10, store.Query{Dimensions: []store.Dimension{store.ByHour, store.ByDistrict}})},
			{"ten days, one person by gate", span(10, store.Query{Dimensions: []store.Dimension{store.ByGate}, Person: person})},
		} {
			b.Run(prefix+c.name, func(b *testing.B) {
				cpu := srv.CPU()
				for b.Loop() {
					if _, err := db.Query(b.Context(), c.q); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((srv.CPU()-cpu).Milliseconds())/float64(b.N), "server-ms/op")
				b.ReportMetric(bytes, "B/passage")
			})
		}
		b.Run(prefix+"single passages of one person", func(b *testing.B) {
			cpu := srv.CPU()
			defer func() {
				b.ReportMetric(float64((srv.CPU()-cpu).Milliseconds())/float64(b.N), "server-ms/op")
			}()
			for b.Loop() {
				if _, err := db.Passages(b.Context(), store.PassageQuery{Person: person, Since: noon.AddDate(0, 0, -10), Until: noon.Add(16 * time.Hour), Limit: 1000}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	ask("")
	load(b, open(b, cfg), passages(r, 1<<40, 10, noon, time.Second)) // another process begins: today is doubtful
	ask("with a doubtful day: ")
}
