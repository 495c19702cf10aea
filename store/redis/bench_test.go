package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/storetest"
)

// residents are the people of a benchmark: sealed identity, two indexes, three pieces of evidence.
func residents(n int) []kangma.Dossier {
	r := rand.New(rand.NewPCG(99, 1))
	all := make([]kangma.Dossier, n)
	for i := range all {
		all[i] = storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 3)
	}
	return all
}

// BenchmarkClients is 64 goroutines on one server that keeps an append-only file: reading one person, changing one
// person, finding one by an index, changing 100 at once.
func BenchmarkClients(b *testing.B) {
	srv := realserver.StartRedis(b, realserver.RedisDurable...)
	db := open(b, single(srv))
	all := residents(20_000)
	for from := 0; from < len(all); from += 1000 {
		if err := db.Dossiers().Update(b.Context(), store.Mark{}, all[from:from+1000]...); err != nil {
			b.Fatal(err)
		}
	}
	run := func(name string, each int, f func(ctx context.Context, i int) error) {
		b.Run(name, func(b *testing.B) {
			var next, failed atomic.Int64
			b.SetParallelism(32) // of 2 processors: 64 goroutines
			theirs, ours := redisCPU(srv), ownCPU()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := f(context.Background(), int(next.Add(1))); err != nil && !errors.Is(err, kangma.Conflict) {
						failed.Add(1)
					}
				}
			})
			b.ReportMetric(float64(b.N*each)/b.Elapsed().Seconds(), "people/s")
			b.ReportMetric((redisCPU(srv)-theirs)*1e6/float64(b.N), "redis-µs/op")
			b.ReportMetric((ownCPU()-ours)*1e6/float64(b.N), "own-µs/op")
			b.ReportMetric(float64(failed.Load()), "failed")
		})
	}
	run("get", 1, func(ctx context.Context, i int) error {
		_, err := db.Dossiers().Get(ctx, all[i%len(all)].Person)
		return err
	})
	run("lookup", 1, func(ctx context.Context, i int) error {
		_, err := db.Dossiers().Lookup(ctx, all[i%len(all)].Sealed.Indexes[0])
		return err
	})
	versions := make([]atomic.Uint64, len(all))
	run("update", 1, func(ctx context.Context, i int) error {
		d := all[i%len(all)]
		d.Version = 1 + versions[i%len(all)].Add(1)
		return db.Dossiers().Update(ctx, store.Mark{}, d)
	})
	for _, many := range []int{100, 1000} {
		run(fmt.Sprintf("update %d at once", many), many, func(ctx context.Context, i int) error {
			batch := make([]kangma.Dossier, many)
			for k := range batch {
				n := (i*many + k) % len(all)
				batch[k] = all[n]
				batch[k].Version = 1 + versions[n].Add(1)
			}
			return db.Dossiers().Update(ctx, store.Mark{}, batch...)
		})
	}
}

// BenchmarkRebuild fills an empty Redis with KANGMA_RESIDENTS people (50,000 unless said), 4 loaders at once.
func BenchmarkRebuild(b *testing.B) {
	n, _ := strconv.Atoi(os.Getenv("KANGMA_RESIDENTS"))
	if n == 0 {
		n = 50_000
	}
	all := residents(n)
	srv := realserver.StartRedis(b, realserver.RedisDurable...)
	for b.Loop() {
		b.StopTimer()
		srv.Must("FLUSHALL")
		memory := used(srv)
		cfg := single(srv)
		cfg.New = false
		db := open(b, cfg)
		b.StartTimer()
		from, theirs, ours := time.Now(), redisCPU(srv), ownCPU()
		err := db.Rebuild(b.Context(), func(ctx context.Context, l *redis.Loader) error {
			g, ctx := errgroup.WithContext(ctx)
			g.SetLimit(4)
			for at := 0; at < n; at += 1000 {
				g.Go(func() error { return l.Dossiers(ctx, all[at:min(at+1000, n)]...) })
			}
			return g.Wait()
		})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n)/time.Since(from).Seconds(), "people/s")
		// Processor time does not depend on who else is busy on the machine.
		b.ReportMetric((redisCPU(srv)-theirs)*1e6/float64(n), "redis-µs/person")
		b.ReportMetric((ownCPU()-ours)*1e6/float64(n), "own-µs/person")
		b.ReportMetric(float64(used(srv)-memory)/float64(n), "B/person")
	}
}

func used(srv *realserver.Redis) int {
	n, _ := strconv.Atoi(field(srv.Must("INFO", "memory"), "used_memory"))
	return n
}

// redisCPU and ownCPU give the seconds of processor time used so far.
func redisCPU(srv *realserver.Redis) (total float64) {
	info := srv.Must("INFO", "cpu")
	for _, name := range []string{"used_cpu_sys", "used_cpu_user"} {
		x, _ := strconv.ParseFloat(field(info, name), 64)
		total += x
	}
	return total
}

func ownCPU() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
