package rules

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	jsonlogic "github.com/diegoholiveira/jsonlogic/v3"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/facts"
)

// typical is a dossier of 8 items: two stays, a journey, three tests, a dose, a check-in. With a contact in the place of
// the check-in the person is red.
func typical(red bool) *kangma.Dossier {
	at := func(days, hours int) time.Time {
		return time.Date(2022, 7, 5+days, hours, 0, 0, 0, time.FixedZone("", 8*3600))
	}
	d := &kangma.Dossier{Person: kangma.PersonID{1}, Home: kangma.Place{Division: 440305000}}
	add := func(e kangma.Evidence) {
		e.ID = kangma.EventID{1, byte(len(d.Evidence))}
		e.Received, e.Source = e.Observed.Add(time.Hour), "feed"
		d.Evidence = append(d.Evidence, e)
	}
	add(kangma.Evidence{Kind: kangma.KindStay, Observed: at(-9, 18), Stay: &kangma.Stay{Place: kangma.Place{Division: 310115000}, From: at(-12, 8), To: at(-9, 18)}})
	add(kangma.Evidence{Kind: kangma.KindStay, Observed: at(-4, 18), Stay: &kangma.Stay{Place: kangma.Place{Division: 110105000}, From: at(-8, 8), To: at(-4, 18)}})
	add(kangma.Evidence{Kind: kangma.KindTrip, Observed: at(-4, 20), Trip: &kangma.Trip{Mode: "train", Number: "G79", Departed: at(-4, 10), Arrived: at(-4, 20),
		From: kangma.Place{Division: 110106000}, To: kangma.Place{Division: 440305000}}})
	for day := -4; day <= -2; day++ {
		add(kangma.Evidence{Kind: kangma.KindTest, Observed: at(day, 21), Test: &kangma.Test{Method: "pcr", Result: "negative"}})
	}
	add(kangma.Evidence{Kind: kangma.KindVaccination, Observed: at(-200, 9), Vaccination: &kangma.Vaccination{Dose: 3}})
	if red {
		add(kangma.Evidence{Kind: kangma.KindContact, Observed: at(-2, 9), Contact: &kangma.Contact{Degree: "close"}})
	} else {
		add(kangma.Evidence{Kind: kangma.KindDeclaration, Observed: at(-1, 9), Declaration: &kangma.Declaration{CheckIn: true, Temperature: 365}})
	}
	return d
}

func benchTable() Areas {
	return caseTable{{kangma.Place{Division: 420106000}, kangma.HighLevel, time.Date(2022, 6, 1, 0, 0, 0, 0, time.UTC), time.Time{}, time.Time{}}}
}

// BenchmarkAssess compares, in one run, the engine with the same rules as CEL comprehensions over lists and as JsonLogic.
// The other two get the items ready made: levels looked up, days counted. Last measured figures are in docs/rules.md.
func BenchmarkAssess(b *testing.B) {
	set, err := Preset("national-9th-2022")
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2022, 7, 5, 12, 0, 0, 0, time.FixedZone("", 8*3600))
	var ours float64
	for _, c := range []struct {
		name string
		red  bool
	}{{"kangma-green", false}, {"kangma-red", true}} {
		b.Run(c.name, func(b *testing.B) {
			in := Input{Dossier: typical(c.red), Areas: benchTable(), At: now}
			b.ReportAllocs()
			start := cpuTime(b)
			for b.Loop() {
				if a := set.Evaluate(in); (a.Colour == kangma.Red) != c.red || !a.Told {
					b.Fatal(brief(a))
				}
			}
			per := float64(cpuTime(b)-start) / float64(b.N)
			b.ReportMetric(per, "cpu-ns/op")
			if c.red {
				ours = per
			}
		})
	}
	items := plainItems(set, Input{Dossier: typical(true), Areas: benchTable(), At: now})
	ratio := func(b *testing.B, start time.Duration) {
		per := float64(cpuTime(b)-start) / float64(b.N)
		b.ReportMetric(per, "cpu-ns/op")
		if ours > 0 {
			b.ReportMetric(per/ours, "times-ours")
		}
	}
	b.Run("cel-comprehensions-red", func(b *testing.B) {
		programs := celRules(b)
		vars := map[string]any{"items": items}
		b.ReportAllocs()
		start := cpuTime(b)
		for b.Loop() {
			if celColour(b, programs, vars) != kangma.Red {
				b.Fatal("not red")
			}
		}
		ratio(b, start)
	})
	b.Run("jsonlogic-red", func(b *testing.B) {
		rules := logicRules(b)
		data := map[string]any{"items": anyItems(items)}
		b.ReportAllocs()
		start := cpuTime(b)
		for b.Loop() {
			if logicColour(b, rules, data) != kangma.Red {
				b.Fatal("not red")
			}
		}
		ratio(b, start)
	})
}

