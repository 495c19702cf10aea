package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWhatAKilledRebuildLeftIsRemoved: a state file of millions is gigabytes that nobody would find.
func TestWhatAKilledRebuildLeftIsRemoved(t *testing.T) {
	data := filepath.Join(t.TempDir(), "d")
	must(t, "load", "prepare", "--people", "1", "--gates", "1", "--data", data)
	for _, next := range [][]string{{"rebuild"}, {"rules", "publish", "national-9th-2022"}} {
		left := filepath.Join(data, rebuilding+"1234")
		if err := os.Mkdir(left, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(left, "state.db"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		must(t, append(next, "--data", data)...)
		if found, err := filepath.Glob(filepath.Join(data, rebuilding+"*")); err != nil || len(found) > 0 {
			t.Errorf("after %v: %v, %v", next, found, err)
		}
	}
}
