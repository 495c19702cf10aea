package embedded

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
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

// UndoOnce makes the transaction in which f stores something be undone once, together with a change that then succeeds alone.
func UndoOnce(db *DB, f func() error) error {
	w, hold, held := db.file.writer, make(chan struct{}), make(chan struct{})
	go w.do(context.Background(), 1, func(*conn) error { close(held); <-hold; return nil })
	<-held
	stored := make(chan error, 1)
	go func() { stored <- f() }()
	for len(w.jobs) < 1 {
		runtime.Gosched()
	}
	failed := false
	bad := &job{ctx: context.Background(), weight: 1, done: make(chan error, 1), run: func(*conn) error {
		if !failed {
			failed = true
			return errors.New("the disk was full for a moment")
		}
		return nil
	}}
	err := w.send(bad)
	close(hold)
	return errors.Join(err, <-bad.done, <-stored)
}
