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
	case l.days && r.lit != nil:
		return compareDays(r.lit.(int64), o)
	case r.days && l.lit != nil:
		mirrored := [...]cmp{cmpEQ, cmpNE, cmpGT, cmpGE, cmpLT, cmpLE}
		return compareDays(l.lit.(int64), mirrored[o])
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

// compareDays compares it.days() with a constant. The days only ever rise, one by one, so the moment of the next flip is
// known exactly.
func compareDays(n int64, o cmp) node {
	return boolNode(func(x *env) bool {
		d := x.it.Days
		for _, k := range [2]int64{n - 1, n} { // the truth can flip when the days pass n-1 (to n) or n (to n+1)
			if d <= k && o.holds(k, n) != o.holds(k+1, n) {
				x.changesAt(x.f.Cal.After(base(x.it), k))
				break
			}
		}
		return o.holds(d, n)
	})
}

// compareTimes compares two moments. Where one side moves with the present, the flip comes when it meets the other.
func compareTimes(l, r node, o cmp) node {
	f, g := l.t, r.t
	return boolNode(func(x *env) bool {
		a, b := f(x), g(x)
		lm, rm := l.moves != nil && l.moves(x), r.moves != nil && r.moves(x)
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

// anchorMoves: the anchor of a stay that goes on is now, until it ends.
func anchorMoves(x *env) bool {
	if x.it == nil || x.it.Grows == 0 {
		return false
	}
	x.changesAt(x.it.Grows)
	return true
}

// dayEndMoves: the end of the anchor's day, or of a later one, moves with a stay that goes on: with each moment where days
// are periods of 24 hours, else in one step at midnight.
func dayEndMoves(x *env) bool {
	if !anchorMoves(x) {
		return false
	}
	if !x.f.Cal.Rolling {
		x.changesAt(x.f.Cal.After(x.f.Now, 0))
	}
	return x.f.Cal.Rolling
}

// base is the anchor that days will be counted from once a growing stay has ended.
func base(it *facts.Item) facts.Micros {
	if it.Grows != 0 {
		return it.Grows
	}
	return it.At
}
