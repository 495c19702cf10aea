package backtest

import (
	"slices"

	"github.com/kangma/kangma"
)

// pair is what a person has under the old and the new side on one day.
type pair uint8

const pairs = pair(states) * pair(states)

func pairOf(old, new state) pair        { return pair(old)*pair(states) + pair(new) }
func (p pair) states() (old, new state) { return state(p / pair(states)), state(p % pair(states)) }
func (p pair) changed() bool            { old, new := p.states(); return old != new }

// tally counts. Days are kept as differences, so that a person who never changes costs two additions.
type tally struct {
	days      int
	districts map[kangma.Division]*district
	reasons   map[reason]*reasonCount
}

type district struct {
	people, changed int64
	steps           []int32 // (days+1) × pairs: by how much the count of a pair rises on a day
}

// reason is one way of changing: both colours and both reason codes.
type reason struct {
	pair     pair
	old, new string
}

type reasonCount struct{ people, days int64 }

func newTally(days int) *tally {
	return &tally{days: days, districts: map[kangma.Division]*district{}, reasons: map[reason]*reasonCount{}}
}

func (t *tally) district(d kangma.Division) *district {
	k := t.districts[d]
	if k == nil {
		k = &district{steps: make([]int32, (t.days+1)*int(pairs))}
		t.districts[d] = k
	}
	return k
}

// count adds one person's two lists of spans.
func (w *worker) count(d *kangma.Dossier) {
	k := w.tally.district(w.cfg.District(d))
	k.people++
	w.seen = w.seen[:0]
	old, new := w.spans[0], w.spans[1]
	changed := false
	for i, j, day := 0, 0, 0; day < len(w.days); {
		end := len(w.days)
		if i+1 < len(old) {
			end = min(end, old[i+1].from)
		}
		if j+1 < len(new) {
			end = min(end, new[j+1].from)
		}
		p := pairOf(old[i].state, new[j].state)
		k.steps[day*int(pairs)+int(p)]++
		k.steps[end*int(pairs)+int(p)]--
		if p.changed() {
			changed = true
			w.because(reason{p, old[i].why, new[j].why}, end-day)
		}
		day = end
		if i+1 < len(old) && old[i+1].from == day {
			i++
		}
		if j+1 < len(new) && new[j+1].from == day {
			j++
		}
	}
	if changed {
		k.changed++
	}
}

// because counts days of one reason, and the person once.
func (w *worker) because(r reason, days int) {
	c := w.tally.reasons[r]
	if c == nil {
		c = &reasonCount{}
		w.tally.reasons[r] = c
	}
	c.days += int64(days)
	if !slices.Contains(w.seen, r) {
		w.seen = append(w.seen, r)
		c.people++
	}
}

// add joins another tally.
func (t *tally) add(o *tally) {
	for d, k := range o.districts {
		mine := t.district(d)
		mine.people += k.people
		mine.changed += k.changed
		for i, n := range k.steps {
			mine.steps[i] += n
		}
	}
	for r, c := range o.reasons {
		if t.reasons[r] == nil {
			t.reasons[r] = &reasonCount{}
		}
		t.reasons[r].people += c.people
		t.reasons[r].days += c.days
	}
}

// each gives the people of every pair on every day, summed up from the steps.
func (k *district) each(days int, yield func(day int, p pair, people int64)) {
	for p := range pairs {
		n := int64(0)
		for day := range days {
			n += int64(k.steps[day*int(pairs)+int(p)])
			if n != 0 {
				yield(day, p, n)
			}
		}
	}
}
