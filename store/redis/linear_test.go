package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/redis"
)

// One person is a register with versions. op is what a client asked, out what it was told.
type op struct {
	person  int
	write   bool
	version uint64
	value   string
}

type out struct {
	unknown bool // the call failed: it may or may not have happened
	lost    bool
	version uint64
	value   string
}

type register struct {
	version uint64
	value   string
}

// model says which outcomes are right. A write of unknown outcome may have happened or not, so it has two next states.
var model = (&porcupine.NondeterministicModel{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[int][]porcupine.Operation{}
		for _, o := range history {
			parts[o.Input.(op).person] = append(parts[o.Input.(op).person], o)
		}
		var all [][]porcupine.Operation
		for _, p := range parts {
			all = append(all, p)
		}
		return all
	},
	Init: func() []any { return []any{register{}} },
	Step: func(state, input, output any) []any {
		s, in, o := state.(register), input.(op), output.(out)
		next := register{in.version, in.value}
		switch {
		case !in.write && (o.unknown || o.version == s.version && o.value == s.value):
			return []any{s}
		case !in.write:
			return nil
		case o.unknown && in.version == s.version+1:
			return []any{s, next}
		case o.unknown || o.lost && in.version != s.version+1:
			return []any{s}
		case !o.lost && in.version == s.version+1:
			return []any{next}
		}
		return nil
	},
	Equal: func(a, b any) bool { return a == b },
}).ToModel()

// history lets clients read and write a few people until the faults are over, and records what they were told.
type history struct {
	mu    sync.Mutex
	ops   []porcupine.Operation
	start time.Time
}

func (h *history) record(client int, in op, call func() out) {
	from := time.Since(h.start).Nanoseconds()
	o := call()
	to := time.Since(h.start).Nanoseconds()
	if o.unknown && in.write {
		to = 1 << 62 // it may still happen
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Call: from, Output: o, Return: to})
}

func (h *history) client(ctx context.Context, db *redis.DB, n int, r *rand.Rand, ids []kangma.PersonID) {
	known := make([]uint64, len(ids))
	for i := 0; ctx.Err() == nil && i < 5000; i++ {
		time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
		person := r.IntN(len(ids))
		if r.IntN(2) == 0 {
			h.record(n, op{person: person}, func() out {
				d, err := db.Dossiers().Get(context.Background(), ids[person])
				if kangma.KindOf(err) == kangma.NotFound && err != nil {
					return out{}
				}
				if err != nil {
					return out{unknown: true}
				}
				known[person] = d.Version
				return out{version: d.Version, value: d.Home.Community}
			})
			continue
		}
		d := kangma.Dossier{Person: ids[person], Version: known[person] + 1, Home: kangma.Place{Division: 440103000, Community: strconv.Itoa(n*10_000 + i)}}
		h.record(n, op{person, true, d.Version, d.Home.Community}, func() out {
			err := db.Dossiers().Update(context.Background(), store.Mark{}, d)
			switch {
			case err == nil:
				known[person] = d.Version
				return out{}
			case errors.Is(err, kangma.Conflict):
				return out{lost: true}
			case kangma.CodeOf(err) == "redis_down", kangma.CodeOf(err) == "redis_vanished":
				return out{lost: true, version: 1} // not even sent, or refused by the script
			}
			return out{unknown: true}
		})
	}
}

// more waits until some hundred operations more are in the history, however busy the machine is.
func (h *history) more(t *testing.T) {
	t.Helper()
	count := func() int {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.ops)
	}
	before := count()
	eventually(t, func() error {
		if n := count(); n < before+200 {
			return fmt.Errorf("%d operations after %d", n, before)
		}
		return nil
	})
}

