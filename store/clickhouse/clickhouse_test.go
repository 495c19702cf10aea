package clickhouse_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/clickhouse"
	"github.com/kangma/kangma/store/storetest"
)

func single(c *realserver.ClickHouse) clickhouse.Config {
	return clickhouse.Config{Shards: [][]string{{c.Addr}}, User: c.User, Password: c.Password, Analyst: c.Analyst, AnalystPassword: c.AnalystPassword}
}

func cluster(c *realserver.ClickHouseCluster) clickhouse.Config {
	a := c.Shards[0]
	return clickhouse.Config{Shards: [][]string{{a.Addr}, {c.Shards[1].Addr}}, Cluster: c.Name, User: a.User, Password: a.Password,
		Analyst: a.Analyst, AnalystPassword: a.AnalystPassword}
}

func open(tb testing.TB, cfg clickhouse.Config) *clickhouse.DB {
	tb.Helper()
	db, err := clickhouse.Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

var noon = time.Date(2022, 7, 10, 4, 0, 0, 0, time.UTC) // in China

// source is a deterministic source of randomness that names its seed in the log.
func source(tb testing.TB, seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(soak.Own(tb, seed), 0x6368))
}

// passages draws n passages, one every step from start on, at positions from+1 and up.
func passages(r *rand.Rand, from store.Position, n int, start time.Time, step time.Duration) store.Batch {
	b := store.Batch{Node: "node:一", From: from, To: from + store.Position(n)}
	for i := range n {
		at := start.Add(time.Duration(i) * step)
		p := kangma.Passage{ID: eventID(r, at), At: at, Gate: fmt.Sprintf("gate:%%%03d", r.IntN(200)), GateKind: []string{"metro", "venue", "hospital"}[r.IntN(3)],
			District: kangma.Division(440100000 + 1000*(1+r.IntN(11))), Operator: fmt.Sprintf("acc-%d", r.IntN(50)), Person: pseudonym(r.IntN(100_000)),
			Told: r.IntN(50) > 0, Colour: kangma.Colour(min(2, r.IntN(40))), Decision: kangma.Pass, Reason: "ok", Verified: "online", Direction: "in", Rules: "0123456789abcdef"}
		b.Rows = append(b.Rows, store.Row{Position: from + store.Position(i) + 1, Passage: p})
	}
	return b
}

func pseudonym(n int) (p kangma.Pseudonym) {
	r := rand.New(rand.NewPCG(uint64(n), 0x70736575))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

func eventID(r *rand.Rand, at time.Time) kangma.EventID {
	id := kangma.NewEventID(at)
	for i := 6; i < 16; i++ {
		id[i] = byte(r.Uint32())
	}
	return id
}

func load(tb testing.TB, db store.Warehouse, b store.Batch) {
	tb.Helper()
	if err := db.Load(context.Background(), b); err != nil {
		tb.Fatal(err)
	}
}

func total(tb testing.TB, db store.Warehouse) uint64 {
	tb.Helper()
	res, err := db.Query(context.Background(), store.Query{Measures: []store.Measure{store.Count}, Since: noon.AddDate(0, 0, -30), Until: noon.AddDate(0, 0, 30)})
	if err != nil {
		tb.Fatal(err)
	}
	if len(res.Groups) == 0 {
		return 0
	}
	return res.Groups[0].Values[0]
}

func onBoth(t *testing.T, f func(t *testing.T, cfg clickhouse.Config)) {
	t.Run("one server", func(t *testing.T) { f(t, single(realserver.StartClickHouse(t))) })
	t.Run("two shards", func(t *testing.T) { f(t, cluster(realserver.StartClickHouseCluster(t))) })
}

func TestRowsAreCountedOnceHoweverTheyCome(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg clickhouse.Config) {
		db, r := open(t, cfg), source(t, 1)
		a := passages(r, 0, 5000, noon, time.Second)
		a.Rows[4000].Passage.At = noon.AddDate(0, 0, -3) // uploaded late
		load(t, db, a)
		load(t, db, a)
		other := a
		other.Node = "node 2"
		load(t, db, other) // the same passages in another journal
		cut := a
		cut.From, cut.To, cut.Rows = 1000, 2500, a.Rows[1000:2500]
		load(t, db, cut)
		if got := total(t, db); got != 5000 {
			t.Errorf("got %d passages, want 5000", got)
		}
		for node, want := range map[string]store.Position{a.Node: 5000, "node 2": 5000, "node": 0} {
			if got, err := db.Loaded(t.Context(), node); err != nil || got != want {
				t.Errorf("%s: loaded up to %d, %v, want %d", node, got, err, want)
			}
		}
		got, err := db.Passages(t.Context(), store.PassageQuery{Person: []kangma.Pseudonym{a.Rows[7].Passage.Person}, Since: noon, Until: noon.Add(time.Hour), Limit: 10})
		if err != nil || len(got) == 0 || !reflect.DeepEqual(got[len(got)-1], a.Rows[7].Passage) {
			t.Errorf("passages of one: got %+v, %v\nwant %+v", got, err, a.Rows[7].Passage)
		}
		db2 := open(t, cfg) // another process that knows nothing
		load(t, db2, a)
		if got := total(t, db2); got != 5000 {
			t.Errorf("after opening again: got %d passages, want 5000", got)
		}
		if err := db.Drop(t.Context(), noon.AddDate(0, 0, -1)); err != nil {
			t.Fatal(err)
		}
		load(t, db2, a)
		if got := total(t, db); got != 4999 {
			t.Errorf("after Drop: got %d passages, want 4999", got)
		}
	})
}

func TestClickHousePassesTheSuite(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg clickhouse.Config) {
		given := map[string]string{}
		storetest.Warehouse(t, func(tb testing.TB, name string) store.Warehouse {
			if given[name] == "" {
				given[name] = fmt.Sprintf("t%d", len(given))
			}
			cfg := cfg
			cfg.Database = given[name]
			return open(tb, cfg)
		})
	})
}
