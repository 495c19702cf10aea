package main

import (
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma/internal/realserver"
)

// moved exports everything to a file and tells what is in it.
func moved(t *testing.T, file string, args ...string) (sum struct{ People, Records, Rows, Wire uint64 }) {
	t.Helper()
	out := must(t, append([]string{"export", file, "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &sum); err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestATownMovesFromStoresToStoresAndBack goes by commands from SQLite to Redis and ClickHouse, works there, and goes back: the
// hash of the state and the number of passages stay what they were at each move, and nothing is lost on the way.
func TestATownMovesFromStoresToStoresAndBack(t *testing.T) {
	redis, ch := realserver.StartRedis(t, realserver.RedisDurable...), realserver.StartClickHouse(t)
	dir := t.TempDir()
	data := filepath.Join(dir, "d")
	must(t, "demo", "--data", data)
	r := rand.New(rand.NewPCG(21, 21))
	work := func(c *cli) {
		c.JournalKeep = 0
		s := startServing(t, c, time.Hour)
		for range 5 {
			s.work(t, r, 60)
		}
		await(t, "all passages are in the warehouse", func() bool { return shipped(t, s) })
		s.stop(t)
	}
	here := []string{"--data", data}
	there := append([]string{"--redis", redis.Addr, "--redis-password", redis.Password,
		"--clickhouse", ch.Addr, "--clickhouse-user", ch.User, "--clickhouse-password", ch.Password}, here...)
	servers := func() *cli {
		c := options(data)
		c.Redis, c.RedisPassword = []string{redis.Addr}, redis.Password
		c.Clickhouse, c.ClickhouseUser, c.ClickhousePassword = []string{ch.Addr}, ch.User, ch.Password
		return c
	}
	same := func(what, a, b string) {
		t.Helper()
		if a != b {
			t.Errorf("%s: the state was %s and is %s", what, a, b)
		}
	}

	work(options(data))
	before := stateOf(t, here...)
	first := moved(t, filepath.Join(dir, "1.kms"), here...)
	if first.Rows < 300 || first.People == 0 || first.Wire != 2 {
		t.Fatalf("exported %+v", first)
	}
	must(t, append([]string{"rebuild", "--from", filepath.Join(dir, "1.kms"), "--passages"}, there...)...)
	same("to the servers", before, stateOf(t, there...))

	work(servers()) // and it lives there
	before = stateOf(t, there...)
	second := moved(t, filepath.Join(dir, "2.kms"), there...)
	if second.Rows < first.Rows+300 {
		t.Errorf("passages: %d became %d", first.Rows, second.Rows)
	}
	must(t, append([]string{"rebuild", "--from", filepath.Join(dir, "2.kms"), "--passages"}, here...)...)
	same("and back", before, stateOf(t, here...))
	if third := moved(t, filepath.Join(dir, "3.kms"), here...); third != second {
		t.Errorf("on the way back %+v became %+v", second, third)
	}
	work(options(data))
}

// shipped says whether everything in the journal is applied and in the warehouse.
func shipped(t *testing.T, s *serving) bool {
	t.Helper()
	loaded, err := s.warehouse.Loaded(t.Context(), "node-1")
	if err != nil {
		return false
	}
	rest, err := s.journal.After(t.Context(), loaded, 1)
	return err == nil && len(rest) == 0
}