// cpuTime is the processor time of this process, garbage collection included: on a shared machine it says more than the
// time on the wall.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// plainItems gives what the comprehensions see: one map per item.
func plainItems(s *Set, in Input) []map[string]any {
	x := &env{areas: in.Areas}
	x.f.Collect(in.Dossier, facts.ToMicros(in.At), facts.Never, s.cal)
	out := []map[string]any{}
	for k := facts.Kind(0); k < facts.Kinds; k++ {
		for it := x.f.First(k); it != nil; it = x.f.Next(it) {
			m := map[string]any{"kind": plainKind[k], "word": "", "days": s.cal.Since(it.At, x.f.Now), "hour": it.At / 3_600_000_000, "until": it.Until / 3_600_000_000, "now": x.f.Now / 3_600_000_000}
			switch k {
			case facts.Stay:
				m["word"] = x.level(it).String()
			case facts.Test:
				m["word"] = it.Ev.Test.Result
			case facts.Contact:
				m["word"] = it.Ev.Contact.Degree
			case facts.Management:
				m["word"] = it.Ev.Management.Measure
			case facts.Clinic:
				if m["word"] = it.Ev.Clinic.Diagnosis; it.Ev.Clinic.What == "discharge" {
					m["word"] = "discharge"
				}
			case facts.Override:
				m["word"] = it.Ev.Override.Colour.String()
			}
			out = append(out, m)
		}
	}
	return out
}

var plainKind = [...]string{"stay", "trip", "entry", "clinic", "test", "vaccination", "contact", "management", "declaration", "temperature", "foreign", "override"}

func anyItems(items []map[string]any) []any {
	out := []any{}
	for _, m := range items {
		n := map[string]any{}
		for k, v := range m {
			if i, ok := v.(int64); ok {
				v = float64(i) // JSON has no other numbers
			}
			n[k] = v
		}
		out = append(out, n)
	}
	return out
}

// plainRule is one rule of national-9th-2022 for both comparisons: an item of a kind and word, so many days old at most,
// that nothing after it took away.
type plainRule struct {
	colour      kangma.Colour
	kind, word  string
	over, days  int    // over < days old <= days
	unless      string // word of an item of any kind that came after it and is over, or "" for none
	unlessTests int    // negatives a day apart that end it
	active      bool   // in force instead of days
}

var plainRules = []plainRule{
	{kangma.Red, "clinic", "confirmed", -1, 28, "discharge", 0, false},
	{kangma.Red, "clinic", "asymptomatic", -1, 28, "discharge", 0, false},
	{kangma.Red, "test", "positive", -1, 14, "discharge", 2, false},
	{kangma.Yellow, "clinic", "discharge", -1, 7, "", 0, false},
	{kangma.Red, "clinic", "suspected", -1, 14, "excluded", 0, false},
	{kangma.Red, "contact", "close", -1, 7, "central", 0, false},
	{kangma.Yellow, "contact", "close", 7, 10, "home-monitoring", 0, false},
	{kangma.Yellow, "contact", "secondary", -1, 7, "home", 0, false},
	{kangma.Red, "entry", "", -1, 7, "central", 0, false},
	{kangma.Yellow, "entry", "", 7, 10, "home-monitoring", 0, false},
	{kangma.Red, "stay", "high", -1, 7, "central", 0, false},
	{kangma.Yellow, "stay", "mid", -1, 7, "home", 0, false},
	{kangma.Yellow, "stay", "low", 2, 7, "", 3, false},
	{kangma.Red, "management", "central", 0, 0, "", 0, true},
	{kangma.Yellow, "management", "home", 0, 0, "", 0, true},
	{kangma.Yellow, "management", "home-monitoring", 0, 0, "", 0, true},
	{kangma.Red, "override", "red", 0, 0, "", 0, true},
	{kangma.Yellow, "override", "yellow", 0, 0, "", 0, true},
}

type celRule struct {
	colour kangma.Colour
	p      cel.Program
}

func celRules(tb testing.TB) []celRule {
	e, err := cel.NewEnv(cel.Variable("items", cel.ListType(cel.MapType(cel.StringType, cel.DynType))))
	if err != nil {
		tb.Fatal(err)
	}
	var out []celRule
	for _, r := range plainRules {
		is := "i.kind == '" + r.kind + "'"
		if r.word != "" {
			is += " && i.word == '" + r.word + "'"
		}
		if r.active {
			is += " && i.until > i.now"
		} else {
			is += " && i.days > " + itoa(r.over) + " && i.days <= " + itoa(r.days)
		}
		if r.unless != "" {
			is += " && !items.exists(u, u.word == '" + r.unless + "' && u.hour >= i.hour && (u.kind == 'clinic' || u.until <= i.now))"
		}
		neg := func(v string) string { return v + ".kind == 'test' && " + v + ".word == 'negative'" }
		switch r.unlessTests {
		case 2:
			is += " && !items.exists(a, " + neg("a") + " && a.hour >= i.hour && items.exists(b, " + neg("b") + " && b.hour >= a.hour + 24))"
		case 3:
			is += " && !items.exists(a, " + neg("a") + " && a.hour >= i.hour && items.exists(b, " + neg("b") + " && b.hour > a.hour && items.exists(c, " + neg("c") + " && c.hour >= b.hour + 24)))"
		}
		ast, issues := e.Compile("items.exists(i, " + is + ")")
		if issues.Err() != nil {
			tb.Fatal(issues.Err())
		}
		p, err := e.Program(ast, cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, celRule{r.colour, p})
	}
	return out
}

