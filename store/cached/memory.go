package cached

import (
	"sync"
	"sync/atomic"
	"time"
)

// memory keeps what was read last by key. It promises that after a write has begun nothing older than it is kept, and
// after it has ended nothing older is answered.
type memory[K comparable, V any] struct {
	ttl       time.Duration
	now       func() time.Time
	place     func(K) uint8
	shards    [shards]shard[K, V]
	hits, all atomic.Uint64
	filling   sync.Mutex // one at a time
}

type shard[K comparable, V any] struct {
	mu      sync.Mutex
	kept    shelf[K, V]
	dirty   map[K]V     // newer than the store and never given up; such a key is not kept besides
	writing map[K]int   // writes under way
	loads   map[K]*load // reads of the store under way
	touched map[K]bool  // keys forgotten while a page of fill is read; nil: none is
}

// load is one or more reads of one key that began when no write was under way. A write makes it stale: its answer may be
// of before the write and is not kept.
type load struct {
	readers int
	stale   bool
}

const shards = 64

func newMemory[K comparable, V any](o Options, place func(K) uint8, shelf func() shelf[K, V]) *memory[K, V] {
	m := &memory[K, V]{ttl: o.TTL, now: o.Now, place: place}
	if m.now == nil {
		m.now = time.Now
	}
	for i := range m.shards {
		m.shards[i].kept = shelf()
		m.shards[i].dirty = map[K]V{}
		m.shards[i].writing = map[K]int{}
		m.shards[i].loads = map[K]*load{}
	}
	return m
}

func (m *memory[K, V]) shardOf(k K) *shard[K, V] { return &m.shards[m.place(k)%uint8(len(m.shards))] }

// get answers from memory, perhaps in room.
func (m *memory[K, V]) get(k K, room V) (v V, ok bool) {
	m.all.Add(1)
	s := m.shardOf(k)
	s.mu.Lock()
	if len(s.dirty) > 0 {
		if v, ok = s.dirty[k]; ok {
			s.mu.Unlock()
			m.hits.Add(1)
			return v, true
		}
	}
	e, kept := s.kept.get(k, room)
	s.mu.Unlock()
	if !kept || m.ttl > 0 && m.now().UnixNano()-e.read >= int64(m.ttl) {
		return v, false
	}
	m.hits.Add(1)
	return e.v, true
}

func (m *memory[K, V]) moment() int64 {
	if m.ttl <= 0 {
		return 0
	}
	return m.now().UnixNano()
}

// load reads from the store and keeps the answer unless a write came meanwhile.
func (m *memory[K, V]) load(k K, read func() (V, error)) (V, error) {
	s := m.shardOf(k)
	s.mu.Lock()
	l := s.begin(k)
	s.mu.Unlock()
	at := m.moment() // before asking: the answer is at least as young
	v, err := read()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end(k, l); err == nil && !l.stale {
		s.kept.put(k, entry[V]{v, at})
	}
	return v, err
}

// loadMany is load for several keys that one read answers; what of gives no value is not kept. The keys are distinct.
func (m *memory[K, V]) loadMany(keys []K, read func() error, of func(i int) (V, bool)) error {
	loads := make([]*load, len(keys))
	for i, k := range keys {
		s := m.shardOf(k)
		s.mu.Lock()
		loads[i] = s.begin(k)
		s.mu.Unlock()
	}
	at := m.moment()
	err := read()
	for i, k := range keys {
		var v V
		ok := err == nil
		if ok {
			v, ok = of(i)
		}
		s := m.shardOf(k)
		s.mu.Lock()
		if s.end(k, loads[i]); ok && !loads[i].stale {
			s.kept.put(k, entry[V]{v, at})
		}
		s.mu.Unlock()
	}
	return err
}

// write runs f, which changes these keys, and forgets them before and after: in between, memory must not answer with the
// old value after the store has answered with the new one. An error may have changed them too.
func (m *memory[K, V]) write(keys []K, f func() error) error {
	for _, k := range keys {
		m.shardOf(k).forget(k, 1)
	}
	defer func() {
		for _, k := range keys {
			m.shardOf(k).forget(k, -1)
		}
	}()
	return f()
}

func (s *shard[K, V]) begin(k K) *load {
	l := s.loads[k]
	if l == nil {
		_, newer := s.dirty[k]
		l = &load{stale: newer || s.writing[k] > 0}
		s.loads[k] = l
	}
	l.readers++
	return l
}

func (s *shard[K, V]) end(k K, l *load) {
	if l.readers--; l.readers == 0 && s.loads[k] == l {
		delete(s.loads, k)
	}
}

// forget drops what is known of a key when a write begins and again when it ends.
func (s *shard[K, V]) forget(k K, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing[k] += writes; s.writing[k] == 0 {
		delete(s.writing, k)
	}
	s.drop(k)
}

// drop forgets what is known of a key and what is being read of it. The caller holds s.mu.
func (s *shard[K, V]) drop(k K) {
	s.kept.drop(k)
	if s.touched != nil {
		s.touched[k] = true
	}
	if l := s.loads[k]; l != nil {
		l.stale = true
		delete(s.loads, k)
	}
}

// bytes is what everything that is kept takes, as far as it is counted.
func (m *memory[K, V]) bytes() (sum int64) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		sum += s.kept.bytes()
		s.mu.Unlock()
	}
	return sum
}
