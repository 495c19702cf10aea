package redis

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// buckets is how many hashes the people of one partition are spread over. The bucket is the id's next ten bits, so that
// going through the buckets in order goes through the people in order.
const buckets = 1024

func bucketOf(id kangma.PersonID) int { return int(binary.BigEndian.Uint16(id[1:]) >> 6) }

// spot is where a person's dossier stands.
type spot struct {
	tag, bucket int
	field       name
}

func (db *DB) spotOf(id kangma.PersonID) spot {
	return spot{store.PartitionOf(id), bucketOf(id), db.vault.name([]byte("person"), id[:])}
}

func (db *DB) bucketKey(tag, bucket int) string {
	return fmt.Sprintf("%sd%03x", db.vault.tags[tag], bucket)
}
func (db *DB) stateKey(tag int) string  { return db.vault.tags[tag] + "s" }
func (db *DB) bitmapKey(tag int) string { return db.vault.tags[tag] + "b" }

// Get returns the current dossier.
func (s *Dossiers) Get(ctx context.Context, id kangma.PersonID) (kangma.Dossier, error) {
	at := s.db.spotOf(id)
	c := &call{tag: at.tag, args: []any{"HGET", s.db.bucketKey(at.tag, at.bucket), at.field[:]}}
	if err := s.db.doSure(ctx, 0, c); err != nil {
		return kangma.Dossier{}, err
	}
	sealed, ok := c.reply.(string)
	if !ok {
		return kangma.Dossier{}, kangma.E(kangma.NotFound, "person", "nobody of this id")
	}
	d, err := s.db.openDossier(at, []byte(sealed))
	if err == nil && d.Person != id {
		err = errDamaged
	}
	return d, err
}

// doSure is do for one read, of which the answer "nothing" is believed only where the partition is whole. That is asked in
// the same exchange: a second one would be a round trip more for whoever is not there.
func (db *DB) doSure(ctx context.Context, extra time.Duration, c *call) error {
	whole := &call{tag: c.tag, args: []any{"HEXISTS", db.stateKey(c.tag), "e"}}
	if err := db.do(ctx, extra, c, whole); err != nil {
		return err
	}
	if c.reply == nil && whole.reply != int64(1) {
		return errVanished
	}
	return nil
}

// present tells an answer "nothing" from a partition that lost its data.
func (db *DB) present(ctx context.Context, tag int) error {
	c := &call{tag: tag, args: []any{"HEXISTS", db.stateKey(tag), "e"}}
	if err := db.do(ctx, 0, c); err != nil {
		return err
	}
	if c.reply != int64(1) {
		return errVanished
	}
	return nil
}

func (db *DB) sealDossier(at spot, d kangma.Dossier) []byte {
	return db.vault.seal(at.tag, documentHeadOf(d.Version, db.digest(d.Sealed.Indexes)), at.field, wire.EncodeDossier(d))
}

func (db *DB) openDossier(at spot, sealed []byte) (kangma.Dossier, error) {
	plain, err := db.vault.open(at.tag, documentHead, at.field, sealed)
	if err != nil {
		return kangma.Dossier{}, err
	}
	d, err := wire.DecodeDossier(plain)
	if err != nil || d.Version != binary.BigEndian.Uint64(sealed[1:9]) {
		return kangma.Dossier{}, errDamaged
	}
	return d, nil
}

// Update stores each dossier whose version is the next one, then the mark. What it returns nil for is in Redis' memory
// and, as Redis is set up by us, on its disk within about a second (Check says how it is set up).
func (s *Dossiers) Update(ctx context.Context, mark store.Mark, dossiers ...kangma.Dossier) error {
	if err := ctx.Err(); err != nil {
		return unavailable("canceled", err)
	}
	var lost store.Lost
	for rest := dossiers; len(rest) > 0; {
		round, later := distinctPeople(rest)
		if err := s.db.update(ctx, round, &lost); err != nil {
			return err
		}
		rest = later
	}
	if len(lost.People) > 0 {
		return &lost
	}
	if mark != (store.Mark{}) {
		return s.db.mark(ctx, mark)
	}
	return nil
}

// distinctPeople takes the first dossier of each person; the others wait for the next round.
func distinctPeople(all []kangma.Dossier) (round, later []kangma.Dossier) {
	seen := make(map[kangma.PersonID]bool, len(all))
	for _, d := range all {
		if seen[d.Person] {
			later = append(later, d)
		} else {
			seen[d.Person], round = true, append(round, d)
		}
	}
	return round, later
}

// pending is one dossier on its way.
type pending struct {
	d       kangma.Dossier
	at      spot
	sealed  []byte
	claimed bool                // its indexes were claimed
	added   []kangma.BlindIndex // claimed for it
	removed []kangma.BlindIndex // no longer carried
}

// update stores one round. Most dossiers keep their indexes and take one exchange; the others, which the script sends
// back untouched, first claim their new indexes and come again.
func (db *DB) update(ctx context.Context, round []kangma.Dossier, lost *store.Lost) error {
	ways := make([]*pending, len(round))
	var fresh []*pending
	for i, d := range round {
		at := db.spotOf(d.Person)
		ways[i] = &pending{d: d, at: at, sealed: db.sealDossier(at, d)}
		if d.Version == 1 && len(d.Sealed.Indexes) > 0 { // certainly new: spare the first try
			ways[i].added, ways[i].claimed = d.Sealed.Indexes, true
			fresh = append(fresh, ways[i])
		}
	}
	if err := db.claim(ctx, fresh, false); err != nil {
		return err
	}
	changed, done, err := db.swap(ctx, ways, lost)
	if err != nil {
		return err
	}
	if len(changed) > 0 {
		if err := db.claim(ctx, changed, false); err != nil {
			return err
		}
		_, more, err := db.swap(ctx, changed, lost)
		if err != nil {
			return err
		}
		done = append(done, more...)
	}
	db.settle(ctx, done)
	return nil
}

