package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma/store/journal"
)

// TestARebuildBesideAServerTouchesNoWarehouse: who has the journal has the warehouse too.
func TestARebuildBesideAServerTouchesNoWarehouse(t *testing.T) {
	data := filepath.Join(t.TempDir(), "d")
	must(t, "load", "prepare", "--people", "1", "--gates", "1", "--data", data)
	made, err := filepath.Glob(filepath.Join(data, "warehouse.db*"))
	if err != nil || len(made) == 0 {
		t.Fatal(made, err)
	}
	for _, f := range made {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	j, err := journal.Open(filepath.Join(data, "journal"), journal.Options{Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(copied, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := command(t, "rebuild", "--from", copied, "--passages", "--data", data); code == exitOK {
		t.Errorf("rebuilt: %s", out)
	}
	if made, _ := filepath.Glob(filepath.Join(data, "warehouse.db*")); len(made) > 0 {
		t.Errorf("opened %v", made)
	}
}
