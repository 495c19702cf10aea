package registry

import (
	"context"
	"encoding"
	"encoding/json"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// rememberer is a further power of store.Records: to keep what was made of a record (store/cached).
type rememberer interface {
	Remember(ctx context.Context, kind, id string, parse func(store.Record) (any, error)) (any, error)
}

// packer is a further power of store.Records: to keep the packed form of a record (store/cached).
type packer interface {
	RememberPacked(ctx context.Context, kind, id string, pack func(store.Record) ([]byte, error), use func([]byte) error) error
}

// packable are documents of which there are millions: they have a form of a few bytes in which they are remembered.
type packable interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// ReadDoc reads a record whose data is JSON, from memory where the store has one, packed if *T is an encoding.BinaryAppender and an
// encoding.BinaryUnmarshaler. The value is shared by all readers: nobody may change it. Who goes on to write the document uses
// GetDoc. kangma.NotFound: none.
func ReadDoc[T any](ctx context.Context, r store.Records, kind, id string) (*T, error) {
	v, err := rememberedDoc[T](ctx, r, kind, id)
	if l, ok := r.(lastReader); ok && kangma.KindOf(err) == kangma.Unavailable && err != nil && ctx.Err() == nil {
		v, err = lastDoc[T](ctx, l, kind, id, err)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

func rememberedDoc[T any](ctx context.Context, r store.Records, kind, id string) (*T, error) {
	v := new(T)
	if small, ok := any(v).(packable); ok {
		if p, ok := r.(packer); ok {
			return v, p.RememberPacked(ctx, kind, id, packDoc[T], small.UnmarshalBinary)
		}
	}
	m, ok := r.(rememberer)
	if !ok {
		got, _, err := GetDoc[T](ctx, r, kind, id)
		return &got, err
	}
	found, err := m.Remember(ctx, kind, id, parseDoc[T])
	if err != nil {
		return nil, err
	}
	return found.(*T), nil
}

// lastReader is a further power of store.Records: to know records for the time when the store does not answer.
type lastReader interface {
	LastRecord(ctx context.Context, kind, id string) (store.Record, error)
}

// lastDoc reads a document as it was last known. One that was not known then may have come since: then the store's own
// answer stands, that it cannot be read.
func lastDoc[T any](ctx context.Context, l lastReader, kind, id string, was error) (*T, error) {
	rec, err := l.LastRecord(ctx, kind, id)
	if err != nil {
		return nil, was
	}
	return docOf[T](rec)
}

func docOf[T any](rec store.Record) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(rec.Data, v); err != nil {
		return nil, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	return v, nil
}

func parseDoc[T any](rec store.Record) (any, error) { return docOf[T](rec) }

func packDoc[T any](rec store.Record) ([]byte, error) {
	v, err := docOf[T](rec)
	if err != nil {
		return nil, err
	}
	return any(v).(packable).AppendBinary(nil)
}

// WarmDocs makes every record of a kind remembered before it is asked for, where the store can (store/cached), packed as ReadDoc
// does. yield and progress are as there.
func WarmDocs[T any](ctx context.Context, r store.Records, kind string, yield func(context.Context) error, progress func(records int64)) error {
	if _, ok := any(new(T)).(packable); ok {
		if w, ok := r.(interface {
			WarmPacked(ctx context.Context, kind string, pack func(store.Record) ([]byte, error), yield func(context.Context) error, progress func(int64)) error
		}); ok {
			return w.WarmPacked(ctx, kind, packDoc[T], yield, progress)
		}
	}
	w, ok := r.(interface {
		Warm(ctx context.Context, kind string, parse func(store.Record) (any, error), yield func(context.Context) error, progress func(int64)) error
	})
	if !ok {
		return nil
	}
	return w.Warm(ctx, kind, parseDoc[T], yield, progress)
}
