package redis_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/storetest"
)

var key = bytes.Repeat([]byte{7}, 32)

// patient is the time allowed where a test is not about time: the machine is shared.
const patient = 10 * time.Second

func single(r *realserver.Redis) redis.Config {
	return redis.Config{Addrs: []string{r.Addr}, Password: r.Password, Key: key, New: true, Timeout: patient}
}

func cluster(c *realserver.RedisCluster) redis.Config {
	return redis.Config{Addrs: c.Addrs(), Cluster: true, Password: c.Password, Key: key, New: true, Timeout: patient}
}

func open(tb testing.TB, cfg redis.Config) *redis.DB {
	tb.Helper()
	db, err := redis.Open(tb.Context(), cfg)
	for end := time.Now().Add(realserver.ReadyWithin); kangma.KindOf(err) == kangma.Unavailable && err != nil && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond) // a cluster on a busy machine
		db, err = redis.Open(tb.Context(), cfg)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// prefixes gives each store of a suite a prefix of its own.
func prefixes(cfg redis.Config) func(testing.TB, string) *redis.DB {
	given := map[string]string{}
	return func(tb testing.TB, name string) *redis.DB {
		if given[name] == "" {
			given[name] = "t" + string(rune('a'+len(given)/26)) + string(rune('a'+len(given)%26))
		}
		cfg := cfg
		cfg.Prefix = given[name]
		return open(tb, cfg)
	}
}

func suites(t *testing.T, cfg redis.Config) {
	db := prefixes(cfg)
	t.Run("dossiers", func(t *testing.T) {
		storetest.Dossiers(t, func(tb testing.TB, name string) store.Dossiers { return db(tb, name).Dossiers() })
	})
	t.Run("records", func(t *testing.T) {
		storetest.Records(t, func(tb testing.TB, name string) store.Records { return db(tb, name).Records() })
	})
	t.Run("moments", func(t *testing.T) { storetest.Moments(t, db(t, "moments"), time.Sleep) })
	t.Run("marks", func(t *testing.T) {
		storetest.Marks(t, func(tb testing.TB, name string) storetest.State {
			db := db(tb, name)
			return storetest.State{Dossiers: db.Dossiers(), Records: db.Records()}
		})
	})
}

func TestRedisPassesTheSuites(t *testing.T) { suites(t, single(realserver.StartRedis(t))) }

func TestRedisClusterPassesTheSuites(t *testing.T) {
	suites(t, cluster(realserver.StartRedisCluster(t)))
}
