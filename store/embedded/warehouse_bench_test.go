package embedded_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

// The size of the benchmarked warehouse: KANGMA_BENCH_PASSAGES=10000000 for the figure that is promised.
func benchPassages() int {
	if n, err := strconv.Atoi(os.Getenv("KANGMA_BENCH_PASSAGES")); err == nil {
		return n
	}
	return 200_000
}

// BenchmarkWarehouse loads a city of 2,000 gates in 120 districts over 20 days and asks the common and the uncommon
// questions.
func BenchmarkWarehouse(b *testing.B) {
	path := filepath.Join(b.TempDir(), "warehouse.db")
	w, err := embedded.OpenWarehouse(path, embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	city := storetest.NewCity(1, benchPassages(), 20, 2000, 120, 3_000_000)
	var some kangma.Passage
	n, start := 0, time.Now()
	for {
		rows := city.Next(10_000)
		if len(rows) == 0 {
			break
		}
		if err := w.Load(b.Context(), storetest.BatchOf("n1", store.Position(n), rows...)); err != nil {
			b.Fatal(err)
		}
		n, some = n+len(rows), rows[0]
	}
	took := time.Since(start)
	size := int64(0)
	for _, f := range []string{path, path + "-wal"} {
		if st, err := os.Stat(f); err == nil {
			size += st.Size()
		}
	}
	b.Logf("loaded %d passages in %v: %.0f a second; %.0f bytes a passage on disk", n, took.Round(time.Millisecond), float64(n)/took.Seconds(), float64(size)/float64(n))
	day := city.Start.AddDate(0, 0, city.Days/2)
	all, end := city.Start, city.Start.AddDate(0, 0, city.Days)
	count, people := []store.Measure{store.Count}, []store.Measure{store.People}
	red := []string{"red"}
	for _, c := range []struct {
		name string
		q    store.Query
	}{
		{"common: one day by hour and colour, five districts", store.Query{Measures: count, Dimensions: []store.Dimension{store.ByHour, store.ByColour},
			Since: day, Until: day.AddDate(0, 0, 1), Districts: []kangma.Division{440103001, 440103002, 440103003, 440103004, 440103005}}},
		{"common: last 24 hours by hour, ends not on the hour", store.Query{Measures: count, Dimensions: []store.Dimension{store.ByHour},
			Since: day.Add(17 * time.Minute), Until: day.Add(24*time.Hour + 17*time.Minute)}},
		{"common: all by district and colour", store.Query{Measures: count, Dimensions: []store.Dimension{store.ByDistrict, store.ByColour}, Since: all, Until: end}},
		{"common: gates with most red", store.Query{Measures: count, Dimensions: []store.Dimension{store.ByGate}, Colours: red, Limit: 20, Since: all, Until: end}},
		{"common: all by hour and district", store.Query{Measures: count, Dimensions: []store.Dimension{store.ByHour, store.ByDistrict}, Since: all, Until: end, Limit: 100_000}},
		{"common: all by day and decision", store.Query{Measures: count, Dimensions: []store.Dimension{store.ByDay, store.ByDecision}, Since: all, Until: end}},
		{"common: one gate by hour, all days", store.Query{Measures: count, Dimensions: []store.Dimension{store.ByHour}, Gates: []string{"gate-00042"}, Since: all, Until: end}},
		{"common: one person's history", store.Query{Measures: count, Dimensions: []store.Dimension{store.ByHour, store.ByGate}, Person: []kangma.Pseudonym{some.Person}, Since: all, Until: end}},
		{"uncommon: people of one day by district", store.Query{Measures: people, Dimensions: []store.Dimension{store.ByDistrict}, Since: day, Until: day.AddDate(0, 0, 1)}},
		{"uncommon: people of one gate, all days", store.Query{Measures: people, Dimensions: []store.Dimension{store.ByDay}, Gates: []string{"gate-00042"}, Since: all, Until: end}},
		{"uncommon: people of all days by district", store.Query{Measures: people, Dimensions: []store.Dimension{store.ByDistrict}, Since: all, Until: end}},
	} {
		b.Run(c.name, func(b *testing.B) {
			groups := 0
			for b.Loop() {
				r, err := w.Query(b.Context(), c.q)
				if err != nil {
					b.Fatal(err)
				}
				groups = len(r.Groups)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/query")
			b.ReportMetric(float64(groups), "groups")
		})
	}
	b.Run("one person's passages", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Passages(b.Context(), store.PassageQuery{Person: []kangma.Pseudonym{some.Person}, Since: all, Until: end, Limit: 100}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one gate's last 100 passages", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Passages(b.Context(), store.PassageQuery{Gates: []string{"gate-00042"}, Since: all, Until: end, Limit: 100}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
