package facts_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/facts"
)

var shanghai = time.FixedZone("CST", 8*3600)

func clock(day, hour, minute int) time.Time {
	return time.Date(2022, 7, 5+day, hour, minute, 0, 0, shanghai)
}

func negative(at time.Time) kangma.Evidence {
	return kangma.Evidence{Kind: kangma.KindTest, Observed: at, Test: &kangma.Test{Method: "pcr", Result: "negative"}}
}

func checkIn(at time.Time, symptoms ...string) kangma.Evidence {
	return kangma.Evidence{Kind: kangma.KindDeclaration, Observed: at, Declaration: &kangma.Declaration{CheckIn: true, Symptoms: symptoms}}
}

func collect(now time.Time, es ...kangma.Evidence) *facts.Facts {
	for i := range es {
		es[i].ID = kangma.EventID{byte(i >> 8), byte(i), 1}
	}
	f := new(facts.Facts)
	f.Collect(&kangma.Dossier{Evidence: es}, facts.ToMicros(now), facts.Never, facts.NewCalendar(shanghai, false, 1))
	return f
}

func TestADaySchedule(t *testing.T) {
	s := &facts.Schedule{Days: []int{1, 2, 3, 5, 7}}
	anchor := facts.ToMicros(clock(0, 10, 0))
	for name, c := range map[string]struct {
		now          time.Time
		tests        []time.Time
		have         int
		missed, done bool
		next         time.Time
	}{
		"nothing on day 1":                     {now: clock(0, 12, 0), next: clock(0, 10, 0)},
		"day 1 is over without a test":         {now: clock(1, 0, 0), missed: true, next: clock(1, 0, 0)},
		"the last moment of day 1":             {now: clock(1, 0, 0), tests: []time.Time{clock(0, 23, 59)}, have: 1, next: clock(1, 0, 0)},
		"a test before the anchor":             {now: clock(0, 12, 0), tests: []time.Time{clock(0, 9, 59)}, next: clock(0, 10, 0)},
		"two tests on one day count once":      {now: clock(0, 23, 0), tests: []time.Time{clock(0, 11, 0), clock(0, 12, 0)}, have: 1, next: clock(1, 0, 0)},
		"day 4 makes up for day 2":             {now: clock(4, 0, 0), tests: []time.Time{clock(0, 11, 0), clock(2, 8, 0), clock(3, 8, 0)}, have: 3, next: clock(4, 0, 0)},
		"day 3 does not, it is its own":        {now: clock(3, 0, 0), tests: []time.Time{clock(0, 11, 0), clock(2, 8, 0)}, have: 2, missed: true, next: clock(4, 0, 0)},
		"all five":                             {now: clock(6, 9, 0), tests: []time.Time{clock(0, 11, 0), clock(1, 8, 0), clock(2, 8, 0), clock(4, 8, 0), clock(6, 8, 0)}, have: 5, done: true},
		"a test on day 8 makes up for one day": {now: clock(9, 0, 0), tests: []time.Time{clock(0, 11, 0), clock(1, 8, 0), clock(2, 8, 0), clock(4, 8, 0), clock(7, 8, 0)}, have: 5, done: true},
	} {
		t.Run(name, func(t *testing.T) {
			var es []kangma.Evidence
			for _, at := range c.tests {
				es = append(es, negative(at))
			}
			st := collect(c.now, es...).Status(s, anchor)
			next := facts.Never
			if !c.next.IsZero() {
				next = facts.ToMicros(c.next)
			}
			if st.Have != c.have || st.Need != 5 || st.Missed != c.missed || st.Done != c.done || st.Next != next {
				t.Errorf("got %+v, want %d of 5, missed %v, done %v, next %v", st, c.have, c.missed, c.done, c.next)
			}
		})
	}
}

// Against a slow search over all choices of tests.
func TestCountingTestsFindsTheBestChoice(t *testing.T) {
	const seed = 5
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	done := 0
	for range 3000 {
		s := &facts.Schedule{Tests: 1 + r.IntN(3), Within: 1 + r.IntN(5), Gap: int64(r.IntN(3) * 12)}
		var es []kangma.Evidence
		var at []time.Time
		for range r.IntN(7) {
			x := clock(r.IntN(9)-1, r.IntN(24), 0)
			at, es = append(at, x), append(es, negative(x))
		}
		anchor := clock(0, 10, 0)
		got := collect(clock(9, 0, 0), es...).Status(s, facts.ToMicros(anchor))
		if want := choice(at, anchor, s, nil); got.Done != want || got.Done == got.Missed {
			t.Fatalf("%+v of %v: %+v, want done %v", *s, at, got, want)
		}
		if got.Done {
			done++
		}
	}
	if done < 300 || done > 2700 {
		t.Errorf("%d of 3000 done: the generator says little", done)
	}
}

