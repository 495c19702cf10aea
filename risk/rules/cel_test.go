package rules

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/kangma/kangma/risk/facts"
)

// value lets cel-go's interpreter carry it, person, selections and schedules.
type value struct {
	typ *types.Type
	x   *env // it and person
	lit any  // selections and schedules
}

func (v value) ConvertToNative(reflect.Type) (any, error) { return v, nil }
func (v value) ConvertToType(ref.Type) ref.Val            { return v }
func (v value) Equal(o ref.Val) ref.Val                   { return types.Bool(v == o) }
func (v value) Type() ref.Type                            { return v.typ }
func (v value) Value() any                                { return v }

// Get makes it.field work.
func (v value) Get(field ref.Val) ref.Val {
	return result(itemFields[string(field.(types.String))].node, v.x)
}

func result(n node, x *env) ref.Val {
	switch {
	case n.typ == selectorType || n.typ == scheduleType:
		return value{typ: n.typ, lit: n.lit}
	case n.b != nil:
		return types.Bool(n.b(x))
	case n.i != nil:
		return types.Int(n.i(x))
	case n.s != nil:
		return types.String(n.s(x))
	}
	return types.Timestamp{Time: time.UnixMicro(n.t(x)).UTC()}
}

// bound gives a function of the language to cel-go's interpreter: arguments come as values, not as compiled nodes.
func bound(f *function) []cel.OverloadOpt {
	call := func(args ...ref.Val) ref.Val {
		var x *env
		var nodes []node
		for _, a := range args {
			switch a := a.(type) {
			case value:
				if a.x != nil {
					x = a.x
				} else {
					nodes = append(nodes, node{typ: a.typ, lit: a.lit})
				}
			case types.Int:
				nodes = append(nodes, node{typ: types.IntType, lit: int64(a)})
			case types.String:
				nodes = append(nodes, node{typ: types.StringType, lit: string(a)})
			default:
				nodes = append(nodes, listNode(a))
			}
		}
		n, err := f.build(nodes)
		if err != nil {
			return types.WrapErr(err)
		}
		n.typ = f.result
		return result(n, x)
	}
	n := len(f.args)
	if f.recv != nil {
		n++
	}
	switch n {
	case 1:
		return []cel.OverloadOpt{cel.UnaryBinding(func(a ref.Val) ref.Val { return call(a) })}
	case 2:
		return []cel.OverloadOpt{cel.BinaryBinding(func(a, b ref.Val) ref.Val { return call(a, b) })}
	}
	return []cel.OverloadOpt{cel.FunctionBinding(call)}
}

func listNode(v ref.Val) node {
	if texts, err := v.ConvertToNative(reflect.TypeFor[[]string]()); err == nil {
		return node{typ: stringList, lit: texts}
	}
	numbers, err := v.ConvertToNative(reflect.TypeFor[[]int]())
	if err != nil {
		panic(err)
	}
	return node{typ: intList, lit: numbers}
}

// oracle evaluates expressions with cel-go's own interpreter.
type oracle struct {
	env      *cel.Env
	programs map[string]cel.Program
}

func newOracle(t testing.TB) *oracle {
	e, err := newCELEnv(bound)
	if err != nil {
		t.Fatal(err)
	}
	return &oracle{e, map[string]cel.Program{}}
}

