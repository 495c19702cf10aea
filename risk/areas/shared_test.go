package areas_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/kangma/kangma/risk/areas"
)

// sharedLists finds the folder with the real lists: KANGMA_SHARED, or shared beside the repository.
func sharedLists(tb testing.TB) []string {
	tb.Helper()
	root := os.Getenv("KANGMA_SHARED")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			tb.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			if filepath.Dir(dir) == dir {
				tb.Fatal("no go.mod above the test")
			}
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(root, "data", "risk-areas", "*.json.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	if len(files) == 0 {
		tb.Skip("the real risk-area lists are not at hand: put them in ../shared/data/risk-areas or set KANGMA_SHARED")
	}
	return files
}

var listsRead sync.Map // by file; each is read once a run

func readList(tb testing.TB, file string) *areas.List {
	tb.Helper()
	if l, ok := listsRead.Load(file); ok {
		return l.(*areas.List)
	}
	f, err := os.Open(file)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	l, err := areas.ParseList(f)
	if err != nil {
		tb.Fatalf("%s: %v", filepath.Base(file), err)
	}
	listsRead.Store(file, l)
	return l
}

func TestEveryRowOfTheRealListsIsResolved(t *testing.T) {
	s := areas.NewSummary()
	for _, f := range sharedLists(t) {
		s.Add(filepath.Base(f), readList(t, f))
	}
	coded := s.Resolved.County + s.Resolved.Street
	t.Logf("%d files, %d rows, resolved %+v, unresolved %+v", s.Files, s.Rows, s.Resolved, s.Unresolved)
	if got := s.Resolved.Province + s.Resolved.City + s.Resolved.Zone + coded + len(s.Unresolved); got != s.Rows {
		t.Errorf("%d rows accounted for of %d", got, s.Rows)
	}
	if share := float64(coded) / float64(s.Rows); share < 0.94 {
		t.Errorf("%.2f %% of the rows have a county or street code, want 94", 100*share)
	}
	if share := float64(coded+s.Resolved.Zone) / float64(s.Rows); share < 0.99 {
		t.Errorf("%.2f %% of the rows have a code or a named zone, want 99", 100*share)
	}
}
