package journal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/journal"
)

// sizes gives the length of each segment in dir, in order.
func sizes(t *testing.T, dir string) (all []int64) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		st, err := os.Stat(n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, st.Size())
	}
	return all
}

func appendOne(t *testing.T, j *journal.Journal, i int) {
	t.Helper()
	if _, err := j.Append(t.Context(), kangma.Event{ID: kangma.EventID{byte(i), byte(i >> 8), 1}, Kind: kangma.EventPassage, Data: make([]byte, 100)}); err != nil {
		t.Fatal(err)
	}
}

func TestZerosAheadSaveNewSizesAndAreNoRecords(t *testing.T) {
	const ahead = 4096
	dir := t.TempDir()
	opt := journal.Options{AheadBytes: ahead, MaxSegmentBytes: 20_000, Logger: quiet}
	j := open(t, dir, opt)
	grown, last := 0, int64(0)
	const n = 400
	for i := range n {
		appendOne(t, j, i)
		all := sizes(t, dir)
		if now := all[len(all)-1]; now != last {
			grown, last = grown+1, now
		}
	}
	if all := sizes(t, dir); len(all) < 3 {
		t.Fatalf("only the segments %v", all)
	} else if grown > n/10 {
		t.Errorf("%d commits of %d had a new size to record", grown, n)
	}
	if r, err := journal.Verify(dir, journal.Options{Logger: quiet}); err != nil || len(r.Damage) > 0 || r.Torn != 0 || r.Records != n {
		t.Errorf("beside the one who writes: %+v %v", r, err)
	}
	copied := t.TempDir() // as a killed process would leave it
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	with := sizes(t, dir)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	without := sizes(t, dir)
	if last := len(with) - 1; with[last] <= without[last] || with[last]-without[last] > ahead {
		t.Errorf("%d bytes with zeros, %d when closed", with[last], without[last])
	}
	for name, dir := range map[string]string{"closed": dir, "killed": copied} {
		j := open(t, dir, opt)
		if st := j.Stats(); st.Recovery.Records != n || st.Recovery.Torn != 0 || st.ReadOnly {
			t.Errorf("%s: %+v", name, st.Recovery)
		}
		appendOne(t, j, n)
		if j.Last() != n+1 {
			t.Errorf("%s: goes on at %d", name, j.Last())
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if r, err := journal.Verify(dir, journal.Options{Logger: quiet}); err != nil || len(r.Damage) > 0 || r.Records != n+1 {
			t.Errorf("%s: %+v %v", name, r, err)
		}
	}
}

// The disk must have room for many times the zeros.
func TestNoZerosAreWrittenWhereTheDiskHasNoRoomForThem(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, journal.Options{AheadBytes: 1 << 50, Logger: quiet})
	appendOne(t, j, 1)
	if all := sizes(t, dir); all[0] > 1000 {
		t.Errorf("%v bytes", all)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
