package facts

import "time"

// Micros is a moment in microseconds since 1970-01-01T00:00Z, kept inside [MinMicros, MaxMicros] so that adding any
// number of days a rule may name cannot overflow.
type Micros = int64

// Bounds of Micros (the years 1900 and 2200) and the value that stands for "never".
const (
	MinMicros Micros = -2_208_988_800_000_000
	MaxMicros Micros = 7_258_118_400_000_000
	Never     Micros = 1<<63 - 1

	hour Micros = 3_600_000_000
	day  Micros = 24 * hour
)

// ToMicros converts and clamps.
func ToMicros(t time.Time) Micros {
	return min(max(t.UnixMicro(), MinMicros), MaxMicros)
}

// Calendar is the day convention of a rule set: the zone whose midnights part the days, whether days are calendar days
// or periods of 24 hours from the fact, and which number the first day of a measure has.
type Calendar struct {
	Zone    *time.Location
	Rolling bool // true: a day is 24 hours from the fact; false: a calendar day in Zone
	First   int  // number of the day the measure began on: 1 in every source read, 0 where a rule set says so

	fixedFrom, fixedTo Micros // inside, the zone keeps one offset
	offset             Micros
}

// NewCalendar prepares a Calendar. A nil zone is UTC.
func NewCalendar(zone *time.Location, rolling bool, first int) *Calendar {
	if zone == nil {
		zone = time.UTC
	}
	c := &Calendar{Zone: zone, Rolling: rolling, First: first, fixedFrom: MinMicros, fixedTo: MaxMicros}
	probe := time.Date(2020, 7, 1, 0, 0, 0, 0, zone)
	_, off := probe.Zone()
	c.offset = Micros(off) * 1_000_000
	from, to := probe.ZoneBounds()
	if !from.IsZero() {
		c.fixedFrom = ToMicros(from)
	}
	if !to.IsZero() {
		c.fixedTo = ToMicros(to)
	}
	return c
}

// fixed tells whether t and everything within 3 days of it lies in the stretch of one offset.
func (c *Calendar) fixed(t Micros) bool {
	return t >= c.fixedFrom+3*day && t < c.fixedTo-3*day
}

// Index gives the number of the calendar day of t, counted from 1970-01-01 in the zone.
func (c *Calendar) Index(t Micros) int64 {
	if c.fixed(t) {
		return floorDiv(t+c.offset, day)
	}
	y, m, d := time.UnixMicro(t).In(c.Zone).Date()
	return floorDiv(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).UnixMicro(), day)
}

// Start gives the first moment of the calendar day with this Index.
func (c *Calendar) Start(index int64) Micros {
	if t := index*day - c.offset; c.fixed(t) {
		return t
	}
	u := time.UnixMicro(index * day).UTC()
	return time.Date(u.Year(), u.Month(), u.Day(), 0, 0, 0, 0, c.Zone).UnixMicro()
}

// Since counts whole days from a fact to now: the difference of calendar days, or completed periods of 24 hours. It is
// negative when the fact lies ahead.
func (c *Calendar) Since(fact, now Micros) int64 {
	if c.Rolling {
		return floorDiv(now-fact, day)
	}
	return c.Index(now) - c.Index(fact)
}

// After gives the first moment at which Since(fact, moment) is greater than n: the end of "within n days of the fact".
func (c *Calendar) After(fact Micros, n int64) Micros {
	if c.Rolling {
		return fact + (n+1)*day
	}
	return c.Start(c.Index(fact) + n + 1)
}

// DayStart gives the first moment of day number n of a measure that began at start. Day c.First begins with the measure
// itself, so it is never earlier than start's own day.
func (c *Calendar) DayStart(start Micros, n int64) Micros {
	if c.Rolling {
		return start + (n-int64(c.First))*day
	}
	return c.Start(c.Index(start) + n - int64(c.First))
}

// DayEnd gives the first moment after day number n of a measure that began at start.
func (c *Calendar) DayEnd(start Micros, n int64) Micros { return c.DayStart(start, n+1) }

// DayNumber gives the number of the day that now is in a measure that began at start.
func (c *Calendar) DayNumber(start, now Micros) int64 { return c.Since(start, now) + int64(c.First) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
