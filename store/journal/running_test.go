package journal_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
)

func TestDamageFoundWhileRunningRaisesTheAlarmAndDoesNotStopWriting(t *testing.T) {
	disk, l := crashfs.New(), newLedger()
	var a alarms
	j := open(t, "/data/journal", journal.Options{FS: disk, CheckpointEvery: time.Hour, Alarm: a.hear, Logger: quiet})
	defer j.Close()
	for range 10 {
		if err := l.append(j, 1); err != nil {
			t.Fatal(err)
		}
	}
	names, _ := disk.List("/data/journal")
	for _, n := range names {
		if strings.HasSuffix(n, ".seg") {
			disk.Corrupt("/data/journal/"+n, func(b []byte) []byte { b[300] ^= 4; return b })
		}
	}
	got, err := j.After(noContext, 0, 100)
	if err != nil || len(got) == 0 || len(got) == 10 {
		t.Fatalf("got %d entries before the damage, %v", len(got), err)
	}
	if _, err := j.After(noContext, store.Position(len(got)), 100); kangma.CodeOf(err) != "journal_damaged" {
		t.Fatalf("reading on gave %v, want journal_damaged", err)
	}
	a.wait(t, "damage")
	if d := j.Damage(); len(d) != 1 || d[0].From != store.Position(len(got)+1) {
		t.Errorf("damage %+v, want one at position %d", d, len(got)+1)
	}
	if err := l.append(j, 1); err != nil {
		t.Errorf("append beside the damage: %v", err)
	}
}

func TestCloseAnswersEveryAppend(t *testing.T) {
	for range 20 {
		disk, l := crashfs.New(), newLedger()
		opt := journal.Options{FS: disk, CheckpointEvery: time.Millisecond, Logger: quiet}
		j := open(t, "/data/journal", opt)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for {
					if err := l.append(j, 1); err != nil {
						if !errors.Is(err, kangma.Unavailable) {
							t.Errorf("append beside Close gave %v, want %v", err, kangma.Unavailable)
						}
						return
					}
				}
			})
		}
		time.Sleep(2 * time.Millisecond)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		j.Close() // twice is once
		opt.FS = disk.After(crashfs.None())
		j = open(t, "/data/journal", opt)
		if err := l.kept(j); err != nil {
			t.Fatal(err)
		}
		if int(j.Last()) != len(l.acked) {
			t.Errorf("%d entries after closing in order, %d acknowledged", j.Last(), len(l.acked))
		}
		j.Close()
	}
}

func TestQueueIsBounded(t *testing.T) {
	disk, gate := crashfs.New(), make(chan struct{})
	var slow sync.Once
	blocked := make(chan struct{})
	j := open(t, "/data/journal", journal.Options{FS: &slowFS{FS: disk, sync: func() {
		slow.Do(func() { close(blocked) })
		<-gate
	}}, MaxPendingBytes: 1000, CheckpointEvery: time.Hour, Logger: quiet})
	e := kangma.Event{ID: kangma.EventID{1}, Kind: kangma.EventRecord, Data: make([]byte, 600)}
	var wg sync.WaitGroup
	wg.Go(func() { j.Append(noContext, e) })
	<-blocked
	_, err := j.Append(noContext, e)
	var busy *kangma.Error
	if !errors.As(err, &busy) || busy.Kind != kangma.Unavailable || busy.RetryAfter == 0 {
		t.Errorf("append over the bound gave %v, want unavailable with a time to try again", err)
	}
	ctx, cancel := context.WithTimeout(noContext, time.Millisecond)
	defer cancel()
	small := e
	small.Data = nil
	if _, err := j.Append(ctx, small); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("append that waits longer than its context gave %v", err)
	}
	close(gate)
	wg.Wait()
	if s := j.Stats(); s.Refused != 1 {
		t.Errorf("%d refused, want 1", s.Refused)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// slowFS holds back the syncs of segments.
type slowFS struct {
	journal.FS
	sync func()
}

type slowFile struct {
	journal.File
	sync func()
}

func (s *slowFS) OpenFile(name string, flag int, perm os.FileMode) (journal.File, error) {
	f, err := s.FS.OpenFile(name, flag, perm)
	if err != nil || !strings.HasSuffix(name, ".seg") {
		return f, err
	}
	return &slowFile{f, s.sync}, nil
}

func (f *slowFile) Sync() error {
	f.sync()
	return f.File.Sync()
}
