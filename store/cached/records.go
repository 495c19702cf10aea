package cached

import (
	"context"
	"crypto/sha256"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Records is a store.Records that remembers what its reader made of a record, for the few documents that every request
// needs: as it is (Remember) the accounts and gates, packed (RememberPacked) the logins, of which there are millions. Get and
// List ask the store.
type Records struct {
	inner  store.Records
	memory *memory[recordKey, any]
	packed *memory[recordSum, []byte]
}

type recordKey struct{ kind, id string }

// recordSum stands for a kind and an id: the first half of their SHA-256, so that nobody finds two that are alike.
type recordSum [16]byte

func sumOf(kind, id string) recordSum {
	var room [256]byte
	sum := sha256.Sum256(append(append(append(room[:0], kind...), 0), id...))
	return recordSum(sum[:16])
}

// loginBlock is what the memory of packed records is counted in: a resident's login takes one.
const loginBlock = 64

// NewRecords puts a memory in front of inner. An eighth of it is for what is not packed.
func NewRecords(inner store.Records, o Options) *Records {
	o = o.bounded()
	return &Records{inner: inner,
		memory: newMemory(o, func(k recordKey) uint8 {
			if k.id == "" {
				return 0
			}
			return k.id[0] ^ k.id[len(k.id)-1]<<3 ^ k.id[len(k.id)/2]<<1
		}, func() shelf[recordKey, any] {
			return newValues[recordKey, any](min(o.Entries, int(o.Bytes>>13)) / shards)
		}),
		packed: newMemory(o, func(k recordSum) uint8 { return k[15] },
			func() shelf[recordSum, []byte] {
				return newPacked[recordSum](loginBlock, o.Entries/shards, o.Bytes/8*7/shards, o.TTL > 0)
			})}
}

// RememberPacked gives use the bytes that pack made of the record, from memory or anew. They are use's while it runs. An error of
// pack, or kangma.NotFound, is not remembered.
func (r *Records) RememberPacked(ctx context.Context, kind, id string, pack func(store.Record) ([]byte, error), use func([]byte) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	k := sumOf(kind, id)
	room := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	if v, ok := r.packed.get(k, *room); ok {
		return use(v)
	}
	if store.IsRemembered(ctx) {
		return store.ErrNotRemembered
	}
	v, err := r.packed.load(k, func() ([]byte, error) {
		rec, err := r.inner.Get(ctx, kind, id)
		if err != nil {
			return nil, err
		}
		return pack(rec)
	})
	if err != nil {
		return err
	}
	return use(v)
}

// Remember gives what parse made of the record, from memory or anew. The value is shared: nobody may change it. An error,
// kangma.NotFound among them, is not remembered.
func (r *Records) Remember(ctx context.Context, kind, id string, parse func(store.Record) (any, error)) (any, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k := recordKey{kind, id}
	if v, ok := r.memory.get(k, nil); ok {
		return v, nil
	}
	if store.IsRemembered(ctx) {
		return nil, store.ErrNotRemembered
	}
	return r.memory.load(k, func() (any, error) {
		rec, err := r.inner.Get(ctx, kind, id)
		if err != nil {
			return nil, err
		}
		return parse(rec)
	})
}

// Get asks the store.
func (r *Records) Get(ctx context.Context, kind, id string) (store.Record, error) {
	return r.inner.Get(ctx, kind, id)
}

// Put writes through and forgets what was remembered of the record, also after an error, which may have changed it.
func (r *Records) Put(ctx context.Context, rec store.Record) error {
	return r.memory.write([]recordKey{{rec.Kind, rec.ID}}, func() error {
		return r.packed.write([]recordSum{sumOf(rec.Kind, rec.ID)}, func() error { return r.inner.Put(ctx, rec) })
	})
}

// List asks the store.
func (r *Records) List(ctx context.Context, q store.RecordQuery) ([]store.Record, string, error) {
	return r.inner.List(ctx, q)
}

// LastRecord gives a record as the store behind last knew it, where it keeps a copy for the time when it does not answer.
func (r *Records) LastRecord(ctx context.Context, kind, id string) (store.Record, error) {
	l, ok := r.inner.(interface {
		LastRecord(ctx context.Context, kind, id string) (store.Record, error)
	})
	if !ok {
		return store.Record{}, kangma.E(kangma.Unavailable, "no_copy", "nothing is known of the records while they cannot be read")
	}
	return l.LastRecord(ctx, kind, id)
}

var _ store.Dumper = (*Records)(nil)

// Dump asks the store, which must be a store.Dumper.
func (r *Records) Dump(ctx context.Context, f func([]store.Record) error) error {
	d, ok := r.inner.(store.Dumper)
	if !ok {
		return kangma.E(kangma.Internal, "no_dump", "this store of records cannot be copied as a whole")
	}
	return d.Dump(ctx, f)
}
