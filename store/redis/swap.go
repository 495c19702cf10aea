package redis

import (
	"context"
	"slices"
	"strings"

	"github.com/kangma/kangma/store"
)

// People of one call of updateDossiers, at most, and bytes of theirs that begin no further person: the server does nothing else meanwhile
// (64 people take it some half a millisecond).
const (
	swapPeople = 64
	swapBytes  = 256 << 10
)

// groups cuts people into those of one call each, partition by partition. The keys of a call must be in one slot of a cluster; a server
// by itself does not mind. One address may also stand for a cluster (a proxy, or its only node): that is learned from its first refusal.
func (db *DB) groups(ways []*pending) (groups [][]*pending) {
	ways = slices.Clone(ways)
	slices.SortStableFunc(ways, func(a, b *pending) int { return a.at.tag - b.at.tag })
	size, apart := 0, db.ring != nil || db.apart.Load()
	for _, w := range ways {
		last := len(groups) - 1
		if last < 0 || len(groups[last]) == swapPeople || size >= swapBytes || apart && groups[last][0].at.tag != w.at.tag {
			groups, size, last = append(groups, nil), 0, last+1
		}
		groups[last], size = append(groups[last], w), size+len(w.sealed)
	}
	return groups
}

// slotsDiffer reports whether Redis refused a call because its keys are of several slots of a cluster. Each kind of proxy has words of its
// own for it.
func slotsDiffer(err error) bool {
	code := errorCode(err)
	return code == "CROSSSLOT" || code == "ERR" && strings.Contains(err.Error(), "same slot")
}

// swapCall stores the dossiers of one group.
func (db *DB) swapCall(group []*pending) *call {
	c := &call{tag: group[0].at.tag, script: updateDossiers, people: len(group),
		keys: make([]string, 0, 3*len(group)), args: make([]any, 0, 5*len(group))}
	for _, w := range group {
		c.keys = append(c.keys, db.stateKey(w.at.tag), db.bucketKey(w.at.tag, w.at.bucket), db.bitmapKey(w.at.tag))
		c.args = append(c.args, w.at.field[:], w.sealed, before(w.d.Version), w.at.bucket, flag(w.claimed))
	}
	return c
}

// swap tries to store the dossiers. It gives back those whose indexes must be claimed first and those that are through
// with a change of indexes.
func (db *DB) swap(ctx context.Context, ways []*pending, lost *store.Lost) (changed, done []*pending, err error) {
	groups := db.groups(ways)
	calls := make([]*call, len(groups))
	floors := make([][]int64, len(groups))
	for i, group := range groups {
		calls[i] = db.swapCall(group)
		for _, w := range group {
			floors[i] = append(floors[i], db.seen[w.at.tag].Load())
		}
	}
	if err := db.do(ctx, 0, calls...); err != nil {
		return nil, nil, err
	}
	for i, group := range groups {
		said, _ := calls[i].reply.([]any)
		if len(said) != len(group) {
			return nil, nil, errDamaged
		}
		for k, w := range group {
			switch r := said[k].(type) {
			case int64:
				db.saw(w.at.tag, floors[i][k], r)
				if w.claimed {
					done = append(done, w)
				}
			case []any:
				if err := db.compareIndexes(w, r); err != nil {
					return nil, nil, err
				}
				changed = append(changed, w)
			case string:
				if r == saysVanished {
					return nil, nil, errVanished
				}
				lost.People = append(lost.People, w.d.Person)
				if w.claimed {
					db.unclaim(ctx, w)
				}
			}
		}
	}
	return changed, done, nil
}
