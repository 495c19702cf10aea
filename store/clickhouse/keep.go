package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma"
)

// settleAfter is how old a mark must be before a day is counted: an insert that still hung in a server's buffers when
// the mark was made has come in by then, or its connection is gone.
const settleAfter = 30 * time.Second

// settleNowAndThen settles once a minute, on the back of a Load. A mark that stays only makes questions slower.
func (db *DB) settleNowAndThen(ctx context.Context) {
	now := db.cfg.Now()
	db.mu.Lock()
	due := now.Sub(db.settled) >= time.Minute
	if due {
		db.settled = now
	}
	db.mu.Unlock()
	if !due {
		return
	}
	if err := db.Settle(ctx); err != nil {
		db.cfg.Logger.Warn("doubtful days are not settled yet", "error", err)
	}
}

// Settle counts the doubtful days, merges copies where there are some, and clears the marks. Load does it every minute;
// it costs next to nothing when there is no doubt.
func (db *DB) Settle(ctx context.Context) error {
	days, err := db.doubtful(ctx)
	if err != nil {
		return err
	}
	for day, marked := range days {
		if db.cfg.Now().Sub(marked) < settleAfter {
			continue
		}
		for _, s := range db.shards {
			if err := db.settleDay(ctx, s, day); err != nil {
				return err
			}
		}
		again, err := db.doubtful(ctx)
		if err != nil {
			return err
		}
		if again[day].Equal(marked) { // not marked anew while we counted
			if err := db.doubt(ctx, day, false); err != nil {
				return err
			}
		}
	}
	return nil
}

const (
	mergeDay = "OPTIMIZE TABLE %s.passages PARTITION %d FINAL"
	dropDay  = "ALTER TABLE %s.passages DROP PARTITION %d"
)

func (db *DB) settleDay(ctx context.Context, s *shard, day int64) error {
	for range 3 {
		copies, err := db.copies(ctx, s, day)
		if err != nil || copies == 0 {
			return err
		}
		db.cfg.Logger.Warn("merging copies", "day", day, "copies", copies)
		if err := s.exec(ctx, fmt.Sprintf(mergeDay, db.cfg.Database, day)); err != nil {
			return err
		}
	}
	return kangma.E(kangma.Unavailable, "clickhouse_copies", "the copies of a day could not be merged yet")
}

// copies counts how many rows of a day are there more than once, without holding the ids in memory.
func (db *DB) copies(ctx context.Context, s *shard, day int64) (uint64, error) {
	var n [2]uint64
	for i, final := range []string{"", " FINAL"} {
		sql := fmt.Sprintf("SELECT count() FROM %s.passages%s WHERE day = %d", db.cfg.Database, final, day)
		if err := s.query(ctx, db.cfg.Insert, sql, func(r driver.Rows) error { return r.Scan(&n[i]) }); err != nil {
			return 0, err
		}
	}
	return n[0] - min(n[0], n[1]), nil
}

// readFloor gives the first day that is kept.
func (db *DB) readFloor(ctx context.Context) (int64, error) {
	var day uint32
	err := db.shards[0].query(ctx, db.cfg.Insert, "SELECT max(day) FROM "+db.cfg.Database+".floor", func(r driver.Rows) error { return r.Scan(&day) })
	return int64(day), err
}

// Drop forgets every passage whose day is before the given UTC midnight. The floor is written first, so that a crash in
// between leaves nothing that could come back.
func (db *DB) Drop(ctx context.Context, before time.Time) error {
	day := dayOf(before)
	if day < 0 || day > 9999_12_31 {
		return kangma.E(kangma.Invalid, "drop", "no such day")
	}
	err := db.shards[0].insert(ctx, db.cfg.Insert, "INSERT INTO "+db.cfg.Database+".floor (day)", "", []uint32{uint32(day)})
	if err != nil {
		return err
	}
	floor, err := db.readFloor(ctx)
	if err != nil {
		return err
	}
	for _, s := range db.shards {
		var partitions []string
		sql := "SELECT DISTINCT partition FROM system.parts WHERE active AND table = 'passages' AND database = " + quote(db.cfg.Database)
		err := s.query(ctx, db.cfg.Insert, sql, func(r driver.Rows) error {
			var p string
			err := r.Scan(&p)
			partitions = append(partitions, p)
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range partitions {
			var n int64
			if _, err := fmt.Sscan(p, &n); err != nil || n >= floor {
				continue
			}
			if err := s.exec(ctx, fmt.Sprintf(dropDay, db.cfg.Database, n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Slice is how many passages of one day fall into ten minutes.
type Slice struct {
	Start time.Time // UTC
	Rows  uint64    // distinct passages
}

// Counts gives the passages that came from a node's journal on one UTC day (of Passage.At) in slices of ten minutes, for
// the comparison with the journal itself. A passage that two nodes hold counts for the one that loaded it first.
func (db *DB) Counts(ctx context.Context, node string, day time.Time) ([]Slice, error) {
	const width = int64(10 * time.Minute / time.Microsecond)
	var out []Slice
	sql := fmt.Sprintf("SELECT intDiv(at, %d) AS slice, uniqExact(id) FROM %s.%s WHERE day = %d AND node = %s GROUP BY slice ORDER BY slice",
		width, db.cfg.Database, db.table, dayOf(day), quote(node))
	err := db.shards[0].query(ctx, db.cfg.Insert, sql, func(r driver.Rows) error {
		var slice int64
		var rows uint64
		if err := r.Scan(&slice, &rows); err != nil {
			return err
		}
		out = append(out, Slice{time.UnixMicro(slice * width).UTC(), rows})
		return nil
	})
	return out, err
}
