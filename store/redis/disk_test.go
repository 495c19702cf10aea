package redis_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
)

// TestAFullDiskUnderRedis is R7 on a real disk: the one of the append-only file runs full. Writing is refused and says why,
// reading goes on, with space it heals alone, and what was acknowledged is there after a kill.
func TestAFullDiskUnderRedis(t *testing.T) {
	srv := realserver.StartRedis(t, realserver.RedisSurvivesKill...)
	srv.Stop()
	disk, file := srv.Dir, filepath.Join(srv.Dir, "redis.conf")
	conf, err := os.ReadFile(file)
	wantOK(t, err)
	realserver.SmallDisk(t, disk, 8)
	t.Cleanup(srv.Kill) // before the disk goes
	wantOK(t, os.WriteFile(file, conf, 0o600))
	wantOK(t, srv.Start())
	db := open(t, single(srv))
	all := people(t, db, 50, 71)
	acked := append([]kangma.Dossier{}, all...)
	free := realserver.Fill(t, disk)
	refused := 0
	for i := 0; refused < 3; i++ {
		next := acked[i%len(acked)]
		next.Version++
		switch err := db.Dossiers().Update(t.Context(), store.Mark{}, next); kangma.CodeOf(err) {
		case "redis_misconf":
			refused++
		default:
			wantOK(t, err)
			acked[i%len(acked)] = next
		}
		if i%50 == 0 {
			realserver.Fill(t, disk) // what Redis gave back
		}
	}
	if _, err := db.Dossiers().Get(t.Context(), all[0].Person); err != nil {
		t.Errorf("reading from a full disk: %v", err)
	}
	free()
	eventually(t, func() error {
		next := acked[0]
		got, err := db.Dossiers().Get(t.Context(), next.Person)
		if err != nil {
			return err
		}
		next.Version = got.Version + 1
		if err = db.Dossiers().Update(t.Context(), store.Mark{}, next); err == nil {
			acked[0] = next
		}
		return err
	})
	srv.Kill()
	wantOK(t, srv.Start())
	eventually(t, func() error { _, err := db.Check(context.Background()); return err })
	for _, d := range acked {
		got, err := db.Dossiers().Get(t.Context(), d.Person)
		if err != nil || got.Version < d.Version {
			t.Errorf("%v", fmt.Errorf("version %d was acknowledged, %d is there: %w", d.Version, got.Version, err))
		}
	}
}
