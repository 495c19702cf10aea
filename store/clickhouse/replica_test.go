package clickhouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/clickhouse"
)

// TestReplicasHoldTheSamePassages runs the tables as they are with ZooKeeper: two replicas of one shard. What is loaded goes to
// one and arrives at the other; when the one is gone, loading and asking go on, nothing is lost or doubled, and it catches up.
func TestReplicasHoldTheSamePassages(t *testing.T) {
	c := realserver.StartClickHouseReplicas(t, realserver.StartZooKeeper(t))
	one, two := c.Shards[0], c.Shards[1]
	cfg := clickhouse.Config{Shards: [][]string{{one.Addr, two.Addr}}, Cluster: c.Name, Keeper: true, User: one.User, Password: one.Password, Insert: 10 * time.Second}
	db, r := open(t, cfg), source(t, 41)
	for _, srv := range c.Shards {
		if got := srv.Must("SELECT engine FROM system.tables WHERE database = 'kangma' AND name = 'passages'"); got != "ReplicatedReplacingMergeTree" {
			t.Fatalf("engine: %s", got)
		}
	}
	have := func(srv *realserver.ClickHouse, n int) {
		t.Helper()
		eventually(t, func() error {
			got, err := srv.Exec("SELECT uniqExact(id), count() - uniqExact(id) FROM kangma.passages FINAL")
			if err != nil || got != fmt.Sprintf("%d\t0", n) {
				return fmt.Errorf("%s: %s, %w", srv.Addr, got, err)
			}
			return nil
		})
	}
	loadEventually := func(b store.Batch) { // a replica that lost its session on a busy machine refuses for a moment
		t.Helper()
		eventually(t, func() error { return db.Load(t.Context(), b) })
	}
	a := passages(r, 0, 5000, noon, time.Second)
	loadEventually(a)
	loadEventually(a) // and again
	have(one, 5000)
	have(two, 5000)

	one.Kill()
	b := passages(r, a.To, 3000, noon.Add(2*time.Hour), time.Second)
	loadEventually(b)
	have(two, 8000)
	if got := total(t, db); got != 8000 {
		t.Errorf("counted %d without the first replica, want 8000", got)
	}
	if err := one.Start(); err != nil {
		t.Fatal(err)
	}
	have(one, 8000)
	eventually(t, func() error { return db.Drop(t.Context(), noon.AddDate(0, 0, 1)) })
	have(one, 0)
	have(two, 0)
}
