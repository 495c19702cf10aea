package embedded_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/cputime"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
	"github.com/kangma/kangma/store/embedded"
)

// BenchmarkUpdateBehind is Dossiers.Update as serve has it: people are remembered and stored later (cached, Options.Behind).
// Processor time is that of the whole process, storing included, for each person moved one version on; at the end everything
// is stored. Everybody comes four times, as the evidence of a busy day does.
func BenchmarkUpdateBehind(b *testing.B) {
	for _, batch := range []int{1000, 100, 1} {
		b.Run(fmt.Sprint("batches of ", batch), func(b *testing.B) {
			db, err := embedded.Open(filepath.Join(b.TempDir(), "state.db"), embedded.Options{Relaxed: true})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			people := population(b, db, benchPeople())
			s := cached.New(db.Dossiers(), cached.Options{Entries: 2 * len(people), Behind: 256 << 20})
			ids := make([]kangma.PersonID, len(people))
			for i, d := range people {
				ids[i] = d.Person
			}
			if _, err := store.GetMany(b.Context(), s, ids); err != nil { // everybody is remembered
				b.Fatal(err)
			}
			from, moved := cputime.Process(), 0
			for b.Loop() {
				for range 4 {
					for at := 0; at+batch <= len(people); at += batch {
						some := people[at : at+batch]
						for j := range some {
							some[j].Version++
						}
						if err := s.Update(b.Context(), store.Mark{}, some...); err != nil {
							b.Fatal(err)
						}
						moved += batch
					}
				}
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(cputime.Process()-from)/1e3/float64(moved), "cpu-µs/person")
		})
	}
}
