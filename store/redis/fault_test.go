package redis_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/storetest"
)

func wantCode(t *testing.T, err error, kind kangma.Kind, code string) {
	t.Helper()
	if kangma.KindOf(err) != kind || kangma.CodeOf(err) != code || err == nil {
		t.Errorf("got error %v, want %v with code %s", err, kind, code)
	}
}

func wantOK(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually repeats f until it gives no error: servers come back in their own time.
func eventually(t *testing.T, f func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(realserver.ReadyWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// people stores n residents and gives them back.
func people(t *testing.T, db *redis.DB, n int, seed uint64) []kangma.Dossier {
	t.Helper()
	r := source(t, seed)
	all := make([]kangma.Dossier, n)
	for i := range all {
		all[i] = storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 3)
	}
	wantOK(t, db.Dossiers().Update(t.Context(), store.Mark{}, all...))
	return all
}

func wantPeople(t *testing.T, db *redis.DB, all []kangma.Dossier) {
	t.Helper()
	for _, d := range all {
		got, err := db.Dossiers().Get(t.Context(), d.Person)
		if err != nil || !reflect.DeepEqual(got, d) {
			t.Fatalf("got %+v, %v\nwant %+v", got, err, d)
		}
		for _, x := range d.Sealed.Indexes {
			if id, err := db.Dossiers().Lookup(t.Context(), x); err != nil || id != d.Person {
				t.Fatalf("index: got %v, %v, want %v", id, err, d.Person)
			}
		}
	}
}

func TestARedisThatLostItsDataSaysSoUntilItIsRebuilt(t *testing.T) {
	srv := realserver.StartRedis(t)
	db := open(t, single(srv))
	all := people(t, db, 300, 61)
	all[0].Version = 2
	wantOK(t, db.Dossiers().Update(t.Context(), store.Mark{Node: "n", Applied: 9}, all[0]))
	record := store.Record{Kind: "gate", ID: "g1", Version: 1, Index: map[string]string{"org": "o"}}
	wantOK(t, db.Records().Put(t.Context(), record))

	srv.Must("FLUSHALL")
	lost := func(err error) { t.Helper(); wantCode(t, err, kangma.Unavailable, "redis_vanished") }
	_, err := db.Dossiers().Get(t.Context(), all[0].Person)
	lost(err)
	_, err = db.Dossiers().Lookup(t.Context(), all[0].Sealed.Indexes[0])
	lost(err)
	_, err = db.Dossiers().Scan(t.Context(), 3, kangma.PersonID{}, 10)
	lost(err)
	lost(db.Dossiers().Update(t.Context(), store.Mark{}, all[0]))
	_, err = db.Records().Get(t.Context(), "gate", "g1")
	lost(err)
	lost(db.Records().Put(t.Context(), record))
	_, _, err = db.Records().List(t.Context(), store.RecordQuery{Kind: "gate", Limit: 10})
	lost(err)
	report, err := db.Check(t.Context())
	if err != nil || len(report.Vanished) != store.Partitions {
		t.Errorf("check: got %d vanished partitions, %v, want all", len(report.Vanished), err)
	}
	cfg := single(srv)
	cfg.New = false
	again := open(t, cfg) // also for a process that starts now and was not told that Redis is new
	_, err = again.Dossiers().Get(t.Context(), all[0].Person)
	lost(err)

	half := errors.New("the snapshot broke off")
	if err := db.Rebuild(t.Context(), func(ctx context.Context, l *redis.Loader) error {
		wantOK(t, l.Dossiers(ctx, all[:100]...))
		return half
	}); !errors.Is(err, half) {
		t.Errorf("a broken rebuild: got %v", err)
	}
	_, err = db.Dossiers().Get(t.Context(), all[200].Person)
	lost(err) // still not "unknown"
	wantOK(t, db.Rebuild(t.Context(), func(ctx context.Context, l *redis.Loader) error {
		return errors.Join(l.Dossiers(ctx, all...), l.Records(ctx, record))
	}))
	wantPeople(t, again, all)
	if got, _, err := db.Records().List(t.Context(), store.RecordQuery{Kind: "gate", Index: "org", Value: "o", Limit: 5}); err != nil || len(got) != 1 {
		t.Errorf("records after the rebuild: got %d, %v", len(got), err)
	}
	_, err = db.Dossiers().Get(t.Context(), kangma.PersonID{1})
	wantCode(t, err, kangma.NotFound, "person")
	all[0].Version = 3
	wantOK(t, db.Dossiers().Update(t.Context(), store.Mark{}, all[0]))
}

func TestARebuildLeavesWhatIsNewerAndTheNewestOwner(t *testing.T) {
	db := open(t, single(realserver.StartRedis(t)))
	all := people(t, db, 2, 62)
	old := all[0]
	all[0].Version, all[0].Evidence = 2, nil
	taken := all[0].Sealed.Indexes[0]
	all[1].Version, all[1].Sealed.Indexes = 2, append([]kangma.BlindIndex{taken}, all[1].Sealed.Indexes...)
	wantOK(t, db.Dossiers().Update(t.Context(), store.Mark{}, all[0]))
	wantOK(t, db.Dossiers().Update(t.Context(), store.Mark{}, all[1]))
	wantOK(t, db.Rebuild(t.Context(), func(ctx context.Context, l *redis.Loader) error {
		return errors.Join(l.Dossiers(ctx, all[1]), l.Dossiers(ctx, old))
	}))
	got, err := db.Dossiers().Get(t.Context(), old.Person)
	if err != nil || got.Version != 2 {
		t.Errorf("got version %d, %v, want 2", got.Version, err)
	}
	if id, err := db.Dossiers().Lookup(t.Context(), taken); err != nil || id != all[1].Person {
		t.Errorf("the index went back to %v (%v)", id, err)
	}
}

// TestKillingRedisLosesNothing is R4 in its short form: SIGKILL under load, again and again. With appendfsync everysec
// Redis itself loses an acknowledged write now and then (see realserver.RedisSurvivesKill). Then the partition is named,
// and what a journal would do, applying what was acknowledged again, makes the state whole.
func TestKillingRedisLosesNothing(t *testing.T) {
	kills := 0
	srv := realserver.StartRedis(t, realserver.RedisDurable...)
	cfg := single(srv)
	cfg.Timeout = 2 * time.Second
	db := open(t, cfg)
	all := people(t, db, 32, 63)
	acked := make([]kangma.Dossier, len(all))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var count atomic.Int64
	for i, d := range all {
		acked[i] = d
		wg.Go(func() { acked[i] = writeOn(ctx, db, d, &count) })
	}
	r := source(t, 64)
	for n := range soak.Rounds(t, 5, 50) {
		kills++
		eventually(t, func() error { // however busy the machine is, each kill comes amid writing
			if got := count.Load(); got < int64(n+1)*100 {
				return fmt.Errorf("%d updates", got)
			}
			return nil
		})
		time.Sleep(time.Duration(20+r.IntN(150)) * time.Millisecond)
		srv.Kill()
		wantOK(t, srv.Start())
	}
	stop()
	wg.Wait()
	var report redis.Report
	eventually(t, func() (err error) { report, err = db.Check(t.Context()); return err })
	var gone []kangma.Dossier
	total := uint64(0)
	for i := range all {
		total += acked[i].Version
		got, err := db.Dossiers().Get(t.Context(), all[i].Person)
		if err == nil && got.Version >= acked[i].Version {
			continue
		}
		gone = append(gone, acked[i])
		if !slices.Contains(report.RolledBack, store.PartitionOf(all[i].Person)) {
			t.Errorf("version %d was acknowledged, %d is stored (%v), and nobody was told", acked[i].Version, got.Version, err)
		}
	}
	wantOK(t, db.Rebuild(t.Context(), func(ctx context.Context, l *redis.Loader) error { return l.Dossiers(ctx, gone...) }))
	for i := range all {
		if got, err := db.Dossiers().Get(t.Context(), all[i].Person); err != nil || got.Version < acked[i].Version {
			t.Errorf("version %d was acknowledged and version %d is stored, %v", acked[i].Version, got.Version, err)
		}
	}
	t.Logf("%d kills, %d updates acknowledged, %d lost by Redis, found out and put back", kills, total, len(gone))
}

// writeOn writes one version after the other until it is stopped, counts what is acknowledged, and gives the last of it.
func writeOn(ctx context.Context, db *redis.DB, d kangma.Dossier, count *atomic.Int64) (acked kangma.Dossier) {
	acked = d
	for ctx.Err() == nil {
		d.Version++
		if err := db.Dossiers().Update(ctx, store.Mark{}, d); err == nil {
			count.Add(1)
			if d.Version > acked.Version {
				acked = d
			}
		} else if got, err := db.Dossiers().Get(ctx, d.Person); err == nil {
			d = got // the outcome was unknown: look
		} else {
			d.Version--
		}
	}
	return acked
}

func TestAHungRedisIsNotWaitedFor(t *testing.T) {
	srv := realserver.StartRedis(t)
	all := people(t, open(t, single(srv)), 3, 65) // with time to spare
	cfg := single(srv)
	cfg.Timeout, cfg.New = 200*time.Millisecond, false
	db := open(t, cfg)
	srv.Freeze()
	frozen := time.Now()
	asked := 0
	eventually(t, func() error { // on a busy machine a call may come when the breaker tries the server again
		asked++
		_, err := db.Dossiers().Get(t.Context(), all[0].Person)
		switch code := kangma.CodeOf(err); {
		case code == "redis_down" && len(db.Down()) == 1:
			return nil
		case code != "redis_unreachable" && code != "redis_down":
			t.Errorf("got %v", err)
		}
		return fmt.Errorf("the breaker does not open: %w", err)
	})
	t.Logf("open after %d calls and %v", asked, time.Since(frozen).Round(time.Millisecond))
	srv.Thaw()
	thawed := time.Now()
	eventually(t, func() error {
		_, err := db.Dossiers().Get(t.Context(), all[0].Person)
		return err
	})
	t.Logf("closed %v after it came back", time.Since(thawed).Round(time.Millisecond))
	wantPeople(t, db, all)
}

// TestAPatientBreakerIsCaught: with a breaker that waits for half a minute before it opens, a hung Redis is waited for, and the test above
// would say so.
func TestAPatientBreakerIsCaught(t *testing.T) {
	srv := realserver.StartRedis(t)
	all := people(t, open(t, single(srv)), 1, 66)
	cfg := single(srv)
	cfg.Timeout, cfg.New = 30*time.Second, false
	db := open(t, cfg)
	srv.Freeze()
	defer srv.Thaw()
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := db.Dossiers().Get(ctx, all[0].Person)
		cancel()
		if kangma.CodeOf(err) == "redis_down" || len(db.Down()) > 0 {
			t.Errorf("got %v, down %v: the breaker opened all the same", err, db.Down())
		}
	}
}

func TestAFullRedisIsUnavailableAndComesBack(t *testing.T) {
	srv := realserver.StartRedis(t, "--save", "3600 1000000")
	db := open(t, single(srv))
	all := people(t, db, 2, 66)
	next := all[0]
	next.Version = 2
	t.Run("a disk that cannot be written", func(t *testing.T) {
		blocked := filepath.Join(srv.Dir, "dump.rdb") // a folder where the snapshot must go
		wantOK(t, os.MkdirAll(filepath.Join(blocked, "x"), 0o700))
		srv.Must("BGSAVE")
		eventually(t, func() error {
			err := db.Dossiers().Update(t.Context(), store.Mark{}, next)
			if kangma.CodeOf(err) != "redis_misconf" {
				next.Version++ // it was still written
				return fmt.Errorf("got %v, want redis_misconf", err)
			}
			return nil
		})
		if _, err := db.Dossiers().Get(t.Context(), all[0].Person); err != nil {
			t.Errorf("reading meanwhile: %v", err)
		}
		wantOK(t, os.RemoveAll(blocked))
		srv.Must("BGSAVE")
		eventually(t, func() error { return db.Dossiers().Update(t.Context(), store.Mark{}, next) })
	})
	t.Run("no memory left", func(t *testing.T) {
		other := all[1]
		other.Version = 2
		srv.Must("CONFIG", "SET", "maxmemory", "1")
		wantCode(t, db.Dossiers().Update(t.Context(), store.Mark{}, other), kangma.Unavailable, "redis_oom")
		srv.Must("CONFIG", "SET", "maxmemory", "0")
		wantOK(t, db.Dossiers().Update(t.Context(), store.Mark{}, other))
	})
}

func TestADamagedAppendOnlyFile(t *testing.T) {
	t.Run("in the middle: Redis refuses to start; moved aside, it is rebuilt", func(t *testing.T) {
		srv := realserver.StartRedis(t, realserver.RedisDurable...)
		db := open(t, single(srv))
		all := people(t, db, 50, 67)
		srv.Stop()
		file := aof(t, srv)
		b, err := os.ReadFile(file)
		wantOK(t, err)
		copy(b[len(b)/2:], "\r\n*what\r\n")
		i := strings.Index(string(b[len(b)/2+10:]), "\r\n*") // and a head of a command that is none
		copy(b[len(b)/2+10+i:], "\r\nX")
		wantOK(t, os.WriteFile(file, b, 0o600))
		if err := srv.Start(); err == nil {
			t.Fatal("Redis started on a damaged file")
		}
		wantOK(t, os.Rename(filepath.Join(srv.Dir, "appendonlydir"), filepath.Join(srv.Dir, "damaged")))
		wantOK(t, srv.Start())
		eventually(t, func() error {
			_, err := db.Dossiers().Get(t.Context(), all[0].Person)
			if kangma.CodeOf(err) != "redis_vanished" {
				return fmt.Errorf("got %v, want redis_vanished", err)
			}
			return nil
		})
		wantOK(t, db.Rebuild(t.Context(), func(ctx context.Context, l *redis.Loader) error { return l.Dossiers(ctx, all...) }))
		wantPeople(t, db, all)
	})
	t.Run("cut at its end: the process that was promised more notices", func(t *testing.T) {
		cuts := 0
		srv, r := realserver.StartRedis(t, realserver.RedisDurable...), source(t, 69)
		var told atomic.Int64
		cfg := single(srv)
		cfg.OnLoss = func(int) { told.Add(1) }
		db := open(t, cfg)
		d := people(t, db, 1, 68)[0]
		for n := range soak.Rounds(t, 3, 50) {
			cuts++
			file := aof(t, srv)
			before, err := os.Stat(file)
			wantOK(t, err)
			for range 3 {
				d.Version++
				wantOK(t, db.Dossiers().Update(t.Context(), store.Mark{}, d))
			}
			srv.Stop()
			info, err := os.Stat(file)
			wantOK(t, err)
			cut := 1 + r.Int64N(info.Size()-before.Size()) // somewhere in what these three wrote
			wantOK(t, os.Truncate(file, info.Size()-cut))
			told.Store(0)
			wantOK(t, srv.Start())
			var report redis.Report
			eventually(t, func() (err error) { report, err = db.Check(t.Context()); return err })
			if len(report.RolledBack) != 1 || report.RolledBack[0] != store.PartitionOf(d.Person) || told.Load() != 1 {
				t.Errorf("cut %d of %d bytes: got rolled back %v, told %d times, want partition %d, once", n, cut, report.RolledBack, told.Load(), store.PartitionOf(d.Person))
			}
			// what a journal would do; it counts from here
			wantOK(t, db.Rebuild(t.Context(), func(ctx context.Context, l *redis.Loader) error { return l.Dossiers(ctx, d) }))
			wantPeople(t, db, []kangma.Dossier{d})
			eventually(t, func() error { // Rebuild has the file written anew
				if info := srv.Must("INFO", "persistence"); !strings.Contains(info, "aof_rewrite_in_progress:0") || !strings.Contains(info, "aof_rewrite_scheduled:0") {
					return errors.New("the file is still being written anew")
				}
				return nil
			})
		}
		t.Logf("%d cuts, each noticed and put back", cuts)
	})
}

// aof finds the file that commands are appended to.
func aof(t *testing.T, srv *realserver.Redis) string {
	files, err := filepath.Glob(filepath.Join(srv.Dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatalf("append-only files: %v, %v", files, err)
	}
	return files[0]
}
