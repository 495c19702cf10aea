package embedded_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

// population fills a state file with people of eight pieces of evidence each.
func population(b *testing.B, db *embedded.DB, n int) []kangma.Dossier {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	people := make([]kangma.Dossier, n)
	for i := range people {
		people[i] = storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 8)
	}
	for i := 0; i < n; i += 5000 {
		if err := db.Dossiers().Update(b.Context(), store.Mark{}, people[i:min(n, i+5000)]...); err != nil {
			b.Fatal(err)
		}
	}
	return people
}

// BenchmarkUpdate applies a feed: each of a batch of people gets their next version. It is the work behind one batch of
// evidence; items a second are people a second.
func BenchmarkUpdate(b *testing.B) {
	for _, c := range []struct {
		name  string
		o     embedded.Options
		batch int
	}{
		{"batches of 1000, full fsync", embedded.Options{}, 1000},
		{"batches of 1000, relaxed", embedded.Options{Relaxed: true}, 1000},
		{"batches of 100, full fsync", embedded.Options{}, 100},
		{"64 writers of one, full fsync", embedded.Options{}, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "state.db")
			db, err := embedded.Open(path, c.o)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			people := population(b, db, benchPeople())
			st, _ := os.Stat(path)
			b.ResetTimer()
			if c.batch == 1 {
				var next atomic.Int64
				b.SetParallelism(32)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						d := &people[int(next.Add(1))%len(people)]
						d.Version++
						if err := db.Dossiers().Update(context.Background(), store.Mark{}, *d); err != nil {
							b.Fatal(err)
						}
					}
				})
			} else {
				for i := 0; b.Loop(); i++ {
					from := i * c.batch % len(people)
					batch := people[from : from+c.batch]
					for j := range batch {
						batch[j].Version++
					}
					if err := db.Dossiers().Update(b.Context(), store.Mark{Node: "n", Applied: store.Position(i)}, batch...); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N*c.batch)/b.Elapsed().Seconds(), "people/s")
			b.ReportMetric(float64(st.Size())/float64(len(people)), "bytes/person")
		})
	}
}

// The number of people of the state benchmarks: KANGMA_BENCH_PEOPLE.
func benchPeople() int {
	if n, err := strconv.Atoi(os.Getenv("KANGMA_BENCH_PEOPLE")); err == nil {
		return max(n, 5000) / 1000 * 1000
	}
	return 20_000
}
