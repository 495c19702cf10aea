package rules

import (
	"errors"
	"slices"

	"cel.dev/cel-go/common/types"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/facts"
)

// maxDays bounds every number of days a rule may name.
const maxDays = 400

func itemFunctions() []*function {
	fs := []*function{{
		name: "days", id: "item_days", result: types.IntType, cost: 1,
		doc: "whole days from the fact to now, by the day convention of the rule set",
		build: func([]node) (node, error) {
			n := intNode(-200_000, 200_000, func(x *env) int64 {
				x.changesAt(x.f.Cal.After(base(x.it), x.it.Days))
				return x.it.Days
			})
			n.days = true
			return n, nil
		},
	}, {
		name: "within", id: "item_within", args: []*types.Type{types.IntType}, result: types.BoolType, cost: 1,
		doc: "the fact is at most n days old: it.within(7) is it.days() <= 7",
		build: func(a []node) (node, error) {
			n, err := count(a[0], 0, maxDays)
			return boolNode(func(x *env) bool { return within(x, x.it, n) }), err
		},
	}, {
		name: "active", id: "item_active", result: types.BoolType, cost: 1,
		doc: "the measure or override is in force now",
		build: func([]node) (node, error) {
			return boolNode(func(x *env) bool { return active(x, x.it) }), nil
		},
	}, {
		name: "end", id: "item_end", args: []*types.Type{types.IntType}, result: types.TimestampType, cost: 1,
		doc: "the moment at which the fact is more than n days old",
		build: func(a []node) (node, error) {
			n, err := count(a[0], 0, maxDays)
			t := timeNode(func(x *env) facts.Micros { return x.f.Cal.After(x.it.At, n) })
			t.moves = dayEndMoves
			return t, err
		},
	}, {
		name: "planned_end", id: "item_planned_end", args: []*types.Type{types.IntType}, result: types.TimestampType, cost: 1,
		doc: "the end of the measure or override; where it names none, the end of its day number n",
		build: func(a []node) (node, error) {
			n, err := count(a[0], 1, maxDays)
			return timeNode(func(x *env) facts.Micros {
				if x.it.Until != facts.Never {
					return x.it.Until
				}
				return x.f.Cal.DayEnd(x.it.From, n)
			}), err
		},
	}, {
		name: "done", id: "item_done", args: []*types.Type{scheduleType}, result: types.BoolType, cost: 20,
		doc:   "the schedule, counted from the fact, is complete",
		build: scheduleTest(func(x *env) facts.Micros { return x.it.At }, false),
	}, {
		name: "missed", id: "item_missed", args: []*types.Type{scheduleType}, result: types.BoolType, cost: 20,
		doc:   "a step of the schedule, counted from the fact, is overdue and was not made up",
		build: scheduleTest(func(x *env) facts.Micros { return x.it.At }, true),
	}}
	fs = append(fs, itemMeasureFunctions()...)
	for _, f := range fs {
		f.recv = itemType
	}
	return fs
}

func itemMeasureFunctions() []*function {
	return []*function{{
		name: "released", id: "item_released", result: types.BoolType, cost: 10,
		doc: "a central or home isolation that began on the fact's day or later has ended",
		build: func([]node) (node, error) {
			return boolNode(func(x *env) bool { return released(x, x.it, isolations) }), nil
		},
	}, {
		name: "released", id: "item_released_string", args: []*types.Type{types.StringType}, result: types.BoolType, cost: 10,
		doc: "a measure of that name that began on the fact's day or later has ended",
		build: func(a []node) (node, error) {
			m := a[0].lit.(string)
			if !slices.Contains(measures, m) {
				return node{}, oneOf(measures)
			}
			only := []string{m}
			return boolNode(func(x *env) bool { return released(x, x.it, only) }), nil
		},
	}, {
		name: "measure_start", id: "item_measure_start", result: types.TimestampType, cost: 10,
		doc: "day 1 of the measure the fact led to: when isolation began, or else the day after the fact",
		build: func([]node) (node, error) {
			t := timeNode(func(x *env) facts.Micros { return measureStart(x, x.it) })
			t.moves = dayEndMoves
			return t, nil
		},
	}, {
		name: "near_case", id: "item_near_case", result: types.BoolType, cost: 5,
		doc: "the shared journey makes this a close contact by the published seat geometry",
		build: func([]node) (node, error) {
			return boolNode(func(x *env) bool {
				return x.it.Kind == facts.Contact && facts.NearCase(x.it.Ev.Contact) == facts.Near
			}), nil
		},
	}, {
		name: "at_home", id: "item_at_home", result: types.BoolType, cost: 2,
		doc: "the place of the fact surely lies in the county the person lives in",
		build: func([]node) (node, error) {
			return boolNode(func(x *env) bool { return atHome(x.f.Person.Home.Division, placeOf(x.it)) }), nil
		},
	}, {
		name: "in_division", id: "item_in_division", args: []*types.Type{stringList}, result: types.BoolType, cost: 5,
		doc: "the place of the fact lies in one of these divisions: it.in_division(['420000'])",
		build: func(a []node) (node, error) {
			in, err := divisionCodes(a[0])
			return boolNode(func(x *env) bool { return inAny(in, placeOf(x.it)) }), err
		},
	}, {
		name: "to_division", id: "item_to_division", args: []*types.Type{stringList}, result: types.BoolType, cost: 5,
		doc:   "the journey ended in one of these divisions: it.to_division(['110000'])",
		build: toDivision,
	}}
}

