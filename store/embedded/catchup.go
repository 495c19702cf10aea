package embedded

import (
	"bytes"
	"cmp"
	"context"
	"database/sql/driver"
	"math"
	"slices"
	"strings"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// catchUpChunk is how many people one transaction of CatchUp stores: others who write wait no longer than for one.
const catchUpChunk = 500

// placedRow is a dossier with the row it lies in.
type placedRow struct {
	row int64
	store.Packed
}

// CatchUp stores the newest version of people whose blind indexes did not change, whatever versions lie between; what is
// there in a later version stays. They are written in the order in which they lie in the file, so that each page is read and
// written once, in transactions of a few hundred; done is told of each. People must be distinct; CatchUp sorts them.
func (s dossiers) CatchUp(ctx context.Context, people []store.Packed, done func([]store.Packed)) error {
	slices.SortFunc(people, func(a, b store.Packed) int { return bytes.Compare(a.Person[:], b.Person[:]) })
	rows := make([]placedRow, len(people))
	for i, p := range people {
		if p.Version == 0 || p.Version > math.MaxInt64 {
			return errVersion
		}
		rows[i] = placedRow{row: -1, Packed: p}
	}
	if err := s.place(ctx, rows); err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b placedRow) int { return cmp.Compare(a.row, b.row) })
	for chunk := range slices.Chunk(rows, catchUpChunk) {
		if err := s.catchUp(ctx, chunk); err != nil {
			return err
		}
		stored := make([]store.Packed, len(chunk))
		for i, x := range chunk {
			stored[i] = x.Packed
		}
		done(stored)
	}
	return nil
}

var selectRows = "SELECT person, rowid FROM dossier WHERE person IN (?" + strings.Repeat(", ?", manyAtOnce-1) + ")"

// place finds the rows of people who are in order of their ids. That needs the index alone.
func (s dossiers) place(ctx context.Context, rows []placedRow) error {
	return s.f.readers.with(ctx, func(c *conn) error {
		args := make([]driver.Value, manyAtOnce)
		for group := range slices.Chunk(rows, manyAtOnce) {
			for i := range args { // the last one fills up
				args[i] = group[min(i, len(group)-1)].Person[:]
			}
			err := c.each(selectRows, args, func(row []driver.Value) error {
				person, _ := row[0].([]byte)
				at, found := slices.BinarySearchFunc(group, person, func(x placedRow, id []byte) int { return bytes.Compare(x.Person[:], id) })
				if found {
					group[at].row, _ = row[1].(int64)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s dossiers) catchUp(ctx context.Context, rows []placedRow) error {
	data := make([][]byte, len(rows))
	for i, x := range rows {
		data[i] = sealRow(x.Person[:], append(make([]byte, 0, len(x.Data)+4), x.Data...))
	}
	return s.f.write(ctx, len(rows), func(c *conn) error {
		for i, x := range rows {
			n, err := c.exec("UPDATE dossier SET version = ?, data = ? WHERE rowid = ? AND person = ? AND version < ?",
				int64(x.Version), data[i], x.row, x.Person[:], int64(x.Version))
			if err == nil && n == 0 { // a later version is there, or the row lies elsewhere by now
				err = restorePacked(c, x.Packed)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func restorePacked(c *conn, p store.Packed) error {
	d, err := wire.DecodeDossier(p.Data)
	if err != nil {
		return err
	}
	return changeOf(d).restore(c)
}

// WireMany calls f with the dossiers of these people in their wire form, in no order; of nobody it is not called.
func (s dossiers) WireMany(ctx context.Context, people []kangma.PersonID, f func(id kangma.PersonID, data []byte)) error {
	return s.f.readers.with(ctx, func(c *conn) error {
		args := make([]driver.Value, manyAtOnce)
		for group := range slices.Chunk(people, manyAtOnce) {
			for i := range args { // the last one fills up
				args[i] = group[min(i, len(group)-1)][:]
			}
			err := c.each(selectMany, args, func(row []driver.Value) error {
				person, _ := row[0].([]byte)
				if len(person) != len(kangma.PersonID{}) {
					return errDamaged
				}
				data, err := openRow(person, row[1])
				if err == nil {
					f(kangma.PersonID(person), data)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
