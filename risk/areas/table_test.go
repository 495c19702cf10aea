package areas_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
)

var cst = time.FixedZone("Asia/Shanghai", 8*3600)

func hour(day, h int) time.Time { return time.Date(2022, 8, day, h, 0, 0, 0, cst) }

func list(at time.Time, rows ...areas.Row) *areas.List {
	return &areas.List{At: at, Published: at, Rows: rows}
}

func row(l kangma.Level, province, city, county string, texts ...string) areas.Row {
	return areas.Row{Level: l, Type: "2", Province: province, City: city, County: county, Communities: texts}
}

func build(t *testing.T, lists ...*areas.List) *areas.Table {
	t.Helper()
	table, err := areas.Build(lists...)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// lufeng is 陆丰市 and its neighbours in 汕尾市, 广东省.
const (
	shanwei   kangma.Division = 441_500_000
	chengqu   kangma.Division = 441_502_000
	lufeng    kangma.Division = 441_581_000
	donghai   kangma.Division = 441_581_001
	chengdong kangma.Division = 441_581_003
)

func highRow(texts ...string) areas.Row {
	return row(kangma.HighLevel, "广东省", "汕尾市", "陆丰市", texts...)
}

func restRow() areas.Row {
	return row(kangma.LowLevel, "广东省", "汕尾市", "陆丰市", "陆丰市除高风险区以外的其他区域")
}

func TestAnAreaHasItsLevelFromTheListThatShowsItToTheListThatLacksIt(t *testing.T) {
	table := build(t,
		list(hour(1, 9)),
		list(hour(2, 9), highRow("东海街道望海小区")),
		list(hour(5, 9), row(kangma.MidLevel, "广东省", "汕尾市", "陆丰市", "东海街道望海小区")),
		list(hour(8, 9)))
	place := kangma.Place{Division: lufeng, Community: "东海街道望海小区"}
	for _, c := range []struct {
		name         string
		from, to     time.Time
		want         kangma.Level
		since, until time.Time
	}{
		{"before the first list", hour(1, 1), hour(1, 2), kangma.NoLevel, time.Time{}, time.Time{}},
		{"an interval that ends as the area begins", hour(1, 9), hour(2, 9), kangma.NoLevel, time.Time{}, time.Time{}},
		{"an interval that ends one second later", hour(1, 9), hour(2, 9).Add(time.Second), kangma.HighLevel, hour(2, 9), hour(5, 9)},
		{"the moment it begins", hour(2, 9), time.Time{}, kangma.HighLevel, hour(2, 9), hour(5, 9)},
		{"the moment before its level falls", hour(5, 9).Add(-1), time.Time{}, kangma.HighLevel, hour(2, 9), hour(5, 9)},
		{"the moment its level falls", hour(5, 9), time.Time{}, kangma.MidLevel, hour(5, 9), hour(8, 9)},
		{"across both levels", hour(4, 0), hour(6, 0), kangma.HighLevel, hour(2, 9), hour(5, 9)},
		{"the moment it ends", hour(8, 9), hour(9, 9), kangma.NoLevel, time.Time{}, time.Time{}},
		{"from ever", time.Time{}, hour(9, 9), kangma.HighLevel, hour(2, 9), hour(5, 9)},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := table.LevelAt(place, c.from, c.to, time.Time{})
			if h.Level != c.want || !h.Since.Equal(c.since) || !h.Until.Equal(c.until) || !h.Exact {
				t.Errorf("got %+v, want %v from %v to %v, exact", h, c.want, c.since, c.until)
			}
		})
	}
}

func TestWhatWasNotPublishedYetIsNotKnown(t *testing.T) {
	table := build(t, list(hour(1, 9)), list(hour(2, 9), highRow("东海街道望海小区")), list(hour(5, 9)))
	place := kangma.Place{Division: lufeng, Community: "望海小区"}
	if h := table.LevelAt(place, hour(2, 0), hour(9, 0), hour(2, 8)); h.Level != kangma.NoLevel {
		t.Errorf("known at 8 on the 2nd: %v, want none", h.Level)
	}
	if h := table.LevelAt(place, hour(2, 0), hour(9, 0), hour(4, 0)); h.Level != kangma.HighLevel || !h.Until.IsZero() {
		t.Errorf("known on the 4th: %+v, want high without an end", h)
	}
	if h := table.LevelAt(place, hour(6, 0), hour(9, 0), hour(4, 0)); h.Level != kangma.HighLevel {
		t.Errorf("the 6th as known on the 4th: %v, want high", h.Level)
	}
	if h := table.LevelAt(place, hour(6, 0), hour(9, 0), hour(6, 0)); h.Level != kangma.NoLevel {
		t.Errorf("the 6th as known on the 6th: %v, want none", h.Level)
	}
}

