package areas_test

import (
	"bytes"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
)

func realTable(tb testing.TB) *areas.Table {
	tb.Helper()
	var lists []*areas.List
	for _, f := range sharedLists(tb) {
		lists = append(lists, readList(tb, f))
	}
	t, err := areas.Build(lists...)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// BenchmarkImport reads, resolves and builds the table of all real lists at hand: the bar is 5 s for 74 lists.
func BenchmarkImport(b *testing.B) {
	var raw [][]byte
	for _, f := range sharedLists(b) {
		c, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		raw = append(raw, c)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var table *areas.Table
	started := cpuTime(b)
	for b.Loop() {
		var lists []*areas.List
		for _, c := range raw {
			l, err := areas.ParseList(bytes.NewReader(c))
			if err != nil {
				b.Fatal(err)
			}
			lists = append(lists, l)
		}
		var err error
		if table, err = areas.Build(lists...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpuTime(b)-started).Seconds()/float64(b.N), "cpu-s/op")
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-kept")
	b.ReportMetric(float64(table.Stats().Areas), "areas")
}

// BenchmarkLevelAt is a look-up with every real list at hand loaded: the bar is 200 ns.
func BenchmarkLevelAt(b *testing.B) {
	table := realTable(b)
	b.Logf("%+v", table.Stats())
	day := func(m, d int) time.Time {
		return time.Date(2022, time.Month(m), d, 9, 30, 0, 0, time.FixedZone("", 8*3600))
	}
	for _, c := range []struct {
		name     string
		place    kangma.Place
		from, to time.Time
	}{
		{"county with areas, two weeks", kangma.Place{Division: 110105000}, day(11, 20), day(12, 4)},
		{"county with areas, whole year", kangma.Place{Division: 500103000}, day(4, 20), day(12, 30)},
		{"county never listed", kangma.Place{Division: 710000000}, day(11, 20), day(12, 4)},
		{"street", kangma.Place{Division: 110105011}, day(11, 20), day(12, 4)},
		{"zone", kangma.Place{Division: 610100000, Zone: "高新区"}, day(11, 20), day(12, 4)},
		{"community that is listed", kangma.Place{Division: 110105011, Community: "二街坊"}, day(4, 10), day(4, 30)},
		{"community with all names in front", kangma.Place{Division: 110105011, Community: "北京市朝阳区酒仙桥街道二街坊12号楼3单元"}, day(4, 10), day(4, 30)},
		{"community written with spaces and wide digits", kangma.Place{Division: 110105000, Community: " 朝阳区 酒仙桥街道 二街坊小区 １２号楼（３单元）"}, day(4, 10), day(4, 30)},
		{"community in a zone", kangma.Place{Division: 610100000, Zone: "西安高新技术产业开发区", Community: "无此小区3号楼"}, day(11, 20), day(12, 4)},
		{"community that is not", kangma.Place{Division: 110105011, Community: "无此小区3号楼"}, day(11, 20), day(12, 4)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				table.LevelAt(c.place, c.from, c.to, time.Time{})
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime is the processor time this process used, which says what a free machine would take.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
