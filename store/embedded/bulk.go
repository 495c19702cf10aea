package embedded

import (
	"database/sql/driver"

	"github.com/kangma/kangma/store"
)

// A new file that is filled by a Loader (Options.Bulk) gets its indexes at the end, in their order: entries wait in temporary
// tables, which only grow at their end, and are sorted once. People and records come in order of their keys from a
// snapshot, so that the file, too, only grows at its end. The first one who comes a second time ends this: from then on
// everything is kept up to date row by row. So does any other write and any read that needs an index.

// bulkTables are made when the first people or records are loaded. rowid is the order of arrival: an index belongs to its newest owner.
var bulkTables = []string{
	"CREATE TEMP TABLE bulk_blind (value BLOB NOT NULL, person BLOB NOT NULL)",
	"CREATE TEMP TABLE bulk_record (kind TEXT NOT NULL, name TEXT NOT NULL, value BLOB NOT NULL, id BLOB NOT NULL)",
	"DROP INDEX record_index_of",
}

var bulkEnd = []string{
	"INSERT OR REPLACE INTO blind_index (value, person) SELECT value, person FROM bulk_blind ORDER BY value, rowid",
	"INSERT OR REPLACE INTO record_index (kind, name, value, id) SELECT kind, name, value, id FROM bulk_record ORDER BY kind, name, value, id",
	"CREATE INDEX record_index_of ON record_index (kind, id)",
	"DROP TABLE bulk_blind",
	"DROP TABLE bulk_record",
}

// bulk is the filling of a new file. It belongs to the goroutine that has the one connection of such a file.
type bulk struct {
	open  bool // entries wait
	ended bool // or never were to
}

// begin makes the temporary tables where the file is new and empty.
func (b *bulk) begin(c *conn) error {
	if b.open || b.ended {
		return nil
	}
	empty := true
	for _, table := range []string{"dossier", "record"} {
		err := c.each("SELECT 1 FROM "+table+" LIMIT 1", nil, func([]driver.Value) error { empty = false; return nil })
		if err != nil {
			return err
		}
	}
	if b.ended = !empty; b.ended {
		return nil
	}
	b.open = true
	return c.run(bulkTables)
}

// end puts the entries where they belong.
func (b *bulk) end(c *conn) error {
	if !b.open {
		return nil
	}
	b.open, b.ended = false, true
	return c.run(bulkEnd)
}

// run runs statements that are not kept.
func (c *conn) run(statements []string) error {
	for _, sql := range statements {
		if _, err := c.raw.Exec(sql, nil); err != nil {
			return err
		}
	}
	return nil
}

// dossier stores somebody new. added is false where they are there already.
func (x change) insert(c *conn) (added bool, err error) {
	n, err := c.exec("INSERT INTO dossier (person, version, found_by, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		x.person, int64(x.version), x.foundBy, x.data)
	return n == 1, err
}

func (b *bulk) dossier(c *conn, x change) error {
	if !b.open {
		return x.restore(c)
	}
	added, err := x.insert(c)
	if err != nil {
		return err
	}
	if !added {
		if err := b.end(c); err != nil {
			return err
		}
		return x.restore(c)
	}
	for i := 0; i+16 <= len(x.foundBy); i += 16 {
		if _, err := c.exec("INSERT INTO bulk_blind (value, person) VALUES (?, ?)", x.foundBy[i:i+16], x.person); err != nil {
			return err
		}
	}
	return nil
}

func (b *bulk) record(c *conn, r store.Record, row []byte) error {
	if !b.open {
		return restoreRecord(c, r, row)
	}
	id, deleted := []byte(r.ID), int64(0)
	if r.Deleted {
		deleted = 1
	}
	n, err := c.exec("INSERT INTO record (kind, id, version, deleted, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", r.Kind, id, int64(r.Version), deleted, row)
	if err != nil {
		return err
	}
	if n == 0 {
		if err := b.end(c); err != nil {
			return err
		}
		return restoreRecord(c, r, row)
	}
	if r.Deleted {
		return nil
	}
	for name, value := range r.Index {
		if _, err := c.exec("INSERT INTO bulk_record (kind, name, value, id) VALUES (?, ?, ?, ?)", r.Kind, name, []byte(value), id); err != nil {
			return err
		}
	}
	return nil
}
