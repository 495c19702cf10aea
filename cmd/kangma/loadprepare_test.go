package main

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma/store/embedded"
)

// TestAPreparedPopulationLeavesNothingToShip: the shipper of the first server begins behind the people's events, among which there are no
// passages, and not at the first of them.
func TestAPreparedPopulationLeavesNothingToShip(t *testing.T) {
	const people = 300
	data := filepath.Join(t.TempDir(), "d")
	must(t, "load", "prepare", "--people", fmt.Sprint(people), "--gates", "2", "--data", data)
	w, err := embedded.OpenWarehouse(filepath.Join(data, "warehouse.db"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	loaded, err := w.Loaded(t.Context(), "node-1")
	if err != nil || loaded < people {
		t.Errorf("loaded up to %d, %v; want everything of %d people", loaded, err, people)
	}
}