func TestAStayKnownOnlyByCountyMeetsAnEstateInsideIt(t *testing.T) {
	table := build(t, list(hour(2, 9), highRow("东海街道望海小区"), restRow()))
	for _, c := range []struct {
		name        string
		place       kangma.Place
		level, sure kangma.Level
	}{
		{"the county alone: high is possible, low is sure", kangma.Place{Division: lufeng}, kangma.HighLevel, kangma.LowLevel},
		{"the street of the estate", kangma.Place{Division: donghai}, kangma.HighLevel, kangma.LowLevel},
		{"another street", kangma.Place{Division: chengdong}, kangma.LowLevel, kangma.LowLevel},
		{"the estate", kangma.Place{Division: lufeng, Community: "望海小区"}, kangma.HighLevel, kangma.HighLevel},
		{"the estate with its street and a building", kangma.Place{Division: lufeng, Community: "东海街道 望海小区3号楼"}, kangma.HighLevel, kangma.HighLevel},
		{"an estate of that name in another street", kangma.Place{Division: chengdong, Community: "望海小区"}, kangma.LowLevel, kangma.LowLevel},
		{"an unknown text in the street", kangma.Place{Division: lufeng, Community: "东海街道无名里"}, kangma.HighLevel, kangma.LowLevel},
		{"a text that names another street", kangma.Place{Division: lufeng, Community: "城东街道无名里"}, kangma.LowLevel, kangma.LowLevel},
		{"the city", kangma.Place{Division: shanwei}, kangma.HighLevel, kangma.NoLevel},
		{"the county beside", kangma.Place{Division: chengqu}, kangma.NoLevel, kangma.NoLevel},
		{"nowhere", kangma.Place{}, kangma.NoLevel, kangma.NoLevel},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := table.LevelAt(c.place, hour(3, 0), time.Time{}, time.Time{})
			if h.Level != c.level || h.Sure != c.sure || h.Exact != (c.level == c.sure) {
				t.Errorf("got %+v, want level %v, sure %v", h, c.level, c.sure)
			}
			if (h.Note.Zh == "" || h.Note.En == "") != h.Exact {
				t.Errorf("exact is %v, note is %+v", h.Exact, h.Note)
			}
		})
	}
}

func TestAZoneStandsBesideTheCountiesOfItsCity(t *testing.T) {
	zone := row(kangma.HighLevel, "广东省", "汕尾市", "高新技术产业开发区", "科技园一期")
	table := build(t, list(hour(2, 9), zone))
	for _, c := range []struct {
		name        string
		place       kangma.Place
		level, sure kangma.Level
	}{
		{"the zone in another spelling", kangma.Place{Division: shanwei, Zone: "汕尾高新区"}, kangma.HighLevel, kangma.NoLevel},
		{"the estate in it", kangma.Place{Division: shanwei, Zone: "高新区", Community: "科技园一期"}, kangma.HighLevel, kangma.HighLevel},
		{"another zone", kangma.Place{Division: shanwei, Zone: "经开区"}, kangma.NoLevel, kangma.NoLevel},
		{"a county of the city, which may hold it", kangma.Place{Division: lufeng}, kangma.HighLevel, kangma.NoLevel},
		{"a county and another zone", kangma.Place{Division: lufeng, Zone: "经开区"}, kangma.NoLevel, kangma.NoLevel},
		{"a county of another city", kangma.Place{Division: 440_103_000}, kangma.NoLevel, kangma.NoLevel},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := table.LevelAt(c.place, hour(3, 0), time.Time{}, time.Time{})
			if h.Level != c.level || h.Sure != c.sure {
				t.Errorf("got %+v, want level %v, sure %v", h, c.level, c.sure)
			}
			if beside := (c.place == kangma.Place{Division: lufeng}); h.Beside != beside {
				t.Errorf("beside is %v, want %v", h.Beside, beside)
			}
		})
	}
	own := build(t, list(hour(2, 9), zone, highRow("望海小区")))
	if h := own.LevelAt(kangma.Place{Division: lufeng}, hour(3, 0), time.Time{}, time.Time{}); h.Level != kangma.HighLevel || h.Beside {
		t.Errorf("a county with a high area of its own: %+v, want high, not only beside", h)
	}
}

func TestAPartOfAnEstateIsOnlyPerhapsMet(t *testing.T) {
	table := build(t, list(hour(2, 9), highRow("东海街道望海小区12号楼", "金湾花园(除2号楼)、明月苑")))
	at := func(text string) areas.Hit {
		return table.LevelAt(kangma.Place{Division: lufeng, Community: text}, hour(3, 0), time.Time{}, time.Time{})
	}
	if h := at("望海小区"); h.Level != kangma.HighLevel || h.Exact {
		t.Errorf("the estate of a listed building: %+v, want high, not exact", h)
	}
	if h := at("望海小区12号楼"); h.Level != kangma.HighLevel || !h.Exact {
		t.Errorf("the listed building: %+v, want high, exact", h)
	}
	if h := at("明月苑"); h.Level != kangma.HighLevel || !h.Exact {
		t.Errorf("the second estate of a text: %+v, want high, exact", h)
	}
}

