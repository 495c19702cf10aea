package facts

// Schedule is a series of steps a person has to take after an anchor. The zero Schedule has no steps and is done.
// Exactly one of Days, Tests and CheckIns is used; Landing goes with Tests.
type Schedule struct {
	Days []int // a negative test sampled on each of these days of the measure

	Landing bool  // one negative test within 24 h of arriving, besides Tests
	Tests   int   // so many negative tests …
	Within  int   // … in so many days …
	Gap     int64 // … each at least so many hours after the one before

	CheckIns int // normal health check-ins on so many days running
}

// Status is how far a person is with a Schedule.
type Status struct {
	Have, Need int
	Done       bool
	Missed     bool   // a step's time is over and it was not made up since
	Next       Micros // when the next step is due; Never: none is
	Changes    Micros // when Missed changes by itself; Never: it does not
}

// Steps gives the number of steps.
func (s *Schedule) Steps() int {
	n := len(s.Days) + s.Tests + s.CheckIns
	if s.Landing {
		n++
	}
	return n
}

// Status judges the schedule for a measure that began at anchor.
func (f *Facts) Status(s *Schedule, anchor Micros) Status {
	switch {
	case len(s.Days) > 0:
		return f.dayStatus(s, anchor)
	case s.CheckIns > 0:
		return f.checkInStatus(s, anchor)
	}
	return f.countStatus(s, anchor)
}

// dayStatus: each day needs a test of its own; a test on a day that asks for none makes up for an earlier day missed.
func (f *Facts) dayStatus(s *Schedule, anchor Micros) Status {
	st := Status{Need: len(s.Days), Next: Never, Changes: Never}
	spare := 0 // days with a test that no day asked for, walking from the last day to the first
	i, lastDay := len(f.negatives)-1, int64(-1<<62)
	for k := len(s.Days) - 1; k >= 0; k-- {
		start := max(anchor, f.Cal.DayStart(anchor, int64(s.Days[k]))) // a test before the anchor proves nothing
		end := f.Cal.DayEnd(anchor, int64(s.Days[k]))
		for ; i >= 0 && f.negatives[i] >= end; i-- { // tests after this day, on days that ask for none
			if d := f.Cal.DayNumber(anchor, f.negatives[i]); d != lastDay {
				lastDay, spare = d, spare+1
			}
		}
		own := false
		for ; i >= 0 && f.negatives[i] >= start; i-- {
			own = true
		}
		switch {
		case own:
			st.Have++
		case f.Now < end:
			st.Next, st.Changes = start, end
		case spare > 0:
			spare--
			st.Have++
		default:
			st.Missed = true
		}
	}
	st.Done = st.Have == st.Need
	return st
}

// countStatus: n tests in a span of days with a gap, after the landing test if one is asked for. What was missed can be
// made up later.
func (f *Facts) countStatus(s *Schedule, anchor Micros) Status {
	st := Status{Need: s.Steps(), Next: anchor, Changes: Never}
	from := 0
	for from < len(f.negatives) && f.negatives[from] < anchor {
		from++
	}
	ours := f.negatives[from:]
	if s.Landing {
		if len(ours) == 0 {
			st.Next = anchor
		} else {
			st.Have, ours = 1, ours[1:]
		}
	}
	got, last := f.bestRun(ours, s)
	st.Have += got
	if got > 0 {
		st.Next = last + s.Gap*hour
	} else if st.Have > 0 {
		st.Next = f.Now
	}
	st.Done = st.Have >= st.Need
	if st.Done {
		st.Next = Never
		return st
	}
	deadline := f.Cal.DayEnd(anchor, int64(s.Within-1+f.Cal.First))
	if f.Now >= deadline {
		st.Missed = true
	} else {
		st.Changes = deadline
	}
	return st
}

// bestRun finds the most tests, each Gap after the one before, inside Within days, and when the last of them was
// sampled. Ties go to the later run, which is the one that can still be completed.
func (f *Facts) bestRun(tests []Micros, s *Schedule) (best int, last Micros) {
	for i := range tests {
		n, prev := 1, tests[i]
		for _, t := range tests[i+1:] {
			if n == s.Tests || f.Cal.Since(tests[i], t) >= int64(s.Within) {
				break
			}
			if t-prev >= s.Gap*hour {
				n, prev = n+1, t
			}
		}
		if n = min(n, s.Tests); n >= best {
			best, last = n, prev
		}
		if best == s.Tests {
			break
		}
	}
	return best, last
}

// LastNegative gives when the latest negative PCR test was sampled; Never: there is none.
func (f *Facts) LastNegative() Micros {
	if n := len(f.negatives); n > 0 {
		return f.negatives[n-1]
	}
	return Never
}
