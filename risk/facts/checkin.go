package facts

import "slices"

// feverTenths is the temperature from which a check-in is not normal: 37.3 °C (Jiangsu's published threshold).
const feverTenths = 373

// checkDay is one calendar day with at least one check-in.
type checkDay struct {
	index int64
	bad   bool // one of the day's check-ins was not normal
}

// checkInDays lists the days with check-ins from the anchor on, rising. The whole list is made once per person.
func (f *Facts) checkInDays() []checkDay {
	if f.daysMade {
		return f.checkIns
	}
	f.daysMade = true
	for it := f.First(Declaration); it != nil; it = f.Next(it) {
		if d := it.Ev.Declaration; d.CheckIn {
			bad := len(d.Symptoms) > 0 || d.Temperature >= feverTenths || d.Contact == "yes"
			f.checkIns = append(f.checkIns, checkDay{f.Cal.Index(it.At), bad})
		}
	}
	slices.SortFunc(f.checkIns, func(a, b checkDay) int { return int(min(max(a.index-b.index, -1), 1)) })
	out := f.checkIns[:0]
	for _, d := range f.checkIns {
		if n := len(out); n > 0 && out[n-1].index == d.index {
			out[n-1].bad = out[n-1].bad || d.bad
		} else {
			out = append(out, d)
		}
	}
	f.checkIns = out
	return out
}

// checkInStatus: normal check-ins on CheckIns calendar days running, the first on the anchor's day or later. A day without
// one, or with one that is not normal, starts the count anew; once complete it stays complete.
func (f *Facts) checkInStatus(s *Schedule, anchor Micros) Status {
	st := Status{Need: s.CheckIns, Next: f.Now, Changes: Never}
	first, today := f.Cal.Index(anchor), f.Cal.Index(f.Now)
	run, prev := 0, int64(-1<<62)
	for _, d := range f.checkInDays() {
		if d.index < first {
			continue
		}
		if d.index != prev+1 {
			run = 0
		}
		run, prev = run+1, d.index
		if d.bad {
			run = 0
		}
		if run >= s.CheckIns {
			st.Have, st.Done, st.Next = s.CheckIns, true, Never
			return st
		}
	}
	switch {
	case prev == today:
		st.Have, st.Next = run, f.Cal.Start(today+1)
	case prev == today-1:
		st.Have = run
	}
	return st
}
