package areas

import (
	"sort"
	"time"

	"github.com/kangma/kangma"
)

// LevelAt gives the highest level that any part of [from, to) overlapped at a place, and the highest that surely covered
// it; see Hit for how they differ. A to that is zero or not after from asks for the moment from alone: who asks of a
// stay that goes on gives their own now. A zero from means "from ever". A non-zero known counts only lists that were
// public by then (intervals they left open stay open); zero counts all.
//
// A place is judged at the finest it names: community text (matched as docs/areas.md says), zone, street, county, city,
// province. A text that matches nothing excludes nothing: the place is then judged as if the text were not there.
func (t *Table) LevelAt(p kangma.Place, from, to, known time.Time) Hit {
	if t == nil || len(t.lists) == 0 {
		return Hit{Exact: true}
	}
	w, ok := t.window(from, to, known)
	if !ok {
		return Hit{Exact: true}
	}
	return t.level(p, w)
}

// Ask is LevelAt that also says from when on the same question may have another Level, Sure or Exact because time went on:
// known moves on and, if open is set, the end of the interval moves on with it (a stay that goes on, or a rule that counts
// what was listed until now). It is when the next list that matters became public, or with a zero known came into force.
// Zero: never, by the lists in the table. Who replays many days asks again only then. (Until may become known earlier.)
func (t *Table) Ask(p kangma.Place, from, to, known time.Time, open bool) (Hit, time.Time) {
	if t == nil || len(t.lists) == 0 {
		return Hit{Exact: true}, time.Time{}
	}
	w, ok := t.window(from, to, known)
	if open {
		w.end = len(t.lists) - 1
	}
	next := noCause
	h := Hit{Exact: true}
	switch {
	case !ok && w.end >= 0:
		next = uint32(max(w.hi, -1) + 1)
	case ok && w.end > w.hi:
		w.next = &next
		h = t.level(p, w)
	case ok:
		h = t.level(p, w)
	}
	switch {
	case next == noCause:
		return h, time.Time{}
	case known.IsZero():
		return h, t.when[next]
	}
	return h, time.Unix(t.lists[next].published, 0)
}

func (t *Table) level(p kangma.Place, w window) Hit {
	var texts *node
	text := placeText{community: p.Community}
	if p.Community != "" && p.Zone == "" {
		texts = t.textNode(p.Division)
		p.Division, text.rest = texts.refine(p)
	}
	n, coarse := t.nodeOf(p.Division)
	if n == nil {
		return Hit{Exact: true}
	}
	if p.Zone != "" {
		return t.inZone(p, n, w)
	}
	possible := n.inside
	if coarse {
		possible = n.below
	}
	worst := t.worst(possible, w)
	if worst.level == kangma.NoLevel {
		return Hit{Exact: true}
	}
	sure := t.worst(n.sure, w)
	h := t.judge(worst, sure, texts, p.Division, text, w, &noteCoarse)
	if !h.Exact && n.apart != possible && p.Division.Rank() >= kangma.County {
		h.Beside = t.worst(n.apart, w).level < h.Level
	}
	return h
}

// inZone judges a place in a named zone.
func (t *Table) inZone(p kangma.Place, n *node, w window) Hit {
	z := t.zoneOf(p)
	worst, sure := t.worst(n.apart, w), t.worst(n.sure, w)
	text := placeText{community: p.Community, rest: p.Community}
	if z == nil {
		return t.judge(worst, sure, nil, 0, text, w, &noteZone)
	}
	if p.Division.Rank() < kangma.County { // what is listed in the city's counties is beside the zone, not in it
		worst, sure = found{}, found{}
	}
	worst, sure = worse(worst, t.worst(z.inside, w)), worse(sure, t.worst(z.sure, w))
	if z.places != nil {
		text.rest, _ = z.places.strip(p.Community)
	}
	return t.judge(worst, sure, z, 0, text, w, &noteZone)
}

// judge settles what the community text changes.
func (t *Table) judge(worst, sure found, texts *node, street kangma.Division, text placeText, w window, note *kangma.Text) Hit {
	if text.community == "" || worst.level == kangma.NoLevel {
		return t.hit(worst, sure, note)
	}
	whole, part, matched := t.match(texts, street, text, w)
	if !matched {
		if text.rest != "" {
			note = &noteText
		}
		return t.hit(worst, sure, note)
	}
	sure = worse(sure, whole)
	return t.hit(worse(sure, part), sure, &notePart)
}

// found is the worst step that a window met.
type found struct {
	level       kangma.Level
	list, until uint32 // list numbers; until is noCause when the step has not ended
	cause       uint32
}

