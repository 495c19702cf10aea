package embedded

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// errScan is what an uncommon question over too much gets.
func errScan(total, limit int64) error {
	return kangma.E(kangma.TooLarge, "scan_limit",
		fmt.Sprintf("this question must look at %d passages one by one and may look at %d; ask for less time or for counts only", total, limit))
}

// Query answers a typed question.
func (w *Warehouse) Query(ctx context.Context, q store.Query) (r store.Result, err error) {
	if err := q.Validate(); err != nil {
		return r, err
	}
	err = w.readers.with(ctx, func(c *conn) error {
		return snapshot(c, func() error {
			v, err := w.catalogue.sync(c)
			if err != nil {
				return err
			}
			a, err := newAnswer(q, v)
			if err != nil {
				return err
			}
			if err := w.gather(ctx, c, v, a); err != nil {
				return err
			}
			r = a.result()
			return nil
		})
	})
	return r, err
}

// gather counts from the rollups what they can tell, and the rest passage by passage.
func (w *Warehouse) gather(ctx context.Context, c *conn, v view, a *answer) error {
	floor, err := floorOf(c)
	if err != nil {
		return err
	}
	since, until := a.q.Since.UnixMicro(), a.q.Until.UnixMicro()
	if a.q.Since.Nanosecond()%1000 != 0 { // passages have whole microseconds
		since++
	}
	if a.q.Until.Nanosecond()%1000 != 0 {
		until++
	}
	if floor > since/microsHour {
		since = floor * microsHour
	}
	if since >= until {
		return nil
	}
	s := scan{ctx: ctx, c: c, v: v, a: a, options: w.options}
	from, to := -floorDiv(-since, microsHour), floorDiv(until, microsHour) // the whole hours in between
	oddZone := a.span != 0 && a.offset%microsHour != 0
	if slices.Contains(a.q.Measures, store.People) || len(a.q.Person) > 0 || oddZone || from >= to {
		return s.passages(since, until)
	}
	if err := s.rollups(from, to); err != nil {
		return err
	}
	if since < from*microsHour {
		if err := s.passages(since, from*microsHour); err != nil {
			return err
		}
	}
	if to*microsHour < until {
		return s.passages(to*microsHour, until)
	}
	return nil
}

// scan reads for one answer inside one snapshot.
type scan struct {
	ctx     context.Context
	c       *conn
	v       view
	a       *answer
	options Options
	seen    int64
	total   int64
}

// eachHour calls f with every hour in [from, to) that has passages, and its rollup, the coarse one where that will do.
func (s *scan) eachHour(from, to int64, coarse bool, f func(hour int64, cells driver.Value) error) error {
	sql := "SELECT hour, cells FROM rollup WHERE hour >= ? AND hour < ?"
	if coarse {
		sql = "SELECT hour, cells FROM coarse WHERE hour >= ? AND hour < ?"
	}
	return s.c.each(sql, []driver.Value{from, to}, func(row []driver.Value) error {
		hour, ok := row[0].(int64)
		if !ok {
			return errDamaged
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
		return f(hour, row[1])
	})
}

// tellsGates says whether the question depends on which gate a passage was at.
func (s *scan) tellsGates() bool {
	return len(s.a.q.Gates) > 0 || slices.Contains(s.a.q.Dimensions, store.ByGate)
}

// rollups adds the counts of whole hours.
func (s *scan) rollups(from, to int64) error {
	return s.eachHour(from, to, !s.tellsGates(), func(hour int64, cells driver.Value) error {
		b, known := s.a.bucketOf(hour*microsHour), true
		err := eachCount(hour, cells, func(code int64, n uint64) {
			if code >= int64(len(s.a.groupOf)) {
				known = false
			} else if g := s.a.groupOf[code]; g != filtered {
				b.counts[g] += n
			}
		})
		if err == nil && !known {
			err = errDamaged
		}
		return err
	})
}

// passages counts the passages in [since, until) one by one: those of the people asked for, or of the gates asked for,
// or all.
func (s *scan) passages(since, until int64) error {
	if len(s.a.q.Person) > 0 {
		return s.ofPeople(since, until)
	}
	from, to := floorDiv(since, microsHour), floorDiv(until-1, microsHour)
	gates := s.codesOf(s.a.q.Gates)
	if err := s.measure(from, to, gates); err != nil {
		return err
	}
	if len(s.a.q.Gates) == 0 {
		const sql = `SELECT at, cell, person FROM passage NOT INDEXED WHERE hour >= ? AND hour <= ? AND at >= ? AND at < ?`
		return s.c.each(sql, []driver.Value{from, to, since, until}, s.row)
	}
	for gate := range gates {
		const sql = `SELECT at, cell, person FROM passage INDEXED BY passage_gate
			WHERE gate = ? AND hour >= ? AND hour <= ? AND at >= ? AND at < ?`
		if err := s.c.each(sql, []driver.Value{gate, from, to, since, until}, s.row); err != nil {
			return err
		}
	}
	return nil
}

// codesOf gives the codes of the texts that are known.
func (s *scan) codesOf(texts []string) map[int64]bool {
	codes := map[int64]bool{}
	for i, w := range s.v.words {
		if len(texts) > 0 && slices.Contains(texts, w) {
			codes[int64(i+1)] = true
		}
	}
	return codes
}

// measure finds how many passages must be looked at, from the rollups, and refuses too many.
func (s *scan) measure(from, to int64, gates map[int64]bool) error {
	total := int64(0)
	err := s.eachHour(from, to+1, len(s.a.q.Gates) == 0, func(hour int64, cells driver.Value) error {
		return eachCount(hour, cells, func(code int64, n uint64) {
			if len(s.a.q.Gates) > 0 {
				if x, err := s.v.cell(code); err != nil || !gates[x.gate] {
					return
				}
			}
			total += int64(n)
		})
	})
	s.total += total
	if err == nil && s.total > s.options.ScanLimit {
		return errScan(s.total, s.options.ScanLimit)
	}
	return err
}

func (s *scan) row(row []driver.Value) error {
	if s.seen++; s.seen%8192 == 0 {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if s.options.Progress != nil {
			s.options.Progress(s.seen, max(s.seen, s.total))
		}
	}
	at, _ := row[0].(int64)
	code, _ := row[1].(int64)
	person, _ := row[2].([]byte)
	return s.a.one(at, code, person)
}

// ofPeople looks up given people, day by day.
func (s *scan) ofPeople(since, until int64) error {
	people := distinct(s.a.q.Person)
	days, err := s.days(since, until)
	if err != nil {
		return err
	}
	for _, day := range days {
		for _, p := range people {
			const sql = `SELECT at, cell, person FROM passage INDEXED BY passage_person WHERE day = ? AND person = ? AND at >= ? AND at < ?`
			if err := s.c.each(sql, []driver.Value{day, p[:], since, until}, s.row); err != nil {
				return err
			}
		}
		if err := s.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// distinct gives each once.
func distinct(people []kangma.Pseudonym) []kangma.Pseudonym {
	people = slices.Clone(people)
	slices.SortFunc(people, func(a, b kangma.Pseudonym) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(people)
}

// days gives the UTC days that [since, until) touches and that have passages, newest first.
func (s *scan) days(since, until int64) (days []int64, err error) {
	err = s.c.each("SELECT DISTINCT hour / 24 FROM rollup WHERE hour >= ? AND hour <= ? ORDER BY 1 DESC",
		[]driver.Value{floorDiv(since, microsHour), floorDiv(until-1, microsHour)}, func(row []driver.Value) error {
			day, _ := row[0].(int64)
			days = append(days, day)
			return nil
		})
	return days, err
}