func toDivision(a []node) (node, error) {
	in, err := divisionCodes(a[0])
	return boolNode(func(x *env) bool {
		return x.it.Kind == facts.Trip && inAny(in, x.it.Ev.Trip.To.Division)
	}), err
}

func within(x *env, it *facts.Item, n int64) bool {
	if it.Days > n {
		return false
	}
	x.changesAt(x.f.Cal.After(base(it), n))
	return true
}

func active(x *env, it *facts.Item) bool {
	if it.From > x.f.Now {
		x.changesAt(it.From)
		return false
	}
	if x.f.Now >= it.Until {
		return false
	}
	if it.Until != facts.Never {
		x.changesAt(it.Until)
	}
	return true
}

func scheduleTest(anchor func(*env) facts.Micros, missed bool) func([]node) (node, error) {
	return func(a []node) (node, error) {
		s := a[0].lit.(*facts.Schedule)
		return boolNode(func(x *env) bool {
			st := x.f.Status(s, anchor(x))
			if st.Changes != facts.Never && missed {
				x.changesAt(st.Changes)
			}
			if missed {
				return st.Missed
			}
			return st.Done
		}), nil
	}
}

var (
	measures   = []string{"central", "home", "home-monitoring", "self-monitoring"}
	isolations = []string{"central", "home"}
)

// released looks for a measure that the fact may have led to and that is over.
func released(x *env, it *facts.Item, names []string) bool {
	for m := x.f.First(facts.Management); m != nil; m = x.f.Next(m) {
		if m.Until == facts.Never || !slices.Contains(names, m.Ev.Management.Measure) || !ledTo(x, it, m) {
			continue
		}
		if m.Until <= x.f.Now && m.Until > it.At {
			return true
		}
		x.changesAt(m.Until)
	}
	return false
}

// ledTo: a measure that began on the day of the fact or later can be its consequence; an earlier one cannot, because a
// new exposure starts the clock anew.
func ledTo(x *env, it, m *facts.Item) bool {
	if it.Grows != 0 { // tomorrow the measure will have begun before the end of the stay
		x.changesAt(x.f.Cal.Start(x.f.Cal.Index(x.f.Now) + 1))
	}
	return x.f.Cal.Index(m.From) >= x.f.Cal.Index(it.At)
}

func measureStart(x *env, it *facts.Item) facts.Micros {
	best := facts.Never
	for m := x.f.First(facts.Management); m != nil; m = x.f.Next(m) {
		if slices.Contains(isolations, m.Ev.Management.Measure) && ledTo(x, it, m) {
			best = min(best, m.From)
		}
	}
	if best == facts.Never {
		return x.f.Cal.After(it.At, 0)
	}
	return best
}

// atHome: both lie in one county. A city without counties counts as one; a place or home known less closely is never sure.
func atHome(home, place kangma.Division) bool {
	if c := home.County(); c != 0 {
		home = c
	}
	return home.Rank() >= kangma.City && (place == home || place.County() == home)
}

func placeOf(it *facts.Item) kangma.Division {
	switch {
	case it.Place != nil:
		return it.Place.Division
	case it.Kind == facts.Clinic:
		return it.Ev.Clinic.Place
	case it.Kind == facts.ForeignCode:
		return it.Ev.ForeignCode.Region
	case it.Kind == facts.Trip:
		return it.Ev.Trip.From.Division
	}
	return 0
}

func inAny(ds []kangma.Division, d kangma.Division) bool {
	for _, o := range ds {
		if o.Contains(d) {
			return true
		}
	}
	return false
}

func divisionCodes(a node) ([]kangma.Division, error) {
	texts, ok := a.lit.([]string)
	if !ok {
		return nil, errors.New("expected a list of division codes")
	}
	out := make([]kangma.Division, 0, len(texts))
	for _, t := range texts {
		d, err := kangma.ParseDivision(t)
		if err != nil {
			return nil, errors.New("expected GB/T 2260 codes of 6 or 9 digits")
		}
		out = append(out, d)
	}
	return out, nil
}
