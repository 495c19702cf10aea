package embedded_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/cputime"
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
	path := os.Getenv("KANGMA_BENCH_WAREHOUSE") // a file that was loaded before
	if path == "" {
		path = filepath.Join(b.TempDir(), "warehouse.db")
	}
	w, err := embedded.OpenWarehouse(path, embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	city := storetest.NewCity(1, benchPassages(), 20, 2000, 120, 3_000_000)
	loadCity(b, w, city, path)
	day := city.Start.AddDate(0, 0, city.Days/2)
	all, end := city.Start, city.Start.AddDate(0, 0, city.Days)
	found, err := w.Passages(b.Context(), store.PassageQuery{Gates: []string{"gate-00007"}, Since: all, Until: end, Limit: 1})
	if err != nil || len(found) != 1 {
		b.Fatal(len(found), err)
	}
	askCity(b, w, day, all, end, found[0].Person)
}

// loadCity loads all passages of a city unless they are there.
func loadCity(b *testing.B, w *embedded.Warehouse, city *storetest.City, path string) {
	b.Helper()
	if loaded, err := w.Loaded(b.Context(), "n1"); err != nil || loaded > 0 {
		b.Logf("%d passages were there, %v", loaded, err)
		return
	}
	n, start, cpu := 0, time.Now(), cputime.Process()
	for {
		rows := city.Next(10_000)
		if len(rows) == 0 {
			break
		}
		if err := w.Load(b.Context(), storetest.BatchOf("n1", store.Position(n), rows...)); err != nil {
			b.Fatal(err)
		}
		n += len(rows)
	}
	took := time.Since(start)
	size := int64(0)
	for _, f := range []string{path, path + "-wal"} {
		if st, err := os.Stat(f); err == nil {
			size += st.Size()
		}
	}
	b.Logf("loaded %d passages in %v: %.0f a second, %.0f a second of processor time; %.0f bytes a passage on disk", n,
		took.Round(time.Millisecond), float64(n)/took.Seconds(), float64(n)/(cputime.Process()-cpu).Seconds(), float64(size)/float64(n))
}

// askCity asks the common and the uncommon questions.
func askCity(b *testing.B, w *embedded.Warehouse, day, all, end time.Time, someone kangma.Pseudonym) {
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
		{"common: one person's history", store.Query{Measures: count, Dimensions: []store.Dimension{store.ByHour, store.ByGate}, Person: []kangma.Pseudonym{someone}, Since: all, Until: end}},
		{"uncommon: people of one day by district", store.Query{Measures: people, Dimensions: []store.Dimension{store.ByDistrict}, Since: day, Until: day.AddDate(0, 0, 1)}},
		{"uncommon: people of one gate, all days", store.Query{Measures: people, Dimensions: []store.Dimension{store.ByDay}, Gates: []string{"gate-00042"}, Since: all, Until: end}},
		{"uncommon: people of all days by district", store.Query{Measures: people, Dimensions: []store.Dimension{store.ByDistrict}, Since: all, Until: end}},
	} {
		b.Run(c.name, func(b *testing.B) {
			groups, cpu := 0, cputime.Process()
			for b.Loop() {
				r, err := w.Query(b.Context(), c.q)
				if err != nil {
					b.Fatal(err)
				}
				groups = len(r.Groups)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/query")
			b.ReportMetric(float64((cputime.Process()-cpu).Microseconds())/1000/float64(b.N), "cpu-ms/query")
			b.ReportMetric(float64(groups), "groups")
		})
	}
	b.Run("one person's passages", func(b *testing.B) {
		for b.Loop() {
			if _, err := w.Passages(b.Context(), store.PassageQuery{Person: []kangma.Pseudonym{someone}, Since: all, Until: end, Limit: 100}); err != nil {
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
