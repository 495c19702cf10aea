package journal_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
)

// story is one life of a journal: what was asked of it and what it acknowledged. One caller, so position and order of
// asking agree.
type story struct {
	fs       journal.FS
	now      time.Time
	asked    []kangma.Event
	acked    store.Position
	released store.Position

	retention time.Duration
}

func newStory(fs journal.FS) *story {
	return &story{fs: fs, retention: 36 * time.Hour, now: time.Date(2022, 11, 23, 15, 59, 59, 0, time.UTC)}
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func (s *story) options() journal.Options {
	return journal.Options{FS: s.fs, Now: func() time.Time { return s.now }, MaxSegmentBytes: 600, AheadBytes: 160, Retention: s.retention,
		CheckpointEvery: time.Hour, Logger: quiet}
}

// append asks for n events of some length and notes what was acknowledged.
func (s *story) append(j *journal.Journal, n int) error {
	var events []kangma.Event
	for range n {
		i := len(s.asked)
		e := kangma.Event{ID: kangma.EventID{byte(i), byte(i >> 8), 1}, Kind: kangma.EventPassage, At: s.now,
			Data: []byte(strings.Repeat("码", i%5))}
		if i%3 == 0 {
			e.Person = kangma.PersonID{byte(i)}
		}
		events, s.asked = append(events, e), append(s.asked, e)
	}
	pos, err := j.Append(noContext, events...)
	if err != nil {
		return err
	}
	if int(pos) != len(s.asked) {
		return fmt.Errorf("acknowledged position %d, want %d", pos, len(s.asked))
	}
	s.acked = pos
	return nil
}

// live goes through openings, days, sizes, checkpoints, retention and a clock that goes back, until something fails.
func (s *story) live() error {
	for life := range 2 {
		j, err := journal.Open("/data/journal", s.options())
		if err != nil {
			return err
		}
		if err := s.oneLife(j, life); err != nil {
			j.Close()
			return err
		}
		if err := j.Close(); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) oneLife(j *journal.Journal, life int) error {
	for step := range 7 {
		if err := s.append(j, 1+(step+life)%3); err != nil {
			return err
		}
		s.now = s.now.Add([]time.Duration{time.Millisecond, 2 * time.Second, -time.Hour, 20 * time.Hour}[step%4])
		switch step {
		case 2, 5:
			if err := j.Checkpoint(); err != nil {
				return err
			}
		case 4:
			s.released = s.acked - 1
			if err := j.Release(noContext, s.released); err != nil {
				return err
			}
		case 6:
			s.now = s.now.Add(40 * time.Hour)
			if err := j.Retain(); err != nil {
				return err
			}
		}
	}
	return nil
}

// survived opens what the power cut left and says what is wrong with it, if anything.
func (s *story) survived(disk journal.FS) error {
	after := *s
	after.fs = disk
	if err := after.whole(); err != nil {
		return err
	}
	// It must also be fit to go on: one more event, and all of it again.
	j, err := journal.Open("/data/journal", after.options())
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	after.asked = append([]kangma.Event(nil), s.asked[:j.Last()]...)
	err = after.append(j, 1)
	if e := j.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("going on: %w", err)
	}
	return after.whole()
}

// whole checks that every acknowledged event is there and nothing that was never asked for.
func (s *story) whole() error {
	j, err := journal.Open("/data/journal", s.options())
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer j.Close()
	if d := j.Damage(); len(d) > 0 {
		return fmt.Errorf("takes the power cut for damage: %+v", d)
	}
	if j.Last() < s.acked {
		return fmt.Errorf("lost %d acknowledged events: ends at %d, acknowledged %d", s.acked-j.Last(), j.Last(), s.acked)
	}
	if j.First() > s.released+1 {
		return fmt.Errorf("begins at %d, though only %d were released", j.First(), s.released)
	}
	pos, before := j.First()-1, time.Time{}
	for pos < j.Last() {
		got, err := j.After(noContext, pos, 100)
		if err != nil || len(got) == 0 {
			return fmt.Errorf("after %d: %d entries, %w", pos, len(got), err)
		}
		for _, e := range got {
			if pos++; e.Position != pos || int(pos) > len(s.asked) {
				return fmt.Errorf("a phantom at %d", e.Position)
			}
			if want := s.asked[pos-1]; e.Event.ID != want.ID || string(e.Event.Data) != string(want.Data) || e.Event.Person != want.Person {
				return fmt.Errorf("position %d holds another event", pos)
			}
			if e.Recorded.Before(before) {
				return fmt.Errorf("position %d was recorded before its predecessor", pos)
			}
			before = e.Recorded
		}
	}
	return nil
}

// cuts counts the states examined and the first few that were wrong.
type cuts struct {
	states, wrong int
	first         error
}

func (c *cuts) look(err error, format string, args ...any) {
	c.states++
	if err != nil {
		if c.wrong++; c.first == nil {
			c.first = fmt.Errorf(format+": %w", append(args, err)...)
		}
	}
}

// cutEverywhere lives the story once for each operation, cuts the power before it, and examines what may be left.
// With untilWrong it stops after the first operation with something wrong.
func cutEverywhere(wrap func(journal.FS) journal.FS, seed uint64, untilWrong bool) (c cuts, ops int) {
	whole := crashfs.New()
	if err := newStory(wrap(whole)).live(); err != nil {
		return cuts{wrong: 1, first: fmt.Errorf("without a cut: %w", err)}, 0
	}
	ops = whole.Ops()
	rnd := rand.New(rand.NewPCG(seed, 1))
	for n := range ops + 1 {
		disk := crashfs.New()
		disk.CutAfter(n)
		s := newStory(wrap(disk))
		s.live()
		look := func(left crashfs.Left, how string) {
			c.look(s.survived(wrap(disk.After(left))), "cut after %d of %d operations, %s left", n, ops, how)
		}
		look(crashfs.None(), "nothing")
		look(crashfs.All(), "everything")
		for range 8 {
			look(crashfs.Some(rnd), "something")
		}
		for torn := range disk.Unsynced() {
			look(crashfs.Torn(torn), fmt.Sprintf("%d bytes of the last write", torn))
		}
		cutAgain(&c, wrap, s, disk, rnd, n)
		if untilWrong && c.wrong > 0 {
			break
		}
	}
	return c, ops
}

// cutAgain cuts the power a second time, at each operation of the recovery; the first time it may also have been kill -9,
// after which nothing is lost but nothing is synced either.
func cutAgain(c *cuts, wrap func(journal.FS) journal.FS, s *story, disk *crashfs.FS, rnd *rand.Rand, n int) {
	for _, first := range []func() *crashfs.FS{disk.Killed,
		func() *crashfs.FS { return disk.After(crashfs.All()) }, func() *crashfs.FS { return disk.After(crashfs.Some(rnd)) }} {
		for k := 0; ; k++ {
			second := first()
			second.CutAfter(k)
			again := *s
			again.fs = wrap(second)
			j, err := journal.Open("/data/journal", again.options())
			if err == nil {
				again.acked = max(again.acked, j.Last()) // it says so, so it must be so
				j.Close()
			}
			c.look(again.survived(wrap(second.After(crashfs.None()))), "cut after %d, and again after %d", n, k)
			c.look(again.survived(wrap(second.After(crashfs.Some(rnd)))), "cut after %d, and again after %d", n, k)
			if !errors.Is(err, crashfs.ErrCut) {
				break
			}
		}
	}
}

func asIs(fs journal.FS) journal.FS { return fs }

func TestPowerCutAtAnyOperationLosesNothingAcknowledged(t *testing.T) {
	seed := seedOf(t)
	for i := range soak.Rounds(t, 1, 10) {
		cutWithSeed(t, seed+uint64(i))
	}
}

func cutWithSeed(t *testing.T, seed uint64) {
	c, ops := cutEverywhere(asIs, seed, false)
	t.Logf("seed %d: %d operations, %d states: %d passed, %d failed", seed, ops, c.states, c.states-c.wrong, c.wrong)
	if c.first != nil {
		t.Error(c.first)
	}
	if c.states < 10_000 {
		t.Errorf("only %d states were examined, want at least 10,000", c.states)
	}
}

// mutants are disks that break in the ways a forgetful journal would.
var mutants = map[string]func(journal.FS) journal.FS{
	"no fsync":                          func(fs journal.FS) journal.FS { return mutantFS{FS: fs, sync: never} },
	"no fsync of the directory":         func(fs journal.FS) journal.FS { return mutantFS{FS: fs, noDir: true} },
	"acknowledge before fsync":          func(fs journal.FS) journal.FS { return mutantFS{FS: fs, sync: late} },
	"no fsync of what recovery reads":   func(fs journal.FS) journal.FS { return mutantFS{FS: fs, sync: notFirst} },
	"no fsync of the segment's header":  func(fs journal.FS) journal.FS { return mutantFS{FS: fs, sync: notHeader} },
	"one fsync in four is skipped":      func(fs journal.FS) journal.FS { return mutantFS{FS: fs, sync: sometimes} },
	"retention forgets its own removal": func(fs journal.FS) journal.FS { return mutantFS{FS: fs, sync: notCheckpoint} },
}

// TestPowerCutTestCatchesMutants breaks the disk beneath the journal in the ways a forgetful journal would.
func TestPowerCutTestCatchesMutants(t *testing.T) {
	for seed := range soak.Rounds(t, 1, 10) {
		for name, mutant := range mutants {
			t.Run(name, func(t *testing.T) {
				c, _ := cutEverywhere(mutant, uint64(seed)+mutantSeed(), true)
				t.Logf("seed %d: caught in %d of %d states; first: %v", uint64(seed)+mutantSeed(), c.wrong, c.states, c.first)
				if c.wrong == 0 {
					t.Error("the mutant was not caught")
				}
			})
		}
	}
}

// mutantFS forgets to make things durable.
type mutantFS struct {
	journal.FS
	noDir bool
	sync  func(f *mutantFile) error
}

type mutantFile struct {
	journal.File
	fs    mutantFS
	name  string
	fresh bool // made by this opening
	syncs int
	owed  bool
}

func never(*mutantFile) error { return nil }
func late(f *mutantFile) error {
	f.owed = true // paid with the next write, when the caller has long been told
	return nil
}
func notFirst(f *mutantFile) error {
	if f.syncs == 1 && !f.fresh && strings.HasSuffix(f.name, ".seg") {
		return nil
	}
	return f.File.Sync()
}
func notHeader(f *mutantFile) error {
	if f.syncs == 1 && f.fresh && strings.HasSuffix(f.name, ".seg") {
		return nil
	}
	return f.File.Sync()
}
func sometimes(f *mutantFile) error {
	if f.syncs%4 == 0 {
		return nil
	}
	return f.File.Sync()
}
func notCheckpoint(f *mutantFile) error {
	if strings.HasSuffix(f.name, "checkpoint") {
		return nil
	}
	return f.File.Sync()
}

func (m mutantFS) OpenFile(name string, flag int, perm os.FileMode) (journal.File, error) {
	f, err := m.FS.OpenFile(name, flag, perm)
	if err != nil || m.sync == nil {
		return f, err
	}
	return &mutantFile{File: f, fs: m, name: name, fresh: flag&os.O_TRUNC != 0}, nil
}

func (m mutantFS) SyncDir(dir string) error {
	if m.noDir {
		return nil
	}
	return m.FS.SyncDir(dir)
}

func (f *mutantFile) Sync() error {
	f.syncs++
	return f.fs.sync(f)
}

func (f *mutantFile) WriteAt(p []byte, off int64) (int, error) {
	if f.owed {
		f.owed = false
		if err := f.File.Sync(); err != nil {
			return 0, err
		}
	}
	return f.File.WriteAt(p, off)
}

// mutantSeed is the first seed of the mutants: 1, or KANGMA_SEED.
func mutantSeed() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("KANGMA_SEED"), 10, 64); err == nil {
		return n
	}
	return 1
}
