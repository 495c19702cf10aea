package cached

import (
	"context"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// Storing behind: what a journal holds already need not be in the store before it counts. A change to a person whose
// blind indexes stay as they are is kept in memory, pinned, and stored later together with many others, in the order in
// which they lie in the store: a page that holds ten changed people is then written once and not ten times, and a person who
// changed three times is written once. Everything else (new people, other indexes) is stored at once, after what is pinned
// of the same people.
//
// What holds at any moment: a person is pinned, or the store has the newest version. A mark is stored after everything that
// was pinned when it was given. So after a crash the store is as at some earlier moment for each person, none older
// than its mark, and the journal from the mark on heals it.

// catchUpStore is the further power of a store.Dossiers that changes can be kept from.
type catchUpStore interface {
	wireStore
	// CatchUp stores the newest version of distinct people, whose indexes did not change, unless a later one is there. It may sort
	// people, and tells done what is stored, part after part.
	CatchUp(ctx context.Context, people []store.Packed, done func([]store.Packed)) error
}

const (
	// A few changes are stored after fewAge; many are worth waiting for more, until one is manyAge old or half the room is
	// taken. While others are more urgent, all of them wait until busyAge.
	few     = 4_000
	fewAge  = time.Second
	manyAge = 15 * time.Second
	busyAge = time.Minute

	lookEvery  = 100 * time.Millisecond
	pinnedSize = 160 // bytes of memory of a pinned person besides the dossier, about
)

// behind keeps what is not stored yet.
type behind struct {
	d       *Dossiers
	store   catchUpStore
	limit   int64
	busy    func() bool        // see Options.Busy
	writers [shards]sync.Mutex // one writer a shard of memory: nobody's version changes between check and change
	retire  sync.RWMutex       // held shared while a page of the store is read and what is pinned put over it; alone to unpin
	storing sync.Mutex         // one cycle at a time

	mu     sync.Mutex
	bytes  int64                     // pinned
	people int                       // pinned
	since  time.Time                 // when the oldest of them was; zero: nothing waits
	given  map[string]store.Position // marks to be stored
	marked map[string]store.Position // marks as they are stored
	room   chan struct{}             // closed when there is room again
	failed error                     // of the last cycle

	kick chan struct{}
	stop context.CancelFunc
	done chan struct{}
}

func startBehind(d *Dossiers, s catchUpStore, o Options) *behind {
	ctx, stop := context.WithCancel(context.Background())
	b := &behind{d: d, store: s, limit: o.Behind, busy: o.Busy, given: map[string]store.Position{}, marked: map[string]store.Position{},
		room: make(chan struct{}), kick: make(chan struct{}, 1), stop: stop, done: make(chan struct{})}
	go b.loop(ctx)
	return b
}

// Close stores everything that waits. Nothing may be changed after it.
func (d *Dossiers) Close() error {
	if d.behind == nil {
		return nil
	}
	d.behind.stop()
	<-d.behind.done
	return d.behind.cycle()
}

// Flush stores everything that waits now.
func (d *Dossiers) Flush() error {
	if d.behind == nil {
		return nil
	}
	return d.behind.cycle()
}

var _ store.Lagging = (*Dossiers)(nil)

// Marked gives a node's mark as this process has stored it.
func (d *Dossiers) Marked(node string) (pos store.Position, lags bool) {
	if d.behind == nil {
		return 0, false
	}
	d.behind.mu.Lock()
	defer d.behind.mu.Unlock()
	return d.behind.marked[node], true
}

// Waiting tells how many people are not stored yet, and their bytes of memory.
func (d *Dossiers) Waiting() (people int, bytes int64) {
	if d.behind == nil {
		return 0, 0
	}
	d.behind.mu.Lock()
	defer d.behind.mu.Unlock()
	return d.behind.people, d.behind.bytes
}

// loop stores what waits when it is time. Retries after a failure come with the next look.
func (b *behind) loop(ctx context.Context) {
	defer close(b.done)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.kick:
		}
		if b.due(time.Now()) {
			_ = b.cycle() // who must wait for room is told
		}
	}
}

