package journal_test

import (
	"testing"

	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/storetest"
)

func TestJournalKeepsItsContract(t *testing.T) {
	for name, opt := range map[string]journal.Options{
		"one segment":   {},
		"many segments": {MaxSegmentBytes: 500},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Journal(t, func(tb testing.TB, dir string) store.Journal { return open(tb, dir, opt) })
		})
	}
}

func open(tb testing.TB, dir string, opt journal.Options) *journal.Journal {
	tb.Helper()
	j, err := journal.Open(dir, opt)
	if err != nil {
		tb.Fatalf("open: %v", err)
	}
	return j
}
