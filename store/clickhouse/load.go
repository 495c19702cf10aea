package clickhouse

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// maxInsert is the most rows of one INSERT (one block, one part).
const maxInsert = 200_000

const insertPassages = "INSERT INTO %s.passages (day, id, at, gate, gate_kind, district, operator, person, told, colour, " +
	"decision, reason, verified, direction, temperature, vehicle, rules, flags, node, position)"

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

// dayRows are the rows of a batch that lie in one day, each passage once.
type dayRows struct {
	day  int64
	rows []store.Row
}

func splitDays(rows []store.Row, floor int64) []dayRows {
	seen := make(map[kangma.EventID]bool, len(rows))
	byDay := map[int64][]store.Row{}
	for _, r := range rows {
		day := partitionOf(r)
		if day < floor || seen[r.Passage.ID] {
			continue
		}
		seen[r.Passage.ID] = true
		byDay[day] = append(byDay[day], r)
	}
	var out []dayRows
	for day, rows := range byDay {
		out = append(out, dayRows{day, rows})
	}
	slices.SortFunc(out, func(a, b dayRows) int { return int(a.day - b.day) })
	return out
}

// partitionOf gives the day of a row; a gate whose clock is beyond reason lands in the first or last one.
func partitionOf(r store.Row) int64 { return min(max(dayOf(r.Passage.At), 0), 9999_12_31) }

// loadDay stores the rows of one day that are not there, and looks whether each is there once. sure says that no insert
// of this node with an unknown outcome is about.
func (db *DB) loadDay(ctx context.Context, node string, d dayRows, sure bool) error {
	there, err := db.present(ctx, d)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(d.rows), func(r store.Row) bool { return there[r.Passage.ID] })
	if len(missing) == 0 {
		return nil
	}
	if !sure { // the insert that was never answered may still come: from now on count with care
		if err := db.doubt(ctx, d.day, true); err != nil {
			return err
		}
	}
	for s, rows := range db.byShard(missing) {
		for part := range slices.Chunk(rows, maxInsert) {
			if err := db.insertRows(ctx, db.shards[s], node, d.day, part); err != nil {
				return err
			}
		}
	}
	return db.confirm(ctx, d)
}

// byShard spreads rows by pseudonym, those of nobody by id.
func (db *DB) byShard(rows []store.Row) [][]store.Row {
	out := make([][]store.Row, len(db.shards))
	for _, r := range rows {
		s := 0
		if len(db.shards) > 1 {
			key := binary.BigEndian.Uint64(r.Passage.Person[:8])
			if r.Passage.Person == (kangma.Pseudonym{}) {
				key = binary.BigEndian.Uint64(r.Passage.ID[8:])
			}
			s = int(key % uint64(len(db.shards)))
		}
		out[s] = append(out[s], r)
	}
	return out
}

// present tells which of the passages are there, on any shard.
func (db *DB) present(ctx context.Context, d dayRows) (map[kangma.EventID]bool, error) {
	there := map[kangma.EventID]bool{}
	err := db.lookup(ctx, "SELECT id", d, func(r driver.Rows) error {
		var id string
		if err := r.Scan(&id); err != nil {
			return err
		}
		if len(id) == len(kangma.EventID{}) {
			there[kangma.EventID([]byte(id))] = true
		}
		return nil
	})
	return there, err
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

// lookup asks for the rows of a day by their ids, on every shard. The ids travel as a temporary table; their range lets
// the server skip what cannot hold them, because ids made at the same time lie close together.
func (db *DB) lookup(ctx context.Context, what string, d dayRows, scan func(driver.Rows) error) error {
	ids, err := ext.NewTable("ids", ext.Column("id", "FixedString(16)"))
	if err != nil {
		return err
	}
	low, high := d.rows[0].Passage.ID, d.rows[0].Passage.ID
	for _, r := range d.rows {
		id := r.Passage.ID
		if bytes.Compare(id[:], low[:]) < 0 {
			low = id
		}
		if bytes.Compare(id[:], high[:]) > 0 {
			high = id
		}
		if err := ids.Append(string(id[:])); err != nil {
			return err
		}
	}
	sql := fmt.Sprintf("%s FROM %s.%s WHERE day = %d AND id >= %s AND id <= %s AND id IN (SELECT id FROM ids)",
		what, db.cfg.Database, db.table, d.day, quote(string(low[:])), quote(string(high[:])))
	return db.shards[0].query(ch.Context(ctx, ch.WithExternalTable(ids)), db.cfg.Insert, sql, scan)
}

// insertRows sends the rows, all of one day, as one block. Columns are built whole: half the time of row by row.
func (db *DB) insertRows(ctx context.Context, s *shard, node string, day int64, rows []store.Row) error {
	n := len(rows)
	strings := func(f func(p *kangma.Passage) string) []string {
		out := make([]string, n)
		for i := range rows {
			out[i] = f(&rows[i].Passage)
		}
		return out
	}
	days, ats, districts, temperatures := make([]uint32, n), make([]int64, n), make([]uint32, n), make([]int32, n)
	told, colours, decisions := make([]uint8, n), make([]uint8, n), make([]uint8, n)
	flags, nodes, positions := make([][]string, n), make([]string, n), make([]uint64, n)
	for i, r := range rows {
		p := r.Passage
		days[i], ats[i], districts[i] = uint32(partitionOf(r)), p.At.UnixMicro(), uint32(p.District)
		temperatures[i] = int32(min(max(p.Temperature, -1<<31), 1<<31-1))
		colours[i], decisions[i], positions[i] = uint8(p.Colour), uint8(p.Decision), uint64(r.Position)
		if p.Told {
			told[i] = 1
		}
		flags[i], nodes[i] = append([]string{}, p.Flags...), node
	}
	token := fmt.Sprintf("%d/%s/%d-%d/%d/%s", day, node, rows[0].Position, rows[n-1].Position, n, rows[0].Passage.ID)
	return s.insert(ctx, db.cfg.Insert, fmt.Sprintf(insertPassages, db.cfg.Database), token,
		days, strings(func(p *kangma.Passage) string { return string(p.ID[:]) }), ats,
		strings(func(p *kangma.Passage) string { return p.Gate }), strings(func(p *kangma.Passage) string { return p.GateKind }),
		districts, strings(func(p *kangma.Passage) string { return p.Operator }),
		strings(func(p *kangma.Passage) string { return string(p.Person[:]) }), told, colours, decisions,
		strings(func(p *kangma.Passage) string { return p.Reason }), strings(func(p *kangma.Passage) string { return p.Verified }),
		strings(func(p *kangma.Passage) string { return p.Direction }), temperatures,
		strings(func(p *kangma.Passage) string { return p.Vehicle }), strings(func(p *kangma.Passage) string { return p.Rules }),
		flags, nodes, positions)
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
