package rules

import (
	"time"

	"github.com/kangma/kangma"
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
		it.Judge(kangma.NoLevel, true, kangma.Text{})
		return kangma.NoLevel
	}
	known := c.known
	if c.past { // by what was published while the person was there
		if end := time.UnixMicro(it.At); known.IsZero() || end.Before(known) {
			known = end
		}
	}
	from := time.UnixMicro(it.From)
	hit := c.areas.LevelAt(*it.Place, from, time.UnixMicro(it.At), known)
	note := hit.Note
	if hit.Exact {
		note = kangma.Text{}
	}
	it.Judge(hit.Level, hit.Exact, note)
	return hit.Level
}

// grows notes when a stay that goes on may come to be judged otherwise: at the end of it, and from now on whenever a
// worse level lies ahead in the table (the exact moment is not asked for, so the next hour is named).
func (c *env) grows(it *facts.Item) {
	if it.Grows == 0 || it.Place == nil || c.areas == nil {
		return
	}
	c.changesAt(it.Grows)
	known := c.known
	if c.past {
		c.changesAt(c.f.Now + int64(time.Hour/time.Microsecond))
		return
	}
	ahead := c.areas.LevelAt(*it.Place, time.UnixMicro(c.f.Now), time.UnixMicro(it.Grows), known)
	if ahead.Level > c.level(it) {
		c.changesAt(c.f.Now + int64(time.Hour/time.Microsecond))
	}
}
