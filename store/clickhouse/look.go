package clickhouse

import (
	"bytes"
	"context"
	"fmt"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma"
)

// present tells which of the passages are there, on any shard. narrow says that little else lies between the first and the last
// of their ids, which is so for passages that are loaded as they happen: ids begin with their time.
func (db *DB) present(ctx context.Context, d dayRows) (there map[kangma.EventID]bool, narrow bool, err error) {
	there = map[kangma.EventID]bool{}
	note := func(r driver.Rows) error {
		var id string
		if err := r.Scan(&id); err != nil {
			return err
		}
		if len(id) == len(kangma.EventID{}) {
			there[kangma.EventID([]byte(id))] = true
		}
		return nil
	}
	limit := len(d.rows)/4 + 100
	seen := 0
	sql := fmt.Sprintf("SELECT id FROM %s.%s WHERE %s LIMIT %d", db.cfg.Database, db.table, d.within(), limit)
	err = db.shards[0].query(ctx, db.cfg.Insert, sql, func(r driver.Rows) error { seen++; return note(r) })
	if err != nil {
		return nil, false, err
	}
	if seen == limit {
		clear(there)
		return there, false, db.lookup(ctx, "SELECT id", d, note)
	}
	others := len(there)
	for _, r := range d.rows {
		if there[r.Passage.ID] {
			others--
		}
	}
	if others == len(there) { // nothing of ours
		return nil, true, nil
	}
	return there, true, nil
}

// confirmNew is confirm for rows of which nothing was there before, among few others: between the first and the last id no passage
// is there twice, and of this node's positions as many rows as were sent. It says false when confirm has to look closer.
func (db *DB) confirmNew(ctx context.Context, node string, d dayRows) (ok bool, err error) {
	sql := fmt.Sprintf("SELECT count(), uniqExact(id), countIf(node = %s AND position >= %d AND position <= %d) FROM %s.%s WHERE %s",
		quote(node), d.rows[0].Position, d.rows[len(d.rows)-1].Position, db.cfg.Database, db.table, d.within())
	var rows, ids, ours uint64
	err = db.shards[0].query(ctx, db.cfg.Insert, sql, func(r driver.Rows) error { return r.Scan(&rows, &ids, &ours) })
	return rows == ids && ours == uint64(len(d.rows)), err
}

// confirm looks whether every passage of the day's rows is there, and marks the day when one is there twice.
func (db *DB) confirm(ctx context.Context, d dayRows) error {
	var rows, ids uint64
	err := db.lookup(ctx, "SELECT count(), uniqExact(id)", d, func(r driver.Rows) error { return r.Scan(&rows, &ids) })
	if err != nil {
		return err
	}
	if n := uint64(len(d.rows)); ids != n {
		return errDown.Because(fmt.Errorf("%d of %d acknowledged rows are not there", n-min(ids, n), n))
	}
	if rows > ids {
		return db.doubt(ctx, d.day, true)
	}
	return nil
}

// lookup asks for the rows of a day by their ids, on every shard. The ids travel as a temporary table.
func (db *DB) lookup(ctx context.Context, what string, d dayRows, scan func(driver.Rows) error) error {
	ids, err := ext.NewTable("ids", ext.Column("id", "FixedString(16)"))
	if err != nil {
		return err
	}
	for _, r := range d.rows {
		if err := ids.Append(string(r.Passage.ID[:])); err != nil {
			return err
		}
	}
	sql := fmt.Sprintf("%s FROM %s.%s WHERE %s AND id IN (SELECT id FROM ids)", what, db.cfg.Database, db.table, d.within())
	return db.shards[0].query(ch.Context(ctx, ch.WithExternalTable(ids)), db.cfg.Insert, sql, scan)
}

// within is the day and the range of the ids, which lets the server skip what cannot hold them: the table is ordered by id, and ids
// made at the same time lie close together.
func (d dayRows) within() string {
	low, high := d.rows[0].Passage.ID, d.rows[0].Passage.ID
	for _, r := range d.rows {
		if bytes.Compare(r.Passage.ID[:], low[:]) < 0 {
			low = r.Passage.ID
		}
		if bytes.Compare(r.Passage.ID[:], high[:]) > 0 {
			high = r.Passage.ID
		}
	}
	return fmt.Sprintf("day = %d AND id >= %s AND id <= %s", d.day, quote(string(low[:])), quote(string(high[:])))
}
