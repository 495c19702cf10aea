package redis

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// A blind index is kept as a list of claims, newest first. A claim says: from this version on, this person's dossier
// carries the index. It is believed only when the dossier says so too. The steps of a dossier that gains an index are
//
//  1. claim: put the person in front of the list (the owner until now stays behind);
//  2. store the dossier;
//  3. settle: cut what stands behind off.
//
// A crash or a lost race after 1 leaves a claim whose dossier never carries the index: the next one in the list is found.
// After 2 the new owner is found. A dossier that lets go of an index is stored first; the entry, which nobody believes
// any more, is removed after.
type claim struct {
	person  kangma.PersonID
	version uint64
}

// maxClaims bounds a list. More people than this racing for one document number is a fault or an attack.
const maxClaims = 8

var errBusyIndex = unavailable("index_busy", nil)

type entrySpot struct {
	tag   int
	key   string
	field name
}

func (db *DB) entryOf(x kangma.BlindIndex) entrySpot {
	f := db.vault.name([]byte("index"), x[:])
	tag := int(f[0])
	return entrySpot{tag, fmt.Sprintf("%sx%03x", db.vault.tags[tag], binary.BigEndian.Uint16(f[1:])>>6), f}
}

func (db *DB) sealClaims(at entrySpot, claims []claim) []byte {
	plain := make([]byte, 0, 24*len(claims))
	for _, c := range claims {
		plain = binary.BigEndian.AppendUint64(append(plain, c.person[:]...), c.version)
	}
	return db.vault.seal(at.tag, []byte{2}, at.field, plain)
}

func (db *DB) openClaims(at entrySpot, sealed string) ([]claim, error) {
	if sealed == "" {
		return nil, nil
	}
	plain, err := db.vault.open(at.tag, entryHead, at.field, []byte(sealed))
	if err != nil || len(plain) == 0 || len(plain)%24 != 0 {
		return nil, errDamaged
	}
	out := make([]claim, 0, len(plain)/24)
	for ; len(plain) > 0; plain = plain[24:] {
		out = append(out, claim{kangma.PersonID(plain[:16]), binary.BigEndian.Uint64(plain[16:24])})
	}
	return out, nil
}

// digest says in four bytes which indexes a dossier carries, so that a script sees whether they change.
func (db *DB) digest(indexes []kangma.BlindIndex) (d [4]byte) {
	if len(indexes) == 0 {
		return d
	}
	sorted := slices.Clone(indexes)
	slices.SortFunc(sorted, func(a, b kangma.BlindIndex) int { return bytes.Compare(a[:], b[:]) })
	parts := [][]byte{[]byte("digest")}
	for i := range sorted {
		parts = append(parts, sorted[i][:])
	}
	n := db.vault.name(parts...)
	copy(d[:], n[:])
	d[0] |= 1 // never that of none
	return d
}

// swapping is one index entry being changed.
type swapping struct {
	x    kangma.BlindIndex
	at   entrySpot
	want claim  // what is put in front
	seen string // the entry as last seen
}

// claim puts every added index of the dossiers in their name.
func (db *DB) claim(ctx context.Context, ways []*pending, rebuild bool) error {
	var todo []*swapping
	for _, w := range ways {
		for _, x := range w.added {
			todo = append(todo, &swapping{x: x, at: db.entryOf(x), want: claim{w.d.Person, w.d.Version}})
		}
	}
	todo, err := db.claimFree(ctx, todo, rebuild)
	for round := 0; err == nil && len(todo) > 0; round++ {
		if round == 20 {
			return errBusyIndex
		}
		todo, err = db.claimTaken(ctx, todo, rebuild)
	}
	return err
}

