package store

import (
	"time"

	"github.com/kangma/kangma"
)

// Measure is what is counted.
type Measure string

// The measures.
const (
	Count  Measure = "count"  // passages
	People Measure = "people" // distinct pseudonyms (exact)
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

// Result is a table: Keys in the order of Query.Dimensions, Values in the order of Query.Measures.
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
