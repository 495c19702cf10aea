package rules

import (
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/facts"
)

// env is what compiled expressions run in: one person, one moment, perhaps one item. It is reused from a pool.
type env struct {
	f     facts.Facts
	it    *facts.Item
	areas Areas
	known time.Time
	past  bool

	// next collects the earliest moment after now at which anything looked at so far may change by itself.
	next    facts.Micros
	noAreas bool // a level was needed and there is no table
	fired   []firing
	items   []*facts.Item // evidence of all firings, end to end
}

// firing is one rule that holds.
type firing struct {
	rule         *rule
	since, until facts.Micros
	anchor       facts.Micros // that progress counts from
	items        int          // how many of env.items are its own
	start        int
}

// changesAt notes that something may change by itself at t.
func (c *env) changesAt(t facts.Micros) {
	if t > c.f.Now && t < c.next {
		c.next = t
	}
}

// level gives the risk level of a stay by the area table, once per stay.
func (c *env) level(it *facts.Item) kangma.Level {
	if l, ok := it.Judged(); ok {
		return l
	}
	if c.areas == nil {
		c.noAreas = true
		it.Judge(kangma.NoLevel, kangma.Text{})
		return kangma.NoLevel
	}
	hit := c.lookup(*it.Place, it)
	level, note := hit.Level, hit.Note
	if hit.Exact {
		note = kangma.Text{}
	} else if coarse(it) {
		level, note = hit.Sure, kangma.Text{}
	}
	it.Judge(level, note)
	return level
}

func (c *env) lookup(place kangma.Place, it *facts.Item) areas.Hit {
	known := c.known
	if c.past { // by what was published while the person was there
		if end := time.UnixMicro(it.At); known.IsZero() || end.Before(known) {
			known = end
		}
	}
	return c.areas.LevelAt(place, time.UnixMicro(it.From), time.UnixMicro(it.At), known)
}

// around gives the worst level anywhere in the county or city around a stay. A place coarser than that is taken whole.
func (c *env) around(it *facts.Item, widen func(kangma.Division) kangma.Division) kangma.Level {
	if c.areas == nil {
		c.noAreas = true
		return kangma.NoLevel
	}
	place := kangma.Place{Division: widen(it.Place.Division)}
	if place.Division == 0 {
		place.Division = it.Place.Division
	}
	return c.lookup(place, it).Level
}

// coarse: a journey begins at a station or airport, which says little about which estate somebody came from. Unless it
// names a community it is judged by what surely covered the place. A stay is judged by the worst inside the place it
// names, with a note.
func coarse(it *facts.Item) bool {
	return it.Ev.Kind == kangma.KindTrip && it.Place.Community == ""
}

// hourMicros is one hour.
const hourMicros = facts.Micros(time.Hour / time.Microsecond)

// grows notes when a stay that goes on may come to be judged otherwise: at the end of it and, where a worse level may lie
// ahead in the table, from now on (the exact moment is not asked for, so the next hour is named).
func (c *env) grows(it *facts.Item, wider bool) {
	if it.Grows == 0 || it.Place == nil || c.areas == nil {
		return
	}
	c.changesAt(it.Grows)
	if c.past || wider {
		c.changesAt(c.f.Now + hourMicros)
		return
	}
	ahead := c.areas.LevelAt(*it.Place, time.UnixMicro(c.f.Now), time.UnixMicro(it.Grows), c.known)
	if ahead.Level > c.level(it) || ahead.Sure > c.level(it) {
		c.changesAt(c.f.Now + hourMicros)
	}
}
