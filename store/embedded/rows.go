package embedded

import (
	"database/sql/driver"
	"strings"
)

// rowsAtOnce is how many rows one statement stores: a call into SQLite costs as much as a row.
const rowsAtOnce = 32

// rows stores many rows of so many columns with few statements.
type rows struct {
	one, many string
	columns   int
}

func rowsOf(head string, columns int, tail string) rows {
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	return rows{one: head + row + tail, many: head + row + strings.Repeat(", "+row, rowsAtOnce-1) + tail, columns: columns}
}

// exec stores the rows whose columns stand one after the other in args, and gives how many it stored.
func (r rows) exec(c *conn, args []driver.Value) (stored int64, err error) {
	for len(args) > 0 && err == nil {
		sql, width := r.one, r.columns
		if many := r.columns * rowsAtOnce; len(args) >= many {
			sql, width = r.many, many
		}
		var n int64
		n, err = c.exec(sql, args[:width]...)
		stored, args = stored+n, args[width:]
	}
	return stored, err
}
