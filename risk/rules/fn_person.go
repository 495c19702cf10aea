package rules

import (
	"cel.dev/cel-go/common/types"

	"github.com/kangma/kangma/risk/facts"
)

func personFunctions() []*function {
	return []*function{{
		name: "recent", id: "person_recent", recv: personType, args: []*types.Type{selectorType, types.IntType}, result: types.BoolType, cost: 20,
		doc: "something selected is at most n days old: person.recent(entry(), 21)",
		build: func(a []node) (node, error) {
			sel, ok := a[0].lit.(*selector)
			if !ok {
				return node{}, errSelector
			}
			n, err := count(a[1], 0, maxDays)
			return boolNode(func(x *env) bool {
				return x.any(sel, func(it *facts.Item) bool { return within(x, it, n) })
			}), err
		},
	}, {
		name: "in_force", id: "person_in_force", recv: personType, args: []*types.Type{selectorType}, result: types.BoolType, cost: 20,
		doc: "a selected measure or override is in force now: person.in_force(management('central'))",
		build: func(a []node) (node, error) {
			sel, ok := a[0].lit.(*selector)
			if !ok {
				return node{}, errSelector
			}
			return boolNode(func(x *env) bool {
				return x.any(sel, func(it *facts.Item) bool { return active(x, it) })
			}), nil
		},
	}, {
		name: "negative_within", id: "person_negative_within", recv: personType, args: []*types.Type{types.IntType}, result: types.BoolType, cost: 2,
		doc: "a negative PCR test was sampled at most so many hours ago",
		build: func(a []node) (node, error) {
			h, err := count(a[0], 1, 24*maxDays)
			return boolNode(func(x *env) bool {
				last := x.f.LastNegative()
				ends := last + h*3_600_000_000
				if last == facts.Never || ends < x.f.Now {
					return false
				}
				x.changesAt(ends + 1)
				return true
			}), err
		},
	}, {
		name: "count", id: "person_count", recv: personType, args: []*types.Type{selectorType, types.IntType}, result: types.IntType, cost: 20,
		doc: "how many of the selected are at most n days old",
		build: func(a []node) (node, error) {
			sel, ok := a[0].lit.(*selector)
			if !ok {
				return node{}, errSelector
			}
			n, err := count(a[1], 0, maxDays)
			return intNode(0, 1<<31, func(x *env) (k int64) {
				for it := x.f.First(sel.kind); it != nil; it = x.f.Next(it) {
					if sel.match(x, it) && within(x, it, n) {
						k++
					}
				}
				return k
			}), err
		},
	}, {
		name: "last", id: "person_last", recv: personType, args: []*types.Type{selectorType}, result: types.TimestampType, cost: 20,
		doc: "the anchor of the latest selected fact; when there is none, a moment before all others",
		build: func(a []node) (node, error) {
			sel, ok := a[0].lit.(*selector)
			if !ok {
				return node{}, errSelector
			}
			n := timeNode(func(x *env) facts.Micros {
				if it := latest(x, sel); it != nil {
					return it.At
				}
				return facts.MinMicros
			})
			n.moves = func(x *env) bool {
				it := latest(x, sel)
				if it == nil || it.Grows == 0 {
					return false
				}
				x.changesAt(it.Grows)
				return true
			}
			return n, nil
		},
	}, {
		name: "registered", id: "person_registered", recv: personType, result: types.TimestampType, cost: 1,
		doc: "when the person registered",
		build: func([]node) (node, error) {
			return timeNode(func(x *env) facts.Micros { return facts.ToMicros(x.f.Person.Registered) }), nil
		},
	}, {
		name: "home_in", id: "person_home_in", recv: personType, args: []*types.Type{stringList}, result: types.BoolType, cost: 2,
		doc: "the person lives in one of these divisions",
		build: func(a []node) (node, error) {
			in, err := divisionCodes(a[0])
			return boolNode(func(x *env) bool { return inAny(in, x.f.Person.Home.Division) }), err
		},
	}}
}

// latest gives the selected item with the latest anchor; nil where nothing is selected.
func latest(x *env, sel *selector) (best *facts.Item) {
	for it := x.f.First(sel.kind); it != nil; it = x.f.Next(it) {
		if (best == nil || it.At > best.At) && sel.match(x, it) {
			best = it
		}
	}
	return best
}

// any asks test about every selected item until it says yes. Items in an expression of their own have their own it.
func (x *env) any(sel *selector, test func(*facts.Item) bool) bool {
	for it := x.f.First(sel.kind); it != nil; it = x.f.Next(it) {
		before := x.next
		x.next = facts.Never
		yes := test(it)
		tested := x.next
		x.next = before
		if !yes && tested == facts.Never || !sel.match(x, it) {
			continue
		}
		x.next = min(x.next, tested)
		if yes {
			return true
		}
	}
	return false
}
