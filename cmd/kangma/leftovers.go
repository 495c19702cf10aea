package main

import (
	"os"
	"path/filepath"
	"strings"
)

// rebuilding begins the name of the folder in which a rebuild makes its new state file.
const rebuilding = "rebuild-"

// clearRebuilds removes what a rebuild that was killed left in the data folder, except for the folder to keep. Only who holds the journal's
// lock may call it: nobody else then rebuilds here.
func clearRebuilds(data, keep string) error {
	left, err := os.ReadDir(data)
	if err != nil {
		return err
	}
	for _, e := range left {
		dir := filepath.Join(data, e.Name())
		if !strings.HasPrefix(e.Name(), rebuilding) || dir == filepath.Clean(keep) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}