// compareIndexes finds which indexes the dossier gains and loses against the stored one.
func (db *DB) compareIndexes(w *pending, reply []any) error {
	old, ok := reply[len(reply)-1].(string)
	if !ok || len(reply) != 2 {
		return errDamaged
	}
	var had []kangma.BlindIndex
	if old != "" {
		d, err := db.openDossier(w.at, []byte(old))
		if err != nil {
			return err
		}
		had = d.Sealed.Indexes
	}
	w.claimed = true
	for _, x := range w.d.Sealed.Indexes {
		if !slices.Contains(had, x) {
			w.added = append(w.added, x)
		}
	}
	for _, x := range had {
		if !slices.Contains(w.d.Sealed.Indexes, x) {
			w.removed = append(w.removed, x)
		}
	}
	return nil
}

// saw takes the number of writes a partition now has. floor is what this process knew before it asked: a number that is
// not above it means that Redis went back in time and acknowledged writes are gone.
func (db *DB) saw(tag int, floor, writes int64) {
	if writes <= floor {
		db.seen[tag].Store(writes)
		if !db.lost[tag].Swap(true) {
			db.cfg.Logger.Error("redis lost acknowledged writes", "partition", tag, "writes", writes, "known", floor)
			if db.cfg.OnLoss != nil {
				db.cfg.OnLoss(tag)
			}
		}
		return
	}
	for {
		known := db.seen[tag].Load()
		if writes <= known || db.seen[tag].CompareAndSwap(known, writes) {
			return
		}
	}
}

// Scan returns up to limit dossiers of one partition in order of id.
func (s *Dossiers) Scan(ctx context.Context, partition int, after kangma.PersonID, limit int) ([]kangma.Dossier, error) {
	page, err := s.ScanPacked(ctx, partition, after, limit)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	out := make([]kangma.Dossier, len(page))
	for i, p := range page {
		if out[i], err = wire.DecodeDossier(p.Data); err != nil {
			return nil, errDamaged
		}
	}
	return out, nil
}

var _ store.PackedScanner = (*Dossiers)(nil)

// ScanPacked is Scan in the wire form.
func (s *Dossiers) ScanPacked(ctx context.Context, partition int, after kangma.PersonID, limit int) ([]store.Packed, error) {
	if partition < 0 || partition >= store.Partitions || limit < 1 {
		return nil, kangma.E(kangma.Invalid, "scan", "a partition is 0 to 255 and a limit at least 1")
	}
	c := &call{tag: partition, args: []any{"GET", s.db.bitmapKey(partition)}}
	if err := s.db.do(ctx, 0, c); err != nil {
		return nil, err
	}
	bitmap, ok := c.reply.(string)
	if !ok {
		return nil, s.db.present(ctx, partition)
	}
	first := bucketOf(after)
	if store.PartitionOf(after) > partition {
		return nil, nil
	} else if store.PartitionOf(after) < partition {
		first = 0
	}
	var out []store.Packed
	ask := 1 + limit/8
	for bucket := first; bucket < buckets && len(out) < limit; {
		var calls []*call
		for ; bucket < buckets && len(calls) < min(ask, 128); bucket++ {
			if bucket/8 < len(bitmap) && bitmap[bucket/8]&(0x80>>(bucket%8)) != 0 {
				calls = append(calls, &call{tag: partition, args: []any{"HGETALL", s.db.bucketKey(partition, bucket)}})
			}
		}
		ask *= 2
		if err := s.db.do(ctx, 2*time.Second, calls...); err != nil {
			return nil, err
		}
		for _, c := range calls {
			page, err := s.db.openBucket(partition, c.reply, after)
			if err != nil {
				return nil, err
			}
			out = append(out, page...)
		}
	}
	return out[:min(len(out), limit)], nil
}

// openPacked opens a sealed dossier as it was stored.
func (db *DB) openPacked(at spot, sealed []byte) (p store.Packed, err error) {
	if p.Data, err = db.vault.open(at.tag, documentHead, at.field, sealed); err != nil {
		return p, err
	}
	p.Version = binary.BigEndian.Uint64(sealed[1:9])
	version, present := wire.DossierVersionOf(p.Data)
	if present {
		copy(p.Person[:], p.Data[1:])
	} else {
		d, err := wire.DecodeDossier(p.Data)
		if err != nil {
			return p, errDamaged
		}
		p.Person, version = d.Person, d.Version
	}
	if version != p.Version {
		return p, errDamaged
	}
	return p, nil
}

// openBucket gives the people of one bucket that come after an id, in order.
func (db *DB) openBucket(tag int, reply any, after kangma.PersonID) ([]store.Packed, error) {
	var out []store.Packed
	add := func(field, value any) error {
		f, ok1 := field.(string)
		v, ok2 := value.(string)
		if !ok1 || !ok2 || len(f) != len(name{}) {
			return errDamaged
		}
		d, err := db.openPacked(spot{tag: tag, field: name([]byte(f))}, []byte(v))
		if err != nil {
			return err
		}
		if bytes.Compare(d.Person[:], after[:]) > 0 {
			out = append(out, d)
		}
		return nil
	}
	switch r := reply.(type) {
	case map[any]any: // RESP3
		for f, v := range r {
			if err := add(f, v); err != nil {
				return nil, err
			}
		}
	case []any: // RESP2
		for i := 0; i+1 < len(r); i += 2 {
			if err := add(r[i], r[i+1]); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(out, func(a, b store.Packed) int { return bytes.Compare(a.Person[:], b.Person[:]) })
	return out, nil
}