func worse(a, b found) found {
	if b.level > a.level {
		return b
	}
	return a
}

// window is an interval in list numbers: the list in force at its start (-1: before the first) to the one at its end,
// and the newest that counts.
type window struct {
	lo, hi, known int
	end           int     // as hi, if every list counted
	next          *uint32 // if set: the first list after hi, up to end, that changes anything that was looked at
}

func (t *Table) window(from, to, known time.Time) (window, bool) {
	w := window{lo: -1, known: len(t.lists) - 1}
	if !known.IsZero() {
		k := known.Unix()
		w.known = sort.Search(len(t.lists), func(i int) bool { return t.lists[i].published > k }) - 1
	}
	start := from.Unix()
	if !from.IsZero() {
		w.lo = t.listAt(start)
	}
	w.hi = w.lo
	if to.After(from) {
		end := to.Unix()
		if to.Nanosecond() == 0 {
			end-- // half-open
		}
		w.hi = t.listAt(max(end, start))
	}
	w.end = w.hi
	w.lo, w.hi = min(w.lo, w.known), min(w.hi, w.known)
	return w, w.hi >= 0
}

// listAt gives the number of the list in force at a Unix second, -1 before the first.
func (t *Table) listAt(second int64) int {
	if second < t.lists[0].at {
		return -1
	}
	return int(t.byHour[min(second/3600-t.firstHour, int64(len(t.byHour)-1))])
}

// worst finds the highest level of a timeline in the window; where that was reached more than once, the last time. Its
// bounds are those of the level, over all steps that follow each other with it.
func (t *Table) worst(tl timeline, w window) (best found) {
	steps := t.steps[tl.from:tl.to]
	i := sort.Search(len(steps), func(i int) bool { return int(steps[i].list) > w.hi }) - 1
	if w.next != nil && i+1 < len(steps) && int(steps[i+1].list) <= w.end {
		*w.next = min(*w.next, steps[i+1].list)
	}
	at := -1
	for ; i >= 0; i-- {
		if steps[i].level > best.level {
			best.level, at = steps[i].level, i
		}
		if int(steps[i].list) <= w.lo {
			break
		}
	}
	if at < 0 {
		return best
	}
	best.cause, best.until = steps[at].cause, noCause
	first, last := at, at+1
	for first > 0 && steps[first-1].level == best.level {
		first--
	}
	for last < len(steps) && steps[last].level == best.level {
		last++
	}
	best.list = steps[first].list
	if last < len(steps) && int(steps[last].list) <= w.known {
		best.until = steps[last].list
	}
	return best
}

// nodeOf finds the node of a division, or of the finest division with a node that holds it (coarse).
func (t *Table) nodeOf(of kangma.Division) (n *node, coarse bool) {
	for d := of; d != 0; d = parentOf(d) {
		if i, ok := t.division[d]; ok {
			return &t.nodes[i], d != of
		}
	}
	return nil, false
}

func (t *Table) zoneOf(p kangma.Place) *node {
	if len(t.zones) == 0 {
		return nil
	}
	for d := p.Division; d != 0; d = parentOf(d) {
		if i, ok := t.zones[zoneID{d, p.Zone}]; ok {
			return &t.nodes[i]
		}
	}
	for d := p.Division; d != 0; d = parentOf(d) { // another spelling
		if i, ok := t.zones[zoneID{d, zoneKey(d, p.Zone)}]; ok {
			return &t.nodes[i]
		}
	}
	return nil
}

func (t *Table) hit(worst, sure found, note *kangma.Text) Hit {
	h := Hit{Level: worst.level, Exact: worst.level <= sure.level, Sure: sure.level}
	if sure.level >= worst.level {
		worst = sure
	}
	h.Level = worst.level
	h.Since, h.Until = t.bounds(worst)
	h.SureSince, h.SureUntil = t.bounds(sure)
	if worst.cause != noCause && worst.level > kangma.NoLevel {
		a := &t.hist.areas[worst.cause]
		s := &t.hist.spots[a.spot].area
		h.Place = kangma.Place{Division: s.Division, Zone: s.Zone, Community: a.text}
		h.Area = a.text
		if h.Area == "" {
			h.Area = s.Zone
		}
	}
	if !h.Exact {
		if h.Place.Zone != "" && (note == &noteCoarse || note == &noteText) {
			note = &noteBeside
		}
		h.Note = *note
	}
	return h
}

func (t *Table) bounds(f found) (since, until time.Time) {
	if f.level == kangma.NoLevel {
		return since, until
	}
	since = t.when[f.list]
	if f.until != noCause {
		until = t.when[f.until]
	}
	return since, until
}
