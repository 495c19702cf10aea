package clickhouse

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Load stores the batch: for each day in order, what is not there yet, one INSERT for each shard.
func (db *DB) Load(ctx context.Context, b store.Batch) error {
	if err := validateBatch(b); err != nil {
		return err
	}
	n, err := db.node(ctx, b.Node)
	if err != nil {
		return err
	}
	floor, err := db.readFloor(ctx)
	if err != nil {
		return err
	}
	sure := n.sure
	n.sure = false // until everything below has gone through
	for _, day := range splitDays(b.Rows, floor) {
		if err := db.loadDay(ctx, b.Node, day, sure); err != nil {
			return err
		}
	}
	if b.To > n.loaded {
		err := db.shards[0].insert(ctx, db.cfg.Insert, "INSERT INTO "+db.cfg.Database+".loaded (node, position)",
			fmt.Sprintf("loaded/%s/%d", b.Node, b.To), []string{b.Node}, []uint64{uint64(b.To)})
		if err != nil {
			return err
		}
		n.loaded = b.To
	}
	n.sure = true
	db.settleNowAndThen(ctx)
	return nil
}

func validateBatch(b store.Batch) error {
	e := kangma.E(kangma.Invalid, "batch", "this is not a batch of a journal")
	if b.Node == "" || len(b.Node) > store.MaxRecordID || b.From > b.To {
		return e
	}
	last := b.From
	for _, r := range b.Rows {
		if r.Position <= last || r.Position > b.To || r.Passage.ID.IsZero() {
			return e
		}
		last = r.Position
	}
	return nil
}

// node gives what this process knows of a node; the first time it asks how far the node is loaded.
func (db *DB) node(ctx context.Context, name string) (*nodeState, error) {
	db.mu.Lock()
	n := db.nodes[name]
	if n == nil {
		n = &nodeState{}
		db.nodes[name] = n
	}
	known := n.known
	db.mu.Unlock()
	if known {
		return n, nil
	}
	loaded, err := db.Loaded(ctx, name)
	if err == nil {
		n.loaded, n.known = loaded, true
	}
	return n, err
}

// Loaded returns up to where the node's journal is loaded. It is written after the rows, so it is never ahead of them.
func (db *DB) Loaded(ctx context.Context, node string) (store.Position, error) {
	var p uint64
	err := db.shards[0].query(ctx, db.cfg.Insert, "SELECT max(position) FROM "+db.cfg.Database+".loaded WHERE node = "+quote(node), func(r driver.Rows) error {
		return r.Scan(&p)
	})
	return store.Position(p), err
}

// dayRows are the rows of a batch that lie in one day, each passage once, in the batch's order.
type dayRows struct {
	day  int64
	rows []*store.Row
}

func splitDays(rows []store.Row, floor int64) []dayRows {
	seen := make(map[kangma.EventID]struct{}, len(rows))
	at := map[int64]int{}
	var out []dayRows
	for i := range rows {
		r := &rows[i]
		day := partitionOf(r)
		if _, again := seen[r.Passage.ID]; again || day < floor {
			continue
		}
		seen[r.Passage.ID] = struct{}{}
		n, known := at[day]
		if !known {
			n = len(out)
			at[day], out = n, append(out, dayRows{day: day})
		}
		out[n].rows = append(out[n].rows, r)
	}
	slices.SortFunc(out, func(a, b dayRows) int { return int(a.day - b.day) })
	return out
}

// partitionOf gives the day of a row; a gate whose clock is beyond reason lands in the first or last one.
func partitionOf(r *store.Row) int64 { return min(max(dayOf(r.Passage.At), 0), 9999_12_31) }

// loadDay stores the rows of one day that are not there, and looks whether each is there once. sure says that no insert
// of this node with an unknown outcome is about.
func (db *DB) loadDay(ctx context.Context, node string, d dayRows, sure bool) error {
	there, narrow, err := db.present(ctx, d)
	if err != nil {
		return err
	}
	missing := d.rows
	if len(there) > 0 {
		missing = slices.DeleteFunc(slices.Clone(d.rows), func(r *store.Row) bool { return there[r.Passage.ID] })
	}
	if len(missing) == 0 {
		return nil
	}
	if !sure { // the insert that was never answered may still come: from now on count with care
		if err := db.doubt(ctx, d.day, true); err != nil {
			return err
		}
	}
	if err := db.insertMissing(ctx, node, d.day, missing); err != nil {
		return err
	}
	if narrow && len(there) == 0 {
		if ok, err := db.confirmNew(ctx, node, d); ok || err != nil {
			return err
		}
	}
	return db.confirm(ctx, d)
}

// insertMissing sends each shard its rows, all shards at once.
func (db *DB) insertMissing(ctx context.Context, node string, day int64, rows []*store.Row) error {
	var all sync.WaitGroup
	errs := make([]error, len(db.shards))
	for s, rows := range db.byShard(rows) {
		all.Go(func() {
			for part := range slices.Chunk(rows, maxInsert) {
				if errs[s] == nil {
					errs[s] = db.insertRows(ctx, db.shards[s], node, day, part)
				}
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// byShard spreads rows by pseudonym, those of nobody by id.
func (db *DB) byShard(rows []*store.Row) [][]*store.Row {
	if len(db.shards) == 1 {
		return [][]*store.Row{rows}
	}
	out := make([][]*store.Row, len(db.shards))
	for _, r := range rows {
		key := binary.BigEndian.Uint64(r.Passage.Person[:8])
		if r.Passage.Person == (kangma.Pseudonym{}) {
			key = binary.BigEndian.Uint64(r.Passage.ID[8:])
		}
		s := int(key % uint64(len(db.shards)))
		out[s] = append(out[s], r)
	}
	return out
}

// doubt marks a day or clears its mark.
func (db *DB) doubt(ctx context.Context, day int64, open bool) error {
	flag := uint8(0)
	if open {
		flag = 1
		db.cfg.Logger.Warn("a day of the warehouse may hold copies until it is settled", "day", day)
	}
	at := db.cfg.Now().UnixMicro()
	return db.shards[0].insert(ctx, db.cfg.Insert, "INSERT INTO "+db.cfg.Database+".doubts (day, at, open)",
		"", []uint32{uint32(day)}, []int64{at}, []uint8{flag})
}

// doubtful gives the days that may hold copies and when each was last marked.
func (db *DB) doubtful(ctx context.Context) (map[int64]time.Time, error) {
	out := map[int64]time.Time{}
	sql := "SELECT day, max(at * open), max(at * (1 - open)) FROM " + db.cfg.Database + ".doubts GROUP BY day"
	err := db.shards[0].query(ctx, db.cfg.Insert, sql, func(r driver.Rows) error {
		var day uint32
		var marked, cleared int64
		if err := r.Scan(&day, &marked, &cleared); err != nil {
			return err
		}
		if marked >= cleared {
			out[int64(day)] = time.UnixMicro(marked)
		}
		return nil
	})
	return out, err
}
