package journal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
)

// FuzzSegment opens whatever bytes as a segment: no panic, and what is given as an entry is given again after reopening.
func FuzzSegment(f *testing.F) {
	dir := f.TempDir()
	now := time.Date(2022, 7, 10, 0, 0, 0, 0, time.UTC)
	j, err := journal.Open(dir, journal.Options{Now: func() time.Time { return now }})
	if err != nil {
		f.Fatal(err)
	}
	for range 3 {
		j.Append(noContext, kangma.Event{ID: kangma.EventID{1}, Kind: kangma.EventAccess, Data: []byte("通行")})
	}
	j.Close()
	names, _ := filepath.Glob(filepath.Join(dir, "*.seg"))
	segment, err := os.ReadFile(names[0])
	if err != nil {
		f.Fatal(err)
	}
	ckpt, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(segment, ckpt)
	f.Add(segment[:100], ckpt)
	f.Add(append(bytes.Clone(segment), segment[64:]...), ckpt[:512])
	f.Add(segment[:64], []byte{})
	f.Fuzz(func(t *testing.T, segment, ckpt []byte) {
		disk := crashfs.New()
		disk.MkdirAll("/j", 0o700)
		for name, raw := range map[string][]byte{filepath.Base(names[0]): segment, "checkpoint": ckpt} {
			file, _ := disk.OpenFile("/j/"+name, os.O_CREATE|os.O_RDWR, 0)
			file.WriteAt(raw, 0)
		}
		var before int
		for range 2 {
			j, err := journal.Open("/j", journal.Options{FS: disk, Logger: quiet, CheckpointEvery: time.Hour})
			if err != nil {
				t.Fatalf("open: %v", err)
			}
			got, _ := j.After(noContext, 0, 1000)
			if before > 0 && len(got) != before {
				t.Errorf("got %d entries, before %d", len(got), before)
			}
			before = len(got)
			j.Close()
		}
	})
}

// FuzzEvent writes whatever event and reads it back.
func FuzzEvent(f *testing.F) {
	f.Add([]byte{1}, "passage", int64(0), []byte(nil), []byte("码"))
	f.Add([]byte{0}, "", int64(-1), []byte{2}, []byte{})
	disk := crashfs.New()
	j, err := journal.Open("/j", journal.Options{FS: disk, Logger: quiet, MaxSegmentBytes: 1 << 16, CheckpointEvery: time.Hour})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { j.Close() })
	f.Fuzz(func(t *testing.T, id []byte, kind string, at int64, person, data []byte) {
		e := kangma.Event{Kind: kangma.EventKind(kind), At: time.UnixMicro(at).UTC(), Data: data}
		copy(e.ID[:], id)
		copy(e.Person[:], person)
		pos, err := j.Append(noContext, e)
		if err != nil {
			if kangma.KindOf(err) != kangma.Invalid {
				t.Fatalf("append: %v", err)
			}
			return
		}
		got, err := j.After(noContext, pos-1, 1)
		if err != nil || len(got) != 1 {
			t.Fatalf("after %d: %d entries, %v", pos-1, len(got), err)
		}
		if g := got[0].Event; g.ID != e.ID || g.Kind != e.Kind || !g.At.Equal(e.At) || g.Person != e.Person || !bytes.Equal(g.Data, e.Data) {
			t.Fatalf("got %+v, want %+v", g, e)
		}
	})
}
