package embedded_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma/internal/cputime"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

// BenchmarkLoad tells what a row costs by the size of the batches that bring it: one busy day of a city of a million people.
func BenchmarkLoad(b *testing.B) {
	for _, size := range []int{1_000, 3_600, 10_000, 50_000, 200_000} {
		b.Run(fmt.Sprintf("batches of %d", size), func(b *testing.B) {
			for b.Loop() {
				w, err := embedded.OpenWarehouse(filepath.Join(b.TempDir(), "warehouse.db"), embedded.Options{})
				if err != nil {
					b.Fatal(err)
				}
				city := storetest.NewCity(1, benchPassages(), 1, 2000, 120, 1_000_000)
				cpu, n := 0.0, 0
				for rows := city.Next(size); len(rows) > 0; rows = city.Next(size) {
					before := cputime.Process()
					if err := w.Load(b.Context(), storetest.BatchOf("n1", store.Position(n), rows...)); err != nil {
						b.Fatal(err)
					}
					cpu, n = cpu+float64((cputime.Process()-before).Microseconds()), n+len(rows)
				}
				b.ReportMetric(cpu/float64(n), "cpu-µs/row")
				w.Close()
			}
		})
	}
}
