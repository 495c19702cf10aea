package embedded

import (
	"context"
	"database/sql/driver"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Warehouse is a SQLite file as store.Warehouse and store.Dropper. Beside every passage it keeps, for each hour, how
// many passages each combination of gate, district, colour, decision and so on has, and the same without the gate;
// questions that ask for counts are answered from these. Counts of distinct people, questions about given people, and hours or days in a zone that is not
// whole hours from UTC look at the passages themselves.
type Warehouse struct {
	*file
	options   Options
	catalogue catalogue
	codes     *codes // of the writer goroutine
	undone    int    // how many undone transactions codes has seen
}

// OpenWarehouse opens or creates the warehouse file at a path; "" keeps everything in memory. Errors are those of Open.
func OpenWarehouse(path string, o Options) (*Warehouse, error) {
	f, err := openFile(path, "migrations/warehouse", o)
	if err != nil {
		return nil, err
	}
	if o.ScanLimit <= 0 {
		o.ScanLimit = 20_000_000
	}
	return &Warehouse{file: f, options: o}, nil
}

const (
	microsHour = int64(time.Hour / time.Microsecond)
	flagsJoint = "\x1f"
)

// floorDiv rounds down also below zero.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Load stores a batch in one transaction, with the rollups and the position.
func (w *Warehouse) Load(ctx context.Context, b store.Batch) error {
	if b.Node == "" || b.To < b.From {
		return kangma.E(kangma.Invalid, "batch", "a batch has a node and a range")
	}
	return w.writer.do(ctx, 1+len(b.Rows), func(c *conn) error { return w.load(c, b) })
}

func (w *Warehouse) load(c *conn, b store.Batch) (err error) {
	if w.codes == nil || w.undone != w.writer.undone {
		if w.codes, err = loadCodes(c, &w.catalogue); err != nil {
			return err
		}
		w.undone = w.writer.undone
	}
	floor, err := floorOf(c)
	if err != nil {
		return err
	}
	added := map[int64]map[int64]uint64{} // hour to cell to count
	for i := range b.Rows {
		p := &b.Rows[i].Passage
		hour := floorDiv(p.At.UnixMicro(), microsHour)
		if hour < floor {
			continue
		}
		code, fresh, err := w.insert(c, hour, b.Node, b.Rows[i])
		if err != nil {
			return err
		}
		if fresh {
			if added[hour] == nil {
				added[hour] = map[int64]uint64{}
			}
			added[hour][code]++
		}
	}
	for _, hour := range slices.Sorted(maps.Keys(added)) {
		if err := w.count(c, hour, added[hour]); err != nil {
			return err
		}
	}
	_, err = c.exec("INSERT INTO loaded (node, position) VALUES (?, ?) ON CONFLICT (node) DO UPDATE SET position = max(position, excluded.position)",
		[]byte(b.Node), int64(b.To))
	return err
}

// insert stores one passage and says whether it is new.
func (w *Warehouse) insert(c *conn, hour int64, node string, r store.Row) (code int64, fresh bool, err error) {
	p := &r.Passage
	code, cell, err := w.codes.cellOf(c, p)
	if err != nil {
		return 0, false, err
	}
	var operator, rules, flags, origin int64
	if origin, err = w.codes.word(c, node); err != nil {
		return 0, false, err
	}
	if operator, err = w.codes.word(c, p.Operator); err != nil {
		return 0, false, err
	}
	if rules, err = w.codes.word(c, p.Rules); err != nil {
		return 0, false, err
	}
	if flags, err = w.codes.word(c, strings.Join(p.Flags, flagsJoint)); err != nil {
		return 0, false, err
	}
	n, err := c.exec(`INSERT INTO passage (hour, id, at, cell, gate, day, person, operator, temperature, vehicle, rules, flags, node, position)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		hour, p.ID[:], p.At.UnixMicro(), code, cell.gate, floorDiv(hour, 24), p.Person[:], operator, int64(p.Temperature), []byte(p.Vehicle), rules, flags,
		origin, int64(r.Position))
	return code, n == 1, err
}

// count adds to both rollups of an hour.
func (w *Warehouse) count(c *conn, hour int64, add map[int64]uint64) error {
	coarse := make(map[int64]uint64, len(add))
	for code, n := range add {
		without, err := w.codes.withoutGate(c, code)
		if err != nil {
			return err
		}
		coarse[without] += n
	}
	err := addToRollup(c, "SELECT cells FROM rollup WHERE hour = ?", "INSERT OR REPLACE INTO rollup (hour, cells) VALUES (?, ?)", hour, add)
	if err != nil {
		return err
	}
	return addToRollup(c, "SELECT cells FROM coarse WHERE hour = ?", "INSERT OR REPLACE INTO coarse (hour, cells) VALUES (?, ?)", hour, coarse)
}

func addToRollup(c *conn, read, write string, hour int64, add map[int64]uint64) error {
	var old driver.Value
	err := c.each(read, []driver.Value{hour}, func(row []driver.Value) error {
		old = row[0]
		return nil
	})
	if err != nil {
		return err
	}
	cells, err := mergeCounts(hour, old, add)
	if err != nil {
		return err
	}
	_, err = c.exec(write, hour, cells)
	return err
}

// floorOf gives the first hour that is kept.
func floorOf(c *conn) (hour int64, err error) {
	err = c.each("SELECT hour FROM floor", nil, func(row []driver.Value) error {
		hour, _ = row[0].(int64)
		return nil
	})
	return hour, err
}

// Loaded returns up to where a node's journal is loaded.
func (w *Warehouse) Loaded(ctx context.Context, node string) (pos store.Position, err error) {
	err = w.readers.with(ctx, func(c *conn) error {
		return c.each("SELECT position FROM loaded WHERE node = ?", []driver.Value{[]byte(node)}, func(row []driver.Value) error {
			n, _ := row[0].(int64)
			pos = store.Position(n)
			return nil
		})
	})
	return pos, err
}

// Drop forgets every passage of the days before a UTC midnight. They are gone for every question at once; the space is
// given back hour by hour, and the next Drop goes on where one was interrupted.
func (w *Warehouse) Drop(ctx context.Context, before time.Time) error {
	at := before.Unix()
	if floorDiv(at, 86400)*86400 != at || before.Nanosecond() != 0 {
		return kangma.E(kangma.Invalid, "midnight", "days end at a UTC midnight")
	}
	hour := at / 3600
	err := w.writer.do(ctx, 1, func(c *conn) error {
		_, err := c.exec("UPDATE floor SET hour = max(hour, ?)", hour)
		return err
	})
	for more := err == nil; more && err == nil; {
		err = w.writer.do(ctx, maxWeight, func(c *conn) (err error) {
			more, err = dropOneHour(c)
			return err
		})
	}
	return err
}

// dropOneHour forgets the oldest hour below the floor and says whether there was one.
func dropOneHour(c *conn) (found bool, err error) {
	var hour int64
	err = c.each("SELECT min(hour) FROM rollup WHERE hour < (SELECT hour FROM floor)", nil, func(row []driver.Value) error {
		hour, found = row[0].(int64)
		return nil
	})
	if err != nil || !found {
		return false, err
	}
	if _, err := c.exec("DELETE FROM passage WHERE hour = ?", hour); err != nil {
		return false, err
	}
	if _, err := c.exec("DELETE FROM coarse WHERE hour = ?", hour); err != nil {
		return false, err
	}
	_, err = c.exec("DELETE FROM rollup WHERE hour = ?", hour)
	return true, err
}

// snapshot runs f inside one read transaction, so that all it reads is of one moment.
func snapshot(c *conn, f func() error) error {
	if _, err := c.exec("BEGIN"); err != nil {
		return err
	}
	err := f()
	if _, end := c.exec("COMMIT"); err == nil {
		err = end
	}
	return err
}
