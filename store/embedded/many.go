package embedded

import (
	"context"
	"database/sql/driver"
	"strings"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

var _ store.Many = dossiers{}

// manyAtOnce is how many people one statement reads.
const manyAtOnce = 64

var selectMany = "SELECT person, data FROM dossier WHERE person IN (?" + strings.Repeat(", ?", manyAtOnce-1) + ")"

// GetMany reads people 64 a statement. SQLite looks them up in the order of their ids, so that neighbours share pages.
func (s dossiers) GetMany(ctx context.Context, people []kangma.PersonID) ([]kangma.Dossier, error) {
	out, at := make([]kangma.Dossier, len(people)), make(map[kangma.PersonID][]int, len(people))
	for i, id := range people {
		at[id] = append(at[id], i)
	}
	err := s.f.readers.with(ctx, func(c *conn) error {
		args := make([]driver.Value, manyAtOnce)
		for rest := people; len(rest) > 0; rest = rest[min(len(rest), manyAtOnce):] {
			for i := range args { // the last one fills up
				args[i] = rest[min(i, len(rest)-1)][:]
			}
			err := c.each(selectMany, args, func(row []driver.Value) error {
				person, _ := row[0].([]byte)
				if len(person) != len(kangma.PersonID{}) {
					return errDamaged
				}
				d, err := dossierOf(person, row[1])
				for _, i := range at[kangma.PersonID(person)] {
					out[i] = d
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
