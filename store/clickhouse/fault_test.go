package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/clickhouse"
)

// daysApart spreads a batch over n days.
func daysApart(b store.Batch, n int) store.Batch {
	for i := range b.Rows {
		b.Rows[i].Passage.At = b.Rows[i].Passage.At.AddDate(0, 0, -(i % n))
	}
	return b
}

func eventually(t *testing.T, f func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(realserver.ReadyWithin); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// TestKillingClickHouseLosesAndDoublesNothing is R9 in its short form: SIGKILL of the server while batches of two days
// are loaded, and of the client (it forgets everything) every other time.
func TestKillingClickHouseLosesAndDoublesNothing(t *testing.T) {
	srv := realserver.StartClickHouse(t)
	cfg := single(srv)
	cfg.Insert = 5 * time.Second
	r := source(t, 11)
	var all []store.Row
	done := make(chan struct{})
	stop := make(chan struct{})
	var batches atomic.Int64
	first := open(t, cfg)
	go func() {
		defer close(done)
		db := first
		mine := rand.New(rand.NewPCG(11, 1))
		for from := store.Position(0); ; {
			select {
			case <-stop:
				return
			default:
			}
			b := daysApart(passages(mine, from, 5000, noon.Add(time.Duration(from)*time.Millisecond), time.Millisecond), 2)
			for try := 1; db.Load(context.Background(), b) != nil; try++ {
				time.Sleep(20 * time.Millisecond)
				if try%2 == 0 {
					if again, err := clickhouse.Open(context.Background(), cfg); err == nil {
						db.Close()
						db = again
					}
				}
			}
			all, from = append(all, b.Rows...), b.To
			batches.Add(1)
		}
	}()
	n := 0
	for range soak.Rounds(t, 4, 50) {
		n++
		before := batches.Load()
		eventually(t, func() error { // each kill hits a loader at work
			if batches.Load() == before {
				return errors.New("no batch was loaded")
			}
			return nil
		})
		time.Sleep(time.Duration(100+r.IntN(500)) * time.Millisecond)
		srv.Kill()
		if err := srv.Start(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-done
	db := open(t, cfg)
	if got := total(t, db); got != uint64(len(all)) {
		t.Errorf("counted %d passages, want %d", got, len(all))
	}
	if got, err := db.Loaded(t.Context(), "node:一"); err != nil || int(got) != len(all) {
		t.Errorf("loaded up to %d, %v, want %d", got, err, len(all))
	}
	for _, day := range []time.Time{noon, noon.AddDate(0, 0, -1)} {
		want := map[time.Time]uint64{}
		for _, row := range all {
			if row.Passage.At.Truncate(24 * time.Hour).Equal(day.Truncate(24 * time.Hour)) {
				want[row.Passage.At.Truncate(10*time.Minute)]++
			}
		}
		counts, err := db.Counts(t.Context(), "node:一", day)
		if err != nil || len(counts) != len(want) {
			t.Errorf("reconcile: %d slices, %v, want %d", len(counts), err, len(want))
		}
		for _, c := range counts {
			if c.Rows != want[c.Start] {
				t.Errorf("reconcile %v: %d, want %d", c.Start, c.Rows, want[c.Start])
			}
		}
	}
	t.Logf("%d kills, %d rows", n, len(all))
}

// TestTheMutantsAreCaught: without the rules of Load there are half batches and copies, and the look at what is there finds them.
func TestTheMutantsAreCaught(t *testing.T) {
	t.Run("a retry that does not look doubles what was done without an answer", func(t *testing.T) {
		srv := realserver.StartClickHouse(t)
		db, r := open(t, single(srv)), source(t, 12)
		proxy := realserver.StartProxy(t, srv.Addr)
		cfg := single(srv)
		cfg.Shards, cfg.Insert = [][]string{{proxy.Addr}}, 3*time.Second
		through := open(t, cfg)
		b := passages(r, 0, 4000, noon, time.Millisecond)
		proxy.Set(realserver.MuteLarge) // the batch arrives, what is said of it does not
		if err := through.InsertBlindly(t.Context(), b); err == nil {
			t.Fatal("an insert without an answer succeeded")
		}
		eventually(t, func() error { // the server did not hear that nobody waits
			if got := total(t, db); got != 4000 {
				return fmt.Errorf("counted %d", got)
			}
			return nil
		})
		proxy.Set(realserver.Pass)
		eventually(t, func() error { return through.InsertBlindly(t.Context(), b) })
		if got := total(t, db); got != 8000 {
			t.Errorf("counted %d, want 8000: the blind retry was not blind", got)
		}
		if n, err := db.Copies(t.Context(), 2022_07_10); err != nil || n != 4000 {
			t.Errorf("found %d copies, %v, want 4000", n, err)
		}
	})
	t.Run("several days in one insert are half there after a kill", func(t *testing.T) {
		srv := realserver.StartClickHouse(t)
		cfg := single(srv)
		cfg.Insert = 10 * time.Second
		db, r := open(t, cfg), source(t, 12)
		const days = 90
		for n := 1; n <= 60; n++ {
			// Days of its own for each try, so that what the kill left can be told on the disk.
			b := daysApart(passages(r, store.Position(n)*10_000, 4500, noon.AddDate(0, 0, n*days), time.Millisecond), days)
			done := make(chan error, 1)
			go func() { done <- db.InsertBlindly(context.Background(), b) }()
			there := awaitParts(t, srv, noon.AddDate(0, 0, (n-1)*days+1), noon.AddDate(0, 0, n*days), done)
			srv.Kill()
			if there > 0 {
				<-done
			}
			if err := srv.Start(); err != nil {
				t.Fatal(err)
			}
			got := srv.Must(fmt.Sprintf("SELECT count() FROM kangma.passages WHERE position > %d AND position <= %d", b.From, b.To))
			if got != "0" && got != "4500" {
				t.Logf("try %d: %s of 4500 rows are there", n, got)
				return
			}
		}
		t.Error("60 kills in the middle of an insert left no half batch: they prove nothing")
	})
}

// awaitParts waits until some parts of the days lie on the disk, and says how many; 0: the insert ended first.
func awaitParts(t *testing.T, srv *realserver.ClickHouse, first, last time.Time, done <-chan error) int {
	t.Helper()
	low, high := first.Format("20060102"), last.Format("20060102")
	for {
		select {
		case <-done:
			return 0
		default:
		}
		names, err := filepath.Glob(filepath.Join(srv.Dir, "data", "data", "kangma", "passages", "2*_*"))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, name := range names {
			if day := filepath.Base(name)[:8]; day >= low && day <= high {
				n++
			}
		}
		if n > 0 {
			return n
		}
	}
}

func TestAHungClickHouseIsNotWaitedForAndWhatItStillDoesCountsOnce(t *testing.T) {
	srv := realserver.StartClickHouse(t)
	cfg := single(srv)
	cfg.Insert = 2 * time.Second
	db, r := open(t, cfg), source(t, 13)
	a := passages(r, 0, 2000, noon, time.Second)
	load(t, db, a)
	b := passages(r, a.To, 20_000, noon.Add(time.Hour), time.Millisecond)
	failed := make(chan error, 1)
	go func() { failed <- db.Load(context.Background(), b) }()
	time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond) // somewhere within
	srv.Freeze()
	first := <-failed
	t.Logf("the load in flight: %v", first)
	frozen := time.Now()
	time.Sleep(1100 * time.Millisecond) // it counts as quiet now
	asked := 0
	eventually(t, func() error { // on a busy machine a question may come when the breaker tries the server again
		asked++
		_, err := db.Query(t.Context(), store.Query{Measures: []store.Measure{store.Count}, Since: noon, Until: noon.Add(time.Hour)})
		if kangma.KindOf(err) != kangma.Unavailable || err == nil {
			t.Errorf("got %v, want unavailable", err)
		}
		if e := new(kangma.Error); asError(err, &e) && e.Cause == nil {
			return nil
		}
		return fmt.Errorf("the breaker does not open: %w", err)
	})
	t.Logf("refused at once after %d calls and %v", asked, time.Since(frozen).Round(time.Millisecond))
	srv.Thaw()
	eventually(t, func() error { return db.Load(context.Background(), b) })
	eventually(t, func() error {
		_, err := db.Query(t.Context(), store.Query{Measures: []store.Measure{store.Count}, Since: noon, Until: noon.Add(time.Hour)})
		return err
	})
	if got := total(t, db); got != 22_000 {
		t.Errorf("counted %d passages, want 22,000", got)
	}
}

func asError(err error, e **kangma.Error) (ok bool) {
	*e, ok = err.(*kangma.Error)
	return ok
}

func TestCopiesCountOnceAndAreSettled(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg clickhouse.Config) {
		now := noon
		cfg.Now = func() time.Time { return now }
		db, r := open(t, cfg), source(t, 14)
		a := passages(r, 0, 1000, noon, time.Second)
		load(t, db, a)
		again := open(t, cfg) // an insert of the process before may still come: the day it goes on with is doubtful
		b := passages(r, a.To, 500, noon.Add(time.Hour), time.Second)
		load(t, again, b)
		if days, err := db.Doubtful(t.Context()); err != nil || len(days) != 1 || days[0] != 2022_07_10 {
			t.Fatalf("doubtful days: %v, %v", days, err)
		}
		var onFirst store.Batch // and there it comes
		for _, row := range b.Rows {
			if len(cfg.Shards) == 1 || row.Passage.Person[7]%2 == 0 {
				onFirst.Rows = append(onFirst.Rows, row)
			}
		}
		if err := db.InsertBlindly(t.Context(), onFirst); err != nil {
			t.Fatal(err)
		}
		if got := total(t, db); got != 1500 {
			t.Errorf("counted %d with copies, want 1500", got)
		}
		got, err := db.Passages(t.Context(), store.PassageQuery{Person: []kangma.Pseudonym{onFirst.Rows[0].Passage.Person}, Since: noon, Until: noon.Add(3 * time.Hour), Limit: 100})
		ids := map[kangma.EventID]int{}
		for _, p := range got {
			if ids[p.ID]++; ids[p.ID] > 1 {
				t.Errorf("a passage is listed twice")
			}
		}
		if err != nil || len(got) == 0 {
			t.Errorf("passages: %d, %v", len(got), err)
		}
		if err := db.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if days, _ := db.Doubtful(t.Context()); len(days) != 1 {
			t.Error("settled while the insert may still come")
		}
		now = now.Add(time.Minute)
		load(t, again, passages(r, b.To, 1, noon, time.Second)) // settles on its back
		days, err := db.Doubtful(t.Context())
		if n, err2 := db.Copies(t.Context(), 2022_07_10); err != nil || err2 != nil || len(days) != 0 || n != 0 {
			t.Errorf("after Settle: doubtful %v, %d copies, %v, %v", days, n, err, err2)
		}
		if got := total(t, db); got != 1501 {
			t.Errorf("counted %d after Settle, want 1501", got)
		}
	})
}

