package rules

import (
	"fmt"
	"math"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/kangma/kangma/risk/facts"
)

// compiler turns one type-checked CEL expression into closures. It refuses what the language leaves out: comprehensions
// (use a function), division (it could be by zero), arithmetic that could overflow, maps and messages.
type compiler struct {
	ast    *cel.Ast
	item   bool // it may be used: the rule has an on
	faults []exprFault
	cost   int
}

// exprFault is one thing wrong inside an expression; line counts from 1, column from 0, as CEL does.
type exprFault struct {
	line, column int
	code, what   string
}

func (c *compiler) fault(e ast.Expr, code, format string, args ...any) node {
	loc := c.ast.NativeRep().SourceInfo().GetStartLocation(e.ID())
	c.faults = append(c.faults, exprFault{loc.Line(), loc.Column(), code, fmt.Sprintf(format, args...)})
	return node{typ: types.ErrorType}
}

func (c *compiler) compile(e ast.Expr) node {
	c.cost++
	switch e.Kind() {
	case ast.LiteralKind:
		return c.literal(e)
	case ast.IdentKind:
		return c.ident(e)
	case ast.ListKind:
		return c.list(e)
	case ast.SelectKind:
		return c.field(e)
	case ast.CallKind:
		return c.call(e)
	}
	return c.fault(e, "unsupported", "this construct is not part of the rule language; use its functions")
}

func (c *compiler) literal(e ast.Expr) node { return c.constant(e, e.AsLiteral()) }

func (c *compiler) constant(e ast.Expr, v ref.Val) node {
	switch v := v.(type) {
	case types.Bool:
		b := bool(v)
		return node{typ: types.BoolType, b: func(*env) bool { return b }, lit: b}
	case types.Int:
		n := int64(v)
		return node{typ: types.IntType, i: func(*env) int64 { return n }, lit: n, lo: n, hi: n}
	case types.String:
		s := string(v)
		return node{typ: types.StringType, s: func(*env) string { return s }, lit: s}
	}
	return c.fault(e, "unsupported", "expected a whole number, a text or true/false")
}

func (c *compiler) ident(e ast.Expr) node {
	switch e.AsIdent() {
	case "now":
		return node{typ: types.TimestampType, t: func(x *env) facts.Micros { return x.f.Now }, now: true, moves: func(*env) bool { return true }}
	case "it":
		if !c.item {
			return c.fault(e, "no_item", "it has no meaning here: the rule has no on")
		}
		return node{typ: itemType}
	case "person":
		return node{typ: personType}
	}
	return c.fault(e, "unsupported", "expected it, person or now")
}

func (c *compiler) list(e ast.Expr) node {
	var texts []string
	var numbers []int
	for _, el := range e.AsList().Elements() {
		n := c.compile(el)
		switch v := n.lit.(type) {
		case string:
			texts = append(texts, v)
		case int64:
			if v < -100_000 || v > 100_000 {
				return c.fault(el, "range", "expected a number between -100000 and 100000")
			}
			numbers = append(numbers, int(v))
		default:
			if n.typ != types.ErrorType {
				return c.fault(el, "literal", "expected a list of literal texts or whole numbers")
			}
			return n
		}
	}
	if len(texts) > 0 && len(numbers) > 0 || len(texts)+len(numbers) == 0 || len(texts)+len(numbers) > 100 {
		return c.fault(e, "list", "expected a list of 1 to 100 texts, or of 1 to 100 whole numbers")
	}
	if len(texts) > 0 {
		return node{typ: stringList, lit: texts}
	}
	return node{typ: intList, lit: numbers}
}

func (c *compiler) field(e ast.Expr) node {
	s := e.AsSelect()
	if f, ok := itemFields[s.FieldName()]; ok && !s.IsTestOnly() {
		c.compile(s.Operand())
		return f.node
	}
	return c.fault(e, "unsupported", "expected a field of it")
}

func (c *compiler) call(e ast.Expr) node {
	call := e.AsCall()
	if call.FunctionName() == "duration" {
		return c.duration(e)
	}
	before := len(c.faults) // the faults of the parts beside this one are theirs
	if op, ok := operatorsTable[call.FunctionName()]; ok {
		args := make([]node, 0, 3)
		for _, a := range call.Args() {
			args = append(args, c.compile(a))
		}
		if len(c.faults) > before {
			return node{typ: types.ErrorType}
		}
		return op(c, e, args)
	}
	var args []node
	if call.IsMemberFunction() {
		args = append(args, c.compile(call.Target()))
	}
	for _, a := range call.Args() {
		args = append(args, c.compile(a))
	}
	if len(c.faults) > before {
		return node{typ: types.ErrorType}
	}
	for _, id := range c.ast.NativeRep().GetOverloadIDs(e.ID()) {
		if f, ok := functionsByID[id]; ok {
			return c.function(e, f, args)
		}
	}
	if call.FunctionName() == operators.Divide || call.FunctionName() == operators.Modulo {
		return c.fault(e, "division", "division is not part of the rule language: it could be by zero")
	}
	return c.fault(e, "unsupported", "this function is not part of the rule language")
}

func (c *compiler) function(e ast.Expr, f *function, args []node) node {
	c.cost += f.cost
	if len(args) > 0 && (args[0].typ == itemType || args[0].typ == personType) && f.recv != nil {
		args = args[1:]
	}
	for i, a := range args {
		if a.lit == nil && a.typ != types.TimestampType {
			return c.fault(e, "literal", "argument %d of %s: expected a literal", i+1, f.name)
		}
	}
	n, err := f.build(args)
	if err != nil {
		return c.fault(e, "argument", "%s: %v", f.name, err)
	}
	n.typ = f.result
	return n
}

// maxDuration bounds duration literals so that sums stay inside the range of moments.
const maxDuration = 3660 * 24 * time.Hour

func (c *compiler) duration(e ast.Expr) node {
	args := e.AsCall().Args()
	if len(args) == 1 && args[0].Kind() == ast.LiteralKind {
		if s, ok := args[0].AsLiteral().(types.String); ok {
			d, err := time.ParseDuration(string(s))
			if err != nil || d > maxDuration || d < -maxDuration || d%time.Microsecond != 0 {
				return c.fault(e, "duration", "expected a duration such as duration('48h'), at most 10 years, whole microseconds")
			}
			us := d.Microseconds()
			return node{typ: types.DurationType, t: func(*env) facts.Micros { return us }, lit: us}
		}
	}
	return c.fault(e, "literal", "expected a literal: duration('48h')")
}

// addBounds gives the bounds of a sum, or false where it could leave the range of int.
func addBounds(a, b node, negate bool) (lo, hi int64, ok bool) {
	bl, bh := b.lo, b.hi
	if negate {
		if bl == math.MinInt64 || bh == math.MinInt64 {
			return 0, 0, false
		}
		bl, bh = -b.hi, -b.lo
	}
	lo, hi = a.lo+bl, a.hi+bh
	ok = (lo < a.lo) == (bl < 0) && (hi < a.hi) == (bh < 0)
	return lo, hi, ok
}
