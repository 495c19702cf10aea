package rules

import (
	"errors"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/kangma/kangma/risk/facts"
)

// function is one function of the language: its type for CEL's checker, and how it becomes a node. Every argument but a
// moment is a literal, so everything that can be wrong with it is found when the file is read.
type function struct {
	name   string
	id     string      // CEL overload id
	recv   *types.Type // nil: not a method
	args   []*types.Type
	result *types.Type
	cost   int // how many items it may walk; see costLimit
	doc    string
	build  func(args []node) (node, error)
}

var (
	functions     []*function
	functionsByID = map[string]*function{}
)

func init() {
	functions = append(functions, selectorFunctions()...)
	functions = append(functions, scheduleFunctions()...)
	functions = append(functions, itemFunctions()...)
	functions = append(functions, personFunctions()...)
	for _, f := range functions {
		functionsByID[f.id] = f
	}
}

func (f *function) option(with ...cel.OverloadOpt) cel.EnvOption {
	if f.recv == nil {
		return cel.Function(f.name, cel.Overload(f.id, f.args, f.result, with...))
	}
	return cel.Function(f.name, cel.MemberOverload(f.id, append([]*types.Type{f.recv}, f.args...), f.result, with...))
}

func count(a node, lo, hi int64) (int64, error) {
	n, ok := a.lit.(int64)
	if !ok || n < lo || n > hi {
		return 0, rangeError{lo, hi}
	}
	return n, nil
}

func scheduleFunctions() []*function {
	return []*function{{
		name: "day_schedule", id: "day_schedule_list", args: []*types.Type{intList}, result: scheduleType,
		doc: "a negative test on each of these days of the measure, e.g. day_schedule([1,2,3,5,7])",
		build: func(a []node) (node, error) {
			days := a[0].lit.([]int)
			for i, d := range days {
				if d < 0 || d > 60 || i > 0 && d <= days[i-1] {
					return node{}, errors.New("expected rising days from 0 to 60")
				}
			}
			return scheduleNode(&facts.Schedule{Days: days}), nil
		},
	}, {
		name: "negatives", id: "negatives_int_int_int", args: []*types.Type{types.IntType, types.IntType, types.IntType}, result: scheduleType,
		doc: "n negative tests within so many days, each at least so many hours after the one before: negatives(2, 3, 24)",
		build: func(a []node) (node, error) {
			s, err := countSchedule(a)
			return scheduleNode(s), err
		},
	}, {
		name: "landing", id: "landing_int_int_int", args: []*types.Type{types.IntType, types.IntType, types.IntType}, result: scheduleType,
		doc: "a test on landing and then negatives(n, within_days, min_gap_hours) besides: landing(2, 3, 24)",
		build: func(a []node) (node, error) {
			s, err := countSchedule(a)
			if err == nil {
				s.Landing = true
			}
			return scheduleNode(s), err
		},
	}, {
		name: "check_ins", id: "check_ins_int", args: []*types.Type{types.IntType}, result: scheduleType,
		doc: "normal health check-ins on so many days running: check_ins(14)",
		build: func(a []node) (node, error) {
			n, err := count(a[0], 1, 60)
			return scheduleNode(&facts.Schedule{CheckIns: int(n)}), err
		},
	}}
}

func countSchedule(a []node) (*facts.Schedule, error) {
	n, err1 := count(a[0], 1, 30)
	within, err2 := count(a[1], 1, 60)
	gap, err3 := count(a[2], 0, 24*30)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if (n-1)*gap > within*24 {
		return nil, errors.New("so many tests with that gap do not fit into the days")
	}
	return &facts.Schedule{Tests: int(n), Within: int(within), Gap: gap}, nil
}
