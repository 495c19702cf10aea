package cached

import (
	"context"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// change is one dossier on its way into memory or the store.
type change struct {
	d    *kangma.Dossier
	raw  []byte
	head int // where its head ends (wire.SameHead)
}

// update pins the changes that may wait and stores the others at once.
func (b *behind) update(ctx context.Context, mark store.Mark, dossiers []kangma.Dossier) error {
	if err := b.wait(ctx); err != nil {
		return err
	}
	changes := make([]change, len(dossiers))
	for i := range dossiers {
		raw, head := wire.EncodeDossierHead(dossiers[i])
		changes[i] = change{&dossiers[i], raw, head}
	}
	unlock := b.lock(dossiers)
	defer unlock()
	known, err := b.current(ctx, dossiers)
	if err != nil {
		return err
	}
	now, lost, through := b.sort(changes, known)
	b.pin(now)
	if len(through) > 0 {
		var others *store.Lost
		if err := b.through(through); errors.As(err, &others) {
			lost = append(lost, others.People...)
		} else if err != nil {
			return err
		}
	}
	if len(lost) > 0 {
		return &store.Lost{People: lost}
	}
	if mark != (store.Mark{}) {
		b.give(mark)
	}
	return nil
}

// lock keeps other writers from these people, in one order for all.
func (b *behind) lock(dossiers []kangma.Dossier) (unlock func()) {
	var wanted [shards]bool
	for i := range dossiers {
		wanted[dossiers[i].Person[15]%shards] = true
	}
	for i, w := range wanted {
		if w {
			b.writers[i].Lock()
		}
	}
	return func() {
		for i, w := range wanted {
			if w {
				b.writers[i].Unlock()
			}
		}
	}
}

// current gives the newest version of everybody, nil where nobody is. It stays so while the caller holds the writers' locks.
func (b *behind) current(ctx context.Context, dossiers []kangma.Dossier) (map[kangma.PersonID][]byte, error) {
	known := make(map[kangma.PersonID][]byte, len(dossiers))
	var ask []kangma.PersonID
	for i := range dossiers {
		id := dossiers[i].Person
		if _, seen := known[id]; seen {
			continue
		}
		raw, ok := b.d.memory.get(id, nil)
		if !ok && dossiers[i].Version > 1 { // somebody new is the store's to find out
			ask = append(ask, id)
		}
		known[id] = raw
	}
	if len(ask) == 0 {
		return known, nil
	}
	data, err := b.d.loadWire(ctx, ask)
	for i, raw := range data {
		known[ask[i]] = raw
	}
	return known, err
}

// sort tells the changes that can be pinned from those that lost and those that must be stored at once. Of one person, all
// after one that must be stored are stored too.
func (b *behind) sort(changes []change, known map[kangma.PersonID][]byte) (pinned []change, lost []kangma.PersonID, through []kangma.Dossier) {
	at := map[kangma.PersonID]bool{}
	for _, c := range changes {
		id, old := c.d.Person, known[c.d.Person]
		version, ok := wire.DossierVersionOf(old)
		switch {
		case at[id] || !ok || c.d.Version <= 1:
			at[id] = true
			through = append(through, *c.d)
		case c.d.Version != version+1:
			lost = append(lost, id)
		case !wire.SameHead(old, c.raw, c.head):
			at[id] = true
			through = append(through, *c.d)
		default:
			known[id] = c.raw
			pinned = append(pinned, c)
		}
	}
	return pinned, lost, through
}

// pin keeps changes in memory as the newest.
func (b *behind) pin(changes []change) {
	var people int
	var bytes int64
	for _, c := range changes {
		s := b.d.memory.shardOf(c.d.Person)
		s.mu.Lock()
		old, there := s.dirty[c.d.Person]
		s.dirty[c.d.Person] = c.raw
		s.drop(c.d.Person)
		s.mu.Unlock()
		bytes += int64(len(c.raw) - len(old))
		if !there {
			people, bytes = people+1, bytes+pinnedSize
		}
	}
	if len(changes) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.people, b.bytes = b.people+people, b.bytes+bytes
	if b.since.IsZero() {
		b.since = time.Now()
	}
}

// give notes a mark for the next cycle.
func (b *behind) give(m store.Mark) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.given[m.Node] = m.Applied
	if b.since.IsZero() {
		b.since = time.Now()
	}
}

// through stores changes at once, after what is pinned of the same people: the store takes only the next version. It does
// not end with its caller, so that what comes of it is known.
func (b *behind) through(dossiers []kangma.Dossier) error {
	var before []store.Packed
	seen := map[kangma.PersonID]bool{}
	for i := range dossiers {
		id := dossiers[i].Person
		s := b.d.memory.shardOf(id)
		s.mu.Lock()
		raw, ok := s.dirty[id]
		s.mu.Unlock()
		if ok && !seen[id] {
			v, _ := wire.DossierVersionOf(raw)
			before = append(before, store.Packed{Person: id, Version: v, Data: raw})
		}
		seen[id] = true
	}
	ctx := context.Background()
	if len(before) > 0 {
		if err := b.store.CatchUp(ctx, before, b.unpin); err != nil {
			return err
		}
	}
	return b.d.through(ctx, store.Mark{}, dossiers)
}
