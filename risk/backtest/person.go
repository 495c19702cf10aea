package backtest

import (
	"sort"
	"time"

	"github.com/kangma/kangma"
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

func stateOf(a *rules.Brief) state {
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
	w.watch.person(side.Areas)
	for day := 0; day < len(w.days); {
		at := w.days[day]
		in := rules.Input{Dossier: d, At: at}
		if !w.cfg.Hindsight {
			in.Known = at
		}
		w.watch.start(at)
		if side.Areas != nil {
			in.Areas = &w.watch
		}
		a := ask(side.Rules, in)
		s := span{day, stateOf(&a), a.Reason}
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

// ask gets the short answer, from the long one where the evaluator has no other.
func ask(e Evaluator, in rules.Input) rules.Brief {
	if b, ok := e.(interface{ Brief(rules.Input) rules.Brief }); ok {
		return b.Brief(in)
	}
	a := e.Evaluate(in)
	return rules.Brief{Told: a.Told, Colour: a.Colour, Reason: a.ReasonCode(), NextChange: a.NextChange}
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