func itoa(n int) string { return strings.TrimSpace(string(mustJSON(n))) }

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func celColour(tb testing.TB, rules []celRule, vars map[string]any) kangma.Colour {
	worst := kangma.Green
	for _, r := range rules {
		v, _, err := r.p.Eval(vars)
		if err != nil {
			tb.Fatal(err)
		}
		if v == types.True && r.colour.Worse(worst) {
			worst = r.colour
		}
	}
	return worst
}

type logicRule struct {
	colour kangma.Colour
	rule   any
}

// logicRules writes the rules in JsonLogic, where the inside of "some" and "filter" sees one item only: what came after
// is asked of the whole list with the item's fields out of reach, so a rule with "unless" filters the list instead.
func logicRules(tb testing.TB) []logicRule {
	var out []logicRule
	v := func(n string) any { return map[string]any{"var": n} }
	op := func(o string, a ...any) any { return map[string]any{o: a} }
	all := v("items")
	has := func(cond any) any { return op("some", all, cond) }
	last := func(cond any) any { // hour of the latest item that meets cond, 0 for none
		return op("reduce", op("filter", all, cond), op("max", v("current.hour"), v("accumulator")), 0)
	}
	for _, r := range plainRules {
		is := []any{op("==", v("kind"), r.kind)}
		if r.word != "" {
			is = append(is, op("==", v("word"), r.word))
		}
		if r.active {
			is = append(is, op(">", v("until"), v("now")))
		} else {
			is = append(is, op(">", v("days"), r.over), op("<=", v("days"), r.days))
		}
		mine := op("and", is...)
		rule := has(mine)
		if r.unless != "" {
			over := op("and", op("==", v("word"), r.unless), op("or", op("==", v("kind"), "clinic"), op("<=", v("until"), v("now"))))
			rule = op("and", rule, op(">", last(mine), last(over)))
		}
		if r.unlessTests > 0 {
			neg := op("and", op("==", v("kind"), "test"), op("==", v("word"), "negative"))
			n := op("reduce", op("filter", all, neg), op("+", 1, v("accumulator")), 0)
			rule = op("and", rule, op("or", op("<", n, r.unlessTests), op(">", last(mine), last(neg))))
		}
		var plain any // through JSON, as a rule that came from a file
		if err := json.Unmarshal(mustJSON(rule), &plain); err != nil {
			tb.Fatal(err)
		}
		out = append(out, logicRule{r.colour, plain})
	}
	return out
}

func logicColour(tb testing.TB, rules []logicRule, data any) kangma.Colour {
	worst := kangma.Green
	for _, r := range rules {
		v, err := jsonlogic.ApplyInterface(r.rule, data)
		if err != nil {
			tb.Fatal(err)
		}
		if v == true && r.colour.Worse(worst) {
			worst = r.colour
		}
	}
	return worst
}

// The comparison is fair only while the three say the same of the same people.
func TestTheRulesOfTheBenchmarkAgree(t *testing.T) {
	set, err := Preset("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	programs, rules := celRules(t), logicRules(t)
	now := time.Date(2022, 7, 5, 12, 0, 0, 0, time.FixedZone("", 8*3600))
	extra := []kangma.Evidence{
		{Kind: kangma.KindVaccination, Vaccination: &kangma.Vaccination{}},
		{Kind: kangma.KindContact, Contact: &kangma.Contact{Degree: "close"}},
		{Kind: kangma.KindContact, Contact: &kangma.Contact{Degree: "secondary"}},
		{Kind: kangma.KindEntry, Entry: &kangma.Entry{Country: "JP"}},
		{Kind: kangma.KindClinic, Clinic: &kangma.Clinic{What: "diagnosis", Diagnosis: "suspected"}},
		{Kind: kangma.KindTest, Test: &kangma.Test{Method: "pcr", Result: "positive"}},
	}
	for _, e := range extra {
		for _, age := range []int{0, 3, 7, 8, 10, 11, 15} {
			d := typical(false)
			e.ID, e.Observed = kangma.EventID{2}, now.AddDate(0, 0, -age).Add(-time.Hour)
			d.Evidence = append(d.Evidence, e)
			slices.SortFunc(d.Evidence, func(a, b kangma.Evidence) int { return bytes.Compare(a.ID[:], b.ID[:]) })
			in := Input{Dossier: d, Areas: benchTable(), At: now}
			want := set.Evaluate(in).Colour
			items := plainItems(set, in)
			if got := celColour(t, programs, map[string]any{"items": items}); got != want {
				t.Errorf("%s of %d days: CEL says %s, we say %s", e.Kind, age, got, want)
			}
			if e.Kind == kangma.KindTest && age > 0 && age < 8 {
				continue // JsonLogic cannot ask which of the negatives came after the positive
			}
			if got := logicColour(t, rules, map[string]any{"items": anyItems(items)}); got != want {
				t.Errorf("%s of %d days: JsonLogic says %s, we say %s", e.Kind, age, got, want)
			}
		}
	}
}
