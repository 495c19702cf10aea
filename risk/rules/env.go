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
	apart bool // unclear_stays: apart
	brief bool // only the colour and its rule are wanted

	// next collects the earliest moment after now at which anything looked at so far may change by itself.
	next    facts.Micros
	grows   bool // something fired because of a fact that goes on
	noAreas bool // a level was needed and there is no table
	fired   []firing
	items   []*facts.Item // evidence of all firings, end to end
	notes   []kangma.Text // on how stays were judged, see facts.Item.Judge
}

// firing is one rule that holds.
type firing struct {
	rule         *rule
	since, until facts.Micros
	anchor       facts.Micros // that progress counts from
	grows        bool         // one of its facts goes on, so until moves
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
		it.Judge(kangma.NoLevel, 0)
		return kangma.NoLevel
	}
	hit := c.lookup(*it.Place, it)
	level, note := hit.Level, int32(0)
	switch {
	case hit.Exact:
	case coarse(it):
		level = hit.Sure
	default:
		if c.apart && level >= kangma.MidLevel {
			if level = hit.Sure; level < kangma.MidLevel {
				level = unclear
			}
		}
		c.notes = append(c.notes, hit.Note)
		note = int32(len(c.notes))
	}
	it.Judge(level, note)
	return level
}

// unclear is what a stay is judged as that may have met a high or mid area and surely met neither, in a set that says
// unclear_stays: apart.
const unclear = kangma.HighLevel + 1

// What the two ways of judging say of themselves in an explanation.
var (
	noteWorst = kangma.Text{Zh: "因此按该地名单所列的最高等级对待。", En: "It is therefore treated as the highest level listed there."}
	noteApart = kangma.Text{
		Zh: "因此不按最高等级对待，也不视为未到过：按本规则对“情况不明”的规定处理。补充准确的小区或地址后会重新判定。",
		En: "It is therefore treated neither as the highest level listed there nor as none, but by the rule for unclear stays. Giving the exact estate or address has it judged anew.",
	}
)

// unclearNote says how the set takes a stay that is known less closely than the listed areas.
func (s *Set) unclearNote() kangma.Text {
	if s.apart {
		return noteApart
	}
	return noteWorst
}

// note gives the note on how a stay was judged, if there is one.
func (c *env) note(it *facts.Item) (kangma.Text, bool) {
	if n := it.Note(); n > 0 {
		return c.notes[n-1], true
	}
	return kangma.Text{}, false
}

// lookup asks the table about a place during a stay. A set that judges by "then" counts what was in force during the stay
// by the lists published until its end. One that judges by "then or later" also counts what came into force after it, up
// to now: who left an area the day before it became high is meant by the published rules (溢出人员).
func (c *env) lookup(place kangma.Place, it *facts.Item) areas.Hit {
	from, to, known := time.UnixMicro(it.From), time.UnixMicro(it.At), c.known
	switch {
	case !c.past:
		to = time.UnixMicro(c.f.Now + 1) // a list in force from this very moment counts
	case known.IsZero() || to.Before(known):
		known = to
	}
	return c.areas.LevelAt(place, from, to, known)
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
