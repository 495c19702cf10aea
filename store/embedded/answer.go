package embedded

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// answer gathers the groups of one query. Cells are sorted out once: which pass the filters and which group each
// belongs to; after that a count is an addition.
type answer struct {
	q       store.Query
	zone    *time.Location
	offset  int64 // of the zone, microseconds
	span    int64 // of a time bucket, microseconds; 0: time is no dimension
	groupOf []int32
	keys    [][]string // of each group, without its time
	buckets map[int64]*bucket
}

// bucket is one hour or day, or everything.
type bucket struct {
	counts []uint64
	people []map[kangma.Pseudonym]struct{}
}

const filtered = -1

func newAnswer(q store.Query, v view) (*answer, error) {
	offset, err := q.Offset()
	if err != nil {
		return nil, err
	}
	a := &answer{q: q, zone: time.FixedZone("", int(offset/time.Second)), offset: offset.Microseconds(), buckets: map[int64]*bucket{}}
	switch {
	case slices.Contains(q.Dimensions, store.ByHour):
		a.span = microsHour
	case slices.Contains(q.Dimensions, store.ByDay):
		a.span = 24 * microsHour
	}
	return a, a.sortCells(v)
}

func (a *answer) sortCells(v view) error {
	pass := a.filters(v)
	groups := map[cell]int32{}
	a.groupOf = make([]int32, len(v.cells)+1)
	for i, x := range v.cells {
		if !pass(x) {
			a.groupOf[i+1] = filtered
			continue
		}
		g := a.project(x)
		n, ok := groups[g]
		if !ok {
			keys, err := a.keysOf(v, g)
			if err != nil {
				return err
			}
			n = int32(len(a.keys))
			groups[g], a.keys = n, append(a.keys, keys)
		}
		a.groupOf[i+1] = n
	}
	return nil
}

// filters gives the query's filters on cells.
func (a *answer) filters(v view) func(cell) bool {
	gates, districts := map[int64]bool{}, map[int64]bool{}
	if len(a.q.Gates) > 0 {
		for i, w := range v.words {
			if slices.Contains(a.q.Gates, w) {
				gates[int64(i+1)] = true
			}
		}
	}
	inside := func(d int64) bool {
		in, known := districts[d]
		if !known {
			in = slices.ContainsFunc(a.q.Districts, func(e kangma.Division) bool { return e.Contains(kangma.Division(d)) })
			districts[d] = in
		}
		return in
	}
	return func(x cell) bool {
		return (len(a.q.Gates) == 0 || gates[x.gate]) &&
			(len(a.q.Districts) == 0 || inside(x.district)) &&
			(len(a.q.Colours) == 0 || slices.Contains(a.q.Colours, colourKey(x))) &&
			(len(a.q.Decisions) == 0 || slices.Contains(a.q.Decisions, kangma.Decision(x.decision)))
	}
}

func colourKey(x cell) string {
	if !x.isTold() {
		return "none"
	}
	return x.theColour().String()
}

// project keeps of a cell what the query's dimensions tell apart.
func (a *answer) project(x cell) (g cell) {
	for _, d := range a.q.Dimensions {
		switch d {
		case store.ByGate:
			g.gate = x.gate
		case store.ByGateKind:
			g.gateKind = x.gateKind
		case store.ByDistrict:
			g.district = x.district
		case store.ByColour:
			if g.colour = x.colour; !x.isTold() {
				g.colour = 0
			}
		case store.ByDecision:
			g.decision = x.decision
		case store.ByReason:
			g.reason = x.reason
		case store.ByVerified:
			g.verified = x.verified
		case store.ByDirection:
			g.direction = x.direction
		}
	}
	return g
}

// keysOf gives the keys of a projected cell; those of time stay empty.
func (a *answer) keysOf(v view, g cell) ([]string, error) {
	keys := make([]string, len(a.q.Dimensions))
	for i, d := range a.q.Dimensions {
		word := int64(0)
		switch d {
		case store.ByGate:
			word = g.gate
		case store.ByGateKind:
			word = g.gateKind
		case store.ByReason:
			word = g.reason
		case store.ByVerified:
			word = g.verified
		case store.ByDirection:
			word = g.direction
		case store.ByDistrict:
			keys[i] = kangma.Division(g.district).String()
		case store.ByColour:
			keys[i] = colourKey(g)
		case store.ByDecision:
			keys[i] = kangma.Decision(g.decision).String()
		}
		if word != 0 {
			text, err := v.word(word)
			if err != nil {
				return nil, err
			}
			keys[i] = text
		}
	}
	return keys, nil
}

