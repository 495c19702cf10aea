package facts_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kangma/kangma/risk/facts"
)

// The calendar agrees with package time in every zone, also across summer time and before 1992 in Shanghai.
func TestDaysAreThoseOfTheZone(t *testing.T) {
	const seed = 3
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, name := range []string{"Asia/Shanghai", "UTC", "America/New_York", "Europe/London", "Asia/Kathmandu"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		c := facts.NewCalendar(zone, false, 1)
		for range 3000 {
			year := 1970 + r.IntN(60)
			fact := time.Date(year, 1, 1+r.IntN(365), r.IntN(24), r.IntN(60), r.IntN(60), 0, zone)
			days := r.IntN(40)
			y, m, d := fact.Date()
			end := time.Date(y, m, d+days+1, 0, 0, 0, 0, zone) // the first moment that is more than days later
			if got := c.After(facts.ToMicros(fact), int64(days)); got != end.UnixMicro() {
				t.Fatalf("%s: %v + %d days ends at %v, want %v", name, fact, days, time.UnixMicro(got).In(zone), end)
			}
			before, at := facts.ToMicros(end.Add(-time.Microsecond)), facts.ToMicros(end)
			if a, b := c.Since(facts.ToMicros(fact), before), c.Since(facts.ToMicros(fact), at); a != int64(days) || b != int64(days)+1 {
				t.Fatalf("%s: %v: %d and %d days around %v", name, fact, a, b, end)
			}
			if n := c.DayNumber(facts.ToMicros(fact), at); c.DayStart(facts.ToMicros(fact), n) != at {
				t.Fatalf("%s: day %d of a measure from %v does not begin at %v", name, n, fact, end)
			}
		}
	}
}

func TestARollingDayIs24HoursFromTheFact(t *testing.T) {
	c := facts.NewCalendar(time.UTC, true, 1)
	at := time.Date(2022, 7, 5, 18, 0, 0, 0, time.UTC)
	fact := facts.ToMicros(at)
	if got, want := c.After(fact, 7), at.Add(8*24*time.Hour).UnixMicro(); got != want {
		t.Errorf("after 7 days: %d, want %d", got, want)
	}
	if c.Since(fact, facts.ToMicros(at.Add(24*time.Hour-1000))) != 0 || c.Since(fact, facts.ToMicros(at.Add(24*time.Hour))) != 1 || c.Since(fact, fact-1) != -1 {
		t.Error("days do not begin with the fact")
	}
	if c.DayStart(fact, 1) != fact || c.DayEnd(fact, 1) != facts.ToMicros(at.Add(24*time.Hour)) {
		t.Error("day 1 is not the first 24 hours")
	}
	zero := facts.NewCalendar(nil, true, 0)
	if zero.DayStart(fact, 0) != fact || zero.DayNumber(fact, fact) != 0 {
		t.Error("with first day 0 the fact's own day is day 0")
	}
}
