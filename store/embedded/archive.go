package embedded

import (
	"cmp"
	"context"
	"database/sql/driver"
	"slices"

	"github.com/kangma/kangma/store"
)

var _ store.Archive = (*Warehouse)(nil)

// Nodes gives the nodes whose journals were loaded, and up to where.
func (w *Warehouse) Nodes(ctx context.Context) (map[string]store.Position, error) {
	out := map[string]store.Position{}
	err := w.readers.with(ctx, func(c *conn) error {
		return c.each("SELECT node, position FROM loaded", nil, func(row []driver.Value) error {
			node, _ := row[0].([]byte)
			n, _ := row[1].(int64)
			out[string(node)] = store.Position(n)
			return nil
		})
	})
	return out, err
}

// placed is a row with the node it came from.
type placed struct {
	node string
	store.Row
}

// read gives the rows that a query on passage finds; sql must ask for passageColumns, node, position.
func (w *Warehouse) read(ctx context.Context, c *conn, sql string, args []driver.Value) (found []placed, err error) {
	v, err := w.catalogue.sync(c)
	if err != nil {
		return nil, err
	}
	f := finder{scan: scan{ctx: ctx, c: c, v: v}}
	err = c.each(sql, args, func(row []driver.Value) error {
		f.found = f.found[:0]
		if err := f.take(row); err != nil {
			return err
		}
		p := placed{Row: store.Row{Passage: f.found[0]}}
		code, known := row[9].(int64)
		pos, _ := row[10].(int64)
		if known { // rows of before these columns have neither
			if p.node, err = v.word(code); err != nil {
				return err
			}
			p.Position = store.Position(pos)
		}
		found = append(found, p)
		return ctx.Err()
	})
	return found, err
}

// Rows gives the rows of one node with positions in [from, to]. It looks at every passage there is.
func (w *Warehouse) Rows(ctx context.Context, node string, from, to store.Position) (rows []store.Row, err error) {
	err = w.readers.with(ctx, func(c *conn) error {
		return snapshot(c, func() error {
			const sql = "SELECT " + passageColumns + `, node, position FROM passage WHERE node = (SELECT code FROM word WHERE text = ?)
				AND position >= ? AND position <= ? AND hour >= (SELECT hour FROM floor)`
			found, err := w.read(ctx, c, sql, []driver.Value{[]byte(node), int64(from), int64(min(to, 1<<63-1))})
			for _, p := range found {
				rows = append(rows, p.Row)
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	byPosition(rows)
	return rows, nil
}

func byPosition(rows []store.Row) {
	slices.SortFunc(rows, func(a, b store.Row) int { return cmp.Compare(a.Position, b.Position) })
}

// archivePage is how many passages one read of All takes.
const archivePage = 5000

// All calls f with every passage, hour by hour, those of one node in order of position.
func (w *Warehouse) All(ctx context.Context, f func(node string, rows []store.Row) error) error {
	hour, id := int64(-1<<63), []byte{}
	for {
		var found []placed
		err := w.readers.with(ctx, func(c *conn) error {
			return snapshot(c, func() (err error) {
				floor, err := floorOf(c)
				if err != nil {
					return err
				}
				if hour < floor {
					hour, id = floor, nil
				}
				const sql = "SELECT " + passageColumns + ", node, position FROM passage WHERE (hour, id) > (?, ?) ORDER BY hour, id LIMIT ?"
				found, err = w.read(ctx, c, sql, []driver.Value{hour, append([]byte{}, id...), int64(archivePage)})
				return err
			})
		})
		if err != nil || len(found) == 0 {
			return err
		}
		last := found[len(found)-1].Passage
		hour, id = floorDiv(last.At.UnixMicro(), microsHour), last.ID[:]
		if err := byNode(found, f); err != nil {
			return err
		}
	}
}

// byNode hands rows over node by node.
func byNode(found []placed, f func(node string, rows []store.Row) error) error {
	groups := map[string][]store.Row{}
	var order []string
	for _, p := range found {
		if groups[p.node] == nil {
			order = append(order, p.node)
		}
		groups[p.node] = append(groups[p.node], p.Row)
	}
	slices.Sort(order)
	for _, node := range order {
		byPosition(groups[node])
		if err := f(node, groups[node]); err != nil {
			return err
		}
	}
	return nil
}
