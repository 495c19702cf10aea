package embedded

import (
	"context"
	"database/sql/driver"
	"fmt"
)

// LimitPages makes the disk of a file as large as n pages, as far as SQLite can tell. 0: as large as it likes.
func LimitPages(f interface{ internal() *file }, n int) error {
	if n == 0 {
		n = 1 << 30
	}
	return f.internal().writer.do(context.Background(), 1, func(c *conn) error {
		return c.each(fmt.Sprintf("PRAGMA max_page_count = %d", n), nil, func([]driver.Value) error { return nil })
	})
}

func (f *file) internal() *file { return f }

// FillInRuns makes a filling put its entries in after so many, until undone.
func FillInRuns(entries int) (undo func()) {
	blind, names := mostBlind, mostNames
	mostBlind, mostNames = entries, entries
	return func() { mostBlind, mostNames = blind, names }
}