// claimFree takes the entries that nobody has, which is nearly all of them, and gives back the others.
func (db *DB) claimFree(ctx context.Context, todo []*swapping, rebuild bool) (taken []*swapping, err error) {
	byTag := map[int][]*swapping{}
	for _, s := range todo {
		byTag[s.at.tag] = append(byTag[s.at.tag], s)
	}
	var calls []*call
	var groups [][]*swapping
	for tag, all := range byTag {
		for part := range slices.Chunk(all, 100) {
			c := &call{tag: tag, script: claimEntries, keys: []string{db.stateKey(tag)}, args: []any{flag(rebuild)}}
			for _, s := range part {
				c.keys = append(c.keys, s.at.key)
				c.args = append(c.args, s.at.field[:], db.sealClaims(s.at, []claim{s.want}))
			}
			calls, groups = append(calls, c), append(groups, part)
		}
	}
	extra := time.Second
	if rebuild {
		extra = rebuildTime
	}
	if err := db.do(ctx, extra, calls...); err != nil {
		return nil, err
	}
	for i, c := range calls {
		there, ok := c.reply.([]any)
		if !ok {
			return nil, errVanished
		}
		for k := 0; k+1 < len(there); k += 2 {
			n, _ := there[k].(int64)
			entry, _ := there[k+1].(string)
			if n < 1 || int(n) > len(groups[i]) {
				return nil, errDamaged
			}
			s := groups[i][n-1]
			s.seen = entry
			taken = append(taken, s)
		}
	}
	return taken, nil
}

// claimTaken puts the claims in front of those that are there, and gives back those that changed meanwhile.
func (db *DB) claimTaken(ctx context.Context, todo []*swapping, rebuild bool) (again []*swapping, err error) {
	var calls []*call
	var asked []*swapping
	for _, s := range todo {
		claims, err := db.newClaims(ctx, s, rebuild)
		if err != nil {
			return nil, err
		}
		if claims != nil {
			calls = append(calls, db.swapEntry(s.at, db.sealClaims(s.at, claims), s.seen, rebuild))
			asked = append(asked, s)
		}
	}
	if err := db.do(ctx, 0, calls...); err != nil {
		return nil, err
	}
	for i, c := range calls {
		switch r := c.reply.(type) {
		case []any:
			asked[i].seen, _ = r[len(r)-1].(string)
			again = append(again, asked[i])
		case string:
			return nil, errVanished
		}
	}
	return again, nil
}

