package areas

import (
	"time"

	"github.com/kangma/kangma"
)

// Listed is one area that was on a list.
type Listed struct {
	Place kangma.Place // its community is the text of the list
	Level kangma.Level
	Whole bool // it means all of Place.Division, perhaps but for areas listed apart
}

// ListedAt gives every area that was on the list in force at a moment, in a fixed order.
func (t *Table) ListedAt(at time.Time) (out []Listed) {
	if t == nil || len(t.lists) == 0 {
		return nil
	}
	n := t.listAt(at.Unix())
	for i := range t.hist.areas {
		a := &t.hist.areas[i]
		level := kangma.NoLevel
		for _, s := range a.steps {
			if int(s.list) <= n {
				level = s.level
			}
		}
		if level == kangma.NoLevel {
			continue
		}
		p := kangma.Place{Division: t.hist.spots[a.spot].area.Division, Zone: t.hist.spots[a.spot].area.Zone, Community: a.text}
		if a.read.street != 0 && p.Zone == "" {
			p.Division = a.read.street
		}
		out = append(out, Listed{p, level, a.read.whole})
	}
	return out
}
