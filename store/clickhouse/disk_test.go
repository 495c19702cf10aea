package clickhouse_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
)

// TestAFullDiskUnderClickHouse is R7 on a real disk: the warehouse's runs full. A batch fails as a whole and may be loaded again;
// with space it goes in, once, and nothing that was confirmed is gone after a kill.
func TestAFullDiskUnderClickHouse(t *testing.T) {
	srv := realserver.StartClickHouse(t)
	srv.Kill()
	disk := filepath.Join(srv.Dir, "data")
	realserver.SmallDisk(t, disk, 24)
	t.Cleanup(srv.Kill) // before the disk goes
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	cfg := single(srv)
	cfg.Insert = 10 * time.Second
	db, r := open(t, cfg), source(t, 51)
	a := passages(r, 0, 3000, noon, time.Second)
	load(t, db, a)
	free := realserver.Fill(t, disk)
	b := passages(r, a.To, 20_000, noon.Add(time.Hour), time.Millisecond)
	for range 3 {
		if err := db.Load(t.Context(), b); err == nil {
			t.Fatal("a batch went in though the disk is full")
		} else if kangma.KindOf(err) != kangma.Unavailable {
			t.Errorf("got %v, want unavailable: the batch is tried again", err)
		}
	}
	if got := total(t, db); got != 3000 {
		t.Errorf("counted %d on a full disk, want 3000", got)
	}
	free()
	eventually(t, func() error { return db.Load(t.Context(), b) })
	srv.Kill()
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return db.Load(t.Context(), b) }) // again: it changes nothing
	if got := total(t, db); got != 23_000 {
		t.Errorf("counted %d, want 23,000", got)
	}
}
