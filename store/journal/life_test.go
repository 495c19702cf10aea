package journal_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
)

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	if _, err := journal.Open(dir, journal.Options{}); !errors.Is(err, kangma.Conflict) {
		t.Errorf("a second Open gave %v, want %v", err, kangma.Conflict)
	}
	if _, err := journal.Repair(noContext, dir, journal.Options{}, true); !errors.Is(err, kangma.Conflict) {
		t.Errorf("Repair of an open journal gave %v, want %v", err, kangma.Conflict)
	}
	if err := newLedger().append(j, 1); err != nil {
		t.Errorf("append after the attempts: %v", err)
	}
	j.Close()
	open(t, dir, journal.Options{}).Close()
}

func TestReadOnlyChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "journal")
	if _, err := journal.Open(dir, journal.Options{ReadOnly: true}); !errors.Is(err, kangma.NotFound) {
		t.Fatalf("opening nothing read-only gave %v, want %v", err, kangma.NotFound)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatalf("opening nothing read-only made the directory: %v", err)
	}
	j, l := open(t, dir, journal.Options{}), newLedger()
	l.append(j, 10)
	j.Close()
	before := treeOf(t, dir)
	r := open(t, dir, journal.Options{ReadOnly: true})
	if err := l.kept(r); err != nil {
		t.Error(err)
	}
	if _, err := r.Append(noContext, kangma.Event{ID: kangma.EventID{1}, Kind: kangma.EventErase}); !errors.Is(err, kangma.Unavailable) {
		t.Errorf("append gave %v, want %v", err, kangma.Unavailable)
	}
	r.Close()
	if after := treeOf(t, dir); after != before {
		t.Errorf("files changed from\n%s\nto\n%s", before, after)
	}
}

func treeOf(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	names, err := journal.OS{}.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		raw, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d %x\n", n, len(raw), sha256.Sum256(raw))
	}
	return b.String()
}

func TestVerifyRunsBesideAWriter(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{MaxSegmentBytes: 4000, Retention: time.Nanosecond, CheckpointEvery: time.Millisecond})
	defer j.Close()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for l := newLedger(); ; {
			select {
			case <-stop:
				return
			default:
			}
			if err := l.append(j, 5); err != nil {
				t.Errorf("append: %v", err)
				return
			}
			j.Release(noContext, j.Last())
		}
	})
	for range 50 {
		r, err := journal.Verify(dir, journal.Options{Logger: quiet})
		if err != nil || !r.Sound() {
			t.Fatalf("verify beside a writer: %+v, %v", r.Damage, err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestRetentionRemovesOnlyWhatIsReleasedAndOld(t *testing.T) {
	now := time.Date(2022, 7, 10, 23, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	opt := journal.Options{Now: func() time.Time { return now }, Retention: 72 * time.Hour, CheckpointEvery: time.Hour}
	j, l := open(t, dir, opt), newLedger()
	for range 6 { // positions 1-10 on the 10th, 11-20 on the 11th, ...
		if err := l.append(j, 10); err != nil {
			t.Fatal(err)
		}
		now = now.Add(24 * time.Hour)
	}
	first := func(want store.Position) {
		t.Helper()
		if err := j.Retain(); err != nil {
			t.Fatal(err)
		}
		if got := j.First(); got != want {
			t.Fatalf("the journal begins at %d, want %d", got, want)
		}
	}
	first(1) // nothing is released
	j.Release(noContext, 15)
	first(11) // the second day is not released to its end
	j.Release(noContext, 60)
	now = now.Add(-time.Microsecond)
	first(31) // the fourth day is not 72 hours old by a microsecond
	if _, err := j.After(noContext, 29, 5); !errors.Is(err, kangma.NotFound) {
		t.Errorf("reading before the first gave %v, want %v", err, kangma.NotFound)
	}
	if got, err := j.After(noContext, 30, 5); err != nil || len(got) != 5 || got[0].Position != 31 {
		t.Errorf("reading from the first gave %d entries, %v", len(got), err)
	}
	j.Close()
	j = open(t, dir, opt)
	defer j.Close()
	if d := j.Damage(); len(d) > 0 || j.First() != 31 || j.Stats().Released != 60 {
		t.Errorf("after opening again: damage %v, first %d, released %d", d, j.First(), j.Stats().Released)
	}
	now = now.Add(1000 * time.Hour)
	first(51) // the last segment stays
}

func TestClockThatGoesBackDoesNotTakeRecordedAlong(t *testing.T) {
	now := time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC)
	dir := t.TempDir()
	var a alarms
	opt := journal.Options{Now: func() time.Time { return now }, Alarm: a.hear, Logger: quiet}
	l := newLedger()
	for _, step := range []time.Duration{0, -30 * time.Second, -time.Hour, -24 * time.Hour, 26 * time.Hour} {
		now = now.Add(step)
		j := open(t, dir, opt)
		if err := l.append(j, 1); err != nil {
			t.Fatal(err)
		}
		j.Close()
	}
	a.wait(t, "clock-back")
	j := open(t, dir, opt)
	defer j.Close()
	got, err := j.After(noContext, 0, 10)
	if err != nil || len(got) != 5 {
		t.Fatalf("got %d entries, %v", len(got), err)
	}
	for i := range 3 {
		if !got[i+1].Recorded.Equal(got[0].Recorded) {
			t.Errorf("entry %d was recorded at %v, want %v", i+2, got[i+1].Recorded, got[0].Recorded)
		}
	}
	if !got[4].Recorded.Equal(now) {
		t.Errorf("the last entry was recorded at %v, want %v", got[4].Recorded, now)
	}
}

func TestBackupWhileWritingIsWhole(t *testing.T) {
	dir := t.TempDir()
	j, l := open(t, dir, journal.Options{MaxSegmentBytes: 10_000}), newLedger()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				l.append(j, 3)
			}
		}
	})
	copies := t.TempDir()
	for i := range 5 {
		to := filepath.Join(copies, fmt.Sprint(i))
		before := j.Last()
		last, err := j.Backup(noContext, to)
		if err != nil || last < before {
			t.Fatalf("backup ends at %d, %v; %d was there before", last, err, before)
		}
		if _, err := j.Backup(noContext, to); !errors.Is(err, kangma.Conflict) {
			t.Fatalf("a backup over a backup gave %v, want %v", err, kangma.Conflict)
		}
		b := open(t, to, journal.Options{})
		if b.Last() != last || len(b.Damage()) > 0 || hashOf(t, b, last) != hashOf(t, j, last) {
			t.Fatalf("the copy ends at %d, want %d; damage %v", b.Last(), last, b.Damage())
		}
		b.Close()
	}
	close(stop)
	wg.Wait()
	j.Close()
}

