package registry_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/redis"
)

// BenchmarkPublish stores KANGMA_PEOPLE people (default 20,000), publishes a rule set under which everybody has another
// colour, and reads random people until all have it: on the node that published and on a second node on the same store.
// The bar: under 1 s. Also: how long the breaker takes to weigh the change over everyone, and a sweep to find them.
//
//	KANGMA_PEOPLE=10000000 KANGMA_BENCH_DIR=/var/tmp/kangma-10m go test ./registry -run '^$' -bench Publish/SQLite -benchtime 1x -timeout 3h
//
// KANGMA_BENCH_DIR keeps the filled store for the next run; delete it afterwards.
func BenchmarkPublish(b *testing.B) {
	people := 20_000
	if n, err := strconv.Atoi(os.Getenv("KANGMA_PEOPLE")); err == nil {
		people = n
	}
	b.Run("SQLite", func(b *testing.B) {
		dir := os.Getenv("KANGMA_BENCH_DIR")
		if dir == "" {
			dir = b.TempDir()
		}
		db, err := embedded.Open(filepath.Join(dir, "state.db"), embedded.Options{Relaxed: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := db.Close(); err != nil {
				b.Error(err)
			}
		})
		benchPublish(b, people, db.Dossiers(), db.Records())
	})
	b.Run("Redis", func(b *testing.B) {
		srv := realserver.StartRedis(b)
		db, err := redis.Open(b.Context(), redis.Config{Addrs: []string{srv.Addr}, Password: srv.Password, Key: make([]byte, 32), New: true, Timeout: time.Minute})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { db.Close() })
		benchPublish(b, people, db.Dossiers(), db.Records())
	})
}

// crowd makes people number i of n in order of id: tested, and at home somewhere harmless.
func crowd(i, n int, at time.Time) kangma.Dossier {
	var id kangma.PersonID
	binary.BigEndian.PutUint64(id[:], uint64(i)*(1<<63/uint64(n))*2)
	id[6], id[8], id[15] = id[6]&0x0f|0x40, id[8]&0x3f|0x80, 1
	d := kangma.Dossier{Person: id, Version: 1, Registered: at.AddDate(0, 0, -9), Home: kangma.Place{Division: 441502000},
		Sealed: kangma.SealedIdentity{DataKey: make([]byte, 60), KeyID: "k", Revision: 1}}
	for day := 1; day <= 3; day++ {
		e := kangma.Evidence{Kind: kangma.KindTest, Observed: at.AddDate(0, 0, -2*day), Source: "cdc", Test: &kangma.Test{Method: "pcr", Result: "negative"}}
		e.Reported, e.Received = e.Observed.Add(6*time.Hour), e.Observed.Add(7*time.Hour)
		e.ID = kangma.NewEventID(e.Observed)
		d.Evidence = append(d.Evidence, e)
	}
	slices.SortFunc(d.Evidence, func(a, b kangma.Evidence) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return d
}

// fill stores people that are not there yet.
func fill(b *testing.B, n int, ds store.Dossiers) {
	b.Helper()
	if _, err := ds.Get(b.Context(), crowd(n-1, n, now).Person); err == nil {
		return
	}
	began := time.Now()
	batch := make([]kangma.Dossier, 0, 2000)
	for i := range n {
		if batch = append(batch, crowd(i, n, now)); len(batch) == cap(batch) || i == n-1 {
			if err := ds.Update(b.Context(), store.Mark{}, batch...); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
		if i%1_000_000 == 999_999 {
			b.Logf("%d people stored, %.0f a second", i+1, float64(i)/time.Since(began).Seconds())
		}
	}
}

// node opens a registry on a store with the present time standing still at now.
func node(b *testing.B, name string, ds store.Dossiers, rs store.Records) *registry.Service {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	clock := func() time.Time { return now }
	j, err := journal.Open(filepath.Join(b.TempDir(), name), journal.Options{Now: clock, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	s, err := registry.Open(b.Context(), registry.Config{Node: name, Journal: j, Dossiers: ds, Records: rs, Sealer: sealer(b),
		Now: clock, Retention: 60 * 24 * time.Hour, Log: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(s.Close(context.Background()), j.Close()); err != nil {
			b.Error(err)
		}
	})
	return s
}

func benchPublish(b *testing.B, people int, ds store.Dossiers, rs store.Records) {
	fill(b, people, ds)
	one, two := node(b, "one", ds, rs), node(b, "two", ds, rs)
	ctx := b.Context()
	if one.Areas() == nil {
		if _, err := one.PublishAreas(ctx, list("2022-08-08 11", "海丰县/乙小区")); err != nil {
			b.Fatal(err)
		}
	}
	if one.Rules() == nil {
		if _, err := one.PublishRules(ctx, "old", variant(b, "from: 2022-06-28", "old", false).YAML); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	strict := variant(b, "from: 2022-06-28", "strict", true)
	if _, held, err := one.ProposeRules(ctx, anna, strict); err != nil || held == nil || held.Verdict.Share != 1 {
		b.Fatalf("%+v %v", held, err)
	}
	weighed := time.Since(began)
	var here, there []time.Duration
	seed := uint64(time.Now().UnixNano())
	b.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for b.Loop() {
		if _, err := one.PublishRules(ctx, "strict", strict.YAML); err != nil {
			b.Fatal(err)
		}
		published := time.Now()
		here = append(here, untilAll(b, one, rnd, people, kangma.Yellow, published))
		there = append(there, untilAll(b, two, rnd, people, kangma.Yellow, published))
		if _, err := one.RollBackRules(ctx); err != nil {
			b.Fatal(err)
		}
		untilAll(b, two, rnd, people, kangma.Green, time.Now())
	}
	b.ReportMetric(weighed.Seconds(), "s-to-weigh")
	b.ReportMetric(float64(slices.Max(here).Microseconds())/1000, "ms-worst-this-node")
	b.ReportMetric(float64(slices.Max(there).Microseconds())/1000, "ms-worst-other-node")
	if os.Getenv("KANGMA_SWEEP") != "" {
		sweepAll(b, one)
	}
}

// untilAll reads 1,000 random people at a time until the last read with the old colour, and gives how long after the
// publication the first read came that was followed by nothing but the new one.
func untilAll(b *testing.B, s *registry.Service, rnd *rand.Rand, people int, want kangma.Colour, published time.Time) time.Duration {
	b.Helper()
	last, streak := time.Since(published), 0
	for streak < 1000 {
		a, _, err := s.Assess(b.Context(), crowd(rnd.IntN(people), people, now).Person, now)
		if err != nil || !a.Told {
			b.Fatalf("%+v %v", a, err)
		}
		if streak++; a.Colour != want {
			last, streak = time.Since(published), 0
		}
		if time.Since(published) > time.Minute {
			b.Fatal("the new colour never came")
		}
	}
	return last
}

func sweepAll(b *testing.B, s *registry.Service) {
	b.Helper()
	began := time.Now()
	st, err := s.Sweep(b.Context(), registry.SweepConfig{PerSecond: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(st.People)/time.Since(began).Seconds(), "people/s-swept")
}
