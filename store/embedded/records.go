package embedded

import (
	"context"
	"database/sql/driver"
	"encoding/base64"
	"maps"
	"math"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// records is the state file as store.Records.
type records struct{ f *file }

// recordKey is what the checksum binds a record to.
func recordKey(kind, id string) []byte { return []byte(kind + "\x00" + id) }

func recordRow(r store.Record) []byte { return sealRow(recordKey(r.Kind, r.ID), wire.EncodeRecord(r)) }

func recordOf(kind, id string, data driver.Value) (store.Record, error) {
	b, err := openRow(recordKey(kind, id), data)
	if err != nil {
		return store.Record{}, err
	}
	r, err := wire.DecodeRecord(b)
	if err != nil {
		return r, errDamaged.Because(err)
	}
	return r, nil
}

func (s records) Get(ctx context.Context, kind, id string) (r store.Record, err error) {
	found := false
	err = s.f.readers.with(ctx, func(c *conn) error {
		return c.each("SELECT data FROM record WHERE kind = ? AND id = ?", []driver.Value{kind, []byte(id)}, func(row []driver.Value) (err error) {
			found = true
			r, err = recordOf(kind, id, row[0])
			return err
		})
	})
	switch {
	case err != nil:
		return store.Record{}, err
	case !found, r.Deleted:
		return store.Record{Kind: kind, ID: id, Version: r.Version, Deleted: r.Deleted}, errNotFound
	}
	return r, nil
}

func (s records) Put(ctx context.Context, r store.Record) error {
	if err := r.Validate(); err != nil {
		return err
	}
	r.Index = maps.Clone(r.Index)
	row, won := recordRow(r), false
	err := s.f.write(ctx, 1+len(row)/4096, func(c *conn) (err error) {
		won, err = putRecord(c, r, row)
		return err
	})
	if err == nil && !won {
		return errConflict
	}
	return err
}

// recordVersion gives the stored version, of a tombstone too; 0: none.
func recordVersion(c *conn, kind, id string) (v uint64, err error) {
	err = c.each("SELECT version FROM record WHERE kind = ? AND id = ?", []driver.Value{kind, []byte(id)}, func(row []driver.Value) error {
		n, _ := row[0].(int64)
		v = uint64(n)
		return nil
	})
	return v, err
}

// putRecord stores the record if its version is the next one.
func putRecord(c *conn, r store.Record, row []byte) (won bool, err error) {
	if r.Version == 0 || r.Version > math.MaxInt64 {
		return false, nil
	}
	id, deleted := []byte(r.ID), int64(0)
	if r.Deleted {
		deleted = 1
	}
	var n int64
	if r.Version == 1 {
		n, err = c.exec("INSERT INTO record (kind, id, version, deleted, data) VALUES (?, ?, 1, ?, ?) ON CONFLICT DO NOTHING", r.Kind, id, deleted, row)
	} else {
		n, err = c.exec("UPDATE record SET version = ?, deleted = ?, data = ? WHERE kind = ? AND id = ? AND version = ?",
			int64(r.Version), deleted, row, r.Kind, id, int64(r.Version)-1)
	}
	if err != nil || n == 0 {
		return false, err
	}
	return true, indexRecord(c, r, r.Version > 1)
}

// indexRecord lists the record under its indexes; listed says that an earlier version may be.
func indexRecord(c *conn, r store.Record, listed bool) error {
	id := []byte(r.ID)
	if listed {
		if _, err := c.exec("DELETE FROM record_index WHERE kind = ? AND id = ?", r.Kind, id); err != nil {
			return err
		}
	}
	if r.Deleted {
		return nil
	}
	for name, value := range r.Index {
		if _, err := c.exec("INSERT INTO record_index (kind, name, value, id) VALUES (?, ?, ?, ?)", r.Kind, name, []byte(value), id); err != nil {
			return err
		}
	}
	return nil
}

func (s records) List(ctx context.Context, q store.RecordQuery) (page []store.Record, next string, err error) {
	if err := q.Validate(); err != nil {
		return nil, "", err
	}
	after, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil {
		return nil, "", kangma.E(kangma.Invalid, "cursor", "a cursor is what the page before gave")
	}
	// One more than asked tells whether there is a next page. No id is empty, so the first page begins after "".
	sql, args := "SELECT id, data FROM record WHERE kind = ? AND id > ? AND deleted = 0 ORDER BY id LIMIT ?", []driver.Value{q.Kind}
	if q.Index != "" {
		sql = `SELECT r.id, r.data FROM record_index i CROSS JOIN record r ON r.kind = i.kind AND r.id = i.id
			WHERE i.kind = ? AND i.name = ? AND i.value = ? AND i.id > ? ORDER BY i.id LIMIT ?`
		args = append(args, q.Index, []byte(q.Value))
	}
	args = append(args, after, int64(q.Limit)+1)
	err = s.f.readers.with(ctx, func(c *conn) error {
		return c.each(sql, args, func(row []driver.Value) error {
			id, _ := row[0].([]byte)
			r, err := recordOf(q.Kind, string(id), row[1])
			page = append(page, r)
			return err
		})
	})
	if err != nil {
		return nil, "", err
	}
	if len(page) > q.Limit {
		page = page[:q.Limit]
		next = base64.RawURLEncoding.EncodeToString([]byte(page[q.Limit-1].ID))
	}
	return page, next, nil
}
