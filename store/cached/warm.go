package cached

import (
	"context"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Filling the memory after a start: without it everybody who comes in the first minutes costs two reads of the store, at
// the very moment when everybody comes.

const warmPage = 512

// Warm reads the whole store into memory, as far as there is room, and tells how many people were looked at. Where the
// store cannot give what it keeps, it does nothing. yield is asked before each page: it may wait until whoever is more
// urgent has been served, and its error ends the filling. It may run beside reads and writes: what is written meanwhile is left
// to who asks for it.
func (d *Dossiers) Warm(ctx context.Context, yield func(context.Context) error, progress func(people int64)) error {
	if d.wire == nil {
		return nil
	}
	return d.memory.fill(ctx, yield, progress, func(after int64, put func(kangma.PersonID, []byte)) (int64, int, error) {
		return d.wire.WirePage(ctx, after, warmPage, put)
	})
}

// pager is a further power of a store.Records: to give what it keeps from end to end.
type pager interface {
	Page(ctx context.Context, kind string, after int64, limit int, f func(store.Record)) (next int64, n int, err error)
}

// Warm makes every record of a kind remembered, as Remember would. What parse cannot read is left out.
func (r *Records) Warm(ctx context.Context, kind string, parse func(store.Record) (any, error), yield func(context.Context) error, progress func(records int64)) error {
	return warmRecords(ctx, r, r.memory, kind, parse, func(id string) recordKey { return recordKey{kind, id} }, yield, progress)
}

// WarmPacked makes every record of a kind remembered, as RememberPacked would.
func (r *Records) WarmPacked(ctx context.Context, kind string, pack func(store.Record) ([]byte, error), yield func(context.Context) error, progress func(records int64)) error {
	return warmRecords(ctx, r, r.packed, kind, pack, func(id string) recordSum { return sumOf(kind, id) }, yield, progress)
}

func warmRecords[K comparable, V any](ctx context.Context, r *Records, m *memory[K, V], kind string, parse func(store.Record) (V, error), key func(id string) K,
	yield func(context.Context) error, progress func(records int64)) error {
	p, ok := r.inner.(pager)
	if !ok || m.ttl > 0 { // what may be changed elsewhere is old before it is asked for
		return nil
	}
	return m.fill(ctx, yield, progress, func(after int64, put func(K, V)) (int64, int, error) {
		return p.Page(ctx, kind, after, warmPage, func(rec store.Record) {
			if v, err := parse(rec); err == nil {
				put(key(rec.ID), v)
			}
		})
	})
}

// fill keeps what page gives, page after page until there are no more, or no room.
func (m *memory[K, V]) fill(ctx context.Context, yield func(context.Context) error, progress func(int64), page func(after int64, put func(K, V)) (int64, int, error)) error {
	m.filling.Lock()
	defer m.filling.Unlock()
	var after, done int64
	type pair struct {
		k K
		v V
	}
	pairs := make([]pair, 0, warmPage)
	for room := true; room; {
		if err := yield(ctx); err != nil {
			return err
		}
		pairs = pairs[:0]
		at := m.moment()
		m.watch(true)
		next, n, err := page(after, func(k K, v V) { pairs = append(pairs, pair{k, v}) })
		room = false
		for i := range pairs {
			room = m.offer(pairs[i].k, entry[V]{pairs[i].v, at}) || room
		}
		m.watch(false)
		if err != nil || n == 0 {
			return err
		}
		room = room || len(pairs) == 0 // a page without any of this kind says nothing about room
		after, done = next, done+int64(n)
		progress(done)
	}
	return nil
}

// watch makes every shard note what is forgotten from now on, or stop noting.
func (m *memory[K, V]) watch(on bool) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		if s.touched = nil; on {
			s.touched = map[K]bool{}
		}
		s.mu.Unlock()
	}
}

// offer keeps what was read since watch(true), unless it was written meanwhile. It gives up nothing for it; false: the
// shard is full.
func (m *memory[K, V]) offer(k K, e entry[V]) (room bool) {
	s := m.shardOf(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, newer := s.dirty[k]
	if newer || s.kept.has(k) || s.writing[k] > 0 || s.touched[k] {
		return true
	}
	if !s.kept.fits(e.v) {
		return false
	}
	s.kept.put(k, e)
	return true
}
