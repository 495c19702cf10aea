package rules

import (
	"cel.dev/cel-go/common/types"

	"github.com/kangma/kangma/risk/facts"
)

// node is one compiled sub-expression. Exactly the function of its type is set. Constants carry their value in lit too,
// because every argument of a domain function must be a constant.
type node struct {
	typ *types.Type
	b   func(*env) bool
	i   func(*env) int64
	t   func(*env) facts.Micros // timestamps and durations
	s   func(*env) string
	lit any // bool, int64, string, []string, []int, *selector, *facts.Schedule; durations as facts.Micros

	lo, hi int64 // int: bounds of the value, so that arithmetic that could overflow is refused
	now    bool  // timestamp: it may move with the present, so it cannot be the end of anything
	// moves tells whether a timestamp moves with the present just now; nil: it never does. It also notes when that ends.
	moves func(*env) bool
	days  bool // it is it.days(): a comparison with a constant knows exactly when it flips
}

// The types of the language beside CEL's own.
var (
	itemType     = types.NewObjectType("kangma.Item")
	personType   = types.NewObjectType("kangma.Person")
	selectorType = types.NewOpaqueType("kangma.selector")
	scheduleType = types.NewOpaqueType("kangma.schedule")
	stringList   = types.NewListType(types.StringType)
	intList      = types.NewListType(types.IntType)
)

func boolNode(f func(*env) bool) node         { return node{typ: types.BoolType, b: f} }
func timeNode(f func(*env) facts.Micros) node { return node{typ: types.TimestampType, t: f} }
func stringNode(f func(*env) string) node     { return node{typ: types.StringType, s: f} }
func selectorNode(s *selector) node           { return node{typ: selectorType, lit: s} }
func scheduleNode(s *facts.Schedule) node     { return node{typ: scheduleType, lit: s} }
func intNode(lo, hi int64, f func(*env) int64) node {
	return node{typ: types.IntType, i: f, lo: lo, hi: hi}
}
