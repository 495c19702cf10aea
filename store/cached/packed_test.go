package cached_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
	"github.com/kangma/kangma/store/storetest"
)

// whole packs a record as it is.
func whole(rec store.Record) ([]byte, error) { return rec.Data, nil }

// packedNumber reads record "g" by its packed form.
func packedNumber(ctx context.Context, c *cached.Records) (n int, err error) {
	use := func(b []byte) (err error) { n, err = strconv.Atoi(string(b)); return err }
	err = c.RememberPacked(ctx, "gate", "g", whole, use)
	return n, err
}

func TestThePackedFormNeverLagsBehindAWrite(t *testing.T) {
	c, _ := newRecords(t, cached.Options{})
	put(t, c, 1)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for last := 0; ; {
				select {
				case <-done:
					return
				default:
				}
				n, err := packedNumber(context.Background(), c)
				if err != nil || n < last {
					t.Errorf("%v after %d, %v", n, last, err)
					return
				}
				last = n
			}
		})
	}
	for version := uint64(2); version <= 300; version++ {
		put(t, c, version)
		if n, err := packedNumber(t.Context(), c); err != nil || n != int(version) {
			t.Errorf("read %v, %v after writing %d", n, err, version)
		}
	}
	close(done)
	wg.Wait()
	if err := c.Put(t.Context(), store.Record{Kind: "gate", ID: "g", Version: 301, Deleted: true}); err != nil {
		t.Fatal(err)
	}
	if n, err := packedNumber(t.Context(), c); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("deleted, and read as %d, %v", n, err)
	}
}

func TestThePackedFormGrowsOldToo(t *testing.T) {
	now := time.Unix(1000, 0)
	c, beside := newRecords(t, cached.Options{TTL: 2 * time.Second, Now: func() time.Time { return now }})
	put(t, c, 1)
	want := func(when string, n int) {
		t.Helper()
		if got, err := packedNumber(t.Context(), c); err != nil || got != n {
			t.Errorf("%s: %d, %v, want %d", when, got, err, n)
		}
	}
	want("first", 1)
	put(t, beside, 2)
	want("within the time to live", 1)
	now = now.Add(2 * time.Second)
	want("after it", 2)
}

func TestAfterWarmingPackedRecordsAreInMemory(t *testing.T) {
	const people = 700
	db := filled(t, people)
	r := cached.NewRecords(db.Records(), cached.Options{})
	if err := r.WarmPacked(t.Context(), "session", func(rec store.Record) ([]byte, error) { return []byte(rec.ID), nil }, always, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil { // from now on every read of the store fails
		t.Fatal(err)
	}
	for i := range people {
		want := fmt.Sprint(i)
		if err := r.RememberPacked(t.Context(), "session", want, nil, func(b []byte) error {
			if string(b) != want {
				return fmt.Errorf("got %s", b)
			}
			return nil
		}); err != nil {
			t.Fatalf("session %d: %v", i, err)
		}
	}
	if err := r.RememberPacked(t.Context(), "other", "1", whole, func([]byte) error { return nil }); err == nil {
		t.Error("another kind was remembered too")
	}
}

// TestWhatIsReadIsTheReadersOwn holds on to what was read while memory gives its room to others.
func TestWhatIsReadIsTheReadersOwn(t *testing.T) {
	db := filled(t, 300)
	c := cached.New(db.Dossiers(), cached.Options{Entries: 64, Behind: long})
	defer c.Close()
	var wg sync.WaitGroup
	for reader := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				id := personOf((i*7 + reader) % 300)
				d, err := c.Get(context.Background(), id)
				if err != nil || d.Person != id || len(d.Sealed.DataKey) > 0 && !bytes.Equal(d.Sealed.DataKey, id[:]) {
					t.Errorf("asked for %v, got %v with %x, %v", id, d.Person, d.Sealed.DataKey, err)
					return
				}
			}
		})
	}
	for version := uint64(2); version < 6; version++ {
		for i := range 300 {
			id := personOf(i)
			if err := c.Update(t.Context(), store.Mark{}, kangma.Dossier{Person: id, Version: version, Sealed: kangma.SealedIdentity{DataKey: id[:]}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	wg.Wait()
}

// TestReadingDoesNotTouchWhatWaitsToBeStored reads in turn somebody whose newest version waits and somebody whose does not: they are
// copied to the same rooms.
func TestReadingDoesNotTouchWhatWaitsToBeStored(t *testing.T) {
	db := filled(t, 2)
	c := cached.New(db.Dossiers(), cached.Options{Behind: long})
	defer c.Close()
	waits, stored := personOf(0), personOf(1)
	if err := c.Update(t.Context(), store.Mark{}, kangma.Dossier{Person: waits, Version: 2}); err != nil {
		t.Fatal(err)
	}
	if n, _ := c.Waiting(); n != 1 {
		t.Fatalf("%d people wait", n)
	}
	for range 200 {
		for _, id := range []kangma.PersonID{waits, stored} {
			if d, err := c.Get(t.Context(), id); err != nil || d.Person != id {
				t.Fatalf("asked for %v, got %v, %v", id, d.Person, err)
			}
		}
	}
}

func TestMemoryIsBoundedByBytesToo(t *testing.T) {
	inner := memory(t)
	r, people := rand.New(rand.NewPCG(9, 9)), []kangma.Dossier(nil)
	for range 3000 {
		people = append(people, storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 20))
	}
	if err := inner.Update(t.Context(), store.Mark{}, people...); err != nil {
		t.Fatal(err)
	}
	c := cached.New(inner, cached.Options{Entries: 100_000, Bytes: 64 * 16 << 10})
	for range 2 {
		for _, p := range people {
			if _, err := c.Get(t.Context(), p.Person); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := c.Bytes(); got == 0 || got > 64*16<<10 {
		t.Errorf("%d bytes taken", got)
	}
}