// hashOf covers every entry up to a position.
func hashOf(t *testing.T, j store.Journal, last store.Position) string {
	t.Helper()
	h := sha256.New()
	for pos := store.Position(0); pos < last; {
		got, err := j.After(noContext, pos, int(min(1000, last-pos)))
		if err != nil || len(got) == 0 {
			t.Fatalf("after %d: %d entries, %v", pos, len(got), err)
		}
		for _, e := range got {
			fmt.Fprintf(h, "%d %d %v\n", e.Position, e.Recorded.UnixMicro(), e.Event)
			pos = e.Position
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestRecoveryIsTheSameOnOneAndTwoProcessors(t *testing.T) {
	dir := t.TempDir()
	j, l := open(t, dir, journal.Options{MaxSegmentBytes: 5000}), newLedger()
	for range 50 {
		l.append(j, 20)
	}
	j.Close()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	seen := map[string]bool{}
	for _, procs := range []int{1, 2, 1, 2} {
		runtime.GOMAXPROCS(procs)
		j := open(t, dir, journal.Options{})
		pos, head := j.Head()
		seen[fmt.Sprint(pos, head, hashOf(t, j, pos))] = true
		j.Close()
	}
	if len(seen) != 1 {
		t.Errorf("%d different results", len(seen))
	}
}

// TestChainCatchesAForgedRecord changes a record and gives it the right CRC, as somebody with an editor could.
func TestChainCatchesAForgedRecord(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	for range 3 {
		if _, err := j.Append(noContext, kangma.Event{ID: kangma.EventID{1}, Kind: kangma.EventRecord, Data: []byte("green")}); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	names, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
	raw, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	second := raw[64+71:][:71]
	copy(second[66:], "red!!")
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(crc32.Checksum(second[:4], table), table, second[8:])
	copy(second[4:], []byte{byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24)})
	if err := os.WriteFile(names[0], raw, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := journal.Verify(dir, journal.Options{Logger: quiet})
	if err != nil || len(r.Damage) == 0 || r.Damage[0].From != 2 {
		t.Fatalf("verify says %+v, %v; want damage from position 2", r.Damage, err)
	}
}
