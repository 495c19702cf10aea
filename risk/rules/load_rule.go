package rules

import (
	"strings"

	"cel.dev/cel-go/common/types"
	"gopkg.in/yaml.v3"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/facts"
)

func (r *reader) rule(n *yaml.Node) (out rule, cost int) {
	f := r.mapping(n, []string{"id", "colour", "until", "reason", "guidance", "clears"},
		[]string{"label", "on", "when", "since", "counts_from", "progress", "what", "cites", "clearable", "source"})
	out = rule{
		id: r.id(f["id"]), label: r.text(f["label"], 32), source: r.text(f["source"], 500),
		reason: r.texts(f["reason"]), guidance: r.texts(f["guidance"]), clears: r.texts(f["clears"]), what: r.texts(f["what"]),
		clearable: r.boolean(f["clearable"], true),
	}
	switch colour := r.choice(f["colour"], "red", "red", "yellow", "none"); colour {
	case "none":
		out.duty = true
	default:
		out.colour, _ = kangma.ParseColour(colour)
	}
	x := &expressions{r: r, item: f["on"] != nil}
	if v := x.read(f["on"], selectorType); v.lit != nil {
		out.on = v.lit.(*selector)
	}
	out.meanings.on = x.key
	if v := x.read(f["cites"], selectorType); v.lit != nil {
		out.cites = v.lit.(*selector)
	}
	out.when = x.read(f["when"], types.BoolType).b
	out.meanings.when = x.key
	since := x.read(f["since"], types.TimestampType)
	out.meanings.since = x.key
	until := x.read(f["until"], types.TimestampType)
	out.meanings.until = x.key
	out.since, out.until, out.countsFrom = since.t, until.t, x.read(f["counts_from"], types.TimestampType).t
	if v := x.read(f["progress"], scheduleType); v.lit != nil {
		out.progress = v.lit.(*facts.Schedule)
		if f["what"] == nil {
			out.what = whatOf(out.progress)
		}
	}
	if until.now {
		r.fault(f["until"], "never_ends", "until moves with the present, so the assignment would never end; count from the fact")
	}
	if f["on"] == nil {
		r.personRule(n, f)
	} else if out.since == nil {
		out.since = func(c *env) facts.Micros { return c.it.At }
	}
	if out.countsFrom == nil {
		out.countsFrom = out.since
	}
	out.texts = ruleTexts{on: squash(f["on"]), when: squash(f["when"]), since: squash(f["since"]), until: squash(f["until"]), progress: squash(f["progress"])}
	return out, x.cost
}

// personRule checks a rule that is not about one fact: it must say itself when it holds and when it began.
func (r *reader) personRule(n *yaml.Node, f map[string]*yaml.Node) {
	for _, k := range []string{"when", "since"} {
		if f[k] == nil {
			r.fault(n, "missing_field", "a rule without on needs the field %s", k)
		}
	}
}

func squash(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	return strings.Join(strings.Fields(n.Value), " ")
}

// expressions reads the CEL fields of one rule.
type expressions struct {
	r    *reader
	item bool // the rule has an on, so it may be used
	cost int
	key  string // of the last expression read
}

// read parses, checks and compiles one expression field. An absent or faulty field gives the zero node.
func (x *expressions) read(n *yaml.Node, want *types.Type) node {
	x.key = ""
	if n == nil {
		return node{}
	}
	if n.Kind != yaml.ScalarNode || strings.TrimSpace(n.Value) == "" || len(n.Value) > 4096 {
		x.r.fault(n, "type", "expected an expression of 1 to 4096 bytes")
		return node{}
	}
	v, cost, m, faults := compileText(n.Value, want, x.item)
	x.cost += cost
	x.key = m.key
	if m.never {
		line, column := place(n, exprFault{line: max(m.line, 1), column: max(m.column, 0)})
		x.r.faultAt(line, column, "never_holds", "this condition contradicts itself: nobody can ever meet it")
	}
	for _, f := range faults {
		line, column := place(n, f)
		x.r.faultAt(line, column, f.code, f.what)
	}
	if len(faults) > 0 {
		return node{}
	}
	return v
}

// place turns a position inside an expression into one inside the file. In a folded or literal block the first line of
// text is the line after the node.
func place(n *yaml.Node, f exprFault) (line, column int) {
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return n.Line + f.line, f.column + 1
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		return n.Line + f.line - 1, n.Column + 1 + f.column
	}
	return n.Line + f.line - 1, n.Column + f.column
}

// compileText parses, type-checks and compiles one expression. item says whether it may be used.
func compileText(text string, want *types.Type, item bool) (node, int, meaning, []exprFault) {
	e, err := celEnv()
	if err != nil {
		return node{}, 0, meaning{}, []exprFault{{1, 0, "internal", "the rule language could not be set up"}}
	}
	ast, issues := e.Compile(text)
	if issues.Err() != nil {
		var fs []exprFault
		for _, i := range issues.Errors() {
			fs = append(fs, exprFault{max(i.Location.Line(), 1), max(i.Location.Column(), 0), "expression", i.Message})
		}
		return node{}, 0, meaning{}, fs
	}
	if !ast.OutputType().IsExactType(want) {
		return node{}, 0, meaning{}, []exprFault{{1, 0, "result", "expected an expression of type " + typeName(want) + ", not " + typeName(ast.OutputType())}}
	}
	c := &compiler{ast: ast, item: item}
	n := c.compile(ast.NativeRep().Expr())
	if len(c.faults) > 0 {
		return node{}, c.cost, meaning{}, c.faults
	}
	return n, c.cost, meaningOf(ast.NativeRep()), nil
}

func typeName(t *types.Type) string {
	switch t {
	case selectorType:
		return "selection, such as stay('high')"
	case scheduleType:
		return "schedule, such as negatives(2, 3, 24)"
	}
	return t.String()
}

// whatOf names the steps of a schedule for people.
func whatOf(s *facts.Schedule) kangma.Text {
	if s.CheckIns > 0 {
		return kangma.Text{Zh: "连续健康打卡正常天数", En: "days running with a normal health check-in"}
	}
	return kangma.Text{Zh: "核酸检测阴性次数", En: "negative nucleic-acid tests"}
}