// bucketOf gives the bucket of a moment in microseconds.
func (a *answer) bucketOf(at int64) *bucket {
	n := int64(0)
	if a.span != 0 {
		n = floorDiv(at+a.offset, a.span)
	}
	b := a.buckets[n]
	if b == nil {
		b = &bucket{counts: make([]uint64, len(a.keys))}
		if slices.Contains(a.q.Measures, store.People) {
			b.people = make([]map[kangma.Pseudonym]struct{}, len(a.keys))
		}
		a.buckets[n] = b
	}
	return b
}

// one counts one passage.
func (a *answer) one(at, code int64, person []byte) error {
	if code < 1 || code >= int64(len(a.groupOf)) {
		return errDamaged
	}
	g := a.groupOf[code]
	if g == filtered {
		return nil
	}
	b := a.bucketOf(at)
	b.counts[g]++
	if b.people == nil {
		return nil
	}
	if len(person) != 16 {
		return errDamaged
	}
	if p := kangma.Pseudonym(person); p != (kangma.Pseudonym{}) {
		if b.people[g] == nil {
			b.people[g] = map[kangma.Pseudonym]struct{}{}
		}
		b.people[g][p] = struct{}{}
	}
	return nil
}

// result sorts, suppresses and cuts. It goes through times and groups in order, so that what asks for time first is
// nearly sorted already.
func (a *answer) result() (r store.Result) {
	byKeys := func(i, j int32) int { return slices.Compare(a.keys[i], a.keys[j]) }
	groups := make([]int32, len(a.keys))
	for i := range groups {
		groups[i] = int32(i)
	}
	slices.SortFunc(groups, byKeys)
	var rows []counted
	for _, n := range slices.Sorted(maps.Keys(a.buckets)) {
		b := a.buckets[n]
		hour, day := a.timeKeys(n)
		for _, g := range groups {
			if b.counts[g] == 0 {
				continue
			}
			row, enough := a.row(b, g)
			if !enough {
				r.Suppressed++
				continue
			}
			row.Keys = a.timed(a.keys[g], hour, day)
			rows = append(rows, row)
		}
	}
	limit := cmp.Or(a.q.Limit, 10_000)
	r.Truncated = len(rows) > limit
	slices.SortFunc(rows, func(x, y counted) int {
		if r.Truncated && x.count != y.count {
			return cmp.Compare(y.count, x.count)
		}
		return slices.Compare(x.Keys, y.Keys)
	})
	r.Groups = make([]store.Group, min(limit, len(rows)))
	for i := range r.Groups {
		r.Groups[i] = rows[i].Group
	}
	return r
}

// counted is a group with its count of passages, which decides when not all are returned.
type counted struct {
	store.Group
	count uint64
}

// row gives the values of a group and says whether it is large enough to be told.
func (a *answer) row(b *bucket, g int32) (row counted, enough bool) {
	row.count = b.counts[g]
	people := uint64(0)
	if b.people != nil {
		people = uint64(len(b.people[g]))
	}
	if a.q.K > 1 && (row.count < uint64(a.q.K) || b.people != nil && people < uint64(a.q.K)) {
		return row, false
	}
	row.Values = make([]uint64, len(a.q.Measures))
	for i, m := range a.q.Measures {
		if row.Values[i] = row.count; m == store.People {
			row.Values[i] = people
		}
	}
	return row, true
}

// timeKeys gives the keys of a bucket as an hour and as a day.
func (a *answer) timeKeys(n int64) (hour, day string) {
	at := time.UnixMicro(n*a.span - a.offset).In(a.zone)
	return at.Format(time.RFC3339), at.Format(time.DateOnly)
}

// timed puts the time keys of a bucket in.
func (a *answer) timed(keys []string, hour, day string) []string {
	if a.span == 0 {
		return keys
	}
	keys = slices.Clone(keys)
	for i, d := range a.q.Dimensions {
		switch d {
		case store.ByHour:
			keys[i] = hour
		case store.ByDay:
			keys[i] = day
		}
	}
	return keys
}
