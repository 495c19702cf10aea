package clickhouse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kangma/kangma/store"
)

var _ store.Archive = (*DB)(nil)

const (
	nodesSQL = "SELECT node, max(position) FROM %s.loaded GROUP BY node"
	rowsSQL  = "SELECT " + passageColumns + ", node, position FROM %s.%s FINAL WHERE node = %s AND position >= %d AND position <= %d ORDER BY position"
	daysSQL  = "SELECT DISTINCT day FROM %s.%s WHERE day >= %d ORDER BY day"
	daySQL   = "SELECT " + passageColumns + ", node, position FROM %s.%s FINAL WHERE day = %d"
)

// Nodes gives the nodes whose journals were loaded, and up to where.
func (db *DB) Nodes(ctx context.Context) (map[string]store.Position, error) {
	out := map[string]store.Position{}
	err := db.shards[0].query(ctx, db.cfg.Insert, fmt.Sprintf(nodesSQL, db.cfg.Database), func(r driver.Rows) error {
		var node string
		var p uint64
		err := r.Scan(&node, &p)
		out[node] = store.Position(p)
		return err
	})
	return out, err
}

// Rows gives the rows of one node with positions in [from, to]. A passage that two nodes hold is with the one that
// loaded it first. It reads the positions of every passage there is.
func (db *DB) Rows(ctx context.Context, node string, from, to store.Position) ([]store.Row, error) {
	var out []store.Row
	sql := fmt.Sprintf(rowsSQL, db.cfg.Database, db.table, quote(node), from, to)
	err := db.shards[0].query(ctx, time.Hour, sql, func(r driver.Rows) error {
		_, row, err := scanRow(r)
		out = append(out, row)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// archivePage is how many rows All hands over at once.
const archivePage = 5000

// All calls f with every passage that is kept, day by day.
func (db *DB) All(ctx context.Context, f func(node string, rows []store.Row) error) error {
	floor, err := db.readFloor(ctx)
	if err != nil {
		return err
	}
	var days []int64
	err = db.shards[0].query(ctx, time.Hour, fmt.Sprintf(daysSQL, db.cfg.Database, db.table, floor), func(r driver.Rows) error {
		var day uint32
		err := r.Scan(&day)
		days = append(days, int64(day))
		return err
	})
	if err != nil {
		return err
	}
	for _, day := range days {
		if err := db.allOfDay(ctx, day, f); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) allOfDay(ctx context.Context, day int64, f func(node string, rows []store.Row) error) error {
	page, n := map[string][]store.Row{}, 0
	hand := func() error {
		for _, node := range slices.Sorted(maps.Keys(page)) {
			rows := page[node]
			slices.SortFunc(rows, func(a, b store.Row) int { return cmp.Compare(a.Position, b.Position) })
			if err := f(node, rows); err != nil {
				return err
			}
		}
		page, n = map[string][]store.Row{}, 0
		return nil
	}
	err := db.shards[0].query(ctx, time.Hour, fmt.Sprintf(daySQL, db.cfg.Database, db.table, day), func(r driver.Rows) error {
		node, row, err := scanRow(r)
		if err != nil {
			return err
		}
		page[node] = append(page[node], row)
		if n++; n < archivePage {
			return nil
		}
		return hand()
	})
	if err != nil {
		return err
	}
	return hand()
}

// withOrigin reads the two columns behind those of a passage.
type withOrigin struct {
	driver.Rows
	node     *string
	position *uint64
}

// Scan is that of the rows with the two more.
func (w withOrigin) Scan(dest ...any) error { return w.Rows.Scan(append(dest, w.node, w.position)...) }

func scanRow(r driver.Rows) (node string, row store.Row, err error) {
	var position uint64
	row.Passage, err = scanPassage(withOrigin{r, &node, &position})
	row.Position = store.Position(position)
	return node, row, err
}
