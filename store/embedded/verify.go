package embedded

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/wire"
)

// Report says what Verify looked at.
type Report struct {
	People, Indexes, Records uint64
}

// Verify looks at everything: the structure of the file, every row's checksum, that versions, indexes and contents
// agree. It reads one moment while others go on writing. kangma.Internal with code store_damaged: damage, with one fault
// for each kind of it. progress, if not nil, is told how many rows were read so far.
func (db *DB) Verify(ctx context.Context, progress func(rows uint64)) (r Report, err error) {
	err = db.readers.with(ctx, func(c *conn) error {
		return snapshot(c, func() error {
			v := verifier{ctx: ctx, c: c, progress: progress, faults: map[string]uint64{}}
			if err := v.all(&r); err != nil {
				return err
			}
			return v.verdict()
		})
	})
	return r, err
}

type verifier struct {
	ctx      context.Context
	c        *conn
	progress func(rows uint64)
	rows     uint64
	faults   map[string]uint64
}

func (v *verifier) bad(is bool, what string) {
	if is {
		v.faults[what]++
	}
}

func (v *verifier) tick() error {
	if v.rows++; v.rows%4096 != 0 {
		return nil
	}
	if v.progress != nil {
		v.progress(v.rows)
	}
	return v.ctx.Err()
}

func (v *verifier) verdict() error {
	if len(v.faults) == 0 {
		return nil
	}
	e := *errDamaged
	for what, n := range v.faults {
		e.Faults = append(e.Faults, kangma.Fault{Where: "rows", Code: "damaged", What: fmt.Sprintf("%s: %d", what, n)})
	}
	return &e
}

func (v *verifier) all(r *Report) error {
	err := v.c.each("PRAGMA integrity_check(20)", nil, func(row []driver.Value) error {
		v.bad(row[0] != "ok", "faults in the structure of the file")
		return nil
	})
	if err != nil {
		return err
	}
	if r.People, err = v.count("SELECT person, version, found_by, data FROM dossier", v.dossier); err != nil {
		return err
	}
	if r.Indexes, err = v.count(`SELECT b.value, b.person, d.found_by FROM blind_index b LEFT JOIN dossier d ON d.person = b.person`, v.index); err != nil {
		return err
	}
	r.Records, err = v.count("SELECT kind, id, version, deleted, data FROM record", v.record)
	return err
}

func (v *verifier) count(sql string, f func(row []driver.Value)) (n uint64, err error) {
	err = v.c.each(sql, nil, func(row []driver.Value) error {
		n++
		f(row)
		return v.tick()
	})
	return n, err
}

func (v *verifier) dossier(row []driver.Value) {
	person, _ := row[0].([]byte)
	foundBy, _ := row[2].([]byte)
	d, err := dossierOf(person, row[3])
	v.bad(err != nil, "dossiers that do not fit their checksum")
	if err != nil {
		return
	}
	x := changeOf(d)
	v.bad(string(x.person) != string(person) || int64(d.Version) != row[1] || string(x.foundBy) != string(foundBy),
		"dossiers whose person, version or indexes differ from their row")
}

func (v *verifier) index(row []driver.Value) {
	value, _ := row[0].([]byte)
	foundBy, _ := row[2].([]byte)
	carried := false
	for i := 0; i+16 <= len(foundBy); i += 16 {
		carried = carried || string(foundBy[i:i+16]) == string(value)
	}
	v.bad(!carried, "indexes whose person does not carry them")
}

func (v *verifier) record(row []driver.Value) {
	kind, _ := row[0].(string)
	id, _ := row[1].([]byte)
	b, err := openRow(recordKey(kind, string(id)), row[4])
	v.bad(err != nil, "records that do not fit their checksum")
	if err != nil {
		return
	}
	r, err := wire.DecodeRecord(b)
	deleted, _ := row[3].(int64)
	v.bad(err != nil || r.Kind != kind || r.ID != string(id) || int64(r.Version) != row[2] || r.Deleted != (deleted != 0),
		"records whose name or version differ from their row")
}
