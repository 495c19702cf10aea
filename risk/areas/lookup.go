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
func (t *Table) LevelAt(p kangma.Place, from, to, known time.Time) (h Hit) {
	h.Exact = true
	if t == nil || len(t.lists) == 0 {
		return h
	}
	if w, ok := t.window(from, to, known); ok {
		t.level(&h, &p, &w)
	}
	return h
}

// Ask is LevelAt that also says from when on the same question may have another Level, Sure or Exact because time went on:
// known moves on and, if open is set, the end of the interval moves on with it (a stay that goes on, or a rule that counts
// what was listed until now). It is when the next list that matters became public, or with a zero known came into force.
// Zero: never, by the lists in the table. Who replays many days asks again only then. (Until may become known earlier.)
func (t *Table) Ask(p kangma.Place, from, to, known time.Time, open bool) (h Hit, changes time.Time) {
	h.Exact = true
	if t == nil || len(t.lists) == 0 {
		return h, changes
	}
	w, ok := t.window(from, to, known)
	if open {
		w.end = len(t.lists) - 1
	}
	next := noCause
	switch {
	case !ok && w.end >= 0:
		next = uint32(max(w.hi, -1) + 1)
	case ok && w.end > w.hi:
		w.next = &next
		t.level(&h, &p, &w)
	case ok:
		t.level(&h, &p, &w)
	}
	switch {
	case next == noCause:
		return h, time.Time{}
	case known.IsZero():
		return h, t.when[next]
	}
	return h, time.Unix(t.lists[next].published, 0)
}

// level fills h, which is that of a place on no list. p and w are not changed.
func (t *Table) level(h *Hit, p *kangma.Place, w *window) {
	if p.Zone != "" {
		t.inZone(h, p, w)
		return
	}
	var texts *node
	at, text := p.Division, placeText{community: p.Community}
	if p.Community != "" {
		texts = t.textNode(at)
		at, text.rest = texts.refine(p)
	}
	n, coarse := t.nodeOf(at)
	if n == nil {
		return
	}
	possible := n.inside
	if coarse {
		possible = n.below
	}
	worst := t.worst(possible, w)
	if worst.level == kangma.NoLevel {
		return
	}
	t.judge(h, worst, t.worst(n.sure, w), texts, at, &text, w, &noteCoarse)
	if !h.Exact && n.apart != possible && at.Rank() >= kangma.County {
		h.Beside = t.worst(n.apart, w).level < h.Level
	}
}

// inZone judges a place in a named zone.
func (t *Table) inZone(h *Hit, p *kangma.Place, w *window) {
	var worst, sure found
	z := t.zoneOf(p)
	if z == nil || p.Division.Rank() >= kangma.County { // what is listed in a city's counties is beside the zone, not in it
		n, _ := t.nodeOf(p.Division)
		if n == nil {
			return
		}
		worst, sure = t.worst(n.apart, w), t.worst(n.sure, w)
	}
	text := placeText{community: p.Community, rest: p.Community}
	if z != nil {
		worst, sure = worse(worst, t.worst(z.inside, w)), worse(sure, t.worst(z.sure, w))
		if z.places != nil && p.Community != "" {
			text.rest, _ = z.places.strip(p.Community)
		}
	}
	t.judge(h, worst, sure, z, 0, &text, w, &noteZone)
}

// judge settles what the community text changes.
func (t *Table) judge(h *Hit, worst, sure found, texts *node, street kangma.Division, text *placeText, w *window, note *kangma.Text) {
	if text.community != "" && worst.level > sure.level {
		whole, part, matched := t.match(texts, street, text, w)
		switch {
		case matched:
			sure = worse(sure, whole)
			worst, note = worse(sure, part), &notePart
		case text.rest != "":
			note = &noteText
		}
	}
	t.hit(h, worst, sure, note)
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
	rises         bool    // as hi grows lo stays, so that the worst in between only rises
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
	w.end, w.rises = w.hi, w.lo <= w.known
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
func (t *Table) worst(tl timeline, w *window) (best found) {
	steps := t.steps[tl.from:tl.to]
	i := lastUpTo(steps, w.hi)
	later, at := i+1, -1
	for ; i >= 0; i-- {
		if steps[i].level > best.level {
			best.level, at = steps[i].level, i
		}
		if int(steps[i].list) <= w.lo {
			break
		}
	}
	if w.next != nil {
		for w.rises && later < len(steps) && steps[later].level <= best.level { // the interval grows, so only more counts
			later++
		}
		if later < len(steps) && int(steps[later].list) <= w.end {
			*w.next = min(*w.next, steps[later].list)
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

// lastUpTo gives the last step that begins at list number hi or before, -1 where none does.
func lastUpTo(steps []step, hi int) int {
	low, high := 0, len(steps)
	for low < high {
		if mid := int(uint(low+high) >> 1); int(steps[mid].list) > hi {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low - 1
}

// nodeOf finds the node of a division, or of the finest division with a node that holds it (coarse).
func (t *Table) nodeOf(of kangma.Division) (n *node, coarse bool) {
	for d := of; d != 0; d = parentOf(d) {
		if i, ok := t.byDivision.find(d); ok {
			return &t.nodes[i], d != of
		}
	}
	return nil, false
}

func (t *Table) zoneOf(p *kangma.Place) *node {
	if len(t.zones) == 0 {
		return nil
	}
	for d := p.Division; d != 0; d = parentOf(d) {
		if i, ok := t.zones[zoneID{d, p.Zone}]; ok {
			return &t.nodes[i]
		}
	}
	for d := p.Division; d != 0; d = parentOf(d) { // another spelling
		if !t.zoned[d] {
			continue
		}
		if i, ok := t.zones[zoneID{d, zoneKey(d, p.Zone)}]; ok {
			return &t.nodes[i]
		}
	}
	return nil
}

// hit writes the answer down.
func (t *Table) hit(h *Hit, worst, sure found, note *kangma.Text) {
	h.Exact, h.Sure = worst.level <= sure.level, sure.level
	if h.Exact {
		worst = sure
	}
	h.Level = worst.level
	if worst.level == kangma.NoLevel {
		return
	}
	h.Since, h.Until = t.bounds(&worst)
	if sure.level > kangma.NoLevel {
		h.SureSince, h.SureUntil = t.bounds(&sure)
	}
	if worst.cause != noCause {
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
}

// bounds gives when a level that was found began and ended.
func (t *Table) bounds(f *found) (since, until time.Time) {
	since = t.when[f.list]
	if f.until != noCause {
		until = t.when[f.until]
	}
	return since, until
}