func TestWithRefusesAnOlderListAndKeepsTheOldTable(t *testing.T) {
	first := list(hour(5, 9), highRow("望海小区"))
	table := build(t, first)
	if _, err := table.With(list(hour(4, 9))); kangma.KindOf(err) != kangma.Conflict {
		t.Errorf("an older list: %v, want a conflict", err)
	}
	same, err := table.With(list(hour(5, 9), highRow("望海小区")))
	if err != nil || same != table {
		t.Errorf("the same list: %v, want the same table", err)
	}
	next, err := table.With(list(hour(6, 9)))
	if err != nil {
		t.Fatal(err)
	}
	place := kangma.Place{Division: lufeng, Community: "望海小区"}
	if h := table.LevelAt(place, hour(7, 0), time.Time{}, time.Time{}); h.Level != kangma.HighLevel {
		t.Errorf("the old table changed: %+v", h)
	}
	if h := next.LevelAt(place, hour(7, 0), time.Time{}, time.Time{}); h.Level != kangma.NoLevel {
		t.Errorf("the new table: %+v, want none", h)
	}
	if table.Version() == next.Version() {
		t.Error("two tables have one version")
	}
}

func TestACorrectionWithinTheHourIsJoined(t *testing.T) {
	a := list(hour(5, 9), highRow("望海小区", "金湾花园"))
	b := list(hour(5, 9), highRow("望海小区", "明月苑"))
	end := list(hour(6, 9), highRow("明月苑"))
	tables := []*areas.Table{build(t, a, b, end), build(t, end, b, a, b)}
	step, err := build(t, b).With(a)
	if err == nil {
		step, err = step.With(end)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, table := range append(tables, step) {
		if table.Version() != tables[0].Version() {
			t.Errorf("table %d: version %s, want %s", i, table.Version(), tables[0].Version())
		}
		for text, until := range map[string]time.Time{"望海小区": hour(6, 9), "金湾花园": hour(6, 9), "明月苑": {}} {
			h := table.LevelAt(kangma.Place{Division: lufeng, Community: text}, hour(5, 12), time.Time{}, time.Time{})
			if h.Level != kangma.HighLevel || !h.Until.Equal(until) {
				t.Errorf("table %d, %s: %+v, want high until %v", i, text, h, until)
			}
		}
	}
}

func TestNilAndEmptyTablesListNothing(t *testing.T) {
	var none *areas.Table
	for _, table := range []*areas.Table{none, build(t)} {
		if h := table.LevelAt(kangma.Place{Division: lufeng}, hour(1, 0), hour(2, 0), time.Time{}); h.Level != kangma.NoLevel {
			t.Errorf("got %+v", h)
		}
		if table.Version() != "areas-empty" || !table.Newest().IsZero() {
			t.Errorf("version %s, newest %v", table.Version(), table.Newest())
		}
	}
}

func TestTextsThatMeanTheWholeAreaAndTextsThatDoNot(t *testing.T) {
	for text, want := range map[string]kangma.Level{
		"":   kangma.MidLevel, // a row without communities
		"全域": kangma.MidLevel,
		"陆丰市全域（除高风险区外）":            kangma.MidLevel,
		"广东省汕尾市陆丰市域内除高风险区域以外的其他区域": kangma.MidLevel,
		"高风险区以外的陆丰市其他所有区域":         kangma.MidLevel,
		"高风险区以外陆丰市其他所有区域":          kangma.MidLevel,
		"其余地区": kangma.MidLevel,
		"除高、中风险区以外的区域为低风险区。":    kangma.MidLevel,
		"陆丰市（高风险区、中风险区除外）":      kangma.MidLevel,
		"除高风险区外碣石镇其他区域":         kangma.NoLevel,
		"除高风险区外的陆丰市主城区":         kangma.NoLevel,
		"望海小区（除2号楼外）":           kangma.NoLevel,
		"东海街道全域":                kangma.NoLevel,
		"除蔡家堡乡后湾村，其余8个搬迁村":      kangma.NoLevel,
		"陆丰市城区除上述高、中风险区之外的所有区域": kangma.NoLevel,
	} {
		var texts []string
		if text != "" {
			texts = []string{text}
		}
		table := build(t, list(hour(2, 9), row(kangma.MidLevel, "广东省", "汕尾市", "陆丰市", texts...)))
		h := table.LevelAt(kangma.Place{Division: lufeng}, hour(3, 0), time.Time{}, time.Time{})
		if h.Level != kangma.MidLevel || h.Sure != want {
			t.Errorf("%q: %+v, want sure %v", text, h, want)
		}
	}
}
