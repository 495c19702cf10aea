package backtest

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/rules"
)

// realTable loads the real lists, from KANGMA_SHARED or from shared beside the repository; without them a made-up history.
func realTable(tb testing.TB) (*areas.Table, bool) {
	tb.Helper()
	root := os.Getenv("KANGMA_SHARED")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			tb.Fatal(err)
		}
		for _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil && filepath.Dir(dir) != dir; _, err = os.Stat(filepath.Join(dir, "go.mod")) {
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(root, "data", "risk-areas", "*.json.gz"))
	if len(files) == 0 {
		return nil, false
	}
	var lists []*areas.List
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		l, err := areas.ParseList(f)
		f.Close()
		if err != nil {
			tb.Fatal(err)
		}
		lists = append(lists, l)
	}
	t, err := areas.Build(lists...)
	if err != nil {
		tb.Fatal(err)
	}
	return t, true
}

// BenchmarkBacktest replays 30 days of people under two rule sets, people made on the fly. The bar is 1,000,000
// people-days a second on two cores. KANGMA_PEOPLE sets how many people (default 100,000).
func BenchmarkBacktest(b *testing.B) {
	table, real := realTable(b)
	if !real {
		table = history(b, august.AddDate(0, 0, -14), 50, 1)
	}
	people := 100_000
	if n, err := strconv.Atoi(os.Getenv("KANGMA_PEOPLE")); err == nil {
		people = n
	}
	side := Side{Rules: preset(b, "national-9th-2022"), Areas: table}
	cfg := Config{Old: side, New: Side{Rules: stricter(b), Areas: table}, From: august, Days: 30, Hour: 8}
	var items float64
	for _, c := range []struct {
		name      string
		hindsight bool
		from      time.Time
	}{
		{"August 2022", false, august},
		{"August 2022 with hindsight", true, august},
		{"November 2022", false, time.Date(2022, 11, 10, 0, 0, 0, 0, cst)},
	} {
		b.Run(c.name, func(b *testing.B) {
			cfg.Hindsight, cfg.From = c.hindsight, c.from
			src := (&Population{Seed: 1, People: people, From: c.from, Days: 30, Areas: table}).Prepare()
			before := cpuSeconds(b)
			for b.Loop() {
				r, err := Run(b.Context(), src, cfg)
				if err != nil || r.People != int64(people) {
					b.Fatal(err)
				}
				items = float64(r.changed) / float64(r.People)
			}
			b.ReportMetric(float64(b.N)*float64(people)*30/b.Elapsed().Seconds(), "people-days/s")
			b.ReportMetric(float64(b.N)*float64(people)*30/(cpuSeconds(b)-before), "people-days/core-s")
			b.ReportMetric(100*items, "%-changed")
		})
	}
}

// cpuSeconds is the processor time this process used, which says what a free machine would take.
func cpuSeconds(tb testing.TB) float64 {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// BenchmarkPieces shows what a back-test spends: making a person, asking the rules once.
func BenchmarkPieces(b *testing.B) {
	table, real := realTable(b)
	if !real {
		table = history(b, august.AddDate(0, 0, -14), 50, 1)
	}
	src := (&Population{Seed: 1, People: 1 << 30, From: august, Days: 30, Areas: table}).Prepare()
	set := preset(b, "national-9th-2022")
	for _, ask := range []bool{false, true} {
		b.Run(map[bool]string{false: "make a person", true: "make a person and ask once"}[ask], func(b *testing.B) {
			b.ReportAllocs()
			n, items := 0, 0
			for chunk := 0; n < b.N; chunk++ {
				err := src.Each(b.Context(), chunk, func(d *kangma.Dossier) bool {
					items += len(d.Evidence)
					if ask {
						set.Evaluate(rules.Input{Dossier: d, Areas: table, At: august.AddDate(0, 0, 20), Known: august.AddDate(0, 0, 20)})
					}
					n++
					return n < b.N
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(items)/float64(n), "items/person")
		})
	}
}
