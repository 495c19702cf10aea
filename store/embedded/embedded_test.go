package embedded_test

import (
	"path/filepath"
	"testing"

	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

// opener opens state files by name in a folder of the test.
func opener(t *testing.T, o embedded.Options) storetest.Opener[*embedded.DB] {
	dir := t.TempDir()
	return func(tb testing.TB, name string) *embedded.DB {
		db, err := embedded.Open(filepath.Join(dir, name+".db"), o)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if err := db.Close(); err != nil {
				tb.Error(err)
			}
		})
		return db
	}
}

func TestDossiers(t *testing.T) {
	open := opener(t, embedded.Options{})
	storetest.Dossiers(t, func(tb testing.TB, name string) store.Dossiers { return open(tb, name).Dossiers() })
}

func TestRecords(t *testing.T) {
	open := opener(t, embedded.Options{})
	storetest.Records(t, func(tb testing.TB, name string) store.Records { return open(tb, name).Records() })
}

func TestMarks(t *testing.T) {
	open := opener(t, embedded.Options{Relaxed: true})
	storetest.Marks(t, func(tb testing.TB, name string) storetest.State {
		db := open(tb, name)
		return storetest.State{Dossiers: db.Dossiers(), Records: db.Records()}
	})
}

// Databases in memory are kept by name here, because a closed one is gone.
func TestInMemory(t *testing.T) {
	kept := map[string]*embedded.DB{}
	open := func(tb testing.TB, name string) *embedded.DB {
		if kept[name] == nil {
			db, err := embedded.Open("", embedded.Options{})
			if err != nil {
				tb.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			kept[name] = db
		}
		return kept[name]
	}
	storetest.Dossiers(t, func(tb testing.TB, name string) store.Dossiers { return open(tb, name).Dossiers() })
	storetest.Records(t, func(tb testing.TB, name string) store.Records { return open(tb, name).Records() })
}

// A wrapper without faults must not be told from the store inside.
func TestFaultyWithoutFaults(t *testing.T) {
	open := opener(t, embedded.Options{})
	storetest.Dossiers(t, func(tb testing.TB, name string) store.Dossiers {
		return storetest.FaultyDossiers(open(tb, name).Dossiers(), storetest.NewFaults())
	})
	storetest.Records(t, func(tb testing.TB, name string) store.Records {
		return storetest.FaultyRecords(open(tb, name).Records(), storetest.NewFaults())
	})
}

func warehouseOpener(t *testing.T) storetest.Opener[store.Warehouse] {
	dir := t.TempDir()
	return func(tb testing.TB, name string) store.Warehouse {
		w, err := embedded.OpenWarehouse(filepath.Join(dir, name+".db"), embedded.Options{})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if err := w.Close(); err != nil {
				tb.Error(err)
			}
		})
		return w
	}
}

func TestWarehouse(t *testing.T) { storetest.Warehouse(t, warehouseOpener(t)) }

func TestFaultyWarehouseWithoutFaults(t *testing.T) {
	open := warehouseOpener(t)
	storetest.Warehouse(t, func(tb testing.TB, name string) store.Warehouse {
		return storetest.FaultyWarehouse(open(tb, name), storetest.NewFaults())
	})
}
