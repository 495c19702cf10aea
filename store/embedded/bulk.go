package embedded

import (
	"database/sql/driver"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// A new file that is filled by a Loader (Options.Bulk) gets its indexes in large runs, each in its order: entries wait in memory,
// are sorted once and go in many a statement. People and records come in order of their keys from a snapshot, so that the
// file only grows at its end. The first one who comes a second time ends this: from then on everything is kept up to date row
// by row. So does any other write and any read that needs an index.

// Entries that wait at most: 160 MB of blind indexes and as many that are being sorted, and about 160 MB of records' indexes. Tests lower them.
var (
	mostBlind = 4 << 20
	mostNames = 1 << 20
)

// bulk is the filling of a new file. It belongs to the goroutine that has the one connection of such a file. An undone transaction
// takes with it what was put in of others' entries, and leaves entries whose people were not stored: the filling has failed, for
// all that comes after it too, and the file is thrown away.
type bulk struct {
	open   bool // entries wait
	ended  bool // or never were to
	undone int  // transactions that were undone before it began

	blind   []blindEntry
	sorting chan []blindEntry // gives the entries before them, once they are sorted
	names   names
}

// begin starts the filling where the file is new and empty.
func (b *bulk) begin(c *conn, undone int) error {
	if b.open || b.ended {
		return b.whole(undone)
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
	b.open, b.undone = true, undone
	return c.run("DROP INDEX record_index_of")
}

var errFilling = kangma.E(kangma.Unavailable, "filling", "a change was undone while a new state file was being filled; fill another one")

// whole refuses to go on once a transaction was undone.
func (b *bulk) whole(undone int) error {
	if b.open && undone != b.undone {
		return errFilling
	}
	return nil
}

// end puts the entries where they belong.
func (b *bulk) end(c *conn, undone int) error {
	if err := b.whole(undone); err != nil || !b.open {
		return err
	}
	return b.close(c)
}

func (b *bulk) close(c *conn) error {
	if err := b.putBlind(c); err != nil {
		return err
	}
	if err := b.putNames(c); err != nil {
		return err
	}
	b.open, b.ended = false, true
	return c.run("CREATE INDEX record_index_of ON record_index (kind, id)")
}

// run runs a statement that is not kept.
func (c *conn) run(sql string) error {
	_, err := c.raw.Exec(sql, nil)
	return err
}

var (
	insertDossiers = rowsOf("INSERT INTO dossier (person, version, found_by, data) VALUES ", 4, " ON CONFLICT DO NOTHING")
	insertBlind    = rowsOf("INSERT OR REPLACE INTO blind_index (value, person) VALUES ", 2, "")
	insertRecords  = rowsOf("INSERT INTO record (kind, id, version, deleted, data) VALUES ", 5, " ON CONFLICT DO NOTHING")
	insertNames    = rowsOf("INSERT OR REPLACE INTO record_index (kind, name, value, id) VALUES ", 4, "")
)

// sortBlind begins to sort the entries that wait, beside the filling. Those before them are put in first: they are older.
func (b *bulk) sortBlind(c *conn) error {
	if err := b.putSorted(c); err != nil {
		return err
	}
	all, sorted := b.blind, make(chan []blindEntry, 1)
	go func() { sortBlind(all); sorted <- all }()
	b.blind, b.sorting = nil, sorted
	return nil
}

// putBlind puts all entries in.
func (b *bulk) putBlind(c *conn) error {
	if err := b.sortBlind(c); err != nil {
		return err
	}
	return b.putSorted(c)
}

func (b *bulk) putSorted(c *conn) error {
	if b.sorting == nil {
		return nil
	}
	all := <-b.sorting
	b.sorting = nil
	args := make([]driver.Value, 0, 2*rowsAtOnce)
	values := make([]byte, 0, 16*rowsAtOnce)
	for part := range slices.Chunk(all, rowsAtOnce) {
		args, values = args[:0], values[:0]
		for i := range part {
			values = part[i].value(values)
			args = append(args, values[len(values)-16:], part[i].person[:])
		}
		if _, err := insertBlind.exec(c, args); err != nil {
			return err
		}
	}
	return nil
}

func (b *bulk) putNames(c *conn) error {
	for _, of := range b.names.inOrder() {
		l := b.names.lists[of]
		l.sort()
		args := make([]driver.Value, 0, 4*rowsAtOnce)
		for part := range slices.Chunk(l.entries, rowsAtOnce) {
			args = args[:0]
			for i := range part {
				value, id := l.text(&part[i])
				args = append(args, of.kind, of.name, value, id)
			}
			if _, err := insertNames.exec(c, args); err != nil {
				return err
			}
		}
	}
	b.names = names{}
	return nil
}

// insert stores somebody new. added is false where they are there already.
func (x change) insert(c *conn) (added bool, err error) {
	n, err := c.exec("INSERT INTO dossier (person, version, found_by, data) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		x.person, int64(x.version), x.foundBy, x.data)
	return n == 1, err
}

// dossiers stores people; the first page with somebody who is there already ends the filling.
func (b *bulk) dossiers(c *conn, all []change) error {
	if b.open {
		args := make([]driver.Value, 0, 4*len(all))
		for _, x := range all {
			args = append(args, x.person, int64(x.version), x.foundBy, x.data)
		}
		added, err := insertDossiers.exec(c, args)
		if err != nil {
			return err
		}
		if added == int64(len(all)) {
			return b.found(c, all)
		}
		if err := b.close(c); err != nil {
			return err
		}
	}
	for _, x := range all { // again for those that were just stored: it is the same
		if err := x.restore(c); err != nil {
			return err
		}
	}
	return nil
}

// found notes by which indexes people are found.
func (b *bulk) found(c *conn, all []change) error {
	for _, x := range all {
		for i := 0; i+16 <= len(x.foundBy); i += 16 {
			b.blind = append(b.blind, blindEntryOf(x.foundBy[i:], x.person, len(b.blind)))
		}
	}
	if len(b.blind) < mostBlind {
		return nil
	}
	return b.sortBlind(c)
}

// records stores records and their rows, as dossiers does.
func (b *bulk) records(c *conn, all []store.Record, rows [][]byte) error {
	if b.open {
		if b.sorting == nil && b.names.count == 0 { // the first ones: people are nearly through
			if err := b.sortBlind(c); err != nil {
				return err
			}
		}
		args := make([]driver.Value, 0, 5*len(all))
		for i, r := range all {
			deleted := int64(0)
			if r.Deleted {
				deleted = 1
			}
			args = append(args, r.Kind, []byte(r.ID), int64(r.Version), deleted, rows[i])
		}
		added, err := insertRecords.exec(c, args)
		if err != nil {
			return err
		}
		if added == int64(len(all)) {
			return b.listed(c, all)
		}
		if err := b.close(c); err != nil {
			return err
		}
	}
	for i, r := range all {
		if err := restoreRecord(c, r, rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// listed notes under which indexes records are listed.
func (b *bulk) listed(c *conn, all []store.Record) error {
	for _, r := range all {
		if r.Deleted {
			continue
		}
		for name, value := range r.Index {
			b.names.add(r.Kind, name, value, r.ID)
		}
	}
	if b.names.count < mostNames {
		return nil
	}
	return b.putNames(c)
}
