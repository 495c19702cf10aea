package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Town draws passages of a small town: few gates and people, so that groups are of all sizes, with texts that stores
// trip over, times at the edges of hours and days, and whole minutes as gates send them.
type Town struct {
	r      *rand.Rand
	Start  time.Time
	Span   time.Duration
	Gates  []string
	People []kangma.Pseudonym
}

// NewTown makes a town of four days in July 2022.
func NewTown(r *rand.Rand) *Town {
	t := &Town{r: r, Start: time.Date(2022, 7, 9, 16, 0, 0, 0, time.UTC), Span: 96 * time.Hour,
		Gates: []string{"gate-1", "卡口:2", "g'3", "g\"4%", "g\\5", "g,6\t", "", "gate-1 "}, People: make([]kangma.Pseudonym, 60)}
	for i := range t.People[1:] { // the first stays zero: nobody
		fillBytes(r, t.People[i+1][:])
	}
	return t
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// Passage draws one passage with an id of its own.
func (t *Town) Passage() kangma.Passage {
	r := t.r
	at := t.Start.Add(time.Duration(r.Int64N(int64(t.Span)))).Truncate(time.Microsecond)
	switch r.IntN(4) {
	case 0:
		at = at.Truncate(time.Minute)
	case 1:
		at = at.Truncate(time.Hour).Add(pick(r, 0, -time.Microsecond, time.Microsecond))
		if at.Before(t.Start) {
			at = t.Start
		}
	}
	p := kangma.Passage{ID: randomEventID(r, at), At: at, Gate: pick(r, t.Gates...), GateKind: pick(r, "community", "metro", ""),
		District: pick[kangma.Division](r, 440103000, 440103001, 440106000, 440300000, 310115000, 0), Operator: pick(r, "", "acc:1", "人员-2"),
		Person: t.People[min(r.IntN(len(t.People)), r.IntN(len(t.People)))], Told: r.IntN(10) > 0, Colour: kangma.Colour(r.IntN(3)),
		Decision: kangma.Decision(r.IntN(5)), Reason: pick(r, "ok", "high-area-7d", "expired", "a:b'c"),
		Verified: pick(r, "online", "offline", "id-card"), Direction: pick(r, "in", "out", ""), Temperature: pick(r, 0, 365, 373),
		Vehicle: pick(r, "", "", "0123456789abcdef01234567"), Rules: pick(r, "", "89abcdef01234567")}
	if p.Told = p.Told || r.IntN(5) == 0; !p.Told {
		p.Colour = kangma.Red
	}
	for _, f := range []string{"offline", "replay", "stale"} {
		if r.IntN(8) == 0 {
			p.Flags = append(p.Flags, f)
		}
	}
	return p
}

// Passages draws n passages.
func (t *Town) Passages(n int) []kangma.Passage {
	all := make([]kangma.Passage, n)
	for i := range all {
		all[i] = t.Passage()
	}
	return all
}

// Query draws a valid query, most of which find something in the town.
func (t *Town) Query() store.Query {
	r := t.r
	q := store.Query{Measures: pick(r, []store.Measure{store.Count}, []store.Measure{store.People}, []store.Measure{store.Count, store.People},
		[]store.Measure{store.People, store.Count})}
	all := []store.Dimension{store.ByHour, store.ByDay, store.ByGate, store.ByGateKind, store.ByDistrict, store.ByColour, store.ByDecision,
		store.ByReason, store.ByVerified, store.ByDirection}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	q.Dimensions = slices.Clone(all[:r.IntN(4)])
	q.Since, q.Until = t.span()
	q.Zone = pick(r, "", "", "+480", "0", "-210", "345", "-840", "+840", "7")
	some(r, &q.Gates, append(slices.Clone(t.Gates), "no such gate"))
	some(r, &q.Districts, []kangma.Division{440103000, 440103001, 440100000, 440000000, 310115000, 110000000})
	some(r, &q.Colours, []string{"red", "yellow", "green", "none"})
	some(r, &q.Decisions, []kangma.Decision{kangma.Refer, kangma.TurnBack, kangma.Pass})
	some(r, &q.Person, t.People[:10])
	q.K, q.Limit = pick(r, 0, 0, 1, 2, 10, 50), pick(r, 0, 0, 0, 1, 3, 20)
	return q
}

// PassageQuery draws a valid query for single passages.
func (t *Town) PassageQuery() store.PassageQuery {
	r := t.r
	q := store.PassageQuery{Limit: pick(r, 1, 7, 100, 10_000)}
	q.Since, q.Until = t.span()
	for len(q.Person)+len(q.Gates) == 0 {
		some(r, &q.Person, t.People)
		some(r, &q.Gates, t.Gates)
	}
	return q
}

func (t *Town) span() (since, until time.Time) {
	cut := pick(t.r, time.Microsecond, time.Minute, time.Hour, time.Hour)
	since = t.Start.Add(time.Duration(t.r.Int64N(int64(t.Span))) - time.Hour).Truncate(cut)
	until = since.Add(time.Duration(t.r.Int64N(int64(t.Span))) + time.Hour).Truncate(cut)
	if t.r.IntN(3) == 0 {
		since, until = t.Start, t.Start.Add(t.Span)
	}
	return since, until
}

// some sets a filter to a few of the values, or leaves it empty.
func some[T any](r *rand.Rand, filter *[]T, from []T) {
	if r.IntN(3) > 0 {
		return
	}
	from = slices.Clone(from)
	r.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	*filter = from[:1+r.IntN(len(from))]
}

// BatchOf makes a batch of passages at the positions after from; it reaches to the last of them.
func BatchOf(node string, from store.Position, passages ...kangma.Passage) store.Batch {
	b := store.Batch{Node: node, From: from, To: from + store.Position(len(passages))}
	for i, p := range passages {
		b.Rows = append(b.Rows, store.Row{Position: from + store.Position(i) + 1, Passage: p})
	}
	return b
}

func describe(q store.Query) string {
	return fmt.Sprintf("measures %v by %v, %s to %s zone %q, gates %q districts %v colours %v decisions %v, %d people, k %d limit %d", q.Measures,
		q.Dimensions, q.Since.Format(time.RFC3339Nano), q.Until.Format(time.RFC3339Nano), q.Zone, q.Gates, q.Districts, q.Colours, q.Decisions,
		len(q.Person), q.K, q.Limit)
}

// brief shows a result without drowning the reader.
func brief(r store.Result) string {
	n := len(r.Groups)
	shown := fmt.Sprintf("%d groups, %d suppressed, truncated %v: %v", n, r.Suppressed, r.Truncated, r.Groups[:min(n, 8)])
	if n > 8 {
		shown += " …"
	}
	return shown
}
