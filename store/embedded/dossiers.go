package embedded

import (
	"bytes"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"hash/crc32"
	"math"
	"strconv"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// dossiers is the state file as store.Dossiers.
type dossiers struct{ f *file }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the checksum of a row: the key is part of it, so that a row moved to another key is found too.
func sum(key, data []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, data)
}

// sealRow puts the checksum behind the data.
func sealRow(key, data []byte) []byte {
	return binary.BigEndian.AppendUint32(data, sum(key, data))
}

// openRow checks and takes off the checksum.
func openRow(key []byte, v driver.Value) ([]byte, error) {
	row, _ := v.([]byte)
	n := len(row) - 4
	if n < 0 || binary.BigEndian.Uint32(row[n:]) != sum(key, row[:n]) {
		return nil, errDamaged
	}
	return row[:n], nil
}

func dossierOf(person []byte, data driver.Value) (kangma.Dossier, error) {
	b, err := openRow(person, data)
	if err != nil {
		return kangma.Dossier{}, err
	}
	d, err := wire.DecodeDossier(b)
	if err != nil {
		return d, errDamaged.Because(err)
	}
	return d, nil
}

func (s dossiers) Get(ctx context.Context, id kangma.PersonID) (d kangma.Dossier, err error) {
	found := false
	err = s.f.readers.with(ctx, func(c *conn) error {
		return c.each("SELECT data FROM dossier WHERE person = ?", []driver.Value{id[:]}, func(row []driver.Value) (err error) {
			found = true
			d, err = dossierOf(id[:], row[0])
			return err
		})
	})
	if err == nil && !found {
		err = errNotFound
	}
	return d, err
}

func (s dossiers) Lookup(ctx context.Context, index kangma.BlindIndex) (id kangma.PersonID, err error) {
	found := false
	err = s.f.readers.with(ctx, func(c *conn) error {
		return c.each("SELECT person FROM blind_index WHERE value = ?", []driver.Value{index[:]}, func(row []driver.Value) error {
			b, ok := row[0].([]byte)
			if !ok || len(b) != len(id) {
				return errDamaged
			}
			id, found = kangma.PersonID(b), true
			return nil
		})
	})
	if err == nil && !found {
		err = errNotFound
	}
	return id, err
}

