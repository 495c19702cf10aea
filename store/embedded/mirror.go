package embedded

import (
	"bytes"
	"context"
	"database/sql/driver"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Mirror is a state file that is kept as a copy of another store, whatever the versions of what it held before.
type Mirror struct{ *DB }

// Page makes the people with ids after one and up to another those of the page, in order of id, and nobody else, in one
// transaction. It writes only what differs.
func (m Mirror) Page(ctx context.Context, after, through kangma.PersonID, page []kangma.Dossier) error {
	changes := make([]change, len(page))
	for i, d := range page {
		changes[i] = changeOf(d)
	}
	from := append(after[:], 0) // the smallest key after it
	return m.file.write(ctx, 1+len(page)/4, func(c *conn) error {
		there := map[string][]byte{} // what is there and not yet found in the page: found_by
		same := map[string]bool{}
		next := 0
		err := c.each("SELECT person, found_by, data FROM dossier WHERE person >= ? AND person <= ?", []driver.Value{from, through[:]}, func(row []driver.Value) error {
			person, _ := row[0].([]byte)
			foundBy, _ := row[1].([]byte)
			data, _ := row[2].([]byte)
			for next < len(changes) && bytes.Compare(changes[next].person, person) < 0 {
				next++
			}
			if next < len(changes) && bytes.Equal(changes[next].person, person) && bytes.Equal(changes[next].data, data) && bytes.Equal(changes[next].foundBy, foundBy) {
				same[string(person)] = true
				return nil
			}
			there[string(person)] = bytes.Clone(foundBy)
			return nil
		})
		if err != nil {
			return err
		}
		for _, x := range changes {
			if same[string(x.person)] {
				continue
			}
			old := there[string(x.person)]
			delete(there, string(x.person))
			if err := x.replace(c, old); err != nil {
				return err
			}
		}
		for person, old := range there {
			gone := change{person: []byte(person)}
			if _, err := c.exec("DELETE FROM dossier WHERE person = ?", gone.person); err != nil {
				return err
			}
			if err := gone.index(c, old); err != nil {
				return err
			}
		}
		return nil
	})
}

// replace stores the dossier whatever is there.
func (x change) replace(c *conn, old []byte) error {
	if _, err := c.exec("INSERT OR REPLACE INTO dossier (person, version, found_by, data) VALUES (?, ?, ?, ?)",
		x.person, int64(x.version), x.foundBy, x.data); err != nil {
		return err
	}
	return x.index(c, old)
}

// Copy stores records as they are, tombstones too, whatever is there. It writes only what differs.
func (m Mirror) Copy(ctx context.Context, all []store.Record) error {
	rows, weight := make([][]byte, len(all)), 1
	for i, r := range all {
		rows[i] = recordRow(r)
		weight += len(rows[i]) / 4096
	}
	return m.file.write(ctx, weight, func(c *conn) error {
		for i, r := range all {
			id, deleted, same := []byte(r.ID), int64(0), false
			err := c.each("SELECT version, deleted, data FROM record WHERE kind = ? AND id = ?", []driver.Value{r.Kind, id}, func(row []driver.Value) error {
				version, _ := row[0].(int64)
				data, _ := row[2].([]byte)
				same = uint64(version) == r.Version && bytes.Equal(data, rows[i])
				return nil
			})
			if err != nil {
				return err
			}
			if same {
				continue
			}
			if r.Deleted {
				deleted = 1
			}
			if _, err := c.exec("INSERT OR REPLACE INTO record (kind, id, version, deleted, data) VALUES (?, ?, ?, ?, ?)", r.Kind, id, int64(r.Version), deleted, rows[i]); err != nil {
				return err
			}
			if err := indexRecord(c, r, true); err != nil {
				return err
			}
		}
		return nil
	})
}

// Clear forgets everything.
func (m Mirror) Clear(ctx context.Context) error {
	return m.file.write(ctx, 1, func(c *conn) error {
		for _, table := range []string{"dossier", "blind_index", "record", "record_index"} {
			if _, err := c.exec("DELETE FROM " + table); err != nil {
				return err
			}
		}
		return nil
	})
}