func TestTwoNodesWithTheSamePassagesAtOnceCountThemOnce(t *testing.T) {
	cfg := single(realserver.StartClickHouse(t))
	one, two := open(t, cfg), open(t, cfg)
	r, want := source(t, 15), uint64(0)
	for i := range 10 {
		a := passages(r, store.Position(i*300), 300, noon.Add(time.Duration(i)*time.Hour), time.Second)
		b := a
		b.Node = "other"
		var wg sync.WaitGroup
		wg.Go(func() { load(t, one, a) })
		wg.Go(func() { load(t, two, b) })
		wg.Wait()
		if want += 300; total(t, one) != want {
			t.Errorf("round %d: counted %d, want %d", i, total(t, one), want)
		}
	}
}

func TestSmallBatchesLeaveFewParts(t *testing.T) {
	srv := realserver.StartClickHouse(t)
	db, r := open(t, single(srv)), source(t, 16)
	for i := range 120 {
		load(t, db, passages(r, store.Position(i*20), 20, noon.Add(time.Duration(i)*time.Second), time.Millisecond))
	}
	eventually(t, func() error {
		if got := srv.Must("SELECT max(c) <= 50 FROM (SELECT count() AS c FROM system.parts WHERE active AND database = 'kangma' GROUP BY table, partition)"); got != "1" {
			return fmt.Errorf("more than 50 parts in a partition")
		}
		return nil
	})
	if got := total(t, db); got != 2400 {
		t.Errorf("counted %d, want 2400", got)
	}
}

