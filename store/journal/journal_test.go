package journal_test

import (
	"errors"
	"testing"

	"github.com/kangma/kangma"
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

// closing gives a decorated journal the Close that the suite looks for.
type closing struct {
	store.Journal
	close func() error
}

func (c closing) Close() error { return c.close() }

func TestDecoratedJournalKeepsItsContract(t *testing.T) {
	storetest.Journal(t, func(tb testing.TB, dir string) store.Journal {
		j := open(tb, dir, journal.Options{})
		return closing{storetest.FaultyJournal(j, storetest.NewFaults()), j.Close}
	})
}

func TestRetryAfterALostAnswerIsTheSameEvent(t *testing.T) {
	j := open(t, t.TempDir(), journal.Options{})
	defer j.Close()
	faulty := storetest.FaultyJournal(j, storetest.NewFaults(storetest.FailButPersist(1)))
	e := passageSized()
	if _, err := faulty.Append(t.Context(), e); !errors.Is(err, kangma.Unavailable) {
		t.Fatalf("the first append gave %v, want %v", err, kangma.Unavailable)
	}
	if pos, err := faulty.Append(t.Context(), e); err != nil || pos != 2 {
		t.Fatalf("the retry gave position %d, %v; want 2", pos, err)
	}
	got, err := j.After(t.Context(), 0, 10)
	if err != nil || len(got) != 2 || got[0].Event.ID != got[1].Event.ID {
		t.Fatalf("got %d entries, %v; want the same event twice, for consumers to count once", len(got), err)
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
