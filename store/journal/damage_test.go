package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
)

// damaged is a journal of several days and segments, closed in order, and every entry it held.
type damaged struct {
	story   *story
	disk    *crashfs.FS
	files   []string // segments and checkpoint
	entries []store.Entry
}

func newDamaged(t *testing.T) damaged {
	t.Helper()
	disk := crashfs.New()
	s := newStory(disk)
	s.retention = 0
	if err := s.live(); err != nil {
		t.Fatal(err)
	}
	d := damaged{story: s, disk: disk, entries: entriesOf(t, s)}
	names, err := disk.List("/data/journal")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, n := range names {
		if strings.HasSuffix(n, ".seg") || n == "checkpoint" {
			d.files = append(d.files, n)
		}
	}
	if len(d.files) < 4 || len(d.entries) < 10 {
		t.Fatalf("the journal to damage is too small: %d files, %d entries", len(d.files), len(d.entries))
	}
	return d
}

func entriesOf(t *testing.T, s *story) []store.Entry {
	t.Helper()
	j, err := journal.Open("/data/journal", s.options())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	got, err := j.After(noContext, j.First()-1, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// look opens what is left and says what is wrong with how the journal takes it. clean means that it saw no damage.
func (d damaged) look(disk *crashfs.FS) (clean bool, err error) {
	s := *d.story
	s.fs = disk
	j, err := journal.Open("/data/journal", s.options())
	if err != nil {
		return false, fmt.Errorf("open: %w", err)
	}
	defer j.Close()
	damage := j.Damage()
	for _, want := range d.entries {
		got, err := j.After(noContext, want.Position-1, 1)
		lost := slices.ContainsFunc(damage, func(x journal.Damage) bool { return x.From <= want.Position && want.Position <= x.To })
		switch {
		case lost && err == nil:
			return false, fmt.Errorf("position %d is said to be damaged and was given", want.Position)
		case lost:
		case err != nil || len(got) != 1:
			return false, fmt.Errorf("position %d was not given though nothing is said of it: %d entries, %w", want.Position, len(got), err)
		case !sameEntry(got[0], want):
			return false, fmt.Errorf("a wrong record at %d: %+v", want.Position, got[0])
		}
	}
	if beyond, err := j.After(noContext, d.entries[len(d.entries)-1].Position, 1); err == nil && len(beyond) > 0 {
		return false, fmt.Errorf("a phantom at %d", beyond[0].Position)
	}
	_, err = j.Append(noContext, kangma.Event{ID: kangma.EventID{9}, Kind: kangma.EventErase})
	if refused := errors.Is(err, kangma.Unavailable); refused != (len(damage) > 0) {
		return false, fmt.Errorf("append to a journal with %d damages gave %w", len(damage), err)
	}
	return len(damage) == 0, nil
}

func sameEntry(a, b store.Entry) bool {
	return a.Position == b.Position && a.Recorded.Equal(b.Recorded) && a.Event.ID == b.Event.ID && a.Event.Kind == b.Event.Kind &&
		a.Event.At.Equal(b.Event.At) && a.Event.Person == b.Event.Person && string(a.Event.Data) == string(b.Event.Data)
}

// harm damages one file: a bit, a run of bytes, the end, or the whole of it.
func harm(disk *crashfs.FS, name string, rnd *rand.Rand) (how string) {
	path := "/data/journal/" + name
	if first := strings.HasPrefix(name, "0000000000000001"); rnd.IntN(100) == 0 && !first {
		// Not the first: with the checkpoint gone as well, nothing could tell it from one that retention removed.
		disk.Vanish(path)
		return name + " is gone"
	}
	disk.Corrupt(path, func(b []byte) []byte {
		if len(b) == 0 {
			return b // harmed enough
		}
		at := rnd.IntN(len(b))
		switch rnd.IntN(4) {
		case 0:
			how = fmt.Sprintf("%s cut at byte %d of %d", name, at, len(b))
			return b[:at]
		case 1:
			n := min(1+rnd.IntN(100), len(b)-at)
			how = fmt.Sprintf("%s has %d zeros at byte %d", name, n, at)
			clear(b[at : at+n])
		case 2:
			from, n := rnd.IntN(len(b)), min(1+rnd.IntN(200), len(b)-at)
			how = fmt.Sprintf("%s has a copy of byte %d at byte %d", name, from, at)
			copy(b[at:at+n], b[from:])
		default:
			bit := rnd.IntN(8)
			how = fmt.Sprintf("%s has bit %d of byte %d flipped", name, bit, at)
			b[at] ^= 1 << bit
		}
		return b
	})
	return how
}

func TestDamageNeverGivesAWrongRecord(t *testing.T) {
	seed := seedOf(t)
	d, rnd := newDamaged(t), rand.New(rand.NewPCG(seed, 3))
	var clean, noticed int
	for range 10_000 {
		disk := d.disk.After(crashfs.All())
		name := d.files[rnd.IntN(len(d.files))]
		before := contentOf(t, disk, name)
		how := harm(disk, name, rnd)
		ok, err := d.look(disk)
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, how, err)
		}
		if ok {
			clean++
		} else {
			noticed++
		}
		if ok && name != "checkpoint" && before != contentOf(t, disk, name) {
			t.Fatalf("seed %d, %s: nobody noticed", seed, how)
		}
	}
	t.Logf("seed %d: 10000 passed, 0 failed; %d noticed, %d without effect (zeros on zeros, one of two checkpoint slots)", seed, noticed, clean)
}

