package redis

import (
	"context"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

var _ store.Many = (*Dossiers)(nil)

// GetMany reads people in one exchange with each server; a second one asks whether the partitions of those who are not
// there are whole.
func (s *Dossiers) GetMany(ctx context.Context, people []kangma.PersonID) ([]kangma.Dossier, error) {
	calls, spots := make([]*call, len(people)), make([]spot, len(people))
	for i, id := range people {
		spots[i] = s.db.spotOf(id)
		calls[i] = &call{tag: spots[i].tag, args: []any{"HGET", s.db.bucketKey(spots[i].tag, spots[i].bucket), spots[i].field[:]}}
	}
	if err := s.db.do(ctx, 0, calls...); err != nil {
		return nil, err
	}
	out, absent := make([]kangma.Dossier, len(people)), map[int]bool{}
	for i, c := range calls {
		sealed, ok := c.reply.(string)
		if !ok {
			absent[spots[i].tag] = true
			continue
		}
		d, err := s.db.openDossier(spots[i], []byte(sealed))
		if err == nil && d.Person != people[i] {
			err = errDamaged
		}
		if err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, s.db.allPresent(ctx, absent)
}

// allPresent is present for several partitions.
func (db *DB) allPresent(ctx context.Context, tags map[int]bool) error {
	var calls []*call
	for tag := range tags {
		calls = append(calls, &call{tag: tag, args: []any{"HEXISTS", db.stateKey(tag), "e"}})
	}
	if len(calls) == 0 {
		return nil
	}
	if err := db.do(ctx, 0, calls...); err != nil {
		return err
	}
	for _, c := range calls {
		if c.reply != int64(1) {
			return errVanished
		}
	}
	return nil
}
