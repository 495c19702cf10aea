package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/wire"
)

// command runs the tool in this process.
func command(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	if code != exitOK {
		return stdout.String() + stderr.String(), code
	}
	return stdout.String(), code
}

// must runs the tool and wants it to succeed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	out, code := command(t, args...)
	if code != exitOK {
		t.Fatalf("kangma %s: exit code %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}

// stateOf gives the hash of the state in a data folder.
func stateOf(t *testing.T, args ...string) string {
	t.Helper()
	var got struct{ State string }
	if err := json.Unmarshal([]byte(must(t, append([]string{"audit", "state", "--json"}, args...)...)), &got); err != nil || got.State == "" {
		t.Fatalf("audit state: %+v %v", got, err)
	}
	return got.State
}

// journalled gives the hashes of what the journal alone can make again: not the claims on numbers that are being registered, the count of
// publications, sessions and one-time passwords.
func journalled(t *testing.T, args ...string) string {
	t.Helper()
	var got struct {
		Dossiers string
		Kinds    map[string]string
	}
	if err := json.Unmarshal([]byte(must(t, append([]string{"audit", "state", "--content", "--json"}, args...)...)), &got); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"claim", "epoch", "session", "otp"} {
		delete(got.Kinds, kind)
	}
	if len(got.Kinds) < 4 {
		t.Errorf("only the kinds %v", got.Kinds)
	}
	return fmt.Sprint(got)
}

// options are those of a node whose journal keeps nothing that it need not keep.
func options(data string) *cli {
	c := &cli{Data: data}
	c.Node, c.JournalKeep, c.JournalSegment = "node-1", time.Nanosecond, 1
	return c
}

// serving is a node as serve runs it, without the HTTP.
type serving struct {
	*stack
	stops []func() error
}

func startServing(t *testing.T, c *cli, every time.Duration) *serving {
	t.Helper()
	s, err := openStack(t.Context(), c, 0, discard)
	if err != nil {
		t.Fatal(err)
	}
	if s.snapshots, err = s.newSnapshotter(c, every, discard); err != nil {
		t.Fatal(err)
	}
	stop, err := s.startShipping(t.Context(), discard)
	if err != nil {
		t.Fatal(err)
	}
	stopSnapshots := s.background(t.Context(), s.snapshots.run)
	return &serving{stack: s, stops: []func() error{stop, func() error { stopSnapshots(); return nil }}}
}

func (s *serving) stop(t *testing.T) {
	t.Helper()
	for _, f := range slices.Backward(s.stops) {
		if err := f(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// work appends passages, which fill the journal, and puts records, which change the state.
func (s *serving) work(t *testing.T, r *rand.Rand, passages int) {
	t.Helper()
	at := time.Now()
	var events []kangma.Event
	for range passages {
		p := kangma.Passage{ID: kangma.NewEventID(at), At: at, Gate: "metro-1", District: 441500000, Operator: "gate", Decision: kangma.Pass, Told: true,
			Colour: kangma.Green, Reason: "ok", Verified: "online", Direction: "in", Vehicle: fmt.Sprint("粤B", r.IntN(1e5))}
		p.Person[0] = byte(r.IntN(256))
		events = append(events, wire.PassageEvent(p))
	}
	if _, err := s.journal.Append(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		id := fmt.Sprint("g", i)
		old, err := s.records.Get(t.Context(), "gate", id)
		if err != nil && !errors.Is(err, kangma.NotFound) {
			t.Fatal(err)
		}
		rec := store.Record{Kind: "gate", ID: id, Version: old.Version + 1, Data: fmt.Append(nil, r.IntN(1e9))}
		if err := s.registry.PutRecord(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
}

// within waits for a condition as long as a busy machine may need.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// shrunken is a node whose journal has given up its first segments, and what its state is.
func shrunken(t *testing.T) (data, state string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "d")
	must(t, "demo", "--data", data)
	s := startServing(t, options(data), 100*time.Millisecond)
	r := rand.New(rand.NewPCG(11, 11))
	within(t, "the journal gives up its first segments", func() bool {
		s.work(t, r, 2000)
		time.Sleep(100 * time.Millisecond)
		return s.journal.First() > 1
	})
	s.stop(t)
	return data, stateOf(t, "--data", data)
}

// TestTheStateComesBackFromSnapshotAndJournal is the promise that lets the journal forget: what is gone from it is in the snapshots.
func TestTheStateComesBackFromSnapshotAndJournal(t *testing.T) {
	data, want := shrunken(t)
	for _, f := range []string{"state.db", "state.db-wal", "state.db-shm"} {
		if err := os.Remove(filepath.Join(data, f)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if out, code := command(t, "demo", "--data", data); code != exitUsage || !strings.Contains(out, "kangma rebuild") {
		t.Errorf("a start without the state: %d %s", code, out)
	}
	if out, code := command(t, "rebuild", "--no-snapshot", "--data", data); code != exitUsage || !strings.Contains(out, "begins at entry") {
		t.Errorf("a rebuild from the journal alone: %d %s", code, out)
	}
	if out := must(t, "rebuild", "--data", data); !strings.Contains(out, "begun with the state of") {
		t.Errorf("got %s", out)
	}
	if got := stateOf(t, "--data", data); got != want {
		t.Errorf("the state is %s, was %s", got, want)
	}
	out, code := command(t, "audit", "fsck", "--data", data)
	if code != exitOK {
		t.Errorf("fsck: %s", out)
	}
}

// killed runs a command as a child of its own and kills it after a while, unless it ends before.
func killed(t *testing.T, after time.Duration, args ...string) (whole bool) {
	t.Helper()
	cmd := exec.Command(testCommand(t), args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait() == nil
}

// TestCopiesCutShortAreDoneAgain kills rebuild, backup and restore at random moments. None may leave something that passes for whole, and each
// goes through when it is run again.
func TestCopiesCutShortAreDoneAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(soak.Seed(t, 0), 1))
	data, want := shrunken(t)
	cuts := 0
	for range soak.Rounds(t, 3, 30) {
		if !killed(t, time.Duration(r.IntN(400))*time.Millisecond, "rebuild", "--data", data) {
			cuts++
		}
		must(t, "rebuild", "--data", data)
		if got := stateOf(t, "--data", data); got != want {
			t.Fatalf("rebuild: the state is %s, was %s", got, want)
		}
		dest, to := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "e")
		if !killed(t, time.Duration(r.IntN(400))*time.Millisecond, "backup", dest, "--data", data) {
			cuts++
			if _, code := command(t, "restore", dest, "--data", to, "--key-folder", filepath.Join(data, "keys")); code == exitOK && stateOf(t, "--data", to, "--key-folder", filepath.Join(data, "keys")) != want {
				t.Fatal("half a backup passed for whole")
			}
			os.RemoveAll(dest)
			os.RemoveAll(to)
			must(t, "backup", dest, "--data", data)
		}
		restore := []string{"restore", dest, "--data", to, "--key-folder", filepath.Join(data, "keys")}
		if !killed(t, time.Duration(r.IntN(400))*time.Millisecond, restore...) {
			cuts++
			if _, err := os.Stat(filepath.Join(to, unfinished)); err == nil || missing(to, "journal") {
				must(t, restore...)
			}
		}
		if got := stateOf(t, "--data", to, "--key-folder", filepath.Join(data, "keys")); got != want {
			t.Fatalf("restore: the state is %s, was %s", got, want)
		}
	}
	t.Logf("%d cut short", cuts)
}

func missing(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err != nil
}

// TestABackupWhileWriting is R23: a node is backed up while it works, again and again; restored elsewhere, the state is that of the last
// entry in the backup, which is what the backed-up journal alone makes.
func TestABackupWhileWriting(t *testing.T) {
	data := filepath.Join(t.TempDir(), "d")
	must(t, "demo", "--data", data)
	c := options(data)
	c.JournalKeep = 0
	s := startServing(t, c, time.Hour)
	r := rand.New(rand.NewPCG(12, 12))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			s.work(t, r, 50)
		}
	}()
	within(t, "it works", func() bool { return s.journal.Last() > 500 })
	var backups []string
	for i := range 3 {
		dest := filepath.Join(t.TempDir(), fmt.Sprint("b", i))
		must(t, "backup", dest, "--data", data)
		backups = append(backups, dest)
	}
	stop()
	<-done
	s.stop(t)
	keys := []string{"--key-folder", filepath.Join(data, "keys")}
	for _, b := range backups {
		to := filepath.Join(t.TempDir(), "e")
		began := time.Now()
		must(t, append([]string{"restore", b, "--data", to}, keys...)...)
		took, got := time.Since(began), journalled(t, append([]string{"--data", to}, keys...)...)
		must(t, append([]string{"rebuild", "--no-snapshot", "--data", to}, keys...)...)
		if want := journalled(t, append([]string{"--data", to}, keys...)...); got != want {
			t.Errorf("restored state %s, the journal makes %s", got, want)
		}
		j, err := journal.Verify(filepath.Join(to, "journal"), journal.Options{Logger: discard})
		if err != nil || j.Last < 100 {
			t.Errorf("journal: %+v %v", j, err)
		}
		t.Logf("restored in %v: %d journal entries", took.Round(time.Millisecond), j.Last)
		if changeOne(t, filepath.Join(to, "state.db")); journalled(t, append([]string{"--data", to}, keys...)...) == got {
			t.Error("a state in which one record is another has the same hash: this test cannot fail")
		}
	}
}

// changeOne is the mutant of R23: it changes one record of a state behind everybody's back.
func changeOne(t *testing.T, path string) {
	t.Helper()
	db, err := embedded.Open(path, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rec, err := db.Records().Get(t.Context(), "gate", "g1")
	if err != nil {
		t.Fatal(err)
	}
	rec.Version++
	rec.Data = append(rec.Data, ' ')
	if err := db.Records().Put(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
}

// TestAReplayIsDeterministic is R24: the same journal makes the same state, on one processor and on two, once and again.
func TestAReplayIsDeterministic(t *testing.T) {
	data := filepath.Join(t.TempDir(), "d")
	must(t, "demo", "--data", data)
	c := options(data)
	c.JournalKeep = 0
	s := startServing(t, c, time.Hour)
	r := rand.New(rand.NewPCG(14, 14))
	for range 20 {
		s.work(t, r, 50)
	}
	s.stop(t)
	seen := map[string]bool{}
	for _, processors := range []string{"1", "2", "1", "2"} {
		cmd := exec.Command(testCommand(t), "rebuild", "--no-snapshot", "--data", data)
		cmd.Env = append(os.Environ(), "GOMAXPROCS="+processors)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		seen[stateOf(t, "--data", data)] = true
	}
	if len(seen) != 1 {
		t.Errorf("got the states %v, want one", seen)
	}
}