func contentOf(t *testing.T, disk *crashfs.FS, name string) (s string) {
	t.Helper()
	disk.Corrupt("/data/journal/"+name, func(b []byte) []byte { s = string(b); return b })
	return s
}

func TestDamageIsRepairedFromABackup(t *testing.T) {
	seed := seedOf(t)
	d, rnd := newDamaged(t), rand.New(rand.NewPCG(seed, 4))
	backup := func(_ context.Context, from, to store.Position) ([]store.Entry, error) {
		return slices.DeleteFunc(slices.Clone(d.entries), func(e store.Entry) bool { return e.Position < from || e.Position > to }), nil
	}
	bare := func(ctx context.Context, from, to store.Position) ([]store.Entry, error) { // as from the warehouse: no Recorded
		got, err := backup(ctx, from, to)
		for i := range got {
			got[i].Recorded = store.Entry{}.Recorded
		}
		return got, err
	}
	var proven, trusted, repaired int
	for i := range 2_000 {
		disk := d.disk.After(crashfs.All())
		how := ""
		for range 1 + rnd.IntN(3) {
			how += harm(disk, d.files[rnd.IntN(len(d.files))], rnd) + "; "
		}
		source, exact := backup, true
		if i%2 == 1 {
			source, exact = bare, false
		}
		r, err := d.repair(disk, false, source)
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, how, err)
		}
		if err := d.repaired(disk, exact, 0); err != nil {
			t.Fatalf("seed %d, %s: %+v: %v", seed, how, r, err)
		}
		proven, trusted = proven+r.Proven, trusted+r.Trusted
		if len(r.Damage) > 0 {
			repaired++
		}
	}
	t.Logf("seed %d: %d damaged journals repaired; %d entries proven by the chain, %d trusted", seed, repaired, proven, trusted)
	if proven == 0 || trusted == 0 {
		t.Error("both ways of putting entries back must have happened")
	}
}

func (d damaged) repair(disk journal.FS, giveUp bool, sources ...journal.Source) (journal.RepairReport, error) {
	s := *d.story
	s.fs = disk
	return journal.Repair(noContext, "/data/journal", s.options(), giveUp, sources...)
}

// repaired checks that the journal is sound, holds everything but lost positions, and takes one more event.
func (d damaged) repaired(disk journal.FS, exact bool, lost int) error {
	s := *d.story
	s.fs = disk
	j, err := journal.Open("/data/journal", s.options())
	if err != nil {
		return err
	}
	defer j.Close()
	if damage := j.Damage(); len(damage) > 0 {
		return fmt.Errorf("still damaged: %+v", damage)
	}
	got, err := j.After(noContext, d.entries[0].Position-1, 10_000)
	if err != nil || len(got) != len(d.entries) {
		return fmt.Errorf("got %d of %d entries, %w", len(got), len(d.entries), err)
	}
	for _, e := range got {
		want := d.entries[e.Position-d.entries[0].Position]
		if e.Event.Kind == kangma.EventLost {
			lost--
			continue
		}
		if !exact {
			e.Recorded = want.Recorded
		}
		if !sameEntry(e, want) {
			return fmt.Errorf("a wrong record at %d: %+v, want %+v", e.Position, e, want)
		}
	}
	if lost != 0 {
		return fmt.Errorf("%d more positions should be lost", lost)
	}
	if _, err := j.Append(noContext, kangma.Event{ID: kangma.EventID{9}, Kind: kangma.EventErase}); err != nil {
		return fmt.Errorf("append after the repair: %w", err)
	}
	return nil
}

