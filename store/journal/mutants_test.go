package journal_test

import (
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
)

// deafFS takes a full disk for success.
type deafFS struct{ journal.FS }

type deafFile struct{ journal.File }

func (d deafFS) OpenFile(name string, flag int, perm os.FileMode) (journal.File, error) {
	f, err := d.FS.OpenFile(name, flag, perm)
	return deafFile{f}, err
}

func (f deafFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	if errors.Is(err, unix.ENOSPC) {
		return len(p), nil
	}
	return n, err
}

// TestFullDiskTestCatchesAMutant: where ENOSPC is taken for success, what was acknowledged is missing, and the ledger says so.
func TestFullDiskTestCatchesAMutant(t *testing.T) {
	disk := crashfs.New()
	disk.Quota = 100_000
	l := newLedger()
	opt := journal.Options{FS: deafFS{disk}, MaxSegmentBytes: 1 << 20, CheckpointEvery: time.Hour, Logger: quiet}
	j := open(t, "/data/journal", opt)
	for range 200 {
		if l.append(j, 10) != nil {
			break
		}
	}
	j.Close()
	opt.FS = disk.After(crashfs.All())
	again, err := journal.Open("/data/journal", opt)
	if err == nil {
		defer again.Close()
		err = l.kept(again)
	}
	if err == nil {
		t.Error("a journal that takes a full disk for success was not caught")
	}
	t.Logf("caught: %v", err)
}

// TestDamageTestCatchesMutants: a journal that gave another record than was written, one too few or one too many would be noticed.
func TestDamageTestCatchesMutants(t *testing.T) {
	for name, mutate := range map[string]func(d *damaged){
		"another record": func(d *damaged) {
			e := &d.entries[len(d.entries)/2]
			e.Event.Data = append([]byte("x"), e.Event.Data...)
		},
		"another person": func(d *damaged) { d.entries[3].Event.Person[0]++ },
		"a phantom":      func(d *damaged) { d.entries = d.entries[:len(d.entries)-1] },
		"one too few": func(d *damaged) {
			last := d.entries[len(d.entries)-1]
			last.Position++
			d.entries = append(d.entries, last)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDamaged(t)
			if _, err := d.look(d.disk.After(crashfs.All())); err != nil {
				t.Fatalf("nothing is harmed: %v", err)
			}
			d.entries = slices.Clone(d.entries)
			mutate(&d)
			_, err := d.look(d.disk.After(crashfs.All()))
			if err == nil {
				t.Error("not caught")
			}
			t.Logf("caught: %v", err)
		})
	}
}

// unlockedFS gives the lock to everybody.
type unlockedFS struct{ journal.FS }

func (unlockedFS) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// TestWithoutItsLockTheJournalForks: without the lock a second process is let in and gives the same positions to other events, which the
// check of what was acknowledged finds (R11).
func TestWithoutItsLockTheJournalForks(t *testing.T) {
	dir := t.TempDir()
	opt := journal.Options{FS: unlockedFS{journal.OS{}}, Logger: quiet}
	first := open(t, dir, opt)
	second, err := journal.Open(dir, opt)
	if err != nil {
		t.Fatalf("the mutant lets nobody in: %v", err)
	}
	acked := map[kangma.EventID]bool{}
	for n, j := range []*journal.Journal{first, second} {
		id := kangma.EventID{byte(n + 1)}
		if pos, err := j.Append(noContext, kangma.Event{ID: id, Kind: kangma.EventErase}); err != nil || pos != 1 {
			t.Fatalf("position %d, %v, want both to get the first one", pos, err)
		}
		acked[id] = true
	}
	second.Close()
	first.Close()
	j, err := journal.Open(dir, journal.Options{Logger: quiet})
	if err == nil {
		defer j.Close()
		entries, _ := j.After(noContext, 0, 10)
		for _, e := range entries {
			delete(acked, e.Event.ID)
		}
	}
	t.Logf("caught: %d of 2 acknowledged events lost, %v", len(acked), err)
	if err == nil && len(acked) == 0 {
		t.Error("a fork was not caught")
	}
}
