package realserver

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// RedisCluster is a running Redis Cluster. Nodes are the masters; Replicas[i] follows Nodes[i] where asked for.
type RedisCluster struct {
	Nodes    []*Redis
	Replicas []*Redis
	Password string
}

// Addrs gives the masters' addresses.
func (c *RedisCluster) Addrs() []string {
	var out []string
	for _, n := range c.Nodes {
		out = append(out, n.Addr)
	}
	return out
}

// StartRedisCluster starts a cluster of three masters.
func StartRedisCluster(tb testing.TB, options ...string) *RedisCluster {
	tb.Helper()
	return startRedisCluster(tb, false, options)
}

// StartRedisClusterReplicated starts a cluster of three masters with one replica each.
func StartRedisClusterReplicated(tb testing.TB, options ...string) *RedisCluster {
	tb.Helper()
	return startRedisCluster(tb, true, options)
}

func startRedisCluster(tb testing.TB, replicated bool, options []string) *RedisCluster {
	tb.Helper()
	const masters, slots = 3, 16384
	c := &RedisCluster{Password: rand.Text()}
	root := tb.TempDir()
	// A node that a busy machine starves for this long counts as lost. Where nobody takes over, there is no hurry.
	timeout := "20000"
	if replicated {
		timeout = "2500"
	}
	node := func(name string) *Redis {
		dir := filepath.Join(root, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			tb.Fatal(err)
		}
		args := append([]string{"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(freePort(tb)),
			"--cluster-node-timeout", timeout,
			// Without this one lost master stops every partition, also those that are well.
			"--cluster-require-full-coverage", "no"}, options...)
		return startRedis(tb, dir, c.Password, args)
	}
	for i := range masters {
		c.Nodes = append(c.Nodes, node(fmt.Sprintf("m%d", i)))
		c.Nodes[i].Must("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/masters), strconv.Itoa((i+1)*slots/masters-1))
	}
	for i := range masters {
		if replicated {
			c.Replicas = append(c.Replicas, node(fmt.Sprintf("r%d", i)))
		}
	}
	all := append(append([]*Redis(nil), c.Nodes...), c.Replicas...)
	host, port, _ := strings.Cut(c.Nodes[0].Addr, ":")
	for _, n := range all[1:] {
		n.Must("CLUSTER", "MEET", host, port, c.Nodes[0].args[4])
	}
	c.await(tb, all, func(info string) bool {
		return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", len(all)))
	})
	for i, r := range c.Replicas {
		r.Must("CLUSTER", "REPLICATE", c.Nodes[i].Must("CLUSTER", "MYID"))
	}
	for _, r := range c.Replicas {
		r.awaitReplica()
	}
	return c
}

// Behind puts a proxy before each master and has the cluster tell clients the proxies' addresses in place of its own.
func (c *RedisCluster) Behind(tb testing.TB) (all []*Proxy) {
	tb.Helper()
	var ports []string
	for _, n := range c.Nodes {
		p := StartProxy(tb, n.Addr)
		_, port, _ := strings.Cut(p.Addr, ":")
		n.Must("CONFIG", "SET", "cluster-announce-port", port)
		all, ports = append(all, p), append(ports, port)
	}
	var told string
	for end := time.Now().Add(ReadyWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		whole := true
		for _, n := range c.Nodes {
			told = n.Must("CLUSTER", "NODES")
			for _, port := range ports {
				whole = whole && strings.Contains(told, ":"+port+"@")
			}
		}
		if whole {
			return all
		}
	}
	tb.Fatalf("the cluster does not tell the proxies' addresses:\n%s", told)
	return nil
}

func (c *RedisCluster) await(tb testing.TB, nodes []*Redis, good func(info string) bool) {
	tb.Helper()
	var info string
	for end := time.Now().Add(ReadyWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ok := true
		for _, n := range nodes {
			info, _ = n.Do("CLUSTER", "INFO")
			ok = ok && good(info)
		}
		if ok {
			return
		}
	}
	tb.Fatalf("the cluster does not come together:\n%s", info)
}

func (r *Redis) awaitReplica() {
	r.tb.Helper()
	for end := time.Now().Add(ReadyWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if info, _ := r.Do("INFO", "replication"); strings.Contains(info, "master_link_status:up") {
			return
		}
	}
	r.tb.Fatal("a replica does not follow its master")
}

// AwaitRole waits until the node is "master" or "slave" (Redis' own word), e.g. after a failover.
func (r *Redis) AwaitRole(role string) {
	r.tb.Helper()
	for end := time.Now().Add(ReadyWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if info, _ := r.Do("INFO", "replication"); strings.Contains(info, "role:"+role) {
			return
		}
	}
	r.tb.Fatalf("the node does not become %s", role)
}
