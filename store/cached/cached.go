// Package cached keeps what was read last in memory, in front of any store.Dossiers or store.Records. It is such a store
// itself and keeps its promises as long as all writes go through it: one process on its own store. Where other processes
// write too, an answer from memory may be as old as Options.TTL; the store's compare-and-swap still refuses a change made
// from an old one.
package cached

import (
	"context"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Options of New and NewRecords. The zero Options keep 100,000 entries without limit of age.
type Options struct {
	Entries int           // most kept; 0: 100,000
	Bytes   int64         // most of memory that they take, about; 0: a kilobyte for each
	TTL     time.Duration // oldest answer from memory; 0: any age, for a store that nobody else writes to
	Now     func() time.Time

	// Behind lets changes wait in memory, as many bytes at most, until many are stored together in the order in which they
	// lie in the store; 0: every change is stored at once. Only for what a journal holds already (store.Lagging), in front of
	// a store that can catch up (store/embedded), and with Close at the end. Reads see the change at once.
	Behind int64
	// Busy reports whether storing what waits would now be at the cost of somebody more urgent. While it does, that waits up to a minute,
	// unless half of Behind is taken. nil: nobody is.
	Busy func() bool
}

// bounded gives the options with the bounds that are meant.
func (o Options) bounded() Options {
	if o.Entries <= 0 {
		o.Entries = 100_000
	}
	if o.Bytes <= 0 {
		o.Bytes = int64(o.Entries) << 10
	}
	return o
}

// personBlock is what a dossier's memory is counted in: the usual one takes three or four.
const personBlock = 128

// Dossiers is a store.Dossiers with a memory.
type Dossiers struct {
	inner  store.Dossiers
	wire   wireStore                        // inner, where it can; nil: dossiers are encoded here
	memory *memory[kangma.PersonID, []byte] // the wire form: what a caller gets is its own
	behind *behind                          // what is not stored yet; nil: everything is
}

// wireStore is a further power of a store.Dossiers: to give what it keeps as it is kept, one by one and from end to end.
type wireStore interface {
	Wire(ctx context.Context, id kangma.PersonID) ([]byte, error)
	WirePage(ctx context.Context, after int64, limit int, f func(kangma.PersonID, []byte)) (next int64, n int, err error)
	WireMany(ctx context.Context, people []kangma.PersonID, f func(kangma.PersonID, []byte)) error
}

// New puts a memory in front of inner.
func New(inner store.Dossiers, o Options) *Dossiers {
	w, _ := inner.(wireStore)
	o = o.bounded()
	d := &Dossiers{inner: inner, wire: w, memory: newMemory(o, func(id kangma.PersonID) uint8 { return id[15] }, func() shelf[kangma.PersonID, []byte] {
		return newPacked[kangma.PersonID](personBlock, o.Entries/shards, o.Bytes/shards, o.TTL > 0)
	})}
	if catcher, ok := inner.(catchUpStore); ok && o.Behind > 0 {
		d.behind = startBehind(d, catcher, o)
	}
	return d
}

// Get answers from memory or asks the store.
func (d *Dossiers) Get(ctx context.Context, id kangma.PersonID) (got kangma.Dossier, err error) {
	if err := ctx.Err(); err != nil {
		return kangma.Dossier{}, err
	}
	if got, ok, err := d.remembered(id, 0); ok {
		return got, err
	}
	if store.IsRemembered(ctx) {
		return kangma.Dossier{}, store.ErrNotRemembered
	}
	if d.wire != nil {
		data, err := d.memory.load(id, func() ([]byte, error) { return d.wire.Wire(ctx, id) })
		if err != nil {
			return kangma.Dossier{}, err
		}
		return decode(data, 0)
	}
	_, err = d.memory.load(id, func() ([]byte, error) {
		if got, err = d.inner.Get(ctx, id); err != nil {
			return nil, err
		}
		return wire.EncodeDossier(got), nil
	})
	return got, err
}

// rooms are where a dossier is copied to be decoded. Each goes back as it was made: what memory answers may lie elsewhere.
var rooms = sync.Pool{New: func() any { b := make([]byte, 4<<10); return &b }}

// remembered decodes from memory, with room for more evidence; what the dossier says is copied again by that.
func (d *Dossiers) remembered(id kangma.PersonID, more int) (got kangma.Dossier, ok bool, err error) {
	room := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	data, ok := d.memory.get(id, *room)
	if ok {
		got, err = wire.DecodeDossierWith(data, more)
	}
	return got, ok, err
}

// decode reads what the store gave. Its own checksum was right, so a fault here is the store's.
func decode(data []byte, more int) (kangma.Dossier, error) {
	got, err := wire.DecodeDossierWith(data, more)
	if err != nil {
		err = kangma.E(kangma.Internal, "store_damaged", "a stored dossier is damaged").Because(err)
	}
	return got, err
}

// Update writes through and forgets what it changed, also after an error, which may have changed it. With Options.Behind
// it keeps the change in memory, to be stored soon.
func (d *Dossiers) Update(ctx context.Context, mark store.Mark, dossiers ...kangma.Dossier) error {
	if d.behind != nil {
		return d.behind.update(ctx, mark, dossiers)
	}
	return d.through(ctx, mark, dossiers)
}

func (d *Dossiers) through(ctx context.Context, mark store.Mark, dossiers []kangma.Dossier) error {
	people := make([]kangma.PersonID, len(dossiers))
	for i := range dossiers {
		people[i] = dossiers[i].Person
	}
	return d.memory.write(people, func() error { return d.inner.Update(ctx, mark, dossiers...) })
}

// Lookup asks the store.
func (d *Dossiers) Lookup(ctx context.Context, index kangma.BlindIndex) (kangma.PersonID, error) {
	return d.inner.Lookup(ctx, index)
}

// Scan asks the store; what is newer in memory takes its place.
func (d *Dossiers) Scan(ctx context.Context, partition int, after kangma.PersonID, limit int) ([]kangma.Dossier, error) {
	if d.behind != nil {
		return d.behind.scan(ctx, partition, after, limit)
	}
	return d.inner.Scan(ctx, partition, after, limit)
}

// Hits tells how many of all reads so far were answered from memory.
func (d *Dossiers) Hits() (hits, all uint64) { return d.memory.hits.Load(), d.memory.all.Load() }

// Bytes is what those who are remembered take of memory, about.
func (d *Dossiers) Bytes() int64 { return d.memory.bytes() }
