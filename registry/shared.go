package registry

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// rememberer is a further power of store.Records: to keep what was made of a record (store/cached).
type rememberer interface {
	Remember(ctx context.Context, kind, id string, parse func(store.Record) (any, error)) (any, error)
}

// ReadDoc reads a record whose data is JSON, from memory where the store has one. The value is shared by all readers:
// nobody may change it. Who goes on to write the document uses GetDoc. kangma.NotFound: none.
func ReadDoc[T any](ctx context.Context, r store.Records, kind, id string) (*T, error) {
	m, ok := r.(rememberer)
	if !ok {
		v, _, err := GetDoc[T](ctx, r, kind, id)
		return &v, err
	}
	v, err := m.Remember(ctx, kind, id, parseDoc[T])
	if l, ok := r.(lastReader); ok && kangma.KindOf(err) == kangma.Unavailable && err != nil && ctx.Err() == nil {
		v, err = lastDoc[T](ctx, l, kind, id, err)
	}
	if err != nil {
		return nil, err
	}
	return v.(*T), nil
}

// lastReader is a further power of store.Records: to know records for the time when the store does not answer.
type lastReader interface {
	LastRecord(ctx context.Context, kind, id string) (store.Record, error)
}

// lastDoc reads a document as it was last known. One that was not known then may have come since: then the store's own
// answer stands, that it cannot be read.
func lastDoc[T any](ctx context.Context, l lastReader, kind, id string, was error) (any, error) {
	rec, err := l.LastRecord(ctx, kind, id)
	if err != nil {
		return nil, was
	}
	return parseDoc[T](rec)
}

func parseDoc[T any](rec store.Record) (any, error) {
	v := new(T)
	if err := json.Unmarshal(rec.Data, v); err != nil {
		return nil, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	return v, nil
}

// WarmDocs makes every record of a kind remembered before it is asked for, where the store can (store/cached). yield and
// progress are as there.
func WarmDocs[T any](ctx context.Context, r store.Records, kind string, yield func(context.Context) error, progress func(records int64)) error {
	w, ok := r.(interface {
		Warm(ctx context.Context, kind string, parse func(store.Record) (any, error), yield func(context.Context) error, progress func(int64)) error
	})
	if !ok {
		return nil
	}
	return w.Warm(ctx, kind, parseDoc[T], yield, progress)
}

// Shown is what a screen shows of who a person is.
type Shown struct {
	MaskedName string
	IDTail     string // last four of the document
}

// Shown opens a person's identity for a screen. What was opened of a version of a dossier is remembered, masked as it is
// shown, so that the keys are not turned for every request. kangma.NotFound: erased.
func (s *Service) Shown(d *kangma.Dossier) (Shown, error) {
	if v, ok := s.shown.get(d.Person, d.Version); ok {
		return v, nil
	}
	id, err := s.cfg.Sealer.Open(d.Person, d.Sealed)
	if err != nil {
		return Shown{}, err
	}
	v := Shown{MaskedName: id.Name.Masked(), IDTail: id.Number.Tail()}
	s.shown.put(d.Person, d.Version, v)
	return v, nil
}

// shownMemory is bounded: where a shard is full, any other person goes.
type shownMemory struct {
	shards [64]struct {
		mu sync.Mutex
		of map[kangma.PersonID]shownEntry
	}
}

type shownEntry struct {
	version uint64
	shown   Shown
}

const maxShownShard = 1 << 14 // a million people in all, about 100 MB

func (m *shownMemory) get(id kangma.PersonID, version uint64) (Shown, bool) {
	s := &m.shards[id[15]%64]
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.of[id]
	return e.shown, ok && e.version == version
}

func (m *shownMemory) put(id kangma.PersonID, version uint64, v Shown) {
	s := &m.shards[id[15]%64]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[kangma.PersonID]shownEntry{}
	}
	if _, there := s.of[id]; !there && len(s.of) >= maxShownShard {
		for other := range s.of {
			delete(s.of, other)
			break
		}
	}
	s.of[id] = shownEntry{version, v}
}