func TestAQuestionThatReadsTooMuchIsTooLarge(t *testing.T) {
	srv := realserver.StartClickHouse(t)
	r := source(t, 17)
	load(t, open(t, single(srv)), passages(r, 0, 30_000, noon, time.Millisecond))
	cfg := single(srv)
	cfg.Analyst, cfg.MaxRows = "", 10_000
	_, err := open(t, cfg).Query(t.Context(), store.Query{Measures: []store.Measure{store.Count}, Since: noon, Until: noon.Add(time.Hour)})
	if kangma.KindOf(err) != kangma.TooLarge || kangma.CodeOf(err) != "clickhouse_limit" {
		t.Errorf("got %v, want too large", err)
	}
}

func TestTheAnalystMayOnlyRead(t *testing.T) {
	srv := realserver.StartClickHouse(t)
	open(t, single(srv))
	ask := func(sql string) string {
		t.Helper()
		res, err := http.Post(srv.HTTP+"/?"+url.Values{"user": {srv.Analyst}, "password": {srv.AnalystPassword}}.Encode(), "text/plain", strings.NewReader(sql))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.Status
	}
	if got := ask("SELECT count() FROM kangma.passages"); got != "200 OK" {
		t.Errorf("reading: %s", got)
	}
	for _, sql := range []string{"DROP TABLE kangma.passages", "INSERT INTO kangma.floor VALUES (1)", "CREATE DATABASE x", "SET max_rows_to_read = 0"} {
		if got := ask(sql); got == "200 OK" {
			t.Errorf("%s went through", sql)
		}
	}
}

