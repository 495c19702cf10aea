package backtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/areas/divisions"
	"github.com/kangma/kangma/risk/rules"
)

var cst = time.FixedZone("Asia/Shanghai", 8*3600)

func preset(tb testing.TB, id string) *rules.Set {
	tb.Helper()
	s, err := rules.Preset(id)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// stricter is the ninth edition with ten days where it says seven.
func stricter(tb testing.TB) *rules.Set {
	tb.Helper()
	raw, err := rules.PresetFile("national-9th-2022")
	if err != nil {
		tb.Fatal(err)
	}
	text := strings.NewReplacer("it.within(7)", "it.within(12)", "it.end(7)", "it.end(12)", "id: national-9th-2022", "id: twelve-days").Replace(string(raw))
	s, err := rules.Load("stricter.yaml", []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// history makes a random but fixed area history over the days from the first: lists at odd hours, in the counties of
// Guangdong's 汕尾 and 揭阳 and in a zone.
func history(tb testing.TB, first time.Time, days int, seed uint64) *areas.Table {
	tb.Helper()
	rnd := rand.New(rand.NewPCG(seed, 2))
	var lists []*areas.List
	for at := first.Truncate(time.Hour); at.Before(first.AddDate(0, 0, days)); at = at.Add(time.Duration(5+rnd.IntN(60)) * time.Hour) {
		l := &areas.List{At: at, Published: at}
		for _, city := range []kangma.Division{441_500_000, 445_200_000} {
			for _, county := range divisions.Children(city) {
				for i, text := range []string{"望海示例小区", "除高风险区以外的其他区域", "渔家示例新村3号楼"} {
					if level := kangma.Level(rnd.IntN(7)); level > 0 && level < 4 && rnd.IntN(1+i) == 0 {
						l.Rows = append(l.Rows, areas.Row{Level: level, Type: "2", Province: "广东省", City: divisions.Name(city), County: divisions.Name(county), Communities: []string{text}})
					}
				}
			}
		}
		lists = append(lists, l)
	}
	t, err := areas.Build(lists...)
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

var august = time.Date(2022, 8, 1, 0, 0, 0, 0, cst)

func population(t *areas.Table, people, days int, seed uint64) *Population {
	return &Population{Seed: seed, People: people, From: august, Days: days, Areas: t, Home: []kangma.Division{441_500_000, 445_200_000}}
}

// everyDay asks the rules on every single day: the plain meaning of a replay.
func everyDay(d *kangma.Dossier, side *Side, cfg *Config, days []time.Time) (out []span) {
	for i, at := range days {
		in := rules.Input{Dossier: d, At: at}
		if side.Areas != nil {
			in.Areas = side.Areas
		}
		if !cfg.Hindsight {
			in.Known = at
		}
		a := side.Rules.Evaluate(in)
		out = append(out, span{i, stateOf(&rules.Brief{Told: a.Told, Colour: a.Colour}), a.ReasonCode()})
	}
	return out
}

func TestAskingOnlyWhenSomethingMayChangeIsTheSameAsAskingEveryDay(t *testing.T) {
	const days, people = 40, 250
	for _, seed := range []uint64{1, 2} {
		t.Logf("seed %d", seed)
		table := history(t, august.AddDate(0, 0, -14), days+10, seed)
		for _, hindsight := range []bool{false, true} {
			cfg := &Config{From: august, Days: days, Hour: 8, Hindsight: hindsight,
				Old: Side{Rules: preset(t, "national-9th-2022"), Areas: table}, New: Side{Rules: stricter(t), Areas: table}}
			var at []time.Time
			for i := range days {
				at = append(at, august.AddDate(0, 0, i).Add(8*time.Hour))
			}
			w := newWorker(cfg, at)
			asked, coloured := 0, 0
			err := population(table, people, days, seed).Prepare().Each(t.Context(), 0, func(d *kangma.Dossier) bool {
				for _, side := range []*Side{&cfg.Old, &cfg.New} {
					counting := &counter{Evaluator: side.Rules}
					got := w.replay(d, &Side{Rules: counting, Areas: side.Areas}, nil)
					asked += counting.n
					for i, want := range everyDay(d, side, cfg, at) {
						k, _ := slices.BinarySearchFunc(got, i+1, func(s span, day int) int { return s.from - day })
						g := got[k-1]
						if g.state != want.state || g.why != want.why {
							t.Fatalf("person %v, %s, hindsight %v, day %d (%v): replayed %s %q, asked %s %q\n%+v", d.Person, side.Rules.Ref().ID, hindsight, i, at[i], stateNames[g.state], g.why, stateNames[want.state], want.why, d)
						}
						if want.state != green {
							coloured++
						}
					}
				}
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("hindsight %v: %d questions instead of %d; %d days not green", hindsight, asked, 2*people*days, coloured)
			if coloured < people || asked > 2*people*days*6/10 {
				t.Errorf("the population or the skipping tests nothing: %d days not green, %d questions", coloured, asked)
			}
		}
	}
}

type counter struct {
	Evaluator
	n int
}

func (c *counter) Brief(in rules.Input) rules.Brief {
	c.n++
	return c.Evaluator.(*rules.Set).Brief(in)
}

func (c *counter) Evaluate(in rules.Input) kangma.Assessment {
	c.n++
	return c.Evaluator.Evaluate(in)
}

func TestTheReportCountsEveryPersonOnEveryDayOnce(t *testing.T) {
	table := history(t, august.AddDate(0, 0, -14), 40, 7)
	cfg := Config{Old: Side{Rules: preset(t, "national-9th-2022"), Areas: table}, New: Side{Rules: stricter(t), Areas: table},
		From: august, Days: 30, Hour: 8, K: 1, Cost: Cost{RedDay: 300, YellowDay: 50, Unit: "CNY"}}
	src := population(table, 3000, 30, 7).Prepare()
	var last atomic.Int64
	cfg.Progress = func(n int64) { last.Store(max(last.Load(), n)) }
	one, err := Run(t.Context(), src, cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Workers, cfg.Progress = 1, nil
	two, err := Run(t.Context(), src, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var a, b strings.Builder
	if one.WriteJSON(&a) != nil || two.WriteJSON(&b) != nil || a.String() != b.String() {
		t.Error("two workers and one find different reports")
	}
	var cells, matrix, districts Count
	for _, c := range one.Cells {
		cells += c.Count
	}
	for _, c := range one.Matrix {
		matrix += c.Count
	}
	for _, d := range one.Districts {
		districts += d.People
	}
	if one.People != 3000 || cells != 3000*30 || matrix != cells || districts != 3000 || last.Load() != 3000 {
		t.Errorf("people %d, cells %d, matrix %d, districts %d, progress %d", one.People, cells, matrix, districts, last.Load())
	}
	var redDays Count
	for _, d := range one.PerDay {
		redDays += d.RedNew
	}
	if len(one.PerDay) != 30 || redDays != one.NewDays.Red {
		t.Errorf("%d red days by day, %d in all", redDays, one.NewDays.Red)
	}
	if one.Changed == 0 || len(one.Reasons) == 0 || one.Cost.More <= 0 {
		t.Errorf("twelve days instead of seven change nothing: %+v", one)
	}
	if v := one.Blast(Breaker{}); !v.Held {
		t.Errorf("the breaker lets it through: %+v", v)
	}
}

func TestTheSameRulesOnBothSidesChangeNobody(t *testing.T) {
	table := history(t, august.AddDate(0, 0, -14), 40, 8)
	side := Side{Rules: preset(t, "national-9th-2022"), Areas: table}
	r, err := Run(t.Context(), population(table, 2000, 10, 8).Prepare(), Config{Old: side, New: side, From: august, Days: 10})
	if err != nil {
		t.Fatal(err)
	}
	if v := r.Blast(Breaker{}); r.Changed != 0 || v.Held {
		t.Errorf("changed %v, %+v", r.Changed, v)
	}
}

func TestABatchCanBeTakenOutOfOneSide(t *testing.T) {
	d := kangma.Dossier{Person: kangma.PersonID{1}, Home: kangma.Place{Division: 441_581_000}}
	at := august.Add(time.Hour)
	d.Evidence = []kangma.Evidence{{ID: kangma.EventID{1}, Kind: kangma.KindContact, Observed: at, Batch: "b7", Contact: &kangma.Contact{Degree: "close"}}}
	table := history(t, august, 3, 9)
	set := preset(t, "national-9th-2022")
	r, err := Run(t.Context(), one{&d}, Config{Old: Side{Rules: set, Areas: table, Without: "b7"}, New: Side{Rules: set, Areas: table}, From: august, Days: 2, Hour: 12, K: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Changed != 1 || len(r.Reasons) != 1 || r.Reasons[0].NewReason != "close-contact" {
		t.Errorf("%+v", r)
	}
}

// one is a source of one person.
type one struct{ d *kangma.Dossier }

func (o one) Chunks() int { return 1 }
func (o one) Each(_ context.Context, _ int, yield func(*kangma.Dossier) bool) error {
	yield(o.d)
	return nil
}

func TestRunStopsWhenCancelledAndWhenTheSourceFails(t *testing.T) {
	table := history(t, august, 3, 9)
	side := Side{Rules: preset(t, "national-9th-2022"), Areas: table}
	ctx, cancel := context.WithCancel(t.Context())
	cfg := Config{Old: side, New: side, From: august, Days: 10, Progress: func(int64) { cancel() }}
	if r, err := Run(ctx, population(table, 20000, 10, 8).Prepare(), cfg); !errors.Is(err, context.Canceled) || r != nil {
		t.Errorf("cancelled: %v, %v", r, err)
	}
	broken := errors.New("the disk is gone")
	if r, err := Run(t.Context(), failing{broken}, Config{Old: side, New: side, From: august, Days: 1}); !errors.Is(err, broken) || r != nil {
		t.Errorf("failing source: %v, %v", r, err)
	}
	for _, bad := range []Config{{}, {From: august}, {From: august, Days: 1001}, {From: august, Days: 1, Hour: 24}} {
		if _, err := Run(t.Context(), one{}, bad); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("%+v: %v, want invalid", bad, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Chunks() int                                                 { return 3 }
func (f failing) Each(context.Context, int, func(*kangma.Dossier) bool) error { return f.err }

func TestTheBreaker(t *testing.T) {
	for _, c := range []struct {
		name            string
		b               Breaker
		changed, people int64
		held            bool
	}{
		{"one in a thousand passes", Breaker{}, 1, 1000, false},
		{"a little more is held", Breaker{}, 1001, 1_000_000, true},
		{"nobody to try on", Breaker{}, 0, 0, true},
		{"more changes than people", Breaker{}, 5, 4, true},
		{"a limit of its own", Breaker{Limit: 0.5}, 2, 4, false},
		{"a negative limit holds any change", Breaker{Limit: -1}, 1, 1_000_000, true},
		{"and passes no change", Breaker{Limit: -1}, 0, 10, false},
	} {
		if v := c.b.Check(c.changed, c.people); v.Held != c.held || v.Held != (v.Why.Zh != "" && v.Why.En != "") {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}
