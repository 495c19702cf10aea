package embedded_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

func contains(t *testing.T, path string, what []byte) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(b, what)
}

func TestAnErasedDataKeyIsNotInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	r := source(t, 95)
	var people []kangma.Dossier
	for range 300 {
		people = append(people, storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 8))
	}
	store1 := func(people ...kangma.Dossier) {
		t.Helper()
		db, err := embedded.Open(path, embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Dossiers().Update(t.Context(), store.Mark{}, people...); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	store1(people...)
	if !contains(t, path, people[7].Sealed.DataKey) {
		t.Fatal("the data key was not in the file before: this test proves nothing")
	}
	var gone []kangma.Dossier
	for _, p := range people[:100] {
		gone = append(gone, kangma.Dossier{Person: p.Person, Version: 2})
	}
	store1(gone...)
	for i, p := range people {
		if got := contains(t, path, p.Sealed.DataKey); got != (i >= 100) {
			t.Errorf("data key of person %d is in the file: %v", i, got)
		}
	}
}

func TestADroppedDayIsNotInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warehouse.db")
	w, err := embedded.OpenWarehouse(path, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	town := storetest.NewTown(source(t, 96))
	passages := town.Passages(800)
	if err := w.Load(t.Context(), storetest.BatchOf("n", 0, passages...)); err != nil {
		t.Fatal(err)
	}
	before := town.Start.AddDate(0, 0, 2).Truncate(24 * time.Hour)
	if err := w.Drop(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, p := range passages {
		in := contains(t, path, p.ID[:])
		if in == p.At.Before(before) {
			t.Errorf("a passage of %v is in the file: %v", p.At, in)
		}
		if in {
			kept++
		}
	}
	if kept == 0 || kept == len(passages) {
		t.Errorf("%d of %d kept: this test proves nothing", kept, len(passages))
	}
}
