package cached

import (
	"encoding/binary"

	"github.com/kangma/kangma/store/slab"
)

// shelf is where a shard of memory keeps what it has read. It is for one caller at a time.
type shelf[K comparable, V any] interface {
	get(k K, room V) (e entry[V], ok bool) // may use room for the value
	has(k K) bool
	put(k K, e entry[V]) // where it is full, any others go
	fits(v V) bool       // without letting go of any
	drop(k K)
	bytes() int64 // 0: they are not counted
}

type entry[V any] struct {
	v    V
	read int64 // nanoseconds since 1970; 0 where any age will do
}

// values keeps any values, for a few thousand keys: the collector looks at each.
type values[K comparable, V any] struct {
	of   map[K]entry[V]
	most int
}

func newValues[K comparable, V any](entries int) shelf[K, V] {
	return &values[K, V]{of: map[K]entry[V]{}, most: max(1, entries)}
}

func (s *values[K, V]) get(k K, _ V) (e entry[V], ok bool) {
	e, ok = s.of[k]
	return e, ok
}

func (s *values[K, V]) has(k K) bool {
	_, ok := s.of[k]
	return ok
}

func (s *values[K, V]) put(k K, e entry[V]) {
	if _, there := s.of[k]; !there && len(s.of) >= s.most {
		for other := range s.of {
			delete(s.of, other)
			break
		}
	}
	s.of[k] = e
}

func (s *values[K, V]) fits(V) bool { return len(s.of) < s.most }

func (s *values[K, V]) drop(k K) { delete(s.of, k) }

func (s *values[K, V]) bytes() int64 { return 0 }

// packed keeps byte strings where the collector does not look, for millions of keys. Who gets one gets a copy.
type packed[K ~[16]byte] struct {
	of    *slab.Table[K]
	most  int  // keys
	timed bool // an entry begins with when it was read
	room  []byte
}

// leastShard is what a shard may hold however little memory is allowed: the largest dossiers have some kilobytes.
const leastShard = 16 << 10

func newPacked[K ~[16]byte](block, entries int, bytes int64, timed bool) shelf[K, []byte] {
	return &packed[K]{of: slab.New[K](block, max(bytes, leastShard)), most: max(1, entries), timed: timed}
}

func (s *packed[K]) get(k K, room []byte) (e entry[[]byte], ok bool) {
	e.v, ok = s.of.Append(room[:0], k)
	if ok && s.timed {
		e.read = int64(binary.LittleEndian.Uint64(e.v))
		e.v = e.v[8:]
	}
	return e, ok
}

func (s *packed[K]) has(k K) bool { return s.of.Has(k) }

func (s *packed[K]) put(k K, e entry[[]byte]) {
	if s.of.Len() >= s.most && !s.of.Has(k) {
		s.of.Evict()
	}
	if s.timed {
		s.room = append(binary.LittleEndian.AppendUint64(s.room[:0], uint64(e.read)), e.v...)
		e.v = s.room
	}
	s.of.Put(k, e.v)
}

func (s *packed[K]) fits(v []byte) bool { return s.of.Len() < s.most && s.of.Fits(len(v)+8) }

func (s *packed[K]) drop(k K) { s.of.Delete(k) }

func (s *packed[K]) bytes() int64 { return s.of.Bytes() }
