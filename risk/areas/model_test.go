package areas_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
)

// modelRow is one thing a random list may say, with what it means.
type modelRow struct {
	city, county, text string
	division           kangma.Division // where it is
	zone, whole        bool
}

var modelRows = []modelRow{
	{"汕尾市", "陆丰市", "东海街道望海小区", donghai, false, false},
	{"汕尾市", "陆丰市", "明月苑", lufeng, false, false},
	{"汕尾市", "陆丰市", "东海街道全域", donghai, false, true},
	{"汕尾市", "陆丰市", "陆丰市除高风险区以外的其他区域", lufeng, false, true},
	{"汕尾市", "城区", "凤山街道灯塔里", 441_502_003, false, false},
	{"汕尾市", "城区", "全域", chengqu, false, true},
	{"汕尾市", "红海湾经济开发区", "椰林公寓", shanwei, true, false},
	{"东莞市", "茶山镇", "工业园二区", 441_900_103, false, false},
	{"东莞市", "茶山镇", "茶山镇全域", 441_900_103, false, true},
}

var modelPlaces = []kangma.Division{lufeng, donghai, chengdong, chengqu, 441_502_003, 441_523_000, 441_900_103, 441_900_102, 441_900_000, shanwei, 440_000_000, 440_103_000}

// modelTexts name listed estates, parts of them, and nothing listed.
var modelTexts = []string{"望海小区", "陆丰市东海街道望海小区3号楼", "东海街道 望海小区", "明月苑", "灯塔里", "椰林公寓", "工业园二区", "东海街道", "无名里", "城东街道无名里"}

// expect is the meaning of a place known by division only, written from docs/areas.md and not from the table's code.
func (r modelRow) expect(at kangma.Division) (possible, sure bool) {
	switch {
	case r.zone:
		return at.Contains(r.division) || r.division.Contains(at), false
	case r.whole:
		return at.Contains(r.division) || r.division.Contains(at), r.division.Contains(at)
	}
	return at.Contains(r.division) || r.division.Contains(at), false
}

func TestTheTableAgreesWithItsListsReadOneByOne(t *testing.T) {
	seed := uint64(20220805)
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range 30 {
		lists, said := randomLists(rnd)
		table := build(t, lists...)
		step := build(t, lists[0])
		for _, l := range lists[1:] {
			next, err := step.With(l)
			if err != nil {
				t.Fatal(err)
			}
			step = next
		}
		if table.Version() != step.Version() {
			t.Fatalf("built %s, stepped %s", table.Version(), step.Version())
		}
		for range 120 {
			at := modelPlaces[rnd.IntN(len(modelPlaces))]
			from := hour(1, rnd.IntN(14*24))
			to := from.Add(time.Duration(rnd.IntN(100)) * time.Hour)
			known := time.Time{}
			if rnd.IntN(2) == 0 {
				known = hour(1, rnd.IntN(14*24))
			}
			level, sure := expectedLevel(lists, said, at, from, to, known)
			for name, tab := range map[string]*areas.Table{"built": table, "stepped": step} {
				h := tab.LevelAt(kangma.Place{Division: at}, from, to, known)
				if h.Level != level || h.Sure != sure {
					t.Fatalf("%s: %v in [%v, %v) known %v: got %+v, want level %v, sure %v", name, at, from, to, known, h, level, sure)
				}
				checkAsk(t, tab, kangma.Place{Division: at}, from, to, known, h)
				near := kangma.Place{Division: at, Community: modelTexts[rnd.IntN(len(modelTexts))]}
				if rnd.IntN(4) == 0 {
					near.Zone = "红海湾经开区"
				}
				checkAsk(t, tab, near, from, to, known, tab.LevelAt(near, from, to, known))
				if h.Level > 0 && (h.Since.After(to) && h.Since.After(from) || !h.Until.IsZero() && !h.Until.After(from)) {
					t.Fatalf("%s: the hit %+v lies outside [%v, %v)", name, h, from, to)
				}
			}
		}
	}
}

func randomLists(rnd *rand.Rand) (lists []*areas.List, said []map[int]kangma.Level) {
	at := 9
	for range 2 + rnd.IntN(12) {
		l, m := list(hour(1, at)), map[int]kangma.Level{}
		for i, r := range modelRows {
			if level := kangma.Level(rnd.IntN(4)); level > 0 {
				m[i] = level
				l.Rows = append(l.Rows, row(level, "广东省", r.city, r.county, r.text))
			}
		}
		lists, said = append(lists, l), append(said, m)
		at += 1 + rnd.IntN(30)
	}
	return lists, said
}

func expectedLevel(lists []*areas.List, said []map[int]kangma.Level, at kangma.Division, from, to, known time.Time) (level, sure kangma.Level) {
	for i, l := range lists {
		if !known.IsZero() && l.At.After(known) {
			break
		}
		ends := i+1 < len(lists) && (known.IsZero() || !lists[i+1].At.After(known))
		begins := l.At.Before(to) || l.At.Equal(from) || !to.After(from) && !l.At.After(from)
		if !begins || ends && !lists[i+1].At.After(from) {
			continue
		}
		for k, lv := range said[i] {
			possible, certain := modelRows[k].expect(at)
			if possible {
				level = max(level, lv)
			}
			if certain {
				sure = max(sure, lv)
			}
		}
	}
	return level, sure
}

// checkAsk: the answer stays as it is until the moment that Ask names, be it that only knowledge grows or the interval too.
func checkAsk(t *testing.T, table *areas.Table, p kangma.Place, from, to, known time.Time, want areas.Hit) {
	t.Helper()
	at := p
	h, next := table.Ask(p, from, to, known, false)
	if h != want {
		t.Fatalf("Ask gives %+v, LevelAt %+v", h, want)
	}
	if known.IsZero() && !next.IsZero() {
		t.Fatalf("everything is known, and yet it changes at %v", next)
	}
	same := func(what string, g areas.Hit, later time.Time) {
		if g.Level != h.Level || g.Sure != h.Sure || g.Exact != h.Exact {
			t.Fatalf("%s: %v in [%v, %v) known %v: %+v, and at %v %+v, though nothing was to change before %v", what, at, from, to, known, h, later, g, next)
		}
	}
	for later := known; !known.IsZero() && later.Before(hour(20, 0)) && (next.IsZero() || later.Before(next)); later = later.Add(time.Hour) {
		same("known later", table.LevelAt(p, from, to, later), later)
	}
	if !to.After(from) {
		return
	}
	if h, next = table.Ask(p, from, to, to, true); h != table.LevelAt(p, from, to, to) {
		t.Fatalf("Ask of an open interval gives %+v", h)
	}
	for later := to; later.Before(hour(20, 0)) && (next.IsZero() || later.Before(next)); later = later.Add(time.Hour) {
		same("open", table.LevelAt(p, from, later, later), later)
	}
	h, next = table.Ask(p, from, to, time.Time{}, true)
	for later := to; later.Before(hour(20, 0)) && (next.IsZero() || later.Before(next)); later = later.Add(time.Hour) {
		same("open, with hindsight", table.LevelAt(p, from, later, time.Time{}), later)
	}
}