// clients runs eight clients on five people while faults happen, some time before and after, and gives the history.
func clients(t *testing.T, db *redis.DB, seed uint64, faults func(r *rand.Rand)) []porcupine.Operation {
	r := source(t, seed)
	ids := make([]kangma.PersonID, 5)
	for i := range ids {
		ids[i] = kangma.PersonID{byte(50 * i), byte(i), 1}
	}
	ctx, stop := context.WithCancel(t.Context())
	h := &history{start: time.Now()}
	var wg sync.WaitGroup
	for n := range 8 {
		mine := rand.New(rand.NewPCG(seed, uint64(n)))
		wg.Go(func() { h.client(ctx, db, n, mine, ids) })
	}
	h.more(t)
	faults(r)
	h.more(t)
	stop()
	wg.Wait()
	return h.ops
}

// check judges a history: what surely was not done is taken out, reads that failed say nothing.
func check(t *testing.T, ops []porcupine.Operation) porcupine.CheckResult {
	t.Helper()
	var kept []porcupine.Operation
	unknown := 0
	for _, o := range ops {
		in, o2 := o.Input.(op), o.Output.(out)
		if o2.unknown && !in.write || o2.lost && o2.version == 1 {
			continue
		}
		if o2.unknown {
			unknown++
		}
		kept = append(kept, o)
	}
	t.Logf("%d operations, %d of unknown outcome", len(kept), unknown)
	if len(kept) < 100 {
		t.Error("too few operations to say anything")
	}
	return porcupine.CheckOperationsTimeout(model, kept, 60*time.Second)
}

// TestOnePersonIsLinearizable is R28 on the store: whatever happens to Redis, what clients are told fits one order of
// events, as long as Redis keeps what it acknowledged. Where it does not (SIGKILL with everysec, a failover to a replica
// that lags) it is found out instead: Report.RolledBack.
func TestOnePersonIsLinearizable(t *testing.T) {
	judge := func(t *testing.T, ops []porcupine.Operation) {
		t.Helper()
		if got := check(t, ops); got != porcupine.Ok {
			t.Errorf("the history is %v", got)
		}
	}
	quick := func(cfg redis.Config) redis.Config {
		cfg.Timeout = 150 * time.Millisecond
		cfg.New = false
		return cfg
	}
	t.Run("one server killed and frozen", func(t *testing.T) {
		srv := realserver.StartRedis(t, realserver.RedisSurvivesKill...)
		open(t, single(srv))
		judge(t, clients(t, open(t, quick(single(srv))), 91, func(r *rand.Rand) {
			for range 4 {
				time.Sleep(time.Duration(30+r.IntN(100)) * time.Millisecond)
				srv.Kill()
				wantOK(t, srv.Start())
				time.Sleep(time.Duration(30+r.IntN(100)) * time.Millisecond)
				srv.Freeze()
				time.Sleep(time.Duration(50+r.IntN(300)) * time.Millisecond)
				srv.Thaw()
			}
		}))
	})
	t.Run("masters of a cluster killed and frozen", func(t *testing.T) {
		c := realserver.StartRedisCluster(t, realserver.RedisSurvivesKill...)
		open(t, cluster(c))
		judge(t, clients(t, open(t, quick(cluster(c))), 92, func(r *rand.Rand) {
			for range 4 {
				n := c.Nodes[r.IntN(3)]
				time.Sleep(time.Duration(30+r.IntN(100)) * time.Millisecond)
				n.Kill()
				wantOK(t, n.Start())
				n = c.Nodes[r.IntN(3)]
				n.Freeze()
				time.Sleep(time.Duration(50+r.IntN(300)) * time.Millisecond)
				n.Thaw()
			}
		}))
	})
	t.Run("a store that answers from the past is caught", func(t *testing.T) {
		srv := realserver.StartRedis(t) // keeps nothing: a restart forgets, and the epoch is put back behind its back
		db := open(t, single(srv))
		ops := clients(t, db, 93, func(r *rand.Rand) {
			state := map[string]string{}
			for p := range store.Partitions {
				k := fmt.Sprintf("{km:%02x}s", p)
				state[k], _ = srv.Do("HGET", k, "e")
			}
			srv.Must("FLUSHALL")
			for k, epoch := range state {
				srv.Must("HSET", k, "e", epoch)
			}
		})
		if got := check(t, ops); got != porcupine.Illegal {
			t.Errorf("the history is %v: the check cannot fail", got)
		}
	})
}