func (b *behind) due(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.since.IsZero() {
		return false
	}
	age := now.Sub(b.since)
	wanted := age >= manyAge || age >= fewAge && b.people < few
	return b.bytes > b.limit/2 || age >= busyAge || wanted && (b.busy == nil || !b.busy())
}

// cycle stores everything that is pinned, and then the marks that were given before it began.
func (b *behind) cycle() error {
	b.storing.Lock()
	defer b.storing.Unlock()
	b.mu.Lock()
	marks := make(map[string]store.Position, len(b.given))
	for node, pos := range b.given {
		marks[node] = pos
	}
	b.since = time.Time{} // what is pinned from now on counts from its own moment
	b.mu.Unlock()
	err := b.store.CatchUp(context.Background(), b.pinned(), b.unpin)
	for node, pos := range marks {
		if err == nil {
			err = b.mark(node, pos)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed = err; err != nil && b.since.IsZero() {
		b.since = time.Now()
	}
	close(b.room) // whoever waits looks again
	b.room = make(chan struct{})
	return err
}

// mark stores how far a journal is applied.
func (b *behind) mark(node string, pos store.Position) error {
	b.mu.Lock()
	stored, ok := b.marked[node]
	b.mu.Unlock()
	if ok && stored == pos {
		return nil
	}
	if err := b.d.inner.Update(context.Background(), store.Mark{Node: node, Applied: pos}); err != nil {
		return err
	}
	b.mu.Lock()
	b.marked[node] = pos
	b.mu.Unlock()
	return nil
}

// pinned gives everybody who is pinned now.
func (b *behind) pinned() []store.Packed {
	var all []store.Packed
	for i := range b.d.memory.shards {
		s := &b.d.memory.shards[i]
		s.mu.Lock()
		for id, raw := range s.dirty {
			v, _ := wire.DossierVersionOf(raw)
			all = append(all, store.Packed{Person: id, Version: v, Data: raw})
		}
		s.mu.Unlock()
	}
	return all
}

// unpin lets go of those whose newest version is now stored; memory may give them up from here on.
func (b *behind) unpin(stored []store.Packed) {
	b.retire.Lock()
	defer b.retire.Unlock()
	var people, bytes int64
	for _, p := range stored {
		s := b.d.memory.shardOf(p.Person)
		s.mu.Lock()
		if raw, ok := s.dirty[p.Person]; ok && &raw[0] == &p.Data[0] {
			delete(s.dirty, p.Person)
			people, bytes = people+1, bytes+int64(len(raw))+pinnedSize
			if s.touched != nil { // a page that was read before this must not bring the old one in
				s.touched[p.Person] = true
			}
			s.kept.put(p.Person, entry[[]byte]{v: raw, read: b.d.memory.moment()})
		}
		s.mu.Unlock()
	}
	b.mu.Lock()
	b.people, b.bytes = b.people-int(people), b.bytes-bytes
	b.mu.Unlock()
}

// scan puts what is pinned over a page of the store. Everybody who is pinned is in the store in some version.
func (b *behind) scan(ctx context.Context, partition int, after kangma.PersonID, limit int) ([]kangma.Dossier, error) {
	b.retire.RLock()
	defer b.retire.RUnlock()
	page, err := b.d.inner.Scan(ctx, partition, after, limit)
	for i := range page {
		s := b.d.memory.shardOf(page[i].Person)
		s.mu.Lock()
		raw, ok := s.dirty[page[i].Person]
		s.mu.Unlock()
		if ok && err == nil {
			page[i], err = decode(raw, 0)
		}
	}
	return page, err
}

// wait gives way while there is no room.
func (b *behind) wait(ctx context.Context) error {
	for {
		b.mu.Lock()
		full, room, failed := b.bytes >= b.limit, b.room, b.failed
		b.mu.Unlock()
		if !full {
			return ctx.Err()
		}
		if failed != nil {
			return kangma.E(kangma.Unavailable, "store_behind", "the store does not take what waits for it").Because(failed)
		}
		select {
		case b.kick <- struct{}{}:
		default:
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
