package redis_test

import (
	"context"
	"errors"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/redis"
)

func nobody(err error) error {
	if kangma.KindOf(err) == kangma.NotFound {
		return nil
	}
	return err
}

func besides(ctx context.Context, db *redis.DB, all []kangma.Dossier) error {
	errs := make([]error, 4)
	db.Together(ctx,
		func(ctx context.Context) { _, errs[0] = db.Dossiers().Lookup(ctx, all[0].Sealed.Indexes[0]) },
		func(ctx context.Context) { _, errs[1] = db.Dossiers().Get(ctx, all[1].Person) },
		func(ctx context.Context) {
			db.Together(ctx,
				func(ctx context.Context) { _, errs[2] = db.Records().Get(ctx, "gate", "g") },
				func(ctx context.Context) { _, errs[3] = db.Once(ctx, store.Use{Key: "another", By: "by"}, patient) })
		})
	return errors.Join(errs...)
}

// TestRoundTrips bounds how often one operation waits for Redis: a scan reads one dossier, and where the holder's proof is shared
// it reads and writes a record beside.
func TestRoundTrips(t *testing.T) {
	srv := realserver.StartRedis(t)
	c := realserver.CountTrips(t, srv.Addr)
	cfg := single(srv)
	cfg.Addrs, cfg.Pool = []string{c.Addr}, 1
	db := open(t, cfg)
	all := people(t, db, 3, 81) // scripts are loaded, the connection is there
	record := store.Record{Kind: "gate", ID: "g", Version: 1}
	wantOK(t, db.Records().Put(t.Context(), record))
	for _, op := range []struct {
		what string
		most int64
		do   func() error
	}{
		{"Get of a dossier", 1, func() error { _, err := db.Dossiers().Get(t.Context(), all[0].Person); return err }},
		{"Get of a record", 1, func() error { _, err := db.Records().Get(t.Context(), "gate", "g"); return err }},
		{"Put of a record", 1, func() error {
			record.Version++
			return db.Records().Put(t.Context(), record)
		}},
		{"Update of a dossier whose indexes stay", 1, func() error {
			all[1].Version++
			return db.Dossiers().Update(t.Context(), store.Mark{}, all[1])
		}},
		{"Update of three dossiers", 1, func() error {
			next := make([]kangma.Dossier, len(all))
			for i := range all {
				all[i].Version++
				next[i] = all[i]
			}
			return db.Dossiers().Update(t.Context(), store.Mark{}, next...)
		}},
		{"Get of nobody", 1, func() error { _, err := db.Dossiers().Get(t.Context(), kangma.PersonID{1}); return nobody(err) }},
		{"Get of no record", 1, func() error { _, err := db.Records().Get(t.Context(), "gate", "none"); return nobody(err) }},
		{"Once", 1, func() error { _, err := db.Once(t.Context(), store.Use{Key: "key", By: "by"}, patient); return err }},
		{"Spend", 1, func() error { _, _, err := db.Spend(t.Context(), "key", 3, patient); return err }},
		{"a Lookup beside three others", 2, func() error { return besides(t.Context(), db, all) }},
		{"Lookup", 2, func() error { _, err := db.Dossiers().Lookup(t.Context(), all[0].Sealed.Indexes[0]); return err }},
	} {
		before := c.Trips()
		wantOK(t, op.do())
		got := c.Trips() - before
		if got < 1 || got > op.most {
			t.Errorf("%s: %d round trips, want at most %d", op.what, got, op.most)
		}
		t.Logf("%-42s %d", op.what, got)
	}
}
