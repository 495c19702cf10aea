package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/kangma/kangma/internal/breaker"
)

// probeEvery is the pause between two looks at a server that is not asked.
const probeEvery = 250 * time.Millisecond

// watch asks the server whether it is there at all while a call that was granted more time than usual takes more than usual,
// until the returned function is called.
func (db *DB) watch(b *breaker.Breaker, client *goredis.Client) (done func()) {
	ctx, cancel := context.WithCancel(db.ended)
	alive := func(ctx context.Context) bool { return db.ping(ctx, client) }
	timer := time.AfterFunc(db.cfg.Timeout, func() {
		for ctx.Err() == nil && !b.Open() {
			if ok := alive(ctx); ctx.Err() == nil {
				db.outcome(b, ok, alive)
			}
			select {
			case <-ctx.Done():
			case <-time.After(probeEvery):
			}
		}
	})
	return func() { timer.Stop(); cancel() }
}

// outcome tells the breaker how a call went. With the failure that opens it a probe begins, which is alone in waiting
// for the server from then on: a request that found out by itself whether the server is back would be a slow one, and
// with few requests a large share of them.
func (db *DB) outcome(b *breaker.Breaker, ok bool, alive func(context.Context) bool) {
	if !b.Done(ok, time.Now()) {
		return
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.ended.Err() == nil {
		db.probes.Go(func() { db.probe(b, alive) })
	}
}

// probe looks at a server until it is back or the DB is closed.
func (db *DB) probe(b *breaker.Breaker, alive func(context.Context) bool) {
	tick := time.NewTicker(b.Probe)
	defer tick.Stop()
	for {
		select {
		case <-db.ended.Done():
			return
		case <-tick.C:
		}
		if alive(db.ended) {
			b.Done(true, time.Now())
			return
		}
		if db.ring != nil {
			db.ring.ReloadState(db.ended) // a replica may have taken over
		}
	}
}

// answers reports whether the server that holds a tag says anything at all, and tells its breaker.
func (db *DB) answers(ctx context.Context, tag int) bool {
	client, err := db.server(ctx, tag)
	if err != nil {
		return false
	}
	b := db.breaker(client.Options().Addr)
	if b.Open() {
		return false
	}
	alive := func(ctx context.Context) bool { return db.ping(ctx, client) }
	ok := alive(ctx)
	if ctx.Err() == nil {
		db.outcome(b, ok, alive)
	}
	return ok
}

// ping reports whether a server says anything at all. A refusal, such as a full disk or data being loaded, is for the
// calls themselves to hear.
func (db *DB) ping(ctx context.Context, client *goredis.Client) bool {
	ctx, cancel := context.WithTimeout(ctx, db.cfg.Timeout)
	defer cancel()
	c := &call{args: []any{"PING"}}
	err := exchange(ctx, client, []*call{c})
	return err == nil || errorCode(err) != ""
}
