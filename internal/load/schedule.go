package load

import "time"

// schedule gives the arrivals of one loop: each step has its rate, and loop k of n takes every n-th arrival.
type schedule struct {
	steps []step
	at    int    // step
	next  uint64 // arrival within the step
	every uint64 // loops
	first uint64 // this loop
	end   int64  // when the last step is over
}

// step is one rate for a while.
type step struct {
	Rate  float64
	From  int64 // ns since the start
	Count uint64
}

// stepsOf lays the plan's steps one after the other. Step 0 is the warm-up, which may be empty.
func stepsOf(p *Plan) (steps []step, end int64) {
	add := func(rate float64, d time.Duration) {
		steps = append(steps, step{Rate: rate, From: end, Count: uint64(rate*d.Seconds() + 0.5)})
		end += int64(d)
	}
	add(p.Rates[0], p.Warmup)
	for i, r := range p.Rates {
		if i > 0 {
			end += int64(p.Settle)
		}
		add(r, p.Duration)
	}
	return steps, end
}

func newSchedule(p *Plan, loop, loops int) schedule {
	steps, end := stepsOf(p)
	return schedule{steps: steps, next: uint64(loop), every: uint64(loops), first: uint64(loop), end: end}
}

// peek gives the next arrival; false: there are no more.
func (s *schedule) peek() (t ticket, ok bool) {
	for s.at < len(s.steps) && s.next >= s.steps[s.at].Count {
		s.at, s.next = s.at+1, s.first
	}
	if s.at == len(s.steps) {
		return t, false
	}
	st := &s.steps[s.at]
	t.due = st.From + int64(float64(s.next)*1e9/st.Rate)
	t.first, t.n, t.step = t.due, s.next, int32(s.at)
	return t, true
}

func (s *schedule) advance() { s.next += s.every }
