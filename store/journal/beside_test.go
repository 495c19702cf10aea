package journal_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma/store/journal"
)

// lookingFS is what somebody reads by who looks at the journal of a running node: once does what happens at the first read of a
// segment.
type lookingFS struct {
	journal.FS
	once func(f journal.File, p []byte, off int64) (int, error)
	mu   *sync.Mutex
	done *bool
}

type lookingFile struct {
	journal.File
	fs lookingFS
}

func looking(once func(f journal.File, p []byte, off int64) (int, error)) lookingFS {
	return lookingFS{FS: journal.OS{}, once: once, mu: &sync.Mutex{}, done: new(bool)}
}

func (l lookingFS) OpenFile(name string, flag int, perm os.FileMode) (journal.File, error) {
	f, err := l.FS.OpenFile(name, flag, perm)
	if err != nil || !strings.HasSuffix(name, ".seg") {
		return f, err
	}
	return lookingFile{f, l}, nil
}

func (f lookingFile) ReadAt(p []byte, off int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if !*f.fs.done {
		*f.fs.done = true
		return f.fs.once(f.File, p, off)
	}
	return f.File.ReadAt(p, off)
}

func running(t *testing.T, n int) (dir string, j *journal.Journal, ends []int64) {
	t.Helper()
	dir = t.TempDir()
	j = open(t, dir, journal.Options{AheadBytes: 1 << 20, CheckpointEvery: time.Hour, Logger: quiet})
	for i := range n {
		appendOne(t, j, i)
		ends = append(ends, j.Stats().Size)
	}
	return dir, j, ends
}

func TestWhoLooksWhileZerosAreCutOffSeesAWholeJournal(t *testing.T) {
	dir, j, _ := running(t, 10)
	fs := looking(func(f journal.File, p []byte, off int64) (int, error) {
		if err := j.Close(); err != nil { // between the look at the size and the reading
			t.Error(err)
		}
		return f.ReadAt(p, off)
	})
	if r, err := journal.Verify(dir, journal.Options{FS: fs, Logger: quiet}); err != nil || !r.Sound() || r.Records != 10 {
		t.Errorf("%+v %v, want 10 sound records", r, err)
	}
}

// A read of a megabyte is not of one moment: a record may be zeros still, and two that were written after it may be there already.
func TestWhoLooksWhileRecordsAreWrittenTakesNoneForDamage(t *testing.T) {
	dir, j, ends := running(t, 10)
	defer j.Close()
	fs := looking(func(f journal.File, p []byte, off int64) (int, error) {
		n, err := f.ReadAt(p, off)
		clear(p[ends[4]:ends[6]])
		return n, err
	})
	r, err := journal.Verify(dir, journal.Options{FS: fs, Logger: quiet})
	if err != nil || !r.Sound() || r.Records != 10 || r.Torn != 0 {
		t.Errorf("%+v %v, want 10 sound records", r, err)
	}
}

// Zeros that stayed behind the last record of a segment, and were not cut off before the next one began, hide nothing.
func TestZerosBehindAWholeSegmentAreNoDamage(t *testing.T) {
	dir, j, ends := running(t, 10)
	whole := t.TempDir()
	if _, err := j.Backup(t.Context(), filepath.Join(whole, "b")); err != nil {
		t.Fatal(err)
	}
	left := t.TempDir()
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	// The disk lost the checkpoint and the last records, and left the zeros that were there before.
	seg, err := filepath.Glob(filepath.Join(left, "*.seg"))
	if err != nil || len(seg) != 1 {
		t.Fatal(seg, err)
	}
	f, err := os.OpenFile(seg[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(make([]byte, ends[9]-ends[7]), ends[7])
	if err := os.WriteFile(filepath.Join(left, "checkpoint"), make([]byte, 1024), 0o600); err != nil {
		t.Fatal(err)
	}
	if err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	source, end, err := journal.FromBackup(filepath.Join(whole, "b"), journal.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if r, err := journal.Repair(t.Context(), left, journal.Options{Logger: quiet}, false, source); err != nil {
		t.Fatalf("%+v %v", r, err)
	}
	if r, err := journal.Verify(left, journal.Options{Logger: quiet}); err != nil || !r.Sound() || r.Last != 10 {
		t.Errorf("%+v %v, want 10 sound records", r, err)
	}
}
