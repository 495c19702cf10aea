package redis

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/breaker"
)

// call is one command for the server that holds a partition, and its outcome.
type call struct {
	tag    int // whose hash tag the keys carry
	script *goredis.Script
	keys   []string
	args   []any // of a script its ARGV, else the whole command
	people int   // of a script for several people, how many; 0: it is one command

	reply any
	err   error
}

// maxPipeline bounds how many commands travel together, so that one exchange stays within its time.
const maxPipeline = 500

// weight is how many commands the server has to do for some calls: a script for several people is one for each.
func weight(calls []*call) (n int) {
	for _, c := range calls {
		n += max(1, c.people)
	}
	return n
}

// do runs the calls, those for one server in one pipeline in their order, servers side by side. extra is time granted
// beyond the usual for large values. The first error is returned; each call carries its own.
func (db *DB) do(ctx context.Context, extra time.Duration, calls ...*call) error {
	if err := ctx.Err(); err != nil {
		return unavailable("canceled", err)
	}
	if !handOver(ctx, extra, calls) {
		db.ask(ctx, extra, calls)
	}
	for _, c := range calls {
		if c.err != nil {
			return c.err
		}
	}
	return nil
}

// ask is do without a look at what came of the calls.
func (db *DB) ask(ctx context.Context, extra time.Duration, calls []*call) {
	if db.ring == nil {
		db.pipelines(ctx, extra, db.single, calls)
		return
	}
	groups := map[*goredis.Client][]*call{}
	for _, c := range calls {
		client, err := db.server(ctx, c.tag)
		if c.err = err; err == nil {
			groups[client] = append(groups[client], c)
		}
	}
	if len(groups) == 1 {
		for client, group := range groups {
			db.pipelines(ctx, extra, client, group)
		}
		return
	}
	var wg sync.WaitGroup
	for client, group := range groups {
		wg.Go(func() { db.pipelines(ctx, extra, client, group) })
	}
	wg.Wait()
}

// server gives the client of the master that holds a tag.
func (db *DB) server(ctx context.Context, tag int) (*goredis.Client, error) {
	if db.ring == nil {
		return db.single, nil
	}
	b := db.breaker("cluster") // asking the cluster where things are may hang like anything else
	if b.Open() {
		return nil, errOpen
	}
	client, err := db.locate(ctx, tag)
	db.outcome(b, err == nil, func(ctx context.Context) bool { _, err := db.locate(ctx, tag); return err == nil })
	if err != nil {
		return nil, unavailable("redis_cluster", err)
	}
	return client, nil
}

func (db *DB) locate(ctx context.Context, tag int) (*goredis.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, db.cfg.Timeout)
	defer cancel()
	return db.ring.MasterForKey(ctx, db.vault.tags[tag])
}

func (db *DB) breaker(addr string) *breaker.Breaker {
	db.mu.Lock()
	defer db.mu.Unlock()
	b := db.breakers[addr]
	if b == nil {
		b = &breaker.Breaker{After: db.cfg.Timeout, Probe: probeEvery}
		db.breakers[addr] = b
	}
	return b
}

// Down tells which servers are not asked at the moment because they failed to answer.
func (db *DB) Down() []string {
	db.mu.Lock()
	defer db.mu.Unlock()
	var out []string
	for addr, b := range db.breakers {
		if b.Open() {
			out = append(out, addr)
		}
	}
	return out
}

func (db *DB) pipelines(ctx context.Context, extra time.Duration, client *goredis.Client, calls []*call) {
	for len(calls) > 0 {
		n, heavy := 1, weight(calls[:1])
		for ; n < len(calls) && heavy < maxPipeline; n++ {
			heavy += weight(calls[n : n+1])
		}
		db.pipeline(ctx, extra, client, calls[:n], 0)
		calls = calls[n:]
	}
}

// pipeline runs calls of about maxPipeline commands on one server. What the server did not execute (unknown script, moved slot) is
// sent again, up to maxRounds times; what it may have executed never is.
func (db *DB) pipeline(ctx context.Context, extra time.Duration, client *goredis.Client, calls []*call, round int) {
	b := db.breaker(client.Options().Addr)
	if b.Open() {
		setErr(calls, errOpen)
		return
	}
	var err error
	if db.sharable(ctx, extra, calls) {
		err = db.share(client, calls)
	} else {
		err = db.alone(ctx, extra, client, b, calls)
	}
	if err != nil {
		setErr(calls, db.unreachable(ctx, err))
		return
	}
	var again []*call
	if round < maxRounds {
		again = db.retriable(ctx, client, calls)
	}
	for _, c := range calls {
		if !slices.Contains(again, c) {
			c.err = replyError(c.err)
		}
	}
	groups := map[*goredis.Client][]*call{} // slots that moved may have gone to different servers
	for _, c := range again {
		next, err := db.server(ctx, c.tag)
		if c.err = err; err == nil {
			groups[next] = append(groups[next], c)
		}
	}
	for next, group := range groups {
		db.pipeline(ctx, extra, next, group, round+1)
	}
}

// alone does one exchange on a connection of its own.
func (db *DB) alone(ctx context.Context, extra time.Duration, client *goredis.Client, b *breaker.Breaker, calls []*call) error {
	limited, cancel := context.WithTimeout(ctx, db.cfg.Timeout+extra+time.Duration(weight(calls))*time.Millisecond)
	defer cancel()
	watched := func() {}
	if extra > 0 {
		watched = db.watch(b, client)
	}
	err := exchange(limited, client, calls)
	watched()
	if ctx.Err() == nil || err == nil { // a caller that left says nothing about the server
		db.outcome(b, err == nil || errorCode(err) != "", func(ctx context.Context) bool { return db.ping(ctx, client) })
	}
	return err
}