// newClaims gives what an entry must become, or nil when it is right as it is.
func (db *DB) newClaims(ctx context.Context, s *swapping, rebuild bool) ([]claim, error) {
	claims, err := db.openClaims(s.at, s.seen)
	if err != nil && !rebuild {
		return nil, err // a rebuild writes a damaged entry afresh
	}
	mine := func(c claim) bool { return c.person == s.want.person && c.version <= s.want.version }
	if len(claims) > 0 && mine(claims[0]) || rebuild && slices.ContainsFunc(claims, mine) {
		return nil, nil // in front already; and a rebuild does not change who was the newest
	}
	if claims, err = db.living(ctx, s.x, claims, rebuild); err != nil {
		return nil, err
	}
	if len(claims) >= maxClaims {
		return nil, errBusyIndex
	}
	return slices.Insert(claims, 0, s.want), nil
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func (db *DB) swapEntry(at entrySpot, value []byte, seen string, rebuild bool) *call {
	return &call{tag: at.tag, script: swapEntry, keys: []string{db.stateKey(at.tag), at.key}, args: []any{at.field[:], value, seen, flag(rebuild)}}
}

// living drops the claims that can never become true and everything behind the first that is. During a rebuild a dossier
// that is not there yet may still come.
func (db *DB) living(ctx context.Context, x kangma.BlindIndex, claims []claim, rebuild bool) ([]claim, error) {
	var out []claim
	for _, c := range claims {
		d, err := db.Dossiers().Get(ctx, c.person)
		switch {
		case err != nil && (kangma.KindOf(err) == kangma.NotFound || rebuild && kangma.CodeOf(err) == "redis_vanished"):
			out = append(out, c) // not yet stored
		case err != nil:
			return nil, err
		case d.Version < c.version:
			out = append(out, c)
		case slices.Contains(d.Sealed.Indexes, x):
			return append(out, c), nil
		}
	}
	return out, nil
}

// Lookup finds a person by a blind index.
func (s *Dossiers) Lookup(ctx context.Context, index kangma.BlindIndex) (kangma.PersonID, error) {
	d, err := s.db.Find(ctx, index, nil)
	return d.Person, err
}

// Find is Lookup that gives the dossier: it was read to know whether the claim is true.
func (db *DB) Find(ctx context.Context, index kangma.BlindIndex, guess func(kangma.PersonID)) (kangma.Dossier, error) {
	at := db.entryOf(index)
	seen, s := "", db.Dossiers()
	for round := 0; round < 10; round++ {
		c := &call{tag: at.tag, args: []any{"HGET", at.key, at.field[:]}}
		if err := db.doSure(ctx, 0, c); err != nil {
			return kangma.Dossier{}, err
		}
		entry, _ := c.reply.(string)
		if entry == "" || round > 0 && entry == seen { // nobody, and nothing moved while we looked
			return kangma.Dossier{}, kangma.E(kangma.NotFound, "person", "nobody with this index")
		}
		seen = entry
		claims, err := db.openClaims(at, entry)
		if err != nil {
			return kangma.Dossier{}, err
		}
		if guess != nil && len(claims) > 0 {
			guess(claims[0].person)
		}
		for _, c := range claims {
			d, err := s.Get(ctx, c.person)
			if err != nil && kangma.KindOf(err) != kangma.NotFound {
				return kangma.Dossier{}, err
			}
			if err == nil && d.Version >= c.version && slices.Contains(d.Sealed.Indexes, index) {
				return d, nil
			}
		}
	}
	return kangma.Dossier{}, errBusyIndex
}

// settle tidies up after dossiers that are stored: what stands behind their claims is cut off, entries of indexes they
// let go are removed. Nothing depends on it, so its errors only leave a little rubbish.
func (db *DB) settle(ctx context.Context, ways []*pending) {
	var spots []entrySpot
	var owners []*pending
	var gone []bool
	for _, w := range ways {
		if w.d.Version == 1 && len(w.removed) == 0 {
			continue // fresh entries have nothing behind them but in a takeover; Lookup does not mind
		}
		for _, x := range w.added {
			spots, owners, gone = append(spots, db.entryOf(x)), append(owners, w), append(gone, false)
		}
		for _, x := range w.removed {
			spots, owners, gone = append(spots, db.entryOf(x)), append(owners, w), append(gone, true)
		}
	}
	db.trim(ctx, spots, owners, gone)
}

// unclaim takes back the claims of a dossier that lost its race.
func (db *DB) unclaim(ctx context.Context, w *pending) {
	for _, x := range w.added {
		at := db.entryOf(x)
		entry, claims := db.entry(ctx, at)
		kept := slices.DeleteFunc(slices.Clone(claims), func(c claim) bool { return c == claim{w.d.Person, w.d.Version} })
		if len(kept) == len(claims) || len(claims) == 0 {
			continue
		}
		// The winner of the same race may rely on the very same claim: it stays if the dossier carries the index.
		if d, err := db.Dossiers().Get(ctx, w.d.Person); err != nil || slices.Contains(d.Sealed.Indexes, x) {
			continue
		}
		var value []byte
		if len(kept) > 0 {
			value = db.sealClaims(at, kept)
		}
		db.do(ctx, 0, db.swapEntry(at, value, entry, false))
	}
}

func (db *DB) trim(ctx context.Context, spots []entrySpot, owners []*pending, gone []bool) {
	reads := make([]*call, len(spots))
	for i, at := range spots {
		reads[i] = &call{tag: at.tag, args: []any{"HGET", at.key, at.field[:]}}
	}
	if len(reads) == 0 || db.do(ctx, 0, reads...) != nil {
		return
	}
	var writes []*call
	for i, at := range spots {
		entry, _ := reads[i].reply.(string)
		claims, err := db.openClaims(at, entry)
		if err != nil || len(claims) == 0 || claims[0].person != owners[i].d.Person || claims[0].version > owners[i].d.Version {
			continue // somebody else owns it by now, or the same person again
		}
		switch {
		case gone[i]:
			writes = append(writes, db.swapEntry(at, nil, entry, false))
		case len(claims) > 1:
			writes = append(writes, db.swapEntry(at, db.sealClaims(at, claims[:1]), entry, false))
		}
	}
	if len(writes) > 0 {
		db.do(ctx, 0, writes...)
	}
}

func (db *DB) entry(ctx context.Context, at entrySpot) (string, []claim) {
	c := &call{tag: at.tag, args: []any{"HGET", at.key, at.field[:]}}
	if db.do(ctx, 0, c) != nil {
		return "", nil
	}
	entry, _ := c.reply.(string)
	claims, err := db.openClaims(at, entry)
	if err != nil {
		return "", nil
	}
	return entry, claims
}
