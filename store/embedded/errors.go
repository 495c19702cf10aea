package embedded

import (
	"context"
	"errors"

	"github.com/mattn/go-sqlite3"

	"github.com/kangma/kangma"
)

var (
	errDamaged = kangma.E(kangma.Internal, "store_damaged",
		"the embedded database is damaged: stop, move the file away and rebuild it from the journal, or restore a backup")
	errUnavailable = kangma.E(kangma.Unavailable, "store_unavailable", "the embedded database cannot be used now; try again")
	errClosed      = kangma.E(kangma.Unavailable, "store_closed", "the embedded database is closed")
	errNotFound    = kangma.E(kangma.NotFound, "not_found", "there is no such thing")
	errConflict    = kangma.E(kangma.Conflict, "version", "somebody else changed it first; read it again")
	errInternal    = kangma.E(kangma.Internal, "store", "the embedded database refused a statement")
)

// wrap turns an error of SQLite into ours. Messages of SQLite hold no values, only names of tables and files.
func wrap(err error) error {
	var own *kangma.Error
	var se sqlite3.Error
	switch {
	case err == nil, errors.As(err, &own), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case !errors.As(err, &se):
		return errInternal.Because(err)
	}
	switch se.Code {
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB, sqlite3.ErrFormat:
		return errDamaged.Because(err)
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrReadonly, sqlite3.ErrCantOpen,
		sqlite3.ErrNomem, sqlite3.ErrPerm:
		e := errUnavailable.Because(err)
		e.RetryAfter = 1
		return e
	}
	return errInternal.Because(err)
}