func TestFirstSegmentThatVanishedIsMissedAndPutBack(t *testing.T) {
	d := newDamaged(t)
	disk := d.disk.After(crashfs.All())
	disk.Vanish("/data/journal/" + d.files[0])
	if clean, err := d.look(disk); clean || err != nil {
		t.Fatalf("nobody noticed: clean %v, %v", clean, err)
	}
	source := func(context.Context, store.Position, store.Position) ([]store.Entry, error) { return d.entries, nil }
	r, err := d.repair(disk, false, source)
	if err != nil || r.Proven == 0 || r.Damage[0].Reason != "missing" {
		t.Fatalf("repair: %+v, %v", r, err)
	}
	if err := d.repaired(disk, true, 0); err != nil {
		t.Fatal(err)
	}
}

func TestDamageThatNobodyCanRepairIsGivenUpOnlyOnDemand(t *testing.T) {
	d := newDamaged(t)
	disk := d.disk.After(crashfs.All())
	disk.Corrupt("/data/journal/"+d.files[1], func(b []byte) []byte { b[100] ^= 1; return b })
	if _, err := d.repair(disk, false); !errors.Is(err, kangma.Unavailable) {
		t.Fatalf("repair without a source gave %v, want %v", err, kangma.Unavailable)
	}
	if clean, err := d.look(disk); clean || err != nil {
		t.Fatalf("a refused repair changed the journal: clean %v, %v", clean, err)
	}
	r, err := d.repair(disk, true)
	if err != nil || r.Lost != 1 {
		t.Fatalf("giving up: %+v, %v; want 1 lost", r, err)
	}
	if err := d.repaired(disk, true, 1); err != nil {
		t.Fatal(err)
	}
	report, err := journal.Verify("/data/journal", journal.Options{FS: disk, Logger: quiet})
	if err != nil || !report.Sound() || report.Lost != 1 {
		t.Fatalf("verify after giving up: %+v, %v; want 1 lost and sound", report, err)
	}
}

func TestPowerCutDuringRepairOnlyMeansRepairingAgain(t *testing.T) {
	d := newDamaged(t)
	source := func(context.Context, store.Position, store.Position) ([]store.Entry, error) { return d.entries, nil }
	states := 0
	for n := 0; ; n++ {
		disk := d.disk.After(crashfs.All())
		for _, f := range d.files[:2] {
			disk.Corrupt("/data/journal/"+f, func(b []byte) []byte { b[90] ^= 1; return b[:len(b)-20] })
		}
		disk.CutAfter(n)
		_, err := d.repair(disk, false, source)
		for _, left := range []crashfs.Left{crashfs.None(), crashfs.All(), crashfs.Some(rand.New(rand.NewPCG(uint64(n), 5)))} {
			again := disk.After(left)
			if _, err := d.repair(again, false, source); err != nil {
				t.Fatalf("cut after %d operations, repair again: %v", n, err)
			}
			if err := d.repaired(again, true, 0); err != nil {
				t.Fatalf("cut after %d operations: %v", n, err)
			}
			states++
		}
		if err == nil {
			break
		}
	}
	t.Logf("%d states", states)
}

// TestTornTailIsToldFromDamageWithoutACheckpoint flips each byte of a journal whose node was killed before it wrote any
// checkpoint. Only what lies in the last group commit may be taken for a torn tail.
func TestTornTailIsToldFromDamageWithoutACheckpoint(t *testing.T) {
	disk, l := crashfs.New(), newLedger()
	opt := journal.Options{FS: disk, CheckpointEvery: time.Hour, Logger: quiet}
	j := open(t, "/data/journal", opt)
	defer j.Close()
	const commits, each = 6, 3
	for range commits {
		if err := l.append(j, each); err != nil {
			t.Fatal(err)
		}
	}
	names, err := disk.List("/data/journal")
	if err != nil {
		t.Fatal(err)
	}
	name := names[slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, ".seg") })]
	size := len(contentOf(t, disk, name))
	torn, damaged := 0, 0
	for at := 64; at < size; at++ {
		opt.FS = disk.Killed()
		opt.FS.(*crashfs.FS).Corrupt("/data/journal/"+name, func(b []byte) []byte { b[at] ^= 16; return b })
		again := open(t, "/data/journal", opt)
		damage, last := again.Damage(), again.Last()
		again.Close()
		switch {
		case len(damage) > 0 && damage[0].From <= (commits-1)*each:
			damaged++
		case len(damage) == 0 && last >= (commits-1)*each:
			torn++
		default:
			t.Fatalf("byte %d of %d: damage %+v, ends at %d", at, size, damage, last)
		}
	}
	if torn == 0 || damaged < 3*torn {
		t.Errorf("%d bytes taken for a torn tail, %d for damage; want about one of the last commit to five of the others", torn, damaged)
	}
}