func (o *oracle) eval(t testing.TB, text string, x *env) ref.Val {
	t.Helper()
	p := o.programs[text]
	if p == nil {
		ast, issues := o.env.Compile(text)
		if issues.Err() != nil {
			t.Fatalf("%s: %v", text, issues.Err())
		}
		var err error
		if p, err = o.env.Program(ast); err != nil {
			t.Fatal(err)
		}
		o.programs[text] = p
	}
	out, _, err := p.Eval(map[string]any{
		"it": value{typ: itemType, x: x}, "person": value{typ: personType, x: x},
		"now": types.Timestamp{Time: time.UnixMicro(x.f.Now).UTC()},
	})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

// expressionsOf writes random expressions of the language.
type expressionsOf struct{ *rand.Rand }

func (r expressionsOf) pick(from ...string) string { return from[r.IntN(len(from))] }

func (r expressionsOf) sel() string {
	return r.pick("stay('high')", "stay('low')", "stay_in(['440000', '420000'])", "entry()", "contact(['close', 'secondary'])", "test('positive')",
		"management('central')", "override('red')", "foreign('red')", "fever(373)", "symptoms(['cough', 'fever'])", "declaration()", "clinic('discharge')", "arrival()")
}

func (r expressionsOf) schedule() string {
	return r.pick("day_schedule([1, 2, 3, 5, 7])", "negatives(2, 3, 24)", "negatives(1, 7, 0)", "landing(2, 3, 24)", "check_ins(3)")
}

func (r expressionsOf) number(depth int) string {
	if depth <= 0 {
		return r.pick("it.days()", fmt.Sprint(r.IntN(30)-5), fmt.Sprintf("person.count(%s, %d)", r.sel(), r.IntN(20)))
	}
	return r.pick(r.number(0), "("+r.number(depth-1)+r.pick(" + ", " - ")+r.number(depth-1)+")", "-("+r.number(depth-1)+")",
		"("+r.truth(depth-1)+" ? "+r.number(depth-1)+" : "+r.number(depth-1)+")")
}

func (r expressionsOf) moment(depth int) string {
	if depth <= 0 {
		return r.pick("now", "it.at", "it.from", "it.end(3)", "it.planned_end(7)", "it.measure_start()", "person.registered()", "person.last("+r.sel()+")")
	}
	return r.pick(r.moment(0), "("+r.moment(depth-1)+r.pick(" + ", " - ")+"duration('36h'))", "(duration('1h30m') + "+r.moment(depth-1)+")")
}

func (r expressionsOf) truth(depth int) string {
	compare := func() string { return r.pick(" == ", " != ", " < ", " <= ", " > ", " >= ") }
	if depth <= 0 {
		return r.pick("true", "it.within("+fmt.Sprint(r.IntN(20))+")", "it.active()", "it.released()", "it.released('home')", "it.near_case()",
			"it.done("+r.schedule()+")", "it.missed("+r.schedule()+")", "it.in_division(['440000'])", "it.to_division(['440000'])",
			"person.recent("+r.sel()+", 9)", "person.in_force("+r.sel()+")", "person.negative_within(48)", "person.home_in(['440303'])",
			"(it.source == 'feed')", "(it.kind in ['stay', 'test', 'contact'])", "(it.degree != 'close')")
	}
	return r.pick(r.truth(0), "("+r.truth(depth-1)+" && "+r.truth(depth-1)+")", "("+r.truth(depth-1)+" || "+r.truth(depth-1)+")", "!("+r.truth(depth-1)+")",
		"("+r.number(depth-1)+compare()+r.number(depth-1)+")", "("+r.moment(depth-1)+compare()+r.moment(depth-1)+")",
		"("+r.truth(depth-1)+" ? "+r.truth(depth-1)+" : "+r.truth(depth-1)+")", "("+r.truth(depth-1)+" == "+r.truth(depth-1)+")")
}

// One meaning: whatever the language allows, the closures say what cel-go's interpreter says.
func TestClosuresMeanWhatCELMeans(t *testing.T) {
	const seed = 20220628
	t.Logf("seed %d", seed)
	o := newOracle(t)
	g := newGen(seed, true)
	r := expressionsOf{g.Rand}
	x := &env{areas: g.table()}
	cal := facts.NewCalendar(time.FixedZone("", 8*3600), false, 1)
	evaluated, truths := 0, 0
	for range 400 {
		text := r.truth(3)
		n, _, _, faults := compileText(text, types.BoolType, true)
		if len(faults) > 0 {
			t.Fatalf("%s: %v", text, faults)
		}
		for range 4 {
			d := g.dossier(1 + g.IntN(12))
			x.f.Collect(d, facts.ToMicros(g.base), facts.Never, cal)
			for k := facts.Kind(0); k < facts.Kinds; k++ {
				for it := x.f.First(k); it != nil; it = x.f.Next(it) {
					x.it, x.next = it, facts.Never
					got, want := n.b(x), o.eval(t, text, x)
					if types.Bool(got) != want {
						t.Fatalf("%s\nclosures say %v, CEL says %v, about a %v", text, got, want, it.Ev.Kind)
					}
					evaluated++
					if got {
						truths++
					}
				}
			}
		}
	}
	if evaluated < 1000 || truths < evaluated/20 || truths > evaluated*19/20 {
		t.Errorf("%d evaluations, %d true: the generator says little", evaluated, truths)
	}
}

// slow evaluates a set rule by rule and item by item under cel-go, without anything the fast path does to be fast.
func (o *oracle) slow(t testing.TB, s *Set, in Input) map[string]bool {
	x := &env{areas: in.Areas, known: in.Known, past: s.past, apart: s.apart}
	known := facts.Never
	if !in.Known.IsZero() {
		known = facts.ToMicros(in.Known)
	}
	x.f.Collect(in.Dossier, facts.ToMicros(in.At), known, s.cal)
	fired := map[string]bool{}
	try := func(r *rule, it *facts.Item) {
		x.it = it
		if r.texts.when != "" && o.eval(t, r.texts.when, x) != types.True {
			return
		}
		since := x.f.Now
		if it != nil {
			since = it.At
		}
		if r.texts.since != "" {
			since = facts.ToMicros(o.eval(t, r.texts.since, x).(types.Timestamp).Time)
		}
		until := facts.ToMicros(o.eval(t, r.texts.until, x).(types.Timestamp).Time)
		until = min(until, since+s.maxDays*24*3600*1_000_000)
		if since <= x.f.Now && x.f.Now < until && !(r.clearable && x.cleared(it, since)) {
			fired[r.id] = true
		}
	}
	for i := range s.rules {
		r := &s.rules[i]
		if r.on == nil {
			try(r, nil)
			continue
		}
		sel := o.eval(t, r.texts.on, x).(value).lit.(*selector)
		x.f.Each(sel.kind, func(it *facts.Item) bool {
			if x.it = it; sel.match(x, it) {
				try(r, it)
			}
			return true
		})
	}
	return fired
}

// Every preset, on random people: the fast path finds exactly the rules that hold.
func TestEvaluateFindsExactlyTheRulesThatHoldUnderCEL(t *testing.T) {
	const seed = 7
	t.Logf("seed %d", seed)
	o := newOracle(t)
	g := newGen(seed, false)
	seen := map[string]int{}
	for s := range everySet {
		for range 60 {
			in := Input{Dossier: g.dossier(g.IntN(14)), Areas: g.table(), At: g.time()}
			if g.IntN(3) == 0 {
				in.Known = g.time()
			}
			a := s.Evaluate(in)
			want := o.slow(t, s, in)
			got := map[string]bool{}
			for _, as := range append(a.Assignments, a.Duties...) {
				got[as.Rule] = true
				seen[as.Colour.String()]++
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: got %v, CEL says %v", s.ref.ID, got, want)
			}
		}
	}
	t.Log(strings.TrimSpace(fmt.Sprint(seen)))
}

// The same expressions as rules: until the moment named as the next change, the answer stays.
func TestNothingChangesBeforeNextChangeWhateverTheRule(t *testing.T) {
	const seed = 99
	t.Logf("seed %d", seed)
	g := newGen(seed, false)
	r := expressionsOf{g.Rand}
	flips := 0
	for i := range 300 {
		rolling := "calendar"
		if i%2 == 1 {
			rolling = "24h"
		}
		file := "id: t\nversion: \"1\"\ntitle: {zh: a, en: a}\ntimezone: Asia/Shanghai\nday: {count: " + rolling + "}\nrules:\n" +
			"  - {id: a, colour: red, on: \"" + r.pick("stay('high')", "stay('mid')", "stay_in(['440000'])", "contact('close')", "management('home')", "override('red')", "foreign('red')") +
			"\", when: \"" + r.truth(2) + "\", until: it.end(50), reason: {zh: a, en: a}, guidance: {zh: a, en: a}, clears: {zh: a, en: a}}\n"
		s, err := Load("t", []byte(file))
		if err != nil && strings.Contains(fmt.Sprint(err), "nobody can ever meet it") {
			continue
		}
		if err != nil {
			t.Fatalf("%s\n%v", file, err)
		}
		for range 12 {
			in := Input{Dossier: g.dossier(1 + g.IntN(10)), At: g.time()}
			in.Areas = asOf{g.table(), in.At}
			now := s.Evaluate(in)
			until := in.At.AddDate(0, 0, 60)
			if !now.NextChange.IsZero() {
				until = now.NextChange
			}
			for k := range 8 {
				later := in
				later.At = in.At.Add(time.Duration(g.Int64N(int64(until.Sub(in.At)))))
				if k == 0 {
					later.At = until.Add(-time.Microsecond)
				}
				if a := s.Evaluate(later); a.Colour != now.Colour && later.At.After(in.At) {
					t.Fatalf("%s\nat %v: %s\nat %v: %s", file, in.At, brief(now), later.At, brief(a))
				}
			}
			later := in
			if later.At = until; s.Evaluate(later).Colour != now.Colour {
				flips++
			}
		}
	}
	if flips < 50 {
		t.Errorf("only %d of the changes named were changes", flips)
	}
	t.Logf("%d changes", flips)
}
