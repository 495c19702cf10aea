package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"gopkg.in/yaml.v3"
)

// meaning is what is kept of an expression to find contradictions: the same text for expressions that differ only in
// spaces, in brackets and in the order of what && and || join; and whether it can never be true.
type meaning struct {
	key    string
	never  bool
	column int // of the expression that can never be true
	line   int
}

// meaningOf reads a type-checked expression.
func meaningOf(a *ast.AST) meaning {
	m := meaning{key: keyOf(a.Expr())}
	terms := operands(a.Expr(), operators.LogicalAnd)
	yes, no := map[string]bool{}, map[string]bool{}
	days := dayRange{math.MinInt64, math.MaxInt64}
	for _, e := range terms {
		if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.LogicalNot {
			inner := e.AsCall().Args()[0]
			no[keyOf(inner)] = true
			days.narrow(inner, true)
			continue
		}
		yes[keyOf(e)] = true
		days.narrow(e, false)
	}
	m.never = days.least > days.most || yes["false"] || no["true"]
	for k := range yes {
		m.never = m.never || no[k]
	}
	loc := a.SourceInfo().GetStartLocation(a.Expr().ID())
	m.line, m.column = loc.Line(), loc.Column()
	return m
}

// operands lists what a chain of one operator joins.
func operands(e ast.Expr, op string) []ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != op {
		return []ast.Expr{e}
	}
	var out []ast.Expr
	for _, a := range e.AsCall().Args() {
		out = append(out, operands(a, op)...)
	}
	return out
}

// keyOf writes an expression in one way only.
func keyOf(e ast.Expr) string {
	var parts []string
	switch e.Kind() {
	case ast.LiteralKind:
		return fmt.Sprintf("%#v", e.AsLiteral().Value())
	case ast.IdentKind:
		return e.AsIdent()
	case ast.SelectKind:
		return keyOf(e.AsSelect().Operand()) + "." + e.AsSelect().FieldName()
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			parts = append(parts, keyOf(x))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case ast.CallKind:
		call := e.AsCall()
		name, args := call.FunctionName(), call.Args()
		if name == operators.LogicalAnd || name == operators.LogicalOr {
			args = operands(e, name)
		}
		if call.IsMemberFunction() {
			name = keyOf(call.Target()) + "." + name
		}
		for _, x := range args {
			parts = append(parts, keyOf(x))
		}
		if name == operators.LogicalAnd || name == operators.LogicalOr {
			slices.Sort(parts)
			parts = slices.Compact(parts)
		}
		return name + "(" + strings.Join(parts, ",") + ")"
	}
	return fmt.Sprintf("%d?", e.ID()) // no such expression compiles
}

// dayRange is how old the fact may be for a condition to hold.
type dayRange struct{ least, most int64 }

// narrow takes in one term, or its opposite: it.within(n), or it.days() compared with a number.
func (r *dayRange) narrow(e ast.Expr, not bool) {
	if e.Kind() != ast.CallKind {
		return
	}
	call := e.AsCall()
	name, args := call.FunctionName(), call.Args()
	if name == "within" && len(args) == 1 && call.IsMemberFunction() {
		if n, ok := number(args[0]); ok {
			r.compare(operators.LessEquals, n, not)
		}
		return
	}
	if len(args) != 2 {
		return
	}
	if n, ok := number(args[1]); ok && keyOf(args[0]) == "it.days()" {
		r.compare(name, n, not)
	} else if n, ok := number(args[0]); ok && keyOf(args[1]) == "it.days()" {
		r.compare(mirrored[name], n, not)
	}
}

// number reads a literal of which one more and one less are numbers, too.
func number(e ast.Expr) (int64, bool) {
	if e.Kind() != ast.LiteralKind {
		return 0, false
	}
	n, ok := e.AsLiteral().(types.Int)
	return int64(n), ok && n > math.MinInt64 && n < math.MaxInt64
}

var mirrored = map[string]string{
	operators.Less: operators.Greater, operators.LessEquals: operators.GreaterEquals, operators.Greater: operators.Less,
	operators.GreaterEquals: operators.LessEquals, operators.Equals: operators.Equals,
}

var opposite = map[string]string{
	operators.Less: operators.GreaterEquals, operators.LessEquals: operators.Greater, operators.Greater: operators.LessEquals,
	operators.GreaterEquals: operators.Less,
}

func (r *dayRange) compare(op string, n int64, not bool) {
	if not {
		op = opposite[op]
	}
	switch op {
	case operators.Less:
		r.most = min(r.most, n-1)
	case operators.LessEquals:
		r.most = min(r.most, n)
	case operators.Greater:
		r.least = max(r.least, n+1)
	case operators.GreaterEquals:
		r.least = max(r.least, n)
	case operators.Equals:
		r.least, r.most = max(r.least, n), min(r.most, n)
	}
}

// contradictions finds rules of one name, rules that give two colours to one condition, conditions that nobody can meet and
// assignments that end before they begin.
func (r *reader) contradictions(n *yaml.Node, rules []rule) {
	ids := map[string]int{}
	type condition struct{ on, when string }
	seen := map[condition]int{}
	for i := range rules {
		at, rule := n.Content[i], &rules[i]
		if rule.id != "" {
			if _, twice := ids[rule.id]; twice {
				r.fault(at, "repeated_rule", "another rule has this id")
			}
			ids[rule.id] = i
		}
		if from, ok := endOf(rule.meanings.since); ok {
			if to, ok := endOf(rule.meanings.until); ok && from >= to {
				r.fault(at, "contradiction", "the assignment would end before it begins: since is not before until")
			}
		}
		if rule.duty || rule.meanings.on == "" && rule.meanings.when == "" {
			continue
		}
		c := condition{rule.meanings.on, rule.meanings.when}
		if j, twice := seen[c]; twice && rules[j].colour != rule.colour {
			r.fault(at, "contradiction", "rule %s gives another colour to the same condition", rules[j].id)
		}
		seen[c] = i
	}
}

// endOf reads it.end(n), or it.at as the end of the day before.
func endOf(key string) (n int, ok bool) {
	if key == "it.at" {
		return -1, true
	}
	_, err := fmt.Sscanf(key, "it.end(%d)", &n)
	return n, err == nil
}
