package areas

import (
	"maps"
	"slices"

	"github.com/kangma/kangma"
)

// spot is a resolved row: where communities are.
type spot struct {
	area     Area
	zone     string // zoneKey of area.Zone
	prefixes *prefixes
}

// listed is one area that ever stood on a list, with the levels it had.
type listed struct {
	spot  uint32
	text  string // community as written; "" for a row without communities
	read  reading
	steps []step // cause is the area's own number; never changed in place, so that tables can share them
}

// history is what all lists so far said, area by area. It is copied before it is changed.
type history struct {
	spots  []spot
	places map[Area]uint32
	names  map[[3]string]uint32
	areas  []listed
	known  map[areaKey]uint32
	active []uint32 // areas with a level at the newest list
}

type areaKey struct {
	spot uint32
	text string
}

func newHistory() *history {
	return &history{places: map[Area]uint32{}, names: map[[3]string]uint32{}, known: map[areaKey]uint32{}}
}

func (h *history) clone() *history {
	return &history{slices.Clone(h.spots), maps.Clone(h.places), maps.Clone(h.names), slices.Clone(h.areas), maps.Clone(h.known), slices.Clone(h.active)}
}

// levels gives the level of every area of one list; an area that stands on two levels has the higher one.
func (h *history) levels(l *List) map[uint32]kangma.Level {
	out := make(map[uint32]kangma.Level)
	for _, r := range l.Rows {
		s := h.spotOf(r)
		if len(r.Communities) == 0 {
			id := h.areaOf(s, "")
			out[id] = max(out[id], r.Level)
		}
		for _, text := range r.Communities {
			id := h.areaOf(s, text)
			out[id] = max(out[id], r.Level)
		}
	}
	return out
}

func (h *history) spotOf(r Row) uint32 {
	names := [3]string{r.Province, r.City, r.County}
	if s, ok := h.names[names]; ok {
		return s
	}
	a := Resolve(r.Province, r.City, r.County)
	s, ok := h.places[a]
	if !ok {
		s = uint32(len(h.spots))
		h.spots = append(h.spots, spot{a, zoneKey(a.Division, a.Zone), newPrefixes(a, r.Province, r.City, r.County)})
		h.places[a] = s
	}
	h.names[names] = s
	return s
}

func (h *history) areaOf(s uint32, text string) uint32 {
	key := areaKey{s, text}
	if id, ok := h.known[key]; ok {
		return id
	}
	id := uint32(len(h.areas))
	h.areas = append(h.areas, listed{spot: s, text: text, read: h.spots[s].prefixes.read(text)})
	h.known[key] = id
	return id
}

// append makes list number n follow: what it lacks ends.
func (h *history) append(n uint32, l *List) {
	levels := h.levels(l)
	for _, id := range h.active {
		if _, still := levels[id]; !still {
			h.set(id, n, kangma.NoLevel)
		}
	}
	h.active = h.active[:0:0]
	for _, id := range slices.Sorted(maps.Keys(levels)) {
		h.set(id, n, levels[id])
		h.active = append(h.active, id)
	}
}

// join adds a second list of the same hour to list number n: an area on either counts, at its higher level.
func (h *history) join(n uint32, l *List) {
	levels := h.levels(l)
	for _, id := range slices.Sorted(maps.Keys(levels)) {
		before := h.now(id)
		if levels[id] <= before {
			continue
		}
		h.set(id, n, levels[id])
		if before == kangma.NoLevel {
			h.active = append(h.active, id)
		}
	}
}

func (h *history) now(id uint32) kangma.Level {
	if s := h.areas[id].steps; len(s) > 0 {
		return s[len(s)-1].level
	}
	return kangma.NoLevel
}

// set gives an area a level from list n on. The steps are copied when they change other than by growing.
func (h *history) set(id, n uint32, level kangma.Level) {
	a := &h.areas[id]
	steps := a.steps
	if k := len(steps); k > 0 && steps[k-1].list == n {
		steps = steps[: k-1 : k-1] // what list n said so far is replaced
	}
	before := kangma.NoLevel
	if k := len(steps); k > 0 {
		before = steps[k-1].level
	}
	if before != level {
		steps = append(steps[:len(steps):len(steps)], step{list: n, cause: id, level: level})
	}
	a.steps = steps
}
