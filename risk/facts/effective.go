package facts

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/kangma/kangma"
)

// effective gives the evidence that counts: known by the given moment, each once, without what was withdrawn or replaced.
// The answer depends on the set only. Evidence in the order a Dossier keeps (by ID, each once) without corrections is
// given back as it is; everything else is copied into buf.
func effective(all []kangma.Evidence, known Micros, buf []*kangma.Evidence) []*kangma.Evidence {
	buf = buf[:0]
	sorted, corrected := true, false
	for i := range all {
		e := &all[i]
		if i > 0 && bytes.Compare(all[i-1].ID[:], e.ID[:]) >= 0 {
			sorted = false
		}
		if known != Never && ToMicros(received(e)) > known {
			continue
		}
		if e.Withdrawal != nil || !e.Replaces.IsZero() {
			corrected = true
		}
		buf = append(buf, e)
	}
	if !sorted {
		buf = distinct(buf)
	}
	if corrected {
		buf = apply(buf)
	}
	return buf
}

// distinct sorts by ID and keeps each ID once. An event that came twice is the same event; should two different events
// carry one ID (a broken provider), the choice is by content, so that it does not depend on the order of arrival.
func distinct(es []*kangma.Evidence) []*kangma.Evidence {
	slices.SortStableFunc(es, func(a, b *kangma.Evidence) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	out := es[:0]
	for _, e := range es {
		if n := len(out); n == 0 || out[n-1].ID != e.ID {
			out = append(out, e)
		} else if !reflect.DeepEqual(out[n-1], e) && contentLess(e, out[n-1]) {
			out[n-1] = e
		}
	}
	return out
}

// contentLess orders two different pieces of evidence of one ID: what was received first stands.
func contentLess(a, b *kangma.Evidence) bool {
	if ra, rb := received(a), received(b); !ra.Equal(rb) {
		return ra.Before(rb)
	}
	return content(a) < content(b)
}

func content(e *kangma.Evidence) string {
	b, err := json.Marshal(e)
	if err != nil { // a year past 9999: still some order, by what can be printed
		return e.Source + e.Batch + string(e.Kind)
	}
	return string(b)
}

// apply removes what corrections take back. A correction may itself be taken back. In a ring of corrections that take
// back each other nobody can say which is right, so all of them keep counting, which is the severer reading.
func apply(es []*kangma.Evidence) []*kangma.Evidence {
	against := targeters(es)
	const unknown, stands, falls = 0, 1, 2
	state := make([]uint8, len(es))
	for changed := true; changed; {
		changed = false
		for i := range es {
			if state[i] != unknown {
				continue
			}
			open := false
			next := uint8(stands)
			for _, j := range against[i] {
				switch state[j] {
				case stands:
					next = falls
				case unknown:
					open = true
				}
			}
			if next == falls || !open {
				state[i], changed = next, true
			}
		}
	}
	out := es[:0]
	for i, e := range es {
		if state[i] != falls {
			out = append(out, e)
		}
	}
	return out
}

// targeters lists for each piece of evidence the positions of those that take it back. Only who reported a fact takes it back
// or corrects it: whatever another source sends, before or after it, leaves it standing. (What comes first cannot be refused
// when it comes, since nobody knows yet whose the target will be.)
func targeters(es []*kangma.Evidence) [][]int {
	byID := make(map[kangma.EventID]int, len(es))
	byBatch := map[string][]int{}
	for i, e := range es {
		byID[e.ID] = i
		if e.Batch != "" {
			byBatch[e.Batch] = append(byBatch[e.Batch], i)
		}
	}
	against := make([][]int, len(es))
	add := func(by, target int) {
		if by != target && es[by].Source == es[target].Source && !slices.Contains(against[target], by) {
			against[target] = append(against[target], by)
		}
	}
	for j, e := range es {
		if i, ok := byID[e.Replaces]; ok && !e.Replaces.IsZero() {
			add(j, i)
		}
		if w := e.Withdrawal; w != nil && e.Kind == kangma.KindWithdrawal {
			if i, ok := byID[w.Event]; ok && !w.Event.IsZero() {
				add(j, i)
			}
			if w.Batch != "" {
				for _, i := range byBatch[w.Batch] {
					add(j, i)
				}
			}
		}
	}
	return against
}
