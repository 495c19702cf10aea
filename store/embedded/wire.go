package embedded

import (
	"context"
	"database/sql/driver"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// The methods here are for a memory in front of the store (store/cached), which keeps dossiers as they are stored: so
// nothing is decoded and encoded again on the way into it.

// Wire gives a dossier in its wire form, the caller's own. kangma.NotFound: nobody of that id.
func (s dossiers) Wire(ctx context.Context, id kangma.PersonID) (data []byte, err error) {
	found := false
	err = s.f.readers.with(ctx, func(c *conn) error {
		return c.each("SELECT data FROM dossier WHERE person = ?", []driver.Value{id[:]}, func(row []driver.Value) (err error) {
			found = true
			data, err = openRow(id[:], row[0])
			return err
		})
	})
	if err == nil && !found {
		err = errNotFound
	}
	return data, err
}

// WirePage calls f with up to limit dossiers in their wire form, in the order in which they lie in the file, and gives the
// place to go on from (zero starts). n is how many rows were looked at; 0 means the end. A row whose checksum is wrong is
// left out: whoever asks for it hears of it.
func (s dossiers) WirePage(ctx context.Context, after int64, limit int, f func(id kangma.PersonID, data []byte)) (next int64, n int, err error) {
	next = after
	err = s.f.readers.with(ctx, func(c *conn) error {
		return c.each("SELECT rowid, person, data FROM dossier WHERE rowid > ? ORDER BY rowid LIMIT ?", []driver.Value{after, int64(limit)},
			func(row []driver.Value) error {
				next, _ = row[0].(int64)
				n++
				person, _ := row[1].([]byte)
				if data, err := openRow(person, row[2]); err == nil && len(person) == len(kangma.PersonID{}) {
					f(kangma.PersonID(person), data)
				}
				return nil
			})
	})
	return next, n, err
}

// Page calls f with the records of one kind among the next limit rows of the file, tombstones left out, and gives the place
// to go on from (zero starts). n is how many rows were looked at; 0 means the end.
func (s records) Page(ctx context.Context, kind string, after int64, limit int, f func(store.Record)) (next int64, n int, err error) {
	next = after
	err = s.f.readers.with(ctx, func(c *conn) error {
		return c.each("SELECT rowid, kind, id, deleted, data FROM record WHERE rowid > ? ORDER BY rowid LIMIT ?", []driver.Value{after, int64(limit)},
			func(row []driver.Value) error {
				next, _ = row[0].(int64)
				n++
				id, _ := row[2].([]byte)
				if of, _ := row[1].(string); of != kind || row[3] != int64(0) {
					return nil
				}
				if r, err := recordOf(kind, string(id), row[4]); err == nil {
					f(r)
				}
				return nil
			})
	})
	return next, n, err
}
