package embedded

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/mattn/go-sqlite3"

	"github.com/kangma/kangma"
)

// backupPages is how many pages are copied between two looks at the context, four megabytes.
const backupPages = 1024

// Backup copies the file as it is now to a new file at dest, while reads and writes go on. The copy is of one moment:
// dossiers, records and marks in it belong together, so replay of the journal from its mark brings it up to date. What
// is found at dest is whole or not there. progress, if not nil, is told how many of all pages are copied.
// kangma.Conflict: there is a file at dest.
func (f *file) Backup(ctx context.Context, dest string, progress func(done, total int)) error {
	return f.readers.with(ctx, func(c *conn) error {
		return copyTo(ctx, c, dest, progress)
	})
}

// Restore copies a backup to a new file at dest after looking through it for damage. Open brings its tables up to date.
// kangma.Conflict: there is a file at dest; kangma.Internal with code store_damaged: the backup is.
func Restore(ctx context.Context, backup, dest string, progress func(done, total int)) error {
	if _, err := os.Stat(backup); err != nil {
		return kangma.E(kangma.NotFound, "backup", "there is no such backup").Because(err)
	}
	dsn, err := dsnOf(backup, Options{})
	if err != nil {
		return err
	}
	c, err := dial(dsn)
	if err != nil {
		return err
	}
	defer c.close()
	if err := check(c, false); err != nil {
		return wrap(err)
	}
	return wrap(copyTo(ctx, c, dest, progress))
}

func copyTo(ctx context.Context, c *conn, dest string, progress func(done, total int)) (err error) {
	if _, err := os.Stat(dest); !errors.Is(err, fs.ErrNotExist) {
		return kangma.E(kangma.Conflict, "exists", "there is already a file where the copy should go")
	}
	part := dest + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errUnavailable.Because(err)
	}
	created, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return errUnavailable.Because(err)
	}
	created.Close()
	defer func() {
		if err != nil {
			os.Remove(part)
		}
	}()
	to, err := dial((&url.URL{Scheme: "file", Path: absolute(part), RawQuery: "_mutex=no&_synchronous=FULL"}).String())
	if err != nil {
		return err
	}
	// The open transaction keeps the copy at one moment; without it every write would make SQLite begin again.
	err = errors.Join(snapshot(c, func() error { return copyPages(ctx, c, to, progress) }), to.close())
	if err != nil {
		return err
	}
	return publish(part, dest)
}

func copyPages(ctx context.Context, from, to *conn, progress func(done, total int)) error {
	err := from.each("SELECT count(*) FROM sqlite_schema", nil, func([]driver.Value) error { return nil }) // the moment is now
	if err != nil {
		return err
	}
	b, err := to.raw.Backup("main", from.raw, "main")
	if err != nil {
		return err
	}
	for done := false; !done && err == nil; {
		if err = ctx.Err(); err != nil {
			break
		}
		if done, err = b.Step(backupPages); err == nil && progress != nil {
			progress(b.PageCount()-b.Remaining(), b.PageCount())
		}
		if busy := (sqlite3.Error{}); errors.As(err, &busy) && (busy.Code == sqlite3.ErrBusy || busy.Code == sqlite3.ErrLocked) {
			err = nil // the copy goes on where it was
		}
	}
	return errors.Join(err, b.Finish())
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// publish makes a finished file durable under its name.
func publish(part, dest string) error {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return errUnavailable.Because(err)
	}
	err = errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(part, dest)
	}
	if err == nil {
		var dir *os.File
		if dir, err = os.Open(filepath.Dir(dest)); err == nil {
			err = errors.Join(dir.Sync(), dir.Close())
		}
	}
	if err != nil {
		return errUnavailable.Because(fmt.Errorf("publish copy: %w", err))
	}
	return nil
}
