package journal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
)

// ledger is what callers know: which event they were told is where, and which they asked for at all.
type ledger struct {
	mu    sync.Mutex
	asked map[kangma.EventID]bool
	acked map[store.Position]kangma.EventID
	last  store.Position
}

func newLedger() *ledger {
	return &ledger{asked: map[kangma.EventID]bool{}, acked: map[store.Position]kangma.EventID{}}
}

// append asks for n events in one call.
func (l *ledger) append(j *journal.Journal, n int) error {
	events := make([]kangma.Event, n)
	l.mu.Lock()
	for i := range events {
		k := len(l.asked) + 1
		events[i] = kangma.Event{ID: kangma.EventID{byte(k), byte(k >> 8), byte(k >> 16), 7}, Kind: kangma.EventEvidence, Data: make([]byte, k%50)}
		l.asked[events[i].ID] = true
	}
	l.mu.Unlock()
	pos, err := j.Append(noContext, events...)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, e := range events {
		at := pos - store.Position(n-1-i)
		if other, twice := l.acked[at]; twice {
			return fmt.Errorf("position %d was given to %v and to %v", at, other, e.ID)
		}
		l.acked[at] = e.ID
	}
	l.last = max(l.last, pos)
	return nil
}

// kept checks that every acknowledged event is where it was promised, and that nothing else but asked-for events is there.
func (l *ledger) kept(j *journal.Journal) error {
	if d := j.Damage(); len(d) > 0 {
		return fmt.Errorf("damage: %+v", d)
	}
	found := 0
	for pos := store.Position(0); ; {
		got, err := j.After(noContext, pos, 1000)
		if err != nil {
			return fmt.Errorf("after %d: %w", pos, err)
		}
		if len(got) == 0 {
			break
		}
		for _, e := range got {
			if pos++; e.Position != pos || !l.asked[e.Event.ID] {
				return fmt.Errorf("a phantom at %d", e.Position)
			}
			if id, promised := l.acked[pos]; promised {
				if found++; id != e.Event.ID {
					return fmt.Errorf("position %d was promised to %v and holds %v", pos, id, e.Event.ID)
				}
			}
		}
	}
	if found != len(l.acked) {
		return fmt.Errorf("lost %d of %d acknowledged events", len(l.acked)-found, len(l.acked))
	}
	return nil
}

func TestFailingDiskIsNeverAcknowledged(t *testing.T) {
	seed := seedOf(t)
	faults, acked := 0, 0
	for run := range 400 {
		rnd := rand.New(rand.NewPCG(seed, uint64(run)))
		disk, l := crashfs.New(), newLedger()
		now := time.Unix(1_669_000_000, 0)
		opt := journal.Options{FS: disk, Now: func() time.Time { return now }, MaxSegmentBytes: 800, AheadBytes: 160, CheckpointEvery: time.Hour, Logger: quiet}
		for life := 0; life < 4; life++ {
			disk.Fault = nil
			j := open(t, "/data/journal", opt)
			if err := l.kept(j); err != nil {
				t.Fatalf("seed %d, run %d: %v", seed, run, err)
			}
			disk.Fault = func(op, name string) error {
				if rnd.IntN(6) > 0 {
					return nil
				}
				faults++
				return []error{syscall.EIO, syscall.ENOSPC}[rnd.IntN(2)]
			}
			for range 20 {
				now = now.Add(time.Duration(rnd.IntN(20_000)) * time.Second)
				if err := l.append(j, 1+rnd.IntN(3)); err != nil && !errors.Is(err, kangma.Unavailable) {
					t.Fatalf("seed %d, run %d: %v", seed, run, err)
				}
			}
			j.Close()
			disk.Fault = nil
			disk = disk.After([]crashfs.Left{crashfs.None(), crashfs.All(), crashfs.Some(rnd)}[rnd.IntN(3)])
			opt.FS = disk
		}
		acked += len(l.acked)
	}
	t.Logf("seed %d: %d faults, %d events acknowledged, all kept", seed, faults, acked)
}

func TestFailedFsyncIsNotTriedAgainOnTheSameFile(t *testing.T) {
	disk := crashfs.New()
	fail := false
	disk.Fault = func(op, name string) error {
		if fail && op == "sync" {
			fail = false
			return syscall.EIO
		}
		return nil
	}
	j := open(t, "/data/journal", journal.Options{FS: disk, CheckpointEvery: time.Hour, Logger: quiet})
	defer j.Close()
	l := newLedger()
	if err := l.append(j, 1); err != nil {
		t.Fatal(err)
	}
	before := j.Stats()
	fail = true
	if err := l.append(j, 1); !errors.Is(err, kangma.Unavailable) {
		t.Fatalf("append with a failing fsync gave %v, want %v", err, kangma.Unavailable)
	}
	if s := j.Stats(); !s.Broken || s.Failures != before.Failures+1 || s.LastError == "" {
		t.Fatalf("the failure does not show in the figures: %+v", s)
	}
	if err := l.append(j, 1); err != nil {
		t.Fatal(err)
	}
	s := j.Stats()
	if s.Rotations != before.Rotations+1 || s.Broken {
		t.Fatalf("got %d segments begun, want %d; broken %v", s.Rotations, before.Rotations+1, s.Broken)
	}
	if err := l.kept(j); err != nil {
		t.Fatal(err)
	}
}

func TestPowerCutWhileManyWriteLosesNothingAcknowledged(t *testing.T) {
	seed := seedOf(t)
	acked, asked := 0, 0
	for run := range 300 {
		rnd := rand.New(rand.NewPCG(seed, uint64(run)))
		disk, l := crashfs.New(), newLedger()
		opt := journal.Options{FS: disk, MaxSegmentBytes: 2000, CheckpointEvery: time.Millisecond, Logger: quiet}
		j := open(t, "/data/journal", opt)
		disk.CutAfter(5 + rnd.IntN(60))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for l.append(j, 1) == nil {
				}
			})
		}
		wg.Wait()
		j.Close()
		opt.FS = disk.After([]crashfs.Left{crashfs.None(), crashfs.Some(rnd)}[run%2])
		again := open(t, "/data/journal", opt)
		if err := l.kept(again); err != nil {
			t.Fatalf("seed %d, run %d: %v", seed, run, err)
		}
		again.Close()
		acked, asked = acked+len(l.acked), asked+len(l.asked)
	}
	t.Logf("seed %d: %d events asked for, %d acknowledged, 0 lost", seed, asked, acked)
}
