package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// TransitionCount is how many people of a district went from one standing to another.
type TransitionCount struct {
	Hour     time.Time       `json:"hour,omitzero"`
	District kangma.Division `json:"district"` // county of residence; zero: not known
	From     string          `json:"from"`     // red, yellow, green or untold
	To       string          `json:"to"`
	People   int64           `json:"people"`
}

func (c TransitionCount) compare(d TransitionCount) int {
	return cmp.Or(c.Hour.Compare(d.Hour), cmp.Compare(c.District, d.District), cmp.Compare(c.From, d.From), cmp.Compare(c.To, d.To))
}

// addCount adds c to the sorted counts.
func addCount(counts []TransitionCount, c TransitionCount) []TransitionCount {
	at, found := slices.BinarySearchFunc(counts, c, TransitionCount.compare)
	if found {
		counts[at].People += c.People
		return counts
	}
	return slices.Insert(counts, at, c)
}

func sum(counts []TransitionCount) (n int64) {
	for _, c := range counts {
		n += c.People
	}
	return n
}

const (
	transitionsKind = "transitions" // id: the moment of a sweep; data: what it found, []TransitionCount; index: its day, UTC
	transitionsID   = "20060102T150405.000000"
	transitionsK    = 10 // counts under this are withheld

	maxTransitionSpan = 92 * 24 * time.Hour
)

// keepCounts keeps what one sweep found, once, however often the end of the sweep is retried.
func (s *Service) keepCounts(ctx context.Context, at time.Time, counts []TransitionCount) error {
	if len(counts) == 0 {
		return nil
	}
	data, err := json.Marshal(counts)
	if err != nil {
		return err
	}
	err = s.PutRecord(ctx, store.Record{Kind: transitionsKind, ID: at.UTC().Format(transitionsID), Version: 1, Data: data,
		Index: map[string]string{"day": at.UTC().Format(time.DateOnly)}})
	if errors.Is(err, kangma.Conflict) {
		return nil
	}
	return err
}

// Transitions counts who changed colour, by hour, from and to, and by district where asked, found by sweeps of [since,
// until) among those who live in one of the districts (none: everywhere). Counts under 10 are withheld, and with them so
// many others that none can be computed from the rest; withheld says how many rows.
func (s *Service) Transitions(ctx context.Context, since, until time.Time, byDistrict bool, districts ...kangma.Division) (rows []TransitionCount, withheld int, err error) {
	if until.Sub(since) > maxTransitionSpan {
		return nil, 0, kangma.E(kangma.TooLarge, "transition_span", "ask for at most 92 days at once")
	}
	for day := since.UTC().Truncate(24 * time.Hour); day.Before(until); day = day.AddDate(0, 0, 1) {
		q := store.RecordQuery{Kind: transitionsKind, Index: "day", Value: day.Format(time.DateOnly), Limit: 500}
		for more := true; more; more = q.After != "" {
			recs, next, err := s.cfg.Records.List(ctx, q)
			if err != nil {
				return nil, 0, err
			}
			for _, r := range recs {
				if rows, err = addRecord(rows, r, since, until, byDistrict, districts); err != nil {
					return nil, 0, err
				}
			}
			q.After = next
		}
	}
	rows, withheld = withhold(rows)
	return rows, withheld, nil
}

// addRecord adds what one sweep found, if its moment is asked for.
func addRecord(rows []TransitionCount, r store.Record, since, until time.Time, byDistrict bool, districts []kangma.Division) ([]TransitionCount, error) {
	at, err := time.Parse(transitionsID, r.ID)
	if err == nil && (at.Before(since) || !at.Before(until)) {
		return rows, nil
	}
	var counts []TransitionCount
	if err = errors.Join(err, json.Unmarshal(r.Data, &counts)); err != nil {
		return nil, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	for _, c := range counts {
		inside := func(d kangma.Division) bool { return d.Contains(c.District) }
		if len(districts) > 0 && !slices.ContainsFunc(districts, inside) {
			continue
		}
		c.Hour = at.Truncate(time.Hour)
		if !byDistrict {
			c.District = 0
		}
		rows = addCount(rows, c)
	}
	return rows, nil
}

// withhold takes out the counts under k and, among the districts of one hour and transition and among the transitions of
// one hour and district, the smallest other one where just one would be missing: a total known from elsewhere then does
// not give it away. It ends because every round takes at least one row out.
func withhold(rows []TransitionCount) (shown []TransitionCount, withheld int) {
	hidden := make([]bool, len(rows))
	for i, c := range rows {
		hidden[i] = c.People < transitionsK
	}
	byTransition := groupRows(rows, func(c TransitionCount) TransitionCount { c.District, c.People = 0, 0; return c })
	byDistrict := groupRows(rows, func(c TransitionCount) TransitionCount { c.From, c.To, c.People = "", "", 0; return c })
	for again := true; again; {
		again = false
		for _, members := range append(byTransition, byDistrict...) {
			again = hideSecond(rows, hidden, members) || again
		}
	}
	for i, c := range rows {
		if !hidden[i] {
			shown = append(shown, c)
		}
	}
	return shown, len(rows) - len(shown)
}

// groupRows gives the indexes of the rows with the same key, in order.
func groupRows(rows []TransitionCount, key func(TransitionCount) TransitionCount) (groups [][]int) {
	at := map[TransitionCount]int{}
	for i, c := range rows {
		k := key(c)
		n, ok := at[k]
		if !ok {
			n = len(groups)
			at[k] = n
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], i)
	}
	return groups
}

// hideSecond hides the smallest shown row of a group in which exactly one is hidden.
func hideSecond(rows []TransitionCount, hidden []bool, members []int) bool {
	n, smallest := 0, -1
	for _, i := range members {
		switch {
		case hidden[i]:
			n++
		case smallest < 0 || rows[i].People < rows[smallest].People:
			smallest = i
		}
	}
	if n != 1 || smallest < 0 {
		return false
	}
	hidden[smallest] = true
	return true
}
