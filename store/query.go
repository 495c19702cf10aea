package store

import (
	"slices"
	"strconv"
	"time"

	"github.com/kangma/kangma"
)

// Measure is what is counted.
type Measure string

// The measures.
const (
	Count  Measure = "count"  // passages
	People Measure = "people" // distinct pseudonyms (exact); the zero pseudonym is nobody
)

// Dimension is what counts are split by.
type Dimension string

// The dimensions. Hour and Day cut Passage.At in Query.Zone.
const (
	ByHour      Dimension = "hour"
	ByDay       Dimension = "day"
	ByGate      Dimension = "gate"
	ByGateKind  Dimension = "gate_kind"
	ByDistrict  Dimension = "district"
	ByColour    Dimension = "colour" // red, yellow, green, or "none" where none was told
	ByDecision  Dimension = "decision"
	ByReason    Dimension = "reason"
	ByVerified  Dimension = "verified"
	ByDirection Dimension = "direction"
)

// Query is a typed question to a Warehouse. Since and Until are required: half-open on Passage.At.
type Query struct {
	Measures   []Measure
	Dimensions []Dimension
	Since      time.Time
	Until      time.Time
	Zone       string // fixed offset in minutes east of UTC as text, e.g. "+480"; "" means +480 (China)

	Gates     []string          // empty: all; the same for the others
	Districts []kangma.Division // a district contains what lies inside it
	Colours   []string          // as in ByColour
	Decisions []kangma.Decision
	Person    []kangma.Pseudonym // passages of these pseudonyms only

	K     int // groups of fewer than K passages or, when asked for, people are suppressed; 0 and 1: none
	Limit int // most groups returned, largest count first, ties in order of keys; 0: 10,000
}

// Result is a table: Keys in the order of Query.Dimensions, Values in the order of Query.Measures. A group has at least
// one passage: a question that nothing answers has no groups, also without dimensions.
type Result struct {
	Groups     []Group
	Suppressed int // groups withheld because of K
	Truncated  bool
}

// Group is one row. Hour and day keys are RFC 3339 in the zone, e.g. 2022-07-10T11:00:00+08:00 and 2022-07-10. Groups
// come sorted by Keys unless Limit cut them.
type Group struct {
	Keys   []string
	Values []uint64
}

// PassageQuery selects single passages: of these pseudonyms or of these gates (at least one of the two, both narrow),
// half-open on Passage.At. Since and Until are required.
type PassageQuery struct {
	Person []kangma.Pseudonym
	Gates  []string
	Since  time.Time
	Until  time.Time
	Limit  int // 1 to 10,000
}

// Most values a filter of a Query or PassageQuery may list.
const MaxFilter = 1000

// Validate says whether the question is one: kangma.Invalid with every fault, or nil.
func (q Query) Validate() error {
	var f faults
	f.add(len(q.Measures) == 0, "measures", "ask for at least one measure")
	f.add(!distinct(q.Measures, Count, People), "measures", "measures are count and people, each once")
	f.add(!distinct(q.Dimensions, ByHour, ByDay, ByGate, ByGateKind, ByDistrict, ByColour, ByDecision, ByReason, ByVerified, ByDirection),
		"dimensions", "dimensions are hour, day, gate, gate_kind, district, colour, decision, reason, verified and direction, each once")
	f.span(q.Since, q.Until)
	_, err := q.Offset()
	f.add(err != nil, "zone", "a zone is minutes east of UTC, -840 to +840, as text")
	f.add(!distinct(q.Colours, "red", "yellow", "green", "none"), "colours", "colours are red, yellow, green and none, each once")
	f.add(slices.ContainsFunc(q.Decisions, func(d kangma.Decision) bool { return d > kangma.Pass }), "decisions", "no such decision")
	f.add(slices.ContainsFunc(q.Districts, func(d kangma.Division) bool { return d.Rank() == kangma.NoDivision }), "districts", "no such division")
	f.add(max(len(q.Gates), len(q.Districts), len(q.Decisions), len(q.Person)) > MaxFilter, "filters", "a filter lists at most 1000 values")
	f.add(q.K < 0 || q.Limit < 0, "limit", "k and limit are not negative")
	return f.err("query", "this is not a question the warehouse can answer")
}

// Offset reads Zone.
func (q Query) Offset() (time.Duration, error) {
	if q.Zone == "" {
		return 8 * time.Hour, nil
	}
	n, err := strconv.Atoi(q.Zone)
	if err != nil || n < -840 || n > 840 {
		return 0, kangma.E(kangma.Invalid, "zone", "a zone is minutes east of UTC, -840 to +840, as text")
	}
	return time.Duration(n) * time.Minute, nil
}

// Validate says whether the question is one: kangma.Invalid with every fault, or nil.
func (q PassageQuery) Validate() error {
	var f faults
	f.span(q.Since, q.Until)
	f.add(len(q.Person)+len(q.Gates) == 0, "person", "name at least one person or gate")
	f.add(max(len(q.Person), len(q.Gates)) > MaxFilter, "filters", "a filter lists at most 1000 values")
	f.add(q.Limit < 1 || q.Limit > 10_000, "limit", "a limit is 1 to 10,000")
	return f.err("query", "this is not a question the warehouse can answer")
}

type faults []kangma.Fault

func (f *faults) add(wrong bool, where, what string) {
	if wrong {
		*f = append(*f, kangma.Fault{Where: where, Code: where, What: what})
	}
}

func (f *faults) span(since, until time.Time) {
	f.add(!since.Before(until), "until", "since must be before until")
	f.add(since.Year() < 1970 || until.Year() > 2199, "since", "times lie in the years 1970 to 2199")
}

func (f faults) err(code, public string) error {
	if len(f) == 0 {
		return nil
	}
	e := kangma.E(kangma.Invalid, code, public)
	e.Faults = f
	return e
}

// distinct reports whether every one of vs is allowed and stands there once.
func distinct[T comparable](vs []T, allowed ...T) bool {
	for i, v := range vs {
		if !slices.Contains(allowed, v) || slices.Contains(vs[:i], v) {
			return false
		}
	}
	return true
}
