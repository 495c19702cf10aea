package ship_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/journal/crashfs"
	"github.com/kangma/kangma/store/ship"
	"github.com/kangma/kangma/store/wire"
)

func TestDamagedJournalIsRepairedFromTheWarehouse(t *testing.T) {
	disk := crashfs.New()
	j := newJournal(t, journal.Options{FS: disk})
	var want []kangma.Passage
	for range 10 {
		p := passageAt(source())
		want = append(want, p)
		if _, err := j.Append(t.Context(), wire.PassageEvent(p)); err != nil {
			t.Fatal(err)
		}
	}
	w := newTable(source(), 0)
	s, stop := start(t, ship.Config{Journal: j, Warehouse: w})
	if err := s.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	j.Close()
	names, _ := disk.List("/data/journal")
	for _, n := range names {
		if len(n) == len("0123456789abcdef-20060102.seg") {
			disk.Corrupt("/data/journal/"+n, func(b []byte) []byte {
				clear(b[300:900])
				return b
			})
		}
	}
	rows := func(_ context.Context, _ string, from, to store.Position) (out []store.Row, err error) {
		for _, r := range w.rows {
			if r.Position >= from && r.Position <= to {
				out = append(out, r)
			}
		}
		return out, nil
	}
	r, err := journal.Repair(t.Context(), "/data/journal", journal.Options{FS: disk, Logger: quiet}, false, ship.FromRows(node, rows))
	if err != nil || r.Trusted+r.Proven == 0 {
		t.Fatalf("repair: %+v, %v", r, err)
	}
	j = newJournal(t, journal.Options{FS: disk})
	got, err := j.After(t.Context(), 0, 100)
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %d entries, %v; want %d", len(got), err, len(want))
	}
	for i, e := range got {
		if p, err := wire.DecodePassage(e.Event.Data); err != nil || p.ID != want[i].ID || !p.At.Equal(want[i].At) {
			t.Errorf("position %d holds %v, %v; want %v", e.Position, p.ID, err, want[i].ID)
		}
	}
}

func TestPassageTakesAtMost250BytesOfJournal(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	j := newJournal(t, journal.Options{})
	for range 100 {
		p := passageAt(rnd)
		p.Gate, p.GateKind, p.District, p.Operator = "gate-310115-0042", "community", 310115003, "account-1234"
		p.Told, p.Colour, p.Decision, p.Reason, p.Direction = true, kangma.Green, kangma.Pass, "green-no-finding", "in"
		p.Temperature, p.Rules, p.Flags = 365, "89abcdef01234567", []string{"offline"}
		rnd.Uint64()
		if _, err := j.Append(t.Context(), wire.PassageEvent(p)); err != nil {
			t.Fatal(err)
		}
	}
	s := j.Stats()
	if each := s.Bytes / s.Appended; each > 250 {
		t.Errorf("%d bytes a passage, want at most 250", each)
	} else {
		t.Logf("%d bytes a passage", each)
	}
}
