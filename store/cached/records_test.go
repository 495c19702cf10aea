package cached_test

import (
	"context"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

func TestCachedIsAStoreOfRecords(t *testing.T) {
	dir := t.TempDir()
	storetest.Records(t, func(tb testing.TB, name string) store.Records {
		db, err := embedded.Open(filepath.Join(dir, name+".db"), embedded.Options{Relaxed: true})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { db.Close() })
		return cached.NewRecords(db.Records(), cached.Options{})
	})
}

func newRecords(tb testing.TB, o cached.Options) (c *cached.Records, beside store.Records) {
	db, err := embedded.Open("", embedded.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return cached.NewRecords(db.Records(), o), db.Records()
}

func number(r store.Record) (any, error) { return strconv.Atoi(string(r.Data)) }

func put(tb testing.TB, s store.Records, version uint64) {
	tb.Helper()
	if err := s.Put(context.Background(), store.Record{Kind: "gate", ID: "g", Version: version, Data: strconv.AppendUint(nil, version, 10)}); err != nil {
		tb.Error(err)
	}
}

func TestWhatIsRememberedNeverLagsBehindAWrite(t *testing.T) {
	c, _ := newRecords(t, cached.Options{})
	put(t, c, 1)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			last := 0
			for {
				select {
				case <-done:
					return
				default:
				}
				v, err := c.Remember(context.Background(), "gate", "g", number)
				if err != nil || v.(int) < last {
					t.Errorf("%v after %d, %v", v, last, err)
					return
				}
				last = v.(int)
			}
		})
	}
	for version := uint64(2); version <= 300; version++ {
		put(t, c, version)
		if v, err := c.Remember(context.Background(), "gate", "g", number); err != nil || v.(int) != int(version) {
			t.Errorf("read %v, %v after writing %d", v, err, version)
		}
	}
	close(done)
	wg.Wait()
}

func TestADeletedRecordIsNotRemembered(t *testing.T) {
	c, _ := newRecords(t, cached.Options{})
	put(t, c, 1)
	if _, err := c.Remember(t.Context(), "gate", "g", number); err != nil {
		t.Fatal(err)
	}
	if err := c.Put(t.Context(), store.Record{Kind: "gate", ID: "g", Version: 2, Deleted: true}); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Remember(t.Context(), "gate", "g", number); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestAnotherNodesWriteIsSeenAfterTheTimeToLive(t *testing.T) {
	var mu sync.Mutex
	clock := time.Unix(1000, 0)
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	c, beside := newRecords(t, cached.Options{TTL: 2 * time.Second, Now: now})
	put(t, c, 1)
	got := func() int {
		v, err := c.Remember(t.Context(), "gate", "g", number)
		if err != nil {
			t.Fatal(err)
		}
		return v.(int)
	}
	got()
	put(t, beside, 2)
	if v := got(); v != 1 {
		t.Errorf("within the time to live: %d", v)
	}
	mu.Lock()
	clock = clock.Add(2 * time.Second)
	mu.Unlock()
	if v := got(); v != 2 {
		t.Errorf("after it: %d", v)
	}
}
