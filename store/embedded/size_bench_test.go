package embedded_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
	"github.com/kangma/kangma/store/wire"
)

// BenchmarkSize tells what a person takes: in the wire form, and on disk with indexes and half-filled pages.
func BenchmarkSize(b *testing.B) {
	for _, items := range []int{0, 4, 8, 16} {
		b.Run(fmt.Sprintf("%d items", items), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "state.db")
			db, err := embedded.Open(path, embedded.Options{Relaxed: true})
			if err != nil {
				b.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, 1))
			n, bytes := benchPeople(), 0
			for i := 0; i < n; i += 1000 {
				var people []kangma.Dossier
				for range 1000 {
					people = append(people, storetest.RandomDossier(r, storetest.RandomPerson(r, -1), items))
					bytes += len(wire.EncodeDossier(people[len(people)-1]))
				}
				if err := db.Dossiers().Update(b.Context(), store.Mark{}, people...); err != nil {
					b.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				b.Fatal(err)
			}
			st, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(bytes)/float64(n), "wire-bytes/person")
			b.ReportMetric(float64(st.Size())/float64(n), "disk-bytes/person")
		})
	}
}