func TestQuotingIsReadBackAsItWas(t *testing.T) {
	srv := realserver.StartClickHouse(t)
	r := source(t, 18)
	texts := []string{"", "'", "\\", "\\'", "''", "\x00", "\n", "个:%旧", "'; DROP TABLE x; --", "\\x41", "`", "\xff\xfe", "$1", "{a:String}", "?"}
	for range 300 {
		b := make([]byte, r.IntN(40))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		texts = append(texts, string(b))
	}
	var list, want []string
	for _, s := range texts {
		list, want = append(list, "hex("+clickhouse.Quote(s)+")"), append(want, strings.ToUpper(fmt.Sprintf("%x", s)))
	}
	if got := srv.Must("SELECT " + strings.Join(list, ", ")); got != strings.TrimSpace(strings.Join(want, "\t")) {
		t.Errorf("got  %s\nwant %s", got, strings.Join(want, "\t"))
	}
}

func TestAWarehouseThatIsAwayIsUnavailable(t *testing.T) {
	srv := realserver.StartClickHouse(t)
	cfg := single(srv)
	db := open(t, cfg)
	srv.Kill()
	if _, err := clickhouse.Open(t.Context(), cfg); kangma.KindOf(err) != kangma.Unavailable || err == nil {
		t.Errorf("open: got %v, want unavailable", err)
	}
	if err := db.Load(t.Context(), passages(source(t, 19), 0, 5, noon, time.Second)); kangma.KindOf(err) != kangma.Unavailable || err == nil {
		t.Errorf("load: got %v, want unavailable", err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return db.Load(t.Context(), passages(source(t, 19), 0, 5, noon, time.Second)) })
	_, err := clickhouse.Open(t.Context(), clickhouse.Config{Shards: [][]string{{"a:1"}, {}}, Database: "x;y"})
	var e *kangma.Error
	if !asError(err, &e) || e.Kind != kangma.Invalid || len(e.Faults) != 3 {
		t.Errorf("got %v, want three faults", err)
	}
}
