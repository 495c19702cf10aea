package cached_test

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
	"github.com/kangma/kangma/store/storetest"
)

// BenchmarkMemory tells what a person of eight pieces of evidence takes in memory, and that there are never more of them than
// was said.
func BenchmarkMemory(b *testing.B) {
	const people, most = 100_000, 64_000
	inner := memory(b)
	r := rand.New(rand.NewPCG(1, 1))
	ids := make([]kangma.PersonID, 0, people)
	for range people / 1000 {
		var page []kangma.Dossier
		for range 1000 {
			page = append(page, storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 8))
			ids = append(ids, page[len(page)-1].Person)
		}
		if err := inner.Update(b.Context(), store.Mark{}, page...); err != nil {
			b.Fatal(err)
		}
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		before := heap()
		c := cached.New(inner, cached.Options{Entries: most})
		fill := func(ids []kangma.PersonID) uint64 {
			for len(ids) > 0 {
				if _, err := store.GetMany(b.Context(), c, ids[:1000]); err != nil {
					b.Fatal(err)
				}
				ids = ids[1000:]
			}
			return heap() - before
		}
		full := fill(ids)
		b.ReportMetric(float64(full)/most, "B/person")
		b.ReportMetric(float64(fill(ids))/float64(full), "again")
		runtime.KeepAlive(c)
	}
}
