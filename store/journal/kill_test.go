package journal_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("KANGMA_JOURNAL_CHILD"); dir != "" {
		if err := child(dir, os.Getenv("KANGMA_JOURNAL_MUTANT") != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// told is one line of what the child was acknowledged: position and event.
const told = 8 + 16

// child writes as fast as it can from 16 callers and tells its parent of every acknowledgement, until it is killed.
func child(dir string, mutant bool) error {
	opt := journal.Options{MaxSegmentBytes: 1 << 20, CheckpointEvery: 20 * time.Millisecond}
	if mutant {
		opt.FS = lateFS{journal.OS{}}
	}
	j, err := journal.Open(dir, opt)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	out := bufio.NewWriter(os.Stdout)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				e := kangma.Event{ID: kangma.NewEventID(time.Now()), Kind: kangma.EventPassage, Data: make([]byte, 160)}
				pos, err := j.Append(noContext, e)
				if err != nil {
					return
				}
				mu.Lock()
				out.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(pos)), e.ID[:]...))
				out.Flush()
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.New("an append failed")
}

// lateFS is a mutant: it keeps the last four writes to itself, and says that they are done.
type lateFS struct{ journal.FS }

type lateFile struct {
	journal.File
	owed []func()
}

func (l lateFS) OpenFile(name string, flag int, perm os.FileMode) (journal.File, error) {
	f, err := l.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &lateFile{File: f}, nil
}

func (f *lateFile) WriteAt(p []byte, off int64) (int, error) {
	if len(f.owed) == 4 {
		f.owed[0]()
		f.owed = f.owed[1:]
	}
	p = append([]byte(nil), p...)
	f.owed = append(f.owed, func() { f.File.WriteAt(p, off) })
	return len(p), nil
}

// killed runs a child on dir, kills it after a while and gives what it was acknowledged.
func killed(t *testing.T, dir string, after time.Duration, mutant bool) map[store.Position]kangma.EventID {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KANGMA_JOURNAL_CHILD="+dir)
	if mutant {
		cmd.Env = append(cmd.Env, "KANGMA_JOURNAL_MUTANT=1")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acked := map[store.Position]kangma.EventID{}
	for r, line := bufio.NewReader(out), make([]byte, told); ; {
		if _, err := io.ReadFull(r, line); err != nil {
			break
		}
		acked[store.Position(binary.LittleEndian.Uint64(line))] = kangma.EventID(line[8:])
		if len(acked) == 1 { // however long a busy machine takes to start it
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return acked
}

// missing counts acknowledged events that are not where they were promised.
func missing(t *testing.T, dir string, acked map[store.Position]kangma.EventID) (n int, records uint64) {
	t.Helper()
	j := open(t, dir, journal.Options{Logger: quiet})
	defer j.Close()
	found := map[store.Position]kangma.EventID{}
	for pos := store.Position(0); ; {
		got, err := j.After(noContext, pos, 10_000)
		if err != nil {
			return len(acked), 0
		}
		if len(got) == 0 {
			break
		}
		for _, e := range got {
			pos, found[e.Position] = e.Position, e.Event.ID
		}
	}
	for pos, id := range acked {
		if found[pos] != id {
			n++
		}
	}
	return n + len(j.Damage()), uint64(len(found))
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	seed := seedOf(t)
	rnd := rand.New(rand.NewPCG(seed, 9))
	longest, kills := 250, 0
	if soak.Long() {
		longest = 3000
	}
	dir, acked := t.TempDir(), map[store.Position]kangma.EventID{}
	var records uint64
	for i := range soak.Rounds(t, 20, 100) {
		kills++
		for pos, id := range killed(t, dir, time.Duration(50+rnd.IntN(longest))*time.Millisecond, false) {
			if _, twice := acked[pos]; twice {
				t.Fatalf("seed %d, kill %d: position %d was given twice", seed, i, pos)
			}
			acked[pos] = id
		}
		var lost int
		if lost, records = missing(t, dir, acked); lost > 0 {
			t.Fatalf("seed %d, kill %d: %d of %d acknowledged events are lost", seed, i, lost, len(acked))
		}
	}
	t.Logf("seed %d: %d kills, %d events acknowledged, %d found (%d ghosts), 0 lost", seed, kills, len(acked), records, records-uint64(len(acked)))
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KANGMA_JOURNAL_CHILD="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, told)); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open(dir, journal.Options{Logger: quiet}); !errors.Is(err, kangma.Conflict) {
		t.Errorf("opening beside another process gave %v, want %v", err, kangma.Conflict)
	}
	if r, err := journal.Verify(dir, journal.Options{Logger: quiet}); err != nil || !r.Sound() {
		t.Errorf("verify beside another process: %+v, %v", r.Damage, err)
	}
	cmd.Process.Kill()
	io.Copy(io.Discard, out)
	cmd.Wait()
	open(t, dir, journal.Options{Logger: quiet}).Close() // the kernel gave the lock back
}

func TestKillTestCatchesAMutant(t *testing.T) {
	for i := range 20 {
		dir := t.TempDir()
		acked := killed(t, dir, 200*time.Millisecond, true)
		if len(acked) == 0 {
			continue
		}
		j, err := journal.Open(dir, journal.Options{Logger: quiet})
		if err != nil {
			t.Logf("caught at kill %d: %v", i+1, err)
			return
		}
		j.Close()
		if lost, _ := missing(t, dir, acked); lost > 0 {
			t.Logf("caught at kill %d: %d of %d acknowledged events lost", i+1, lost, len(acked))
			return
		}
	}
	t.Error("a journal that acknowledges before it writes was not caught")
}
