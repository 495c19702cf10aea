package embedded

import (
	"context"
	"database/sql/driver"
	"maps"
	"math"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Loader gives what fills this state again from a snapshot.
func (db *DB) Loader() store.Loader { return loader{db.file} }

type loader struct{ f *file }

// Filled ends the filling of a new file (Options.Bulk): only then do indexes find what the Loader stored. Close does it too.
func (db *DB) Filled(ctx context.Context) error {
	return db.file.writer.do(ctx, 1, db.file.filled)
}

var _ store.Dumper = records{}

var errVersion = kangma.E(kangma.Invalid, "version", "a version is 1 to 2^63-1")

// Dossiers stores dossiers of any version with their indexes, unless later ones are there, in one transaction.
func (l loader) Dossiers(ctx context.Context, dossiers ...kangma.Dossier) error {
	changes := make([]change, len(dossiers))
	for i, d := range dossiers {
		if d.Version == 0 || d.Version > math.MaxInt64 {
			return errVersion
		}
		changes[i] = changeOf(d)
	}
	return l.put(ctx, changes)
}

var _ store.PackedLoader = loader{}

// Packed is Dossiers for those whose wire form the caller has.
func (l loader) Packed(ctx context.Context, people []store.Packed, indexes [][]kangma.BlindIndex) error {
	changes := make([]change, len(people))
	for i, p := range people {
		if p.Version == 0 || p.Version > math.MaxInt64 {
			return errVersion
		}
		x := change{person: p.Person[:], version: p.Version, foundBy: make([]byte, 0, 16*len(indexes[i]))}
		for _, v := range indexes[i] {
			x.foundBy = append(x.foundBy, v[:]...)
		}
		x.data = sealRow(x.person, append(make([]byte, 0, len(p.Data)+4), p.Data...))
		changes[i] = x
	}
	return l.put(ctx, changes)
}

func (l loader) put(ctx context.Context, changes []change) error {
	return l.f.writer.do(ctx, 1+len(changes), func(c *conn) error {
		if err := l.f.filling.begin(c, l.f.writer.undone); err != nil {
			return err
		}
		return l.f.filling.dossiers(c, changes)
	})
}

// restore stores the dossier unless a later version is there.
func (x change) restore(c *conn) error {
	added, err := x.insert(c)
	if err != nil {
		return err
	}
	if added {
		return x.index(c, nil)
	}
	var old []byte
	older := false
	err = c.each("SELECT found_by FROM dossier WHERE person = ? AND version <= ?", []driver.Value{x.person, int64(x.version)}, func(row []driver.Value) error {
		old, _ = row[0].([]byte)
		older = true
		return nil
	})
	if err != nil || !older {
		return err
	}
	if _, err := c.exec("UPDATE dossier SET version = ?, data = ?, found_by = ? WHERE person = ?",
		int64(x.version), x.data, x.foundBy, x.person); err != nil {
		return err
	}
	return x.index(c, old)
}

// Records stores records of any version, tombstones too, unless later ones are there, in one transaction.
func (l loader) Records(ctx context.Context, records ...store.Record) error {
	rows := make([][]byte, len(records))
	for i, r := range records {
		rows[i] = recordRow(r)
	}
	return l.putRecords(ctx, records, rows)
}

// PackedRecords is Records for those whose wire form the caller has.
func (l loader) PackedRecords(ctx context.Context, records []store.Record, data [][]byte) error {
	rows := make([][]byte, len(records))
	for i, r := range records {
		rows[i] = sealRow(recordKey(r.Kind, r.ID), append(make([]byte, 0, len(data[i])+4), data[i]...))
	}
	return l.putRecords(ctx, records, rows)
}

func (l loader) putRecords(ctx context.Context, records []store.Record, rows [][]byte) error {
	weight := 1
	for i, r := range records {
		if err := r.Validate(); err != nil {
			return err
		}
		if r.Version == 0 || r.Version > math.MaxInt64 {
			return errVersion
		}
		weight += 1 + len(rows[i])/4096
	}
	clone := make([]store.Record, len(records))
	for i, r := range records {
		r.Index = maps.Clone(r.Index)
		clone[i] = r
	}
	return l.f.writer.do(ctx, weight, func(c *conn) error {
		if err := l.f.filling.begin(c, l.f.writer.undone); err != nil {
			return err
		}
		return l.f.filling.records(c, clone, rows)
	})
}

func restoreRecord(c *conn, r store.Record, row []byte) error {
	there, err := recordVersion(c, r.Kind, r.ID)
	if err != nil || there > r.Version {
		return err
	}
	id, deleted := []byte(r.ID), int64(0)
	if r.Deleted {
		deleted = 1
	}
	_, err = c.exec("INSERT OR REPLACE INTO record (kind, id, version, deleted, data) VALUES (?, ?, ?, ?, ?)", r.Kind, id, int64(r.Version), deleted, row)
	if err != nil {
		return err
	}
	return indexRecord(c, r, there > 0)
}

// dumpPage is how many records one read of Dump takes.
const dumpPage = 1000

var _ store.PackedDumper = records{}

// Dump calls f with every record of every kind, tombstones too, in order of kind and id.
func (s records) Dump(ctx context.Context, f func([]store.Record) error) error {
	return s.DumpPacked(ctx, func(page []store.PackedRecord) error {
		out := make([]store.Record, len(page))
		for i, p := range page {
			r, err := wire.DecodeRecord(p.Data)
			if err != nil {
				return errDamaged.Because(err)
			}
			out[i] = r
		}
		return f(out)
	})
}

// DumpPacked is Dump in the wire form; checksums are looked at, what is in the form is not.
func (s records) DumpPacked(ctx context.Context, f func([]store.PackedRecord) error) error {
	kind, id := "", []byte{}
	for {
		page := make([]store.PackedRecord, 0, dumpPage)
		err := s.f.readers.with(ctx, func(c *conn) error {
			const sql = "SELECT kind, id, version, deleted, data FROM record WHERE (kind, id) > (?, ?) ORDER BY kind, id LIMIT ?"
			return c.each(sql, []driver.Value{kind, id, int64(dumpPage)}, func(row []driver.Value) error {
				kind, _ = row[0].(string)
				id, _ = row[1].([]byte)
				version, _ := row[2].(int64)
				data, err := openRow(recordKey(kind, string(id)), row[4])
				page = append(page, store.PackedRecord{Kind: kind, ID: string(id), Version: uint64(version), Deleted: row[3] != int64(0), Data: data})
				return err
			})
		})
		if err != nil || len(page) == 0 {
			return err
		}
		if err := f(page); err != nil {
			return err
		}
	}
}
