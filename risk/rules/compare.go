package rules

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/kangma/kangma/risk/facts"
)

type cmp uint8

const (
	cmpEQ cmp = iota
	cmpNE
	cmpLT
	cmpLE
	cmpGT
	cmpGE
)

func (o cmp) holds(a, b int64) bool {
	switch o {
	case cmpEQ:
		return a == b
	case cmpNE:
		return a != b
	case cmpLT:
		return a < b
	case cmpLE:
		return a <= b
	case cmpGT:
		return a > b
	}
	return a >= b
}

func compare(c *compiler, e ast.Expr, a []node, o cmp) node {
	l, r := a[0], a[1]
	switch {
	case l.days != nil && r.lit != nil:
		return compareDays(l, r.lit.(int64), o)
	case r.days != nil && l.lit != nil:
		mirrored := [...]cmp{cmpEQ, cmpNE, cmpGT, cmpGE, cmpLT, cmpLE}
		return compareDays(r, l.lit.(int64), mirrored[o])
	case l.i != nil && r.i != nil:
		f, g := l.i, r.i
		return boolNode(func(x *env) bool { return o.holds(f(x), g(x)) })
	case l.typ == types.TimestampType && r.typ == types.TimestampType:
		return compareTimes(l, r, o)
	case l.s != nil && r.s != nil && (o == cmpEQ || o == cmpNE):
		f, g := l.s, r.s
		return boolNode(func(x *env) bool { return (f(x) == g(x)) == (o == cmpEQ) })
	case l.b != nil && r.b != nil && (o == cmpEQ || o == cmpNE):
		f, g := l.b, r.b
		return boolNode(func(x *env) bool { return (f(x) == g(x)) == (o == cmpEQ) })
	}
	return c.fault(e, "unsupported", "expected two whole numbers, two moments, or two texts with == or !=")
}

// compareDays compares "whole days since a fact" with a constant. The days only ever rise, one by one, so the moment of
// the next flip is known exactly.
func compareDays(l node, n int64, o cmp) node {
	days, value := l.days, l.i
	return boolNode(func(x *env) bool {
		d := value(x)
		holds := o.holds(d, n)
		if base, ok := days(x); ok {
			// The truth can flip when the days pass n-1 (to n) or n (to n+1).
			for _, k := range [2]int64{n - 1, n} {
				if d <= k && o.holds(k, n) != o.holds(k+1, n) {
					x.changesAt(x.f.Cal.After(base, k))
					break
				}
			}
		}
		return holds
	})
}

// compareTimes compares two moments. Where one side moves with the present, the flip comes when it meets the other.
func compareTimes(l, r node, o cmp) node {
	f, g := l.t, r.t
	return boolNode(func(x *env) bool {
		a, b := f(x), g(x)
		lm, rm := moves(l, x), moves(r, x)
		if lm != rm {
			ahead := b - a // how long until the moving side reaches the other
			if rm {
				ahead = -ahead
			}
			if ahead >= 0 {
				x.changesAt(x.f.Now + ahead)
				x.changesAt(x.f.Now + ahead + 1)
			}
		}
		return o.holds(a, b)
	})
}

func moves(n node, x *env) bool {
	if n.anchor && x.it != nil && x.it.Grows != 0 {
		x.changesAt(x.it.Grows)
		return true
	}
	return n.now
}

// base is the anchor that days will be counted from once a growing stay has ended.
func base(it *facts.Item) facts.Micros {
	if it.Grows != 0 {
		return it.Grows
	}
	return it.At
}
