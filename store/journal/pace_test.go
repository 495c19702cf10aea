package journal_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
)

// laggingDisk is a disk whose fsync takes a millisecond.
type laggingDisk struct{ journal.FS }

type laggingFile struct{ journal.File }

const fsyncTime = time.Millisecond

func (d laggingDisk) OpenFile(name string, flag int, perm os.FileMode) (journal.File, error) {
	f, err := d.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return laggingFile{f}, nil
}

func (f laggingFile) Sync() error {
	time.Sleep(fsyncTime)
	return f.File.Sync()
}

// TestCommitsOfManyKeepTheirPace: who comes on their own waits for the disk only; after a commit of many the next one waits for
// others to come.
func TestCommitsOfManyKeepTheirPace(t *testing.T) {
	const pace = 10 * fsyncTime
	synctest.Test(t, func(t *testing.T) {
		j, err := journal.Open("j", journal.Options{FS: laggingDisk{crashfs.New()}, Now: time.Now, Pace: pace, CheckpointEvery: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 100)
		appends := func(n int) {
			for range n {
				go func() {
					at := time.Now()
					_, err := j.Append(t.Context(), kangma.Event{ID: kangma.NewEventID(at), Kind: kangma.EventPassage, At: at, Data: []byte{1}})
					done <- err
				}()
			}
			synctest.Wait() // they are in a batch now, and none is under way or waits for the disk
		}
		answered := func(n int) (took time.Duration) {
			began := time.Now()
			for range n {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			return time.Since(began)
		}
		appends(1)
		answered(1) // a segment was begun
		for range 3 {
			if appends(1); answered(1) != fsyncTime {
				t.Error("one alone waited for more than the disk")
			}
		}
		appends(1)
		appends(40) // while the one waits for the disk
		answered(41)
		fsyncs := j.Stats().Fsyncs
		appends(1)
		appends(3)
		if took := answered(4); took != pace { // since the last commit began, a fsync ago, and then a fsync
			t.Errorf("after a commit of many the next ones waited %v, want %v", took, pace)
		}
		if n := j.Stats().Fsyncs - fsyncs; n != 1 {
			t.Errorf("%d fsyncs, want 1", n)
		}
		if appends(1); answered(1) != fsyncTime {
			t.Error("after a commit of few, one alone waited for more than the disk")
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
}
