package backtest

import (
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
)

// watch is a table that remembers when an answer it gave may change because a later list is published, and its last
// answers for one person: several rules ask the same of one stay, and so they do on the next day.
type watch struct {
	table *areas.Table
	now   time.Time
	next  time.Time // when any answer given since start may change; zero: never
	asked [8]answer
	turn  int
}

// answer holds until a moment, zero for ever. One about an interval that goes on holds however far it goes until then.
type answer struct {
	place    kangma.Place
	from, to time.Time
	open     bool
	until    time.Time
	hit      areas.Hit
}

// person forgets the person before.
func (w *watch) person(table *areas.Table) { w.table, w.turn = table, 0 }

// start begins the questions of a moment, which for one person never goes back.
func (w *watch) start(now time.Time) { w.now, w.next = now, time.Time{} }

// LevelAt asks the table, unless it is known. Who asks counts the lists known at the moment of start, or, of an interval that
// is over, at another moment that stays the same.
func (w *watch) LevelAt(p kangma.Place, from, to, known time.Time) areas.Hit {
	open := !to.Before(w.now)
	for i := range min(w.turn, len(w.asked)) {
		a := &w.asked[i]
		if a.open == open && a.from.Equal(from) && (open || a.to.Equal(to)) && a.place == p && (a.until.IsZero() || w.now.Before(a.until)) {
			w.next = earlier(w.next, a.until)
			return a.hit
		}
	}
	a := &w.asked[w.turn%len(w.asked)]
	w.turn++
	a.place, a.from, a.to, a.open = p, from, to, open
	a.hit, a.until = w.table.Ask(p, from, to, known, open)
	if !a.until.After(w.now) { // a question about an older state of knowledge keeps its answer
		a.until = time.Time{}
	}
	w.next = earlier(w.next, a.until)
	return a.hit
}

// Version names the table.
func (w *watch) Version() string { return w.table.Version() }