// maxRounds bounds how often calls follow a slot that moves.
const maxRounds = 3

// unreachable makes our error of a connection that failed.
func (db *DB) unreachable(ctx context.Context, err error) error {
	switch {
	case err == errOpen:
		return errOpen
	case ctx.Err() != nil:
		return unavailable("redis_unreachable", ctx.Err())
	case errorCode(err) != "": // refused at the door, e.g. a wrong password
		return replyError(err)
	}
	if db.ring != nil {
		db.ring.ReloadState(ctx) // a replica may have taken over
	}
	return unavailable("redis_unreachable", err)
}

// exchange sends the calls and reads the replies. It returns an error when the connection failed; what the server itself
// says is in each call.
func exchange(ctx context.Context, client *goredis.Client, calls []*call) error {
	pipe := client.Pipeline()
	cmds := enqueue(ctx, pipe, calls, make([]*goredis.Cmd, 0, len(calls)))
	_, first := pipe.Exec(ctx)
	return settle(calls, cmds, first)
}

// enqueue puts the calls into a pipeline and appends what will hold their replies to cmds.
func enqueue(ctx context.Context, pipe goredis.Pipeliner, calls []*call, cmds []*goredis.Cmd) []*goredis.Cmd {
	for _, c := range calls {
		if c.script != nil {
			cmds = append(cmds, c.script.EvalSha(ctx, pipe, c.keys, c.args...))
		} else {
			cmds = append(cmds, pipe.Do(ctx, c.args...))
		}
	}
	return cmds
}

// settle gives the calls their replies. first is what the pipeline said; the error is that of a connection that failed.
func settle(calls []*call, cmds []*goredis.Cmd, first error) error {
	for i, c := range calls {
		c.reply, c.err = cmds[i].Result()
		var said goredis.Error
		if c.err != nil && !errors.As(c.err, &said) {
			return c.err
		}
		if c.err == nil && c.reply == nil { // neither a reply nor an error: the connection was never made
			return cmp.Or(first, errNoReply)
		}
		if errors.Is(c.err, goredis.Nil) {
			c.reply, c.err = nil, nil
		}
	}
	return nil
}

var errNoReply = errors.New("no reply and no error")

// retriable finds the calls that the server refused without executing them and removes the reason.
func (db *DB) retriable(ctx context.Context, client *goredis.Client, calls []*call) (again []*call) {
	moved, tried, loaded := false, false, false
	for _, c := range calls {
		switch code := errorCode(c.err); {
		case code == "NOSCRIPT":
			if !tried {
				tried, loaded = true, db.loadScripts(ctx, client, db.cfg.Timeout)
			}
			if loaded {
				again = append(again, c)
			}
		case db.ring == nil && slotsDiffer(c.err): // nothing of it was done
			db.apart.Store(true)
			c.err = unavailable("redis_slots", errors.New(errorCode(c.err)))
		case db.ring != nil && (code == "MOVED" || code == "ASK" || code == "READONLY" || code == "TRYAGAIN"):
			moved = true
			again = append(again, c)
		}
	}
	if moved {
		db.ring.ReloadState(ctx)
		select { // the new map arrives in the background
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return again
}

// loadScripts gives a server all scripts at once: it was started anew.
func (db *DB) loadScripts(ctx context.Context, client *goredis.Client, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for _, s := range scripts { // one by one: in a pipeline go-redis forgets their names
		if s.Load(ctx, client).Err() != nil {
			return false
		}
	}
	return true
}

func setErr(calls []*call, err error) {
	for _, c := range calls {
		c.err = err
	}
}

var errOpen = unavailable("redis_down", nil)

// unavailable makes the error of a Redis that could not be asked. The texts of causes hold addresses, never keys.
func unavailable(code string, cause error) error {
	e := kangma.E(kangma.Unavailable, code, "the state store does not answer; try again in a moment")
	e.RetryAfter = 1
	if cause == nil {
		return e
	}
	return e.Because(cause)
}

// errorCode gives the first word of what Redis said, e.g. MISCONF.
func errorCode(err error) string {
	var said goredis.Error
	if err == nil || !errors.As(err, &said) {
		return ""
	}
	code, _, _ := strings.Cut(said.Error(), " ")
	return code
}

// replyError turns what Redis said into our words: full disk (MISCONF), full memory (OOM), loading, a replica, a
// cluster without that slot are all "not now". Anything else is a fault of ours.
func replyError(err error) error {
	if err == nil {
		return nil
	}
	switch code := errorCode(err); code {
	case "":
		return err
	case "MISCONF", "OOM", "LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "MOVED", "ASK", "TRYAGAIN", "NOREPLICAS", "BUSY",
		"NOAUTH", "WRONGPASS", "NOPERM":
		return unavailable("redis_"+strings.ToLower(code), errors.New(code))
	default:
		return kangma.E(kangma.Internal, "redis", "the state store refused a command").Because(errors.New(code))
	}
}

var errVanished = unavailable("redis_vanished", errors.New("a partition has no epoch: Redis lost its data and waits for a rebuild"))
