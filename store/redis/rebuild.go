package redis

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// epochs reads which partitions have an epoch, that is, hold what they should.
func (db *DB) epochs(ctx context.Context) (missing []int, writes [store.Partitions]int64, err error) {
	calls := make([]*call, store.Partitions)
	for tag := range calls {
		calls[tag] = &call{tag: tag, args: []any{"HMGET", db.stateKey(tag), "e", "n"}}
	}
	if err := db.do(ctx, 0, calls...); err != nil {
		return nil, writes, err
	}
	for tag, c := range calls {
		values, _ := c.reply.([]any)
		if len(values) != 2 || values[0] == nil {
			missing = append(missing, tag)
		}
		if len(values) != 2 {
			continue
		}
		if n, ok := values[1].(string); ok {
			for _, digit := range n {
				writes[tag] = writes[tag]*10 + int64(digit-'0')
			}
		}
	}
	return missing, writes, nil
}

// Changes tells of each partition a text that changes with every write to its people, and when it was made anew. It is one
// short exchange with each server. A partition that vanished has "".
func (db *DB) Changes(ctx context.Context) (out [store.Partitions]string, err error) {
	calls := make([]*call, store.Partitions)
	for tag := range calls {
		calls[tag] = &call{tag: tag, args: []any{"HMGET", db.stateKey(tag), "e", "n"}}
	}
	if err := db.do(ctx, 0, calls...); err != nil {
		return out, err
	}
	for tag, c := range calls {
		values, _ := c.reply.([]any)
		if len(values) == 2 && values[0] != nil {
			epoch, _ := values[0].(string)
			writes, _ := values[1].(string) // none yet
			out[tag] = epoch + "/" + writes
		}
	}
	return out, nil
}