func (s dossiers) Scan(ctx context.Context, partition int, after kangma.PersonID, limit int) (page []kangma.Dossier, err error) {
	err = s.scan(ctx, partition, after, limit, func(person []byte, _ driver.Value, data driver.Value) error {
		d, err := dossierOf(person, data)
		page = append(page, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

var _ store.PackedScanner = dossiers{}

// ScanPacked is Scan in the wire form; checksums are looked at, what is in the form is not.
func (s dossiers) ScanPacked(ctx context.Context, partition int, after kangma.PersonID, limit int) (page []store.Packed, err error) {
	err = s.scan(ctx, partition, after, limit, func(person []byte, version, row driver.Value) error {
		n, _ := version.(int64)
		data, err := openRow(person, row)
		if err != nil || len(person) != len(kangma.PersonID{}) || n < 1 {
			return errDamaged
		}
		page = append(page, store.Packed{Person: kangma.PersonID(person), Version: uint64(n), Data: data})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// scan calls f with the rows of up to limit people of a partition after an id.
func (s dossiers) scan(ctx context.Context, partition int, after kangma.PersonID, limit int, f func(person []byte, version, data driver.Value) error) error {
	if partition < 0 || partition >= store.Partitions || limit < 1 {
		return kangma.E(kangma.Invalid, "scan", "a partition is 0 to 255 and a limit at least 1")
	}
	from := append(after[:], 0) // the smallest key after it
	if low := []byte{byte(partition)}; bytes.Compare(from, low) < 0 {
		from = low
	}
	until := bytes.Repeat([]byte{0xff}, 17)
	until[0] = byte(partition)
	return s.f.readers.with(ctx, func(c *conn) error {
		const sql = "SELECT person, version, data FROM dossier WHERE person >= ? AND person <= ? ORDER BY person LIMIT ?"
		return c.each(sql, []driver.Value{from, until, int64(limit)}, func(row []driver.Value) error {
			person, _ := row[0].([]byte)
			return f(person, row[1], row[2])
		})
	})
}

// change is one dossier ready to be written.
type change struct {
	person  []byte
	version uint64
	foundBy []byte
	data    []byte
}

func changeOf(d kangma.Dossier) change {
	person := bytes.Clone(d.Person[:])
	c := change{person: person, version: d.Version, foundBy: make([]byte, 0, 16*len(d.Sealed.Indexes))}
	for _, x := range d.Sealed.Indexes {
		c.foundBy = append(c.foundBy, x[:]...)
	}
	c.data = sealRow(person, wire.EncodeDossier(d))
	return c
}

func (s dossiers) Update(ctx context.Context, mark store.Mark, ds ...kangma.Dossier) error {
	if len(ds) == 0 && mark == (store.Mark{}) {
		return ctx.Err()
	}
	changes := make([]change, len(ds))
	for i, d := range ds {
		changes[i] = changeOf(d)
	}
	var lost []kangma.PersonID
	err := s.f.write(ctx, 1+len(ds), func(c *conn) error {
		lost = nil
		for _, x := range changes {
			won, err := x.write(c)
			if err != nil {
				return err
			}
			if !won {
				lost = append(lost, kangma.PersonID(x.person))
			}
		}
		if len(lost) > 0 || mark == (store.Mark{}) {
			return nil
		}
		return writeMark(c, mark)
	})
	if err == nil && len(lost) > 0 {
		return &store.Lost{People: lost}
	}
	return err
}

// write stores the dossier if its version is the next one. Nearly always that is one statement.
func (x change) write(c *conn) (won bool, err error) {
	if x.version == 0 || x.version > math.MaxInt64 {
		return false, nil
	}
	var n int64
	if x.version == 1 {
		n, err = c.exec("INSERT INTO dossier (person, version, found_by, data) VALUES (?, 1, ?, ?) ON CONFLICT DO NOTHING",
			x.person, x.foundBy, x.data)
		if err != nil || n == 0 {
			return false, err
		}
		return true, x.index(c, nil)
	}
	n, err = c.exec("UPDATE dossier SET version = ?, data = ? WHERE person = ? AND version = ? AND found_by = ?",
		int64(x.version), x.data, x.person, int64(x.version)-1, x.foundBy)
	if err != nil || n == 1 {
		return n == 1, err
	}
	return x.writeIndexed(c)
}

// writeIndexed stores a dossier whose indexes changed, or finds that it lost.
func (x change) writeIndexed(c *conn) (won bool, err error) {
	var old []byte
	err = c.each("SELECT found_by FROM dossier WHERE person = ? AND version = ?", []driver.Value{x.person, int64(x.version) - 1},
		func(row []driver.Value) error {
			old, _ = row[0].([]byte)
			won = true
			return nil
		})
	if err != nil || !won {
		return false, err
	}
	if _, err = c.exec("UPDATE dossier SET version = ?, data = ?, found_by = ? WHERE person = ?",
		int64(x.version), x.data, x.foundBy, x.person); err != nil {
		return false, err
	}
	return true, x.index(c, old)
}

// index makes the blind indexes of x find its person, and those of old no longer.
func (x change) index(c *conn, old []byte) error {
	for i := 0; i+16 <= len(old); i += 16 {
		if _, err := c.exec("DELETE FROM blind_index WHERE value = ? AND person = ?", old[i:i+16], x.person); err != nil {
			return err
		}
	}
	for i := 0; i+16 <= len(x.foundBy); i += 16 {
		if _, err := c.exec("INSERT OR REPLACE INTO blind_index (value, person) VALUES (?, ?)", x.foundBy[i:i+16], x.person); err != nil {
			return err
		}
	}
	return nil
}

// writeMark stores how far a node's journal is applied, as the record that Mark names.
func writeMark(c *conn, m store.Mark) error {
	version, err := recordVersion(c, "applied", m.Node)
	if err != nil {
		return err
	}
	r := store.Record{Kind: "applied", ID: m.Node, Version: version + 1, Data: strconv.AppendUint(nil, uint64(m.Applied), 10)}
	if err := r.Validate(); err != nil {
		return err
	}
	_, err = putRecord(c, r, recordRow(r))
	return err
}
