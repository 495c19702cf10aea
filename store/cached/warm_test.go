package cached_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
	"github.com/kangma/kangma/store/embedded"
)

func filled(t *testing.T, people int) *embedded.DB {
	t.Helper()
	db, err := embedded.Open(filepath.Join(t.TempDir(), "state.db"), embedded.Options{Relaxed: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	var ds []kangma.Dossier
	for i := range people {
		ds = append(ds, kangma.Dossier{Person: personOf(i), Version: 1})
	}
	if err := db.Dossiers().Update(t.Context(), store.Mark{}, ds...); err != nil {
		t.Fatal(err)
	}
	for i := range people {
		for _, kind := range []string{"session", "other"} {
			if err := db.Records().Put(t.Context(), store.Record{Kind: kind, ID: fmt.Sprint(i), Version: 1, Data: []byte{1}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return db
}

func personOf(i int) (id kangma.PersonID) {
	id[0], id[14], id[15] = byte(i), byte(i>>8), byte(i)
	return id
}

func always(context.Context) error { return nil }

func TestAfterWarmingNobodyIsReadFromTheStore(t *testing.T) {
	const people = 1500
	db := filled(t, people)
	d, r := cached.New(db.Dossiers(), cached.Options{}), cached.NewRecords(db.Records(), cached.Options{})
	looked := int64(0)
	if err := d.Warm(t.Context(), always, func(n int64) { looked = n }); err != nil || looked != people {
		t.Fatalf("%d people looked at, %v", looked, err)
	}
	parse := func(rec store.Record) (any, error) { return rec.ID, nil }
	if err := r.Warm(t.Context(), "session", parse, always, func(n int64) { looked = n }); err != nil || looked < 2*people {
		t.Fatalf("%d records looked at, %v", looked, err)
	}
	if err := db.Close(); err != nil { // from now on every read of the store fails
		t.Fatal(err)
	}
	for i := range people {
		if got, err := d.Get(t.Context(), personOf(i)); err != nil || got.Person != personOf(i) {
			t.Fatalf("person %d: %v", i, err)
		}
		if v, err := r.Remember(t.Context(), "session", fmt.Sprint(i), nil); err != nil || v != fmt.Sprint(i) {
			t.Fatalf("session %d: %v %v", i, v, err)
		}
	}
	if _, err := r.Remember(t.Context(), "other", "1", parse); err == nil {
		t.Error("another kind was remembered too")
	}
}

func TestWarmingStopsWhereThereIsNoRoomAndWhenItIsTold(t *testing.T) {
	db := filled(t, 1500)
	d, looked := cached.New(db.Dossiers(), cached.Options{Entries: 64}), int64(0)
	if err := d.Warm(t.Context(), always, func(n int64) { looked = n }); err != nil || looked >= 1500 {
		t.Errorf("%d looked at for 64 places, %v", looked, err)
	}
	enough := errors.New("enough")
	if err := cached.New(db.Dossiers(), cached.Options{}).Warm(t.Context(), func(context.Context) error { return enough }, func(int64) {}); !errors.Is(err, enough) {
		t.Errorf("told to stop: %v", err)
	}
}

// pausing lets a test act between the store's answer and the memory.
type pausing struct {
	store.Dossiers
	between func()
}

func (p *pausing) WireMany(ctx context.Context, people []kangma.PersonID, f func(kangma.PersonID, []byte)) error {
	return p.Dossiers.(catchUp).WireMany(ctx, people, f)
}

func (p *pausing) CatchUp(ctx context.Context, people []store.Packed, done func([]store.Packed)) error {
	return p.Dossiers.(catchUp).CatchUp(ctx, people, done)
}

func (p *pausing) Wire(ctx context.Context, id kangma.PersonID) ([]byte, error) {
	return p.Dossiers.(catchUp).Wire(ctx, id)
}

func (p *pausing) WirePage(ctx context.Context, after int64, limit int, f func(kangma.PersonID, []byte)) (next int64, n int, err error) {
	var then []func()
	next, n, err = p.Dossiers.(catchUp).WirePage(ctx, after, limit, func(id kangma.PersonID, data []byte) {
		then = append(then, func() { f(id, data) })
	})
	if n > 0 {
		p.between()
	}
	for _, f := range then {
		f()
	}
	return next, n, err
}

func TestWarmingNeverBringsBackWhatWasWrittenMeanwhile(t *testing.T) {
	for name, o := range map[string]cached.Options{"at once": {}, "behind": {Behind: long}, "behind, little memory": {Behind: long, Entries: 64}} {
		t.Run(name, func(t *testing.T) { warmingBringsNothingBack(t, o) })
	}
}

func warmingBringsNothingBack(t *testing.T, o cached.Options) {
	inner := &pausing{Dossiers: filled(t, 200).Dossiers()}
	d := cached.New(inner, o)
	defer d.Close()
	inner.between = func() {
		defer func() {
			if err := d.Flush(); err != nil {
				t.Error(err)
			}
		}()
		for i := range 200 {
			if err := d.Update(t.Context(), store.Mark{}, kangma.Dossier{Person: personOf(i), Version: 2}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Warm(t.Context(), always, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if got, err := d.Get(t.Context(), personOf(i)); err != nil || got.Version != 2 {
			t.Fatalf("person %d: version %d, %v; want what was written", i, got.Version, err)
		}
	}
}

func TestWarmingRunsBesideReadsAndWrites(t *testing.T) {
	d := cached.New(filled(t, 200).Dossiers(), cached.Options{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20 {
			if err := d.Warm(t.Context(), always, func(int64) {}); err != nil {
				t.Error(err)
			}
		}
	})
	for version := uint64(2); version < 5; version++ {
		for i := range 200 {
			if err := d.Update(t.Context(), store.Mark{}, kangma.Dossier{Person: personOf(i), Version: version}); err != nil {
				t.Fatal(err)
			}
			if got, err := d.Get(t.Context(), personOf(i)); err != nil || got.Version != version {
				t.Fatalf("person %d: version %d after %d was written, %v", i, got.Version, version, err)
			}
		}
	}
	wg.Wait()
}