// begin gives an empty Redis its epoch. One that is partly there is left alone: it lost something.
func (db *DB) begin(ctx context.Context) error {
	missing, _, err := db.epochs(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	if len(missing) < store.Partitions {
		return errVanished
	}
	return db.stamp(ctx, missing)
}

func (db *DB) stamp(ctx context.Context, tags []int) error {
	epoch := rand.Text()
	calls := make([]*call, len(tags))
	for i, tag := range tags {
		calls[i] = &call{tag: tag, args: []any{"HSETNX", db.stateKey(tag), "e", epoch}}
	}
	return db.do(ctx, 0, calls...)
}

// Rebuild fills Redis again from elsewhere (snapshot and journal) after it lost data: fill is given a Loader and puts
// everything there is. What Redis still holds in a later version stays. Partitions that vanished answer again only when
// fill is through without an error; until then every call to them is kangma.Unavailable, so nobody is "unknown" by
// mistake. It may run again after a failure, and beside other processes that do the same.
func (db *DB) Rebuild(ctx context.Context, fill func(context.Context, *Loader) error) error {
	err := db.eachServer(ctx, func(tag int) error { // patiently, before many exchanges want them at once
		client, err := db.server(ctx, tag)
		if err == nil && !db.loadScripts(ctx, client, rebuildTime) {
			err = errOpen
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := fill(ctx, &Loader{db}); err != nil {
		return err
	}
	missing, writes, err := db.epochs(ctx)
	if err != nil {
		return err
	}
	for tag := range store.Partitions { // what went back has been filled in: count from here
		db.lost[tag].Store(false)
		db.seen[tag].Store(writes[tag])
	}
	if err := db.stamp(ctx, missing); err != nil {
		return err
	}
	return db.rewrite(ctx)
}

// rewrite has every server write its append-only file anew. Redis 7.0 leaves the beginning of a transaction in a file that it cut
// within one; whatever comes next in the file is then read as part of it, and a later loss may go unnoticed because the count of
// writes counts one too many. A server that may not be told so (ACL), or keeps no such file, is left alone.
func (db *DB) rewrite(ctx context.Context) error {
	return db.eachServer(ctx, func(tag int) error {
		c := &call{tag: tag, args: []any{"BGREWRITEAOF"}}
		if err := db.do(ctx, time.Second, c); err != nil {
			db.cfg.Logger.Warn("the append-only file is not written anew; run BGREWRITEAOF where it was cut", "err", err)
		}
		return ctx.Err()
	})
}

// rebuildTime is granted to each exchange of a rebuild: several wait for Redis' one thread at once, and nobody waits for them.
const rebuildTime = 20 * time.Second

// Loader puts what a rebuild found. Its methods may be called concurrently for different people and records.
type Loader struct{ db *DB }

// Dossiers stores dossiers of any version, with their indexes, unless later versions are there. It is fastest with some
// thousand at once.
func (l *Loader) Dossiers(ctx context.Context, dossiers ...kangma.Dossier) error {
	ways := make([]*pending, len(dossiers))
	for i, d := range dossiers {
		at := l.db.spotOf(d.Person)
		ways[i] = &pending{d: d, at: at, sealed: l.db.sealDossier(at, d), added: d.Sealed.Indexes}
	}
	return l.put(ctx, ways)
}

var _ store.PackedLoader = (*Loader)(nil)

// Packed is Dossiers for those whose wire form the caller has.
func (l *Loader) Packed(ctx context.Context, people []store.Packed, indexes [][]kangma.BlindIndex) error {
	ways := make([]*pending, len(people))
	for i, p := range people {
		at := l.db.spotOf(p.Person)
		ways[i] = &pending{d: kangma.Dossier{Person: p.Person, Version: p.Version}, at: at, added: indexes[i],
			sealed: l.db.vault.seal(at.tag, documentHeadOf(p.Version, l.db.digest(indexes[i])), at.field, p.Data)}
	}
	return l.put(ctx, ways)
}

func (l *Loader) put(ctx context.Context, ways []*pending) error {
	byTag := map[int][]*pending{}
	for _, w := range ways {
		byTag[w.at.tag] = append(byTag[w.at.tag], w)
	}
	var calls []*call
	var groups [][]*pending
	for tag, ways := range byTag {
		for part := range slices.Chunk(ways, 100) {
			c := &call{tag: tag, script: restoreDossiers, keys: []string{l.db.stateKey(tag), l.db.bitmapKey(tag)}}
			for _, w := range part {
				c.keys = append(c.keys, l.db.bucketKey(tag, w.at.bucket))
				c.args = append(c.args, w.at.field[:], w.sealed, binary.BigEndian.AppendUint64(nil, w.d.Version), w.at.bucket)
			}
			calls, groups = append(calls, c), append(groups, part)
		}
	}
	if err := l.db.do(ctx, rebuildTime, calls...); err != nil {
		return err
	}
	var stored []*pending
	for i, c := range calls {
		later, _ := c.reply.([]any)
		for n, w := range groups[i] {
			if !slices.Contains(later, any(int64(n+1))) {
				stored = append(stored, w)
			}
		}
	}
	return l.db.claim(ctx, stored, true)
}

// Clear removes everything under the prefix, the epochs first, so that a half-cleared state is known for one.
func (db *DB) Clear(ctx context.Context) error {
	epochs := make([]*call, store.Partitions)
	for tag := range epochs {
		epochs[tag] = &call{tag: tag, args: []any{"DEL", db.stateKey(tag)}}
	}
	if err := db.do(ctx, 0, epochs...); err != nil {
		return err
	}
	return db.eachServer(ctx, func(tag int) error { return db.clearServer(ctx, tag) })
}

// eachServer runs f with one tag of each server.
func (db *DB) eachServer(ctx context.Context, f func(tag int) error) error {
	done := map[*goredis.Client]bool{}
	for tag := range store.Partitions {
		client, err := db.server(ctx, tag)
		if err != nil {
			return err
		}
		if !done[client] {
			done[client] = true
			if err := f(tag); err != nil {
				return err
			}
		}
	}
	return nil
}

func (db *DB) clearServer(ctx context.Context, tag int) error {
	pattern := "{" + db.cfg.Prefix + ":*"
	for at := "0"; ; {
		scan := &call{tag: tag, args: []any{"SCAN", at, "MATCH", pattern, "COUNT", 5000}}
		if err := db.do(ctx, 2*time.Second, scan); err != nil {
			return err
		}
		reply, _ := scan.reply.([]any)
		if len(reply) != 2 {
			return kangma.E(kangma.Internal, "redis", "the state store answered strangely").Because(errors.New("SCAN"))
		}
		var removes []*call
		keys, _ := reply[1].([]any)
		for _, key := range keys { // one by one: keys of one command must be of one slot
			if text, ok := key.(string); ok {
				removes = append(removes, &call{tag: tag, args: []any{"UNLINK", text}})
			}
		}
		if err := db.do(ctx, 2*time.Second, removes...); err != nil {
			return err
		}
		if at, _ = reply[0].(string); at == "0" {
			return nil
		}
	}
}
