// Package cached keeps the dossiers read last in memory, in front of any store.Dossiers. It is a store.Dossiers itself
// and keeps its promises as long as all writes of these people go through it: one process on its own store. Where other
// processes write too, a person read from memory may be as old as Options.TTL; the store's compare-and-swap still
// refuses a change made from an old dossier.
package cached

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Options of New. The zero Options keep 100,000 dossiers without limit of age.
type Options struct {
	Entries int           // most dossiers kept, about a kilobyte each; 0: 100,000
	TTL     time.Duration // oldest answer from memory; 0: any age, for a store that nobody else writes to
	Now     func() time.Time
}

// Dossiers is a store.Dossiers with a memory.
type Dossiers struct {
	inner     store.Dossiers
	ttl       time.Duration
	now       func() time.Time
	capacity  int // of a shard
	shards    [64]shard
	hits, all atomic.Uint64
}

// shard keeps the wire form, not the dossier: what a caller gets is its own.
type shard struct {
	mu      sync.Mutex
	entries map[kangma.PersonID]entry
	writing map[kangma.PersonID]int   // writes under way
	loads   map[kangma.PersonID]*load // reads of the store under way
}

// load is one or more reads of one person that began when no write was under way. A write makes it stale: its answer
// may be of before the write and is not kept.
type load struct {
	readers int
	stale   bool
}

type entry struct {
	data []byte
	read time.Time
}

// New puts a memory in front of inner.
func New(inner store.Dossiers, o Options) *Dossiers {
	d := &Dossiers{inner: inner, ttl: o.TTL, now: o.Now}
	if o.Entries <= 0 {
		o.Entries = 100_000
	}
	if d.now == nil {
		d.now = time.Now
	}
	d.capacity = max(1, o.Entries/len(d.shards))
	for i := range d.shards {
		d.shards[i].entries = map[kangma.PersonID]entry{}
		d.shards[i].writing = map[kangma.PersonID]int{}
		d.shards[i].loads = map[kangma.PersonID]*load{}
	}
	return d
}

func (d *Dossiers) shardOf(id kangma.PersonID) *shard { return &d.shards[id[15]%uint8(len(d.shards))] }

// Get answers from memory or asks the store.
func (d *Dossiers) Get(ctx context.Context, id kangma.PersonID) (kangma.Dossier, error) {
	if err := ctx.Err(); err != nil {
		return kangma.Dossier{}, err
	}
	d.all.Add(1)
	s := d.shardOf(id)
	s.mu.Lock()
	e, kept := s.entries[id]
	if kept && (d.ttl <= 0 || d.now().Sub(e.read) < d.ttl) {
		s.mu.Unlock()
		d.hits.Add(1)
		return wire.DecodeDossier(e.data)
	}
	l := s.begin(id)
	s.mu.Unlock()
	read := d.now() // before asking: the answer is at least as young
	got, err := d.inner.Get(ctx, id)
	var data []byte
	if err == nil {
		data = wire.EncodeDossier(got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end(id, l); err == nil && !l.stale {
		s.keep(id, entry{data, read}, d.capacity)
	}
	return got, err
}

func (s *shard) begin(id kangma.PersonID) *load {
	l := s.loads[id]
	if l == nil {
		l = &load{stale: s.writing[id] > 0}
		s.loads[id] = l
	}
	l.readers++
	return l
}

func (s *shard) end(id kangma.PersonID, l *load) {
	if l.readers--; l.readers == 0 && s.loads[id] == l {
		delete(s.loads, id)
	}
}

// keep stores an entry; where it is full, any other one goes.
func (s *shard) keep(id kangma.PersonID, e entry, capacity int) {
	if _, there := s.entries[id]; !there && len(s.entries) >= capacity {
		for other := range s.entries {
			delete(s.entries, other)
			break
		}
	}
	s.entries[id] = e
}

// Update writes through and forgets what it changed, also after an error, which may have changed it.
func (d *Dossiers) Update(ctx context.Context, mark store.Mark, dossiers ...kangma.Dossier) error {
	for i := range dossiers {
		d.shardOf(dossiers[i].Person).forget(dossiers[i].Person, 1)
	}
	defer func() {
		for i := range dossiers {
			d.shardOf(dossiers[i].Person).forget(dossiers[i].Person, -1)
		}
	}()
	return d.inner.Update(ctx, mark, dossiers...)
}

// forget drops what is known of a person when a write begins and again when it ends: in between, memory must not answer
// with the old dossier after the store has answered with the new one.
func (s *shard) forget(id kangma.PersonID, writes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing[id] += writes; s.writing[id] == 0 {
		delete(s.writing, id)
	}
	delete(s.entries, id)
	if l := s.loads[id]; l != nil {
		l.stale = true
		delete(s.loads, id)
	}
}

// Lookup asks the store.
func (d *Dossiers) Lookup(ctx context.Context, index kangma.BlindIndex) (kangma.PersonID, error) {
	return d.inner.Lookup(ctx, index)
}

// Scan asks the store.
func (d *Dossiers) Scan(ctx context.Context, partition int, after kangma.PersonID, limit int) ([]kangma.Dossier, error) {
	return d.inner.Scan(ctx, partition, after, limit)
}

// Hits tells how many of all reads so far were answered from memory.
func (d *Dossiers) Hits() (hits, all uint64) { return d.hits.Load(), d.all.Load() }
