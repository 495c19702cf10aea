package cached

import (
	"context"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// oneMore is for how many pieces of evidence more there is room in a dossier that is read with many others: who reads many
// mostly adds a piece to each.
const oneMore = 1

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
		if got, ok, err := d.remembered(id, oneMore); err != nil {
			return nil, err
		} else if ok {
			out[i] = got
			continue
		}
		if unknown[id] = append(unknown[id], i); len(unknown[id]) == 1 {
			ask = append(ask, id)
		}
	}
	if len(ask) == 0 {
		return out, nil
	}
	if d.wire != nil {
		return out, d.wireMany(ctx, ask, func(n int, got kangma.Dossier) {
			for _, i := range unknown[ask[n]] {
				out[i] = got
			}
		})
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

// wireMany reads people as the store keeps them, so that nothing is encoded again on the way into memory.
func (d *Dossiers) wireMany(ctx context.Context, ask []kangma.PersonID, f func(n int, got kangma.Dossier)) error {
	data, err := d.loadWire(ctx, ask)
	if err != nil {
		return err
	}
	for n, raw := range data {
		if raw == nil {
			continue
		}
		got, err := decode(raw, oneMore)
		if err != nil {
			return err
		}
		f(n, got)
	}
	return nil
}

// loadWire reads distinct people from the store into memory and gives them, nil where nobody is.
func (d *Dossiers) loadWire(ctx context.Context, ask []kangma.PersonID) ([][]byte, error) {
	data, at := make([][]byte, len(ask)), make(map[kangma.PersonID]int, len(ask))
	for n, id := range ask {
		at[id] = n
	}
	err := d.memory.loadMany(ask,
		func() error {
			return d.wire.WireMany(ctx, ask, func(id kangma.PersonID, raw []byte) { data[at[id]] = raw })
		},
		func(i int) ([]byte, bool) { return data[i], data[i] != nil })
	return data, err
}
