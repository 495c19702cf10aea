package embedded

import (
	"cmp"
	"context"
	"database/sql/driver"
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

const passageColumns = "id, at, cell, person, operator, temperature, vehicle, rules, flags"

// Passages returns single passages, newest first. It reads day by day (of people) or hour by hour (of gates) from the
// newest on and stops when it has enough.
func (w *Warehouse) Passages(ctx context.Context, q store.PassageQuery) (found []kangma.Passage, err error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	err = w.readers.with(ctx, func(c *conn) error {
		return snapshot(c, func() error {
			v, err := w.catalogue.sync(c)
			if err != nil {
				return err
			}
			floor, err := floorOf(c)
			if err != nil {
				return err
			}
			f := finder{scan: scan{ctx: ctx, c: c, v: v}, q: q}
			f.since, f.until = q.Since.UnixMicro(), q.Until.UnixMicro()
			if q.Since.Nanosecond()%1000 != 0 {
				f.since++
			}
			if q.Until.Nanosecond()%1000 != 0 {
				f.until++
			}
			if floor > f.since/microsHour {
				f.since = floor * microsHour
			}
			if f.since >= f.until {
				return nil
			}
			err = f.find()
			found = f.found
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

type finder struct {
	scan
	q            store.PassageQuery
	since, until int64
	found        []kangma.Passage
}

func (f *finder) find() (err error) {
	if len(f.q.Person) > 0 {
		err = f.people()
	} else {
		err = f.gates()
	}
	if err != nil {
		return err
	}
	slices.SortFunc(f.found, func(a, b kangma.Passage) int {
		return cmp.Or(b.At.Compare(a.At), slices.Compare(b.ID[:], a.ID[:]))
	})
	f.found = f.found[:min(len(f.found), f.q.Limit)]
	return nil
}

func (f *finder) people() error {
	days, err := f.days(f.since, f.until)
	if err != nil {
		return err
	}
	for _, day := range days {
		for _, p := range distinct(f.q.Person) {
			const sql = "SELECT " + passageColumns + ` FROM passage INDEXED BY passage_person
				WHERE day = ? AND person = ? AND at >= ? AND at < ?`
			if err := f.c.each(sql, []driver.Value{day, p[:], f.since, f.until}, f.take); err != nil {
				return err
			}
		}
		if err := f.ctx.Err(); err != nil || len(f.found) >= f.q.Limit {
			return err
		}
	}
	return nil
}

func (f *finder) gates() error {
	var hours []int64
	err := f.c.each("SELECT hour FROM rollup WHERE hour >= ? AND hour <= ? ORDER BY hour DESC",
		[]driver.Value{floorDiv(f.since, microsHour), floorDiv(f.until-1, microsHour)}, func(row []driver.Value) error {
			hour, _ := row[0].(int64)
			hours = append(hours, hour)
			return nil
		})
	if err != nil {
		return err
	}
	gates := f.codesOf(f.q.Gates)
	for _, hour := range hours {
		for gate := range gates {
			const sql = "SELECT " + passageColumns + ` FROM passage INDEXED BY passage_gate
				WHERE gate = ? AND hour = ? AND at >= ? AND at < ?`
			if err := f.c.each(sql, []driver.Value{gate, hour, f.since, f.until}, f.take); err != nil {
				return err
			}
		}
		if err := f.ctx.Err(); err != nil || len(f.found) >= f.q.Limit {
			return err
		}
	}
	return nil
}

// take makes a passage of a row, unless the query wants other gates.
func (f *finder) take(row []driver.Value) (err error) {
	number := func(i int) int64 { n, _ := row[i].(int64); return n }
	id, _ := row[0].([]byte)
	person, _ := row[3].([]byte)
	vehicle, _ := row[6].([]byte)
	x, err := f.v.cell(number(2))
	if err != nil || len(id) != 16 || len(person) != 16 {
		return errDamaged
	}
	p := kangma.Passage{ID: kangma.EventID(id), At: time.UnixMicro(number(1)).UTC(), District: kangma.Division(x.district),
		Person: kangma.Pseudonym(person), Told: x.isTold(), Colour: x.theColour(), Decision: kangma.Decision(x.decision),
		Temperature: int(number(5)), Vehicle: string(vehicle)}
	flags := ""
	for _, t := range []struct {
		text *string
		code int64
	}{{&p.Gate, x.gate}, {&p.GateKind, x.gateKind}, {&p.Reason, x.reason}, {&p.Verified, x.verified}, {&p.Direction, x.direction},
		{&p.Operator, number(4)}, {&p.Rules, number(7)}, {&flags, number(8)}} {
		if *t.text, err = f.v.word(t.code); err != nil {
			return err
		}
	}
	if flags != "" {
		p.Flags = strings.Split(flags, flagsJoint)
	}
	if len(f.q.Gates) == 0 || slices.Contains(f.q.Gates, p.Gate) {
		f.found = append(f.found, p)
	}
	return nil
}
