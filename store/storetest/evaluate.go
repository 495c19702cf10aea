package storetest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Evaluate answers a query the plain way, passage by passage in memory: what every warehouse must answer. The passages
// must have an ID each once. The query must be valid.
func Evaluate(passages []kangma.Passage, q store.Query) store.Result {
	offset, _ := q.Offset()
	type group struct {
		keys   []string
		count  uint64
		people map[kangma.Pseudonym]bool
	}
	groups := map[string]*group{}
	for _, p := range passages {
		if !matches(p, q) {
			continue
		}
		var keys []string
		for _, d := range q.Dimensions {
			keys = append(keys, keyOf(p, d, time.FixedZone("", int(offset/time.Second))))
		}
		name := strings.Join(keys, "\x00")
		g := groups[name]
		if g == nil {
			g = &group{keys: keys, people: map[kangma.Pseudonym]bool{}}
			groups[name] = g
		}
		g.count++
		if p.Person != (kangma.Pseudonym{}) {
			g.people[p.Person] = true
		}
	}
	var result store.Result
	var counts []uint64
	for _, g := range groups {
		people := uint64(len(g.people))
		if q.K > 1 && (g.count < uint64(q.K) || slices.Contains(q.Measures, store.People) && people < uint64(q.K)) {
			result.Suppressed++
			continue
		}
		row := store.Group{Keys: g.keys}
		for _, m := range q.Measures {
			row.Values = append(row.Values, map[store.Measure]uint64{store.Count: g.count, store.People: people}[m])
		}
		i, _ := slices.BinarySearchFunc(result.Groups, row, func(a, b store.Group) int { return slices.Compare(a.Keys, b.Keys) })
		result.Groups, counts = slices.Insert(result.Groups, i, row), slices.Insert(counts, i, g.count)
	}
	limit := cmp.Or(q.Limit, 10_000)
	if len(result.Groups) <= limit {
		return result
	}
	order := make([]int, len(counts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	cut := make([]store.Group, 0, limit)
	for _, i := range order[:limit] {
		cut = append(cut, result.Groups[i])
	}
	result.Groups, result.Truncated = cut, true
	return result
}

func matches(p kangma.Passage, q store.Query) bool {
	inside := func(d kangma.Division) bool { return d.Contains(p.District) }
	return !p.At.Before(q.Since) && p.At.Before(q.Until) &&
		(len(q.Gates) == 0 || slices.Contains(q.Gates, p.Gate)) &&
		(len(q.Districts) == 0 || slices.ContainsFunc(q.Districts, inside)) &&
		(len(q.Colours) == 0 || slices.Contains(q.Colours, colourKey(p))) &&
		(len(q.Decisions) == 0 || slices.Contains(q.Decisions, p.Decision)) &&
		(len(q.Person) == 0 || slices.Contains(q.Person, p.Person))
}

func colourKey(p kangma.Passage) string {
	if !p.Told {
		return "none"
	}
	return p.Colour.String()
}

func keyOf(p kangma.Passage, d store.Dimension, zone *time.Location) string {
	at := p.At.In(zone)
	switch d {
	case store.ByHour:
		return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), 0, 0, 0, zone).Format(time.RFC3339)
	case store.ByDay:
		return at.Format(time.DateOnly)
	case store.ByGate:
		return p.Gate
	case store.ByGateKind:
		return p.GateKind
	case store.ByDistrict:
		return p.District.String()
	case store.ByColour:
		return colourKey(p)
	case store.ByDecision:
		return p.Decision.String()
	case store.ByReason:
		return p.Reason
	case store.ByVerified:
		return p.Verified
	case store.ByDirection:
		return p.Direction
	}
	panic(d)
}

// EvaluatePassages answers a PassageQuery the plain way.
func EvaluatePassages(passages []kangma.Passage, q store.PassageQuery) (found []kangma.Passage) {
	for _, p := range passages {
		if !p.At.Before(q.Since) && p.At.Before(q.Until) &&
			(len(q.Person) == 0 || slices.Contains(q.Person, p.Person)) &&
			(len(q.Gates) == 0 || slices.Contains(q.Gates, p.Gate)) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b kangma.Passage) int {
		return cmp.Or(b.At.Compare(a.At), slices.Compare(b.ID[:], a.ID[:]))
	})
	return found[:min(len(found), q.Limit)]
}