// choice tries every series of tests.
func choice(at []time.Time, anchor time.Time, s *facts.Schedule, taken []time.Time) bool {
	if len(taken) == s.Tests {
		return true
	}
	for _, x := range at {
		if x.Before(anchor) {
			continue
		}
		if n := len(taken); n > 0 {
			a, b := taken[0], x
			y, m, d := a.Date()
			if x.Sub(taken[n-1]) < time.Duration(s.Gap)*time.Hour || x.Before(taken[n-1]) || !b.Before(time.Date(y, m, d+s.Within, 0, 0, 0, 0, shanghai)) {
				continue
			}
		}
		rest := append([]time.Time(nil), at...)
		for i := range rest {
			if rest[i].Equal(x) {
				rest = append(rest[:i], rest[i+1:]...)
				break
			}
		}
		if choice(rest, anchor, s, append(append([]time.Time(nil), taken...), x)) {
			return true
		}
	}
	return false
}

func TestALandingTestIsOneMoreThanTheOthers(t *testing.T) {
	s := &facts.Schedule{Landing: true, Tests: 2, Within: 3, Gap: 24}
	anchor := facts.ToMicros(clock(0, 10, 0))
	tests := []kangma.Evidence{negative(clock(0, 12, 0)), negative(clock(1, 12, 0)), negative(clock(2, 12, 0))}
	for n, want := range []facts.Status{
		{Have: 0, Need: 3, Next: anchor, Changes: facts.ToMicros(clock(3, 0, 0))},
		{Have: 1, Need: 3, Next: facts.ToMicros(clock(2, 13, 0)), Changes: facts.ToMicros(clock(3, 0, 0))},
		{Have: 2, Need: 3, Next: facts.ToMicros(clock(2, 12, 0)), Changes: facts.ToMicros(clock(3, 0, 0))},
		{Have: 3, Need: 3, Done: true, Next: facts.Never, Changes: facts.Never},
	} {
		if got := collect(clock(2, 13, 0), append([]kangma.Evidence(nil), tests[:n]...)...).Status(s, anchor); got != want {
			t.Errorf("%d tests: got %+v, want %+v", n, got, want)
		}
	}
	if got := collect(clock(3, 0, 0)).Status(s, anchor); !got.Missed {
		t.Errorf("day 3 is over: %+v", got)
	}
}

func TestCheckInsMustRun(t *testing.T) {
	s := &facts.Schedule{CheckIns: 3}
	anchor := facts.ToMicros(clock(0, 10, 0))
	on := func(days ...int) (es []kangma.Evidence) {
		for _, d := range days {
			es = append(es, checkIn(clock(d, 20, 0)))
		}
		return es
	}
	for name, c := range map[string]struct {
		now  time.Time
		es   []kangma.Evidence
		have int
		done bool
	}{
		"two of three":                          {clock(1, 21, 0), on(0, 1), 2, false},
		"three running":                         {clock(2, 21, 0), on(0, 1, 2), 3, true},
		"complete stays complete":               {clock(9, 0, 0), on(0, 1, 2), 3, true},
		"a gap":                                 {clock(3, 21, 0), on(0, 1, 3), 1, false},
		"yesterday still runs":                  {clock(2, 0, 0), on(0, 1), 2, false},
		"the day before yesterday does not":     {clock(3, 0, 0), on(0, 1), 0, false},
		"before the anchor's day":               {clock(1, 21, 0), on(-2, -1, 0, 1), 2, false},
		"twice a day counts once":               {clock(1, 21, 0), append(on(0, 1), checkIn(clock(1, 8, 0))), 2, false},
		"a symptom starts it anew":              {clock(3, 21, 0), append(on(0, 2, 3), checkIn(clock(1, 20, 0), "cough")), 2, false},
		"a symptom later the same day does too": {clock(2, 21, 0), append(on(0, 1, 2), checkIn(clock(2, 9, 0), "fever")), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if st := collect(c.now, c.es...).Status(s, anchor); st.Have != c.have || st.Done != c.done || st.Need != 3 {
				t.Errorf("got %+v, want %d of 3, done %v", st, c.have, c.done)
			}
		})
	}
}

func TestPositivePendingAndAntigenResultsAreNoNegatives(t *testing.T) {
	var es []kangma.Evidence
	for _, x := range []kangma.Test{{Method: "pcr", Result: "positive"}, {Method: "pcr", Result: "pending"}, {Method: "antigen", Result: "negative"}, {Method: "antibody", Result: "negative"}} {
		es = append(es, kangma.Evidence{Kind: kangma.KindTest, Observed: clock(0, 12, 0), Test: &x})
	}
	if f := collect(clock(1, 0, 0), es...); f.LastNegative() != facts.Never {
		t.Error("one of them counts as a negative PCR test")
	}
}
