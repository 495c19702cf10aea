package rules

import (
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/kangma/kangma/risk/facts"
)

type operator func(c *compiler, e ast.Expr, a []node) node

// operatorsTable holds CEL's operators as far as the rule language has them.
var operatorsTable map[string]operator

func init() { // a literal would be an initialisation cycle through compile
	operatorsTable = map[string]operator{
		operators.LogicalAnd:    opAnd,
		operators.LogicalOr:     opOr,
		operators.LogicalNot:    opNot,
		operators.Conditional:   opIf,
		operators.In:            opIn,
		operators.Add:           opAdd,
		operators.Subtract:      opSubtract,
		operators.Negate:        opNegate,
		operators.Equals:        func(c *compiler, e ast.Expr, a []node) node { return compare(c, e, a, cmpEQ) },
		operators.NotEquals:     func(c *compiler, e ast.Expr, a []node) node { return compare(c, e, a, cmpNE) },
		operators.Less:          func(c *compiler, e ast.Expr, a []node) node { return compare(c, e, a, cmpLT) },
		operators.LessEquals:    func(c *compiler, e ast.Expr, a []node) node { return compare(c, e, a, cmpLE) },
		operators.Greater:       func(c *compiler, e ast.Expr, a []node) node { return compare(c, e, a, cmpGT) },
		operators.GreaterEquals: func(c *compiler, e ast.Expr, a []node) node { return compare(c, e, a, cmpGE) },
	}
}

func opAnd(_ *compiler, _ ast.Expr, a []node) node {
	l, r := a[0].b, a[1].b
	return boolNode(func(x *env) bool { return l(x) && r(x) })
}

func opOr(_ *compiler, _ ast.Expr, a []node) node {
	l, r := a[0].b, a[1].b
	return boolNode(func(x *env) bool { return l(x) || r(x) })
}

func opNot(_ *compiler, _ ast.Expr, a []node) node {
	f := a[0].b
	return boolNode(func(x *env) bool { return !f(x) })
}

func opIf(c *compiler, e ast.Expr, a []node) node {
	p := a[0].b
	switch n := a[1]; n.typ {
	case types.BoolType:
		l, r := a[1].b, a[2].b
		return boolNode(func(x *env) bool {
			if p(x) {
				return l(x)
			}
			return r(x)
		})
	case types.IntType:
		l, r := a[1].i, a[2].i
		return intNode(min(a[1].lo, a[2].lo), max(a[1].hi, a[2].hi), func(x *env) int64 {
			if p(x) {
				return l(x)
			}
			return r(x)
		})
	case types.TimestampType:
		l, r := a[1].t, a[2].t
		n := timeNode(func(x *env) facts.Micros {
			if p(x) {
				return l(x)
			}
			return r(x)
		})
		n.now = a[1].now || a[2].now
		if ml, mr := a[1].moves, a[2].moves; ml != nil || mr != nil {
			n.moves = func(x *env) bool {
				if p(x) {
					return ml != nil && ml(x)
				}
				return mr != nil && mr(x)
			}
		}
		return n
	}
	return c.fault(e, "unsupported", "a ? b : c chooses between truths, numbers or moments only")
}

func opIn(c *compiler, e ast.Expr, a []node) node {
	texts, ok := a[1].lit.([]string)
	if !ok || a[0].s == nil {
		return c.fault(e, "unsupported", "expected a text in a list of texts")
	}
	f := a[0].s
	return boolNode(func(x *env) bool { return slices.Contains(texts, f(x)) })
}

func opNegate(c *compiler, e ast.Expr, a []node) node {
	return opSubtract(c, e, []node{c.constant(e, types.Int(0)), a[0]})
}

func opAdd(c *compiler, e ast.Expr, a []node) node { return sum(c, e, a, false) }

func opSubtract(c *compiler, e ast.Expr, a []node) node { return sum(c, e, a, true) }

// sum adds or subtracts: whole numbers, or a duration and a moment.
func sum(c *compiler, e ast.Expr, a []node, minus bool) node {
	l, r := a[0], a[1]
	switch {
	case l.i != nil && r.i != nil:
		lo, hi, ok := addBounds(l, r, minus)
		if !ok {
			return c.fault(e, "overflow", "this sum could leave the range of whole numbers")
		}
		f, g := l.i, r.i
		n := intNode(lo, hi, func(x *env) int64 { return f(x) + g(x) })
		if minus {
			n = intNode(lo, hi, func(x *env) int64 { return f(x) - g(x) })
		}
		if v, ok := l.lit.(int64); ok {
			if w, ok := r.lit.(int64); ok && minus {
				n.lit = v - w
			} else if ok {
				n.lit = v + w
			}
		}
		return n
	case l.typ == types.DurationType && r.typ == types.TimestampType && !minus:
		l, r = r, l
		fallthrough
	case l.typ == types.TimestampType && r.typ == types.DurationType:
		f, d := l.t, r.lit.(facts.Micros)
		if minus {
			d = -d
		}
		n := timeNode(func(x *env) facts.Micros { return f(x) + d })
		n.now, n.moves = l.now, l.moves
		return n
	}
	return c.fault(e, "unsupported", "expected whole numbers, or a moment and a duration")
}
