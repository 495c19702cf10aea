package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
)

// alarms collects alarm codes.
type alarms struct {
	mu    sync.Mutex
	codes []string
}

func (a *alarms) hear(x journal.Alarm) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.codes = append(a.codes, x.Code)
}

func (a *alarms) heard(code string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.codes, code)
}

// wait gives the alarm, which is raised in the background, its time.
func (a *alarms) wait(t *testing.T, code string) {
	t.Helper()
	for range 12_000 {
		if a.heard(code) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("no alarm %q was raised", code)
}

const diskSize = 24 << 20

// smallDisk mounts a tmpfs of 24 MB, or takes the disk in memory where mounting is not permitted.
func smallDisk(t *testing.T) (fs journal.FS, dir, kind string) {
	t.Helper()
	dir = t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=24m")
	if err == nil {
		t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
		return journal.OS{}, dir, "tmpfs"
	}
	disk := crashfs.New()
	disk.Quota = diskSize
	disk.MkdirAll(dir, 0o700)
	return disk, dir, "disk in memory, as mounting gave " + err.Error()
}

func TestFullDiskIsNeverAcknowledgedAndHealsByItself(t *testing.T) {
	fs, dir, kind := smallDisk(t)
	t.Log("24 MB on " + kind)
	filler := filepath.Join(dir, "filler")
	fillWith(t, fs, filler, 12<<20)
	var a alarms
	opt := journal.Options{FS: fs, BallastBytes: 2 << 20, MaxSegmentBytes: 1 << 20, CheckpointEvery: 10 * time.Millisecond,
		Alarm: a.hear, Logger: quiet}
	j := open(t, filepath.Join(dir, "journal"), opt)
	if !j.Stats().Ballast {
		t.Fatal("no ballast was taken")
	}
	l := newLedger()
	afterBallast := fillUp(t, j, l)
	a.wait(t, "ballast-freed")
	a.wait(t, "disk-full")
	full := j.Stats()
	if !full.DiskFull || full.Ballast {
		t.Errorf("figures of a full disk: %+v", full)
	}
	if err := l.kept(j); err != nil { // reading goes on
		t.Fatal(err)
	}
	for range 20 {
		if err := l.append(j, 1000); err == nil {
			t.Fatal("a full disk acknowledged a batch")
		}
	}
	if err := fs.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := l.append(j, 1000); err != nil {
		t.Fatalf("the first append with space again: %v", err)
	}
	for range 12_000 {
		if j.Stats().Ballast {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if s := j.Stats(); s.DiskFull || !s.Ballast {
		t.Errorf("the journal did not recover: %+v", s)
	}
	j.Close()
	j = open(t, filepath.Join(dir, "journal"), opt)
	defer j.Close()
	if err := l.kept(j); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events acknowledged before and after, %d batches after the ballast was freed, %d refused; 0 lost",
		len(l.acked), afterBallast, full.Failures)
}

// fillUp appends until the disk is full and gives how many batches went in after the ballast was freed.
func fillUp(t *testing.T, j *journal.Journal, l *ledger) (afterBallast int) {
	t.Helper()
	var err error
	for err == nil {
		freed := !j.Stats().Ballast
		if err = l.append(j, 1000); err == nil && freed {
			afterBallast++
		}
	}
	var e *kangma.Error
	if !errors.As(err, &e) || e.Kind != kangma.Unavailable || e.RetryAfter == 0 || !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("append to a full disk gave %v, want unavailable with a time to try again", err)
	}
	if afterBallast == 0 {
		t.Error("the ballast bought no time: nothing was acknowledged after the alarm")
	}
	return afterBallast
}

func fillWith(t *testing.T, fs journal.FS, name string, size int) {
	t.Helper()
	f, err := fs.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, size), 0); err != nil {
		t.Fatal(err)
	}
}

func TestFullDiskInMemoryBehavesTheSame(t *testing.T) {
	disk := crashfs.New()
	disk.Quota = 100_000
	l := newLedger()
	opt := journal.Options{FS: disk, MaxSegmentBytes: 20_000, CheckpointEvery: time.Hour, Logger: quiet}
	j := open(t, "/data/journal", opt)
	for l.append(j, 10) == nil {
	}
	disk.Quota = 200_000
	for l.append(j, 10) == nil {
	}
	j.Close()
	opt.FS = disk.After(crashfs.None())
	j = open(t, "/data/journal", opt)
	defer j.Close()
	if err := l.kept(j); err != nil {
		t.Fatal(err)
	}
}
