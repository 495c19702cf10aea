package backtest

import (
	"sort"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/rules"
)

// state is what a person has on a day: a colour, or none that could be told.
type state uint8

const (
	untold state = iota
	red
	yellow
	green
	states
)

var stateNames = [states]string{"untold", "red", "yellow", "green"}

func stateOf(a *kangma.Assessment) state {
	if !a.Told || a.Colour > kangma.Green {
		return untold
	}
	return red + state(a.Colour)
}

// span is a run of days, from day from on, with one answer.
type span struct {
	from  int
	state state
	why   string
}

// worker replays people one after the other. It is used by one goroutine.
type worker struct {
	cfg   *Config
	days  []time.Time
	tally *tally
	watch watch
	spans [2][]span
	kept  []kangma.Evidence // evidence without a batch
	thin  kangma.Dossier
	seen  []reason // reasons already counted for this person
}

func newWorker(cfg *Config, days []time.Time) *worker {
	return &worker{cfg: cfg, days: days, tally: newTally(len(days))}
}

// person replays both sides for one person and counts the days.
func (w *worker) person(d *kangma.Dossier) {
	for i, side := range [2]*Side{&w.cfg.Old, &w.cfg.New} {
		w.spans[i] = w.replay(w.without(d, side.Without), side, w.spans[i][:0])
	}
	w.count(d)
}

// without gives the dossier without a batch's evidence, as if it had never come.
func (w *worker) without(d *kangma.Dossier, batch string) *kangma.Dossier {
	if batch == "" {
		return d
	}
	w.kept = w.kept[:0]
	for i := range d.Evidence {
		if d.Evidence[i].Batch != batch {
			w.kept = append(w.kept, d.Evidence[i])
		}
	}
	w.thin = *d
	w.thin.Evidence = w.kept
	return &w.thin
}

// replay gives the person's answers as runs of days. It asks the rules only on days on which the answer may differ from
// the day before: where the rules said it changes, where evidence came in, where a list was published that the rules
// looked at. That this is the same as asking every day is a property test.
func (w *worker) replay(d *kangma.Dossier, side *Side, out []span) []span {
	if side.Rules == nil {
		return append(out, span{0, untold, string(kangma.TellNoRules)})
	}
	for day := 0; day < len(w.days); {
		at := w.days[day]
		in := rules.Input{Dossier: d, At: at}
		if !w.cfg.Hindsight {
			in.Known = at
		}
		w.watch.start(side.Areas, at)
		if side.Areas != nil {
			in.Areas = &w.watch
		}
		a := side.Rules.Evaluate(in)
		s := span{day, stateOf(&a), a.ReasonCode()}
		if n := len(out); n == 0 || out[n-1].state != s.state || out[n-1].why != s.why {
			out = append(out, s)
		}
		next := earlier(a.NextChange, w.watch.next)
		if !w.cfg.Hindsight {
			next = earlier(next, nextReceived(d, at))
		}
		day = w.dayOf(next, day+1)
	}
	return out
}

// dayOf gives the first day, from day number least on, that does not lie before t; a zero t never comes.
func (w *worker) dayOf(t time.Time, least int) int {
	if t.IsZero() {
		return len(w.days)
	}
	if least >= len(w.days) || !w.days[least].Before(t) {
		return least
	}
	return least + sort.Search(len(w.days)-least, func(i int) bool { return !w.days[least+i].Before(t) })
}

// earlier gives the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// nextReceived gives when the next evidence becomes known after a moment, zero when none does. What was never received by
// us is known from when it was reported or observed, as in package facts.
func nextReceived(d *kangma.Dossier, after time.Time) (next time.Time) {
	for i := range d.Evidence {
		e := &d.Evidence[i]
		t := e.Received
		if t.IsZero() {
			t = e.Reported
		}
		if t.IsZero() {
			t = e.Observed
		}
		if t.After(after) {
			next = earlier(next, t)
		}
	}
	return next
}

// watch is a table that remembers when an answer it gave may change because a later list is published, and the last few
// answers, since several rules ask the same of one stay.
type watch struct {
	table *areas.Table
	now   time.Time
	next  time.Time
	asked [4]answer
	turn  int
}

type answer struct {
	place    kangma.Place
	from, to time.Time
	known    time.Time
	hit      areas.Hit
}

// start forgets the person before.
func (w *watch) start(table *areas.Table, now time.Time) {
	w.table, w.now, w.next, w.turn = table, now, time.Time{}, 0
}

// LevelAt asks the table.
func (w *watch) LevelAt(p kangma.Place, from, to, known time.Time) areas.Hit {
	for i := range min(w.turn, len(w.asked)) {
		if a := &w.asked[i]; a.place == p && a.from.Equal(from) && a.to.Equal(to) && a.known.Equal(known) {
			return a.hit
		}
	}
	a := &w.asked[w.turn%len(w.asked)]
	w.turn++
	*a = answer{p, from, to, known, w.ask(p, from, to, known)}
	return a.hit
}

// ask: an interval that reaches until now goes on, so its end moves with the days that follow.
func (w *watch) ask(p kangma.Place, from, to, known time.Time) areas.Hit {
	h, next := w.table.Ask(p, from, to, known, !to.Before(w.now))
	if next.After(w.now) { // a question about an older state of knowledge keeps its answer
		w.next = earlier(w.next, next)
	}
	return h
}

// Version names the table.
func (w *watch) Version() string { return w.table.Version() }
