package redis

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// topology asks a cluster which node holds which slots. go-redis would ask by its usual connections, which wait long for
// a node that hangs; here every node has the time of one exchange.
type topology struct {
	cfg Config

	mu    sync.Mutex
	known []string // nodes of the last answer and the configured ones
}

func (t *topology) slots(ctx context.Context) ([]goredis.ClusterSlot, error) {
	t.mu.Lock()
	nodes := slices.Clone(t.known)
	t.mu.Unlock()
	if len(nodes) == 0 {
		nodes = slices.Clone(t.cfg.Addrs)
	}
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	err := errors.New("no node to ask")
	for _, addr := range nodes {
		var slots []goredis.ClusterSlot
		if slots, err = t.ask(ctx, addr); err == nil && len(slots) > 0 {
			t.learn(slots)
			return slots, nil
		}
	}
	return nil, err
}

func (t *topology) ask(ctx context.Context, addr string) ([]goredis.ClusterSlot, error) {
	o := options(t.cfg).Simple()
	o.Addr, o.PoolSize, o.ReadTimeout, o.WriteTimeout = addr, 1, t.cfg.Timeout, t.cfg.Timeout
	c := goredis.NewClient(o)
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	return c.ClusterSlots(ctx).Result()
}

func (t *topology) learn(slots []goredis.ClusterSlot) {
	nodes := slices.Clone(t.cfg.Addrs)
	for _, s := range slots {
		for _, n := range s.Nodes {
			if n.Addr != "" && n.Addr[0] != ':' && !slices.Contains(nodes, n.Addr) {
				nodes = append(nodes, n.Addr)
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known = nodes
}
