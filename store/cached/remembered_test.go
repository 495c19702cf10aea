package cached_test

import (
	"context"
	"errors"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
	"github.com/kangma/kangma/store/embedded"
)

// Under a context of store.Remembered nothing but memory is asked.
func TestMemoryAloneAnswersWhoMayNotWait(t *testing.T) {
	db, err := embedded.Open("", embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, id := t.Context(), kangma.PersonID{1}
	people, records := cached.New(db.Dossiers(), cached.Options{}), cached.NewRecords(db.Records(), cached.Options{})
	if err := people.Update(ctx, store.Mark{}, kangma.Dossier{Person: id, Version: 1}); err != nil {
		t.Fatal(err)
	}
	if err := records.Put(ctx, store.Record{Kind: "k", ID: "a", Version: 1, Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	reads := map[string]func(context.Context) error{
		"a person": func(ctx context.Context) error { _, err := people.Get(ctx, id); return err },
		"a record": func(ctx context.Context) error {
			_, err := records.Remember(ctx, "k", "a", func(store.Record) (any, error) { return 1, nil })
			return err
		},
		"a packed record": func(ctx context.Context) error {
			return records.RememberPacked(ctx, "k", "a", func(store.Record) ([]byte, error) { return []byte{1}, nil }, func([]byte) error { return nil })
		},
	}
	for name, read := range reads {
		if err := read(store.Remembered(ctx)); !errors.Is(err, store.ErrNotRemembered) {
			t.Errorf("%s that was never read: %v", name, err)
		}
		if err := read(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := read(store.Remembered(ctx)); err != nil {
			t.Errorf("%s that is in memory: %v", name, err)
		}
	}
	if _, err := people.Get(store.Remembered(ctx), kangma.PersonID{2}); !errors.Is(err, store.ErrNotRemembered) {
		t.Errorf("nobody: %v, which memory alone does not know", err)
	}
}
