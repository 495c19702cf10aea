package cached

import (
	"context"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

var _ store.Many = (*Dossiers)(nil)

// GetMany answers from memory whom it knows and asks the store for the others at once.
func (d *Dossiers) GetMany(ctx context.Context, people []kangma.PersonID) ([]kangma.Dossier, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out := make([]kangma.Dossier, len(people))
	unknown := map[kangma.PersonID][]int{}
	var ask []kangma.PersonID
	for i, id := range people {
		if data, ok := d.memory.get(id); ok {
			var err error
			if out[i], err = wire.DecodeDossier(data); err != nil {
				return nil, err
			}
			continue
		}
		if unknown[id] = append(unknown[id], i); len(unknown[id]) == 1 {
			ask = append(ask, id)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	var got []kangma.Dossier
	err := d.memory.loadMany(ask,
		func() (err error) { got, err = store.GetMany(ctx, d.inner, ask); return err },
		func(i int) ([]byte, bool) {
			if got[i].Version == 0 {
				return nil, false
			}
			return wire.EncodeDossier(got[i]), true
		})
	if err != nil {
		return nil, err
	}
	for n, id := range ask {
		for _, i := range unknown[id] {
			out[i] = got[n]
		}
	}
	return out, nil
}
