package journal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
)

// spoil flips a bit of a file on disk.
func spoil(t *testing.T, name string, at int) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	raw[at] ^= 8
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// segmentsIn gives the paths of the segments in dir, in order.
func segmentsIn(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d segments, %v", len(names), err)
	}
	return names
}

func TestBackupRepairsTheJournalItWasTakenFrom(t *testing.T) {
	dir, copied, opt := t.TempDir(), t.TempDir(), journal.Options{MaxSegmentBytes: 2000, Logger: quiet}
	j, l := open(t, dir, opt), newLedger()
	for range 10 {
		if err := l.append(j, 10); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Backup(noContext, copied); err != nil {
		t.Fatal(err)
	}
	if err := l.append(j, 10); err != nil { // what came after the backup is whole
		t.Fatal(err)
	}
	last := j.Last()
	want := hashOf(t, j, last)
	j.Close()
	segments := segmentsIn(t, dir)
	spoil(t, segments[0], 500)
	spoil(t, segments[2], 30) // the header
	if err := os.Remove(segments[3]); err != nil {
		t.Fatal(err)
	}
	source, done, err := journal.FromBackup(copied, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	r, err := journal.Repair(noContext, dir, opt, false, source)
	if err != nil || r.Proven == 0 || r.Trusted > 0 || r.Lost > 0 {
		t.Fatalf("repair: %+v, %v; want everything proven", r, err)
	}
	j = open(t, dir, opt)
	defer j.Close()
	if j.Last() != last || hashOf(t, j, last) != want {
		t.Errorf("the repaired journal ends at %d, want %d, or holds something else", j.Last(), last)
	}
	if err := l.kept(j); err != nil {
		t.Error(err)
	}
}

func TestBackupWithAHoleGivesWhatItHas(t *testing.T) {
	dir, copied, opt := t.TempDir(), t.TempDir(), journal.Options{Logger: quiet}
	j, l := open(t, dir, opt), newLedger()
	for range 30 {
		if err := l.append(j, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Backup(noContext, copied); err != nil {
		t.Fatal(err)
	}
	j.Close()
	spoil(t, segmentsIn(t, copied)[0], 64+70*5)
	source, done, err := journal.FromBackup(copied, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	got, err := source(noContext, 1, 30)
	if err != nil || len(got) == 30 || len(got) < 28 || got[0].Position != 1 || got[len(got)-1].Position != 30 {
		t.Fatalf("got %d entries, %v; want all but the damaged one or two", len(got), err)
	}
	// The hole is not where the journal is damaged, so the repair succeeds; where it is, nobody can help.
	spoil(t, segmentsIn(t, dir)[0], 64+90)
	if r, err := journal.Repair(noContext, dir, opt, false, source); err != nil || r.Proven == 0 {
		t.Fatalf("repair: %+v, %v", r, err)
	}
	spoil(t, segmentsIn(t, dir)[0], 64+70*5)
	if _, err := journal.Repair(noContext, dir, opt, false, source); !errors.Is(err, kangma.Unavailable) {
		t.Fatalf("repair with the same hole gave %v, want %v", err, kangma.Unavailable)
	}
	// A second source may fill it.
	hole := func(_ context.Context, from, to store.Position) (out []store.Entry, err error) {
		for at := from; at <= to; at++ {
			out = append(out, store.Entry{Position: at, Event: kangma.Event{ID: l.acked[at], Kind: kangma.EventEvidence, Data: make([]byte, at%50)}})
		}
		return out, nil
	}
	if r, err := journal.Repair(noContext, dir, opt, false, source, hole); err != nil || r.Lost > 0 {
		t.Fatalf("repair from two sources: %+v, %v", r, err)
	}
	j = open(t, dir, opt)
	defer j.Close()
	if err := l.kept(j); err != nil {
		t.Error(err)
	}
}
