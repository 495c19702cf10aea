package registry_test

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/journal"
)

// dying is a journal whose node dies the moment it is written to.
type dying struct{ store.Journal }

var errDied = errors.New("died")

func (dying) Append(context.Context, ...kangma.Event) (store.Position, error) { return 0, errDied }

func TestARegistrationThatDiesHalfwayLeavesNothingForGood(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	w := openWith(t, dir, func(c *registry.Config) { c.Journal = dying{c.Journal} })
	claims := func() int {
		t.Helper()
		left, _, err := w.db.Records().List(ctx, store.RecordQuery{Kind: "claim", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(left)
	}
	if _, _, err := w.Register(ctx, registration(t, 1)); !errors.Is(err, errDied) {
		t.Fatalf("got %v, want the node's death", err)
	}
	if n := claims(); n != 2 {
		t.Fatalf("%d claims are there, want those of document and phone", n)
	}
	w.close(t)
	w = open(t, dir)
	defer w.close(t)
	ager := w.NewAger()
	age := func(after time.Duration) {
		t.Helper()
		w.clock.Store(int64(after))
		if _, err := ager.Run(ctx, 100); err != nil {
			t.Fatal(err)
		}
	}
	if age(50 * time.Minute); claims() != 2 {
		t.Errorf("claims went while somebody may be registering")
	}
	// Somebody begins anew, and dies again: what they took up counts from then.
	died := openWith(t, t.TempDir(), func(c *registry.Config) {
		c.Records, c.Dossiers, c.Journal = w.db.Records(), w.db.Dossiers(), dying{c.Journal}
	})
	died.clock.Store(int64(50 * time.Minute))
	if _, _, err := died.Register(ctx, registration(t, 1)); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	died.close(t)
	if age(90 * time.Minute); claims() != 2 {
		t.Errorf("claims that were taken up 40 minutes ago went")
	}
	if age(3 * time.Hour); claims() != 0 {
		t.Errorf("%d claims are left for good", claims())
	}
	if _, created, err := w.Register(ctx, registration(t, 1)); err != nil || !created {
		t.Errorf("the document is lost to its owner: %v, %v", created, err)
	}
	if claims() != 0 {
		t.Errorf("%d claims of a finished registration", claims())
	}
}

func TestAClaimOfAnEarlierVersionIsTakenUp(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := context.Background()
	r := registration(t, 4)
	who, byDoc := kangma.NewPersonID(), sealer(t).Document(r.Identity.DocType, r.Identity.Number)[0]
	left := store.Record{Kind: "claim", ID: hex.EncodeToString(byDoc[:]), Version: 1, Data: who[:]}
	if err := w.db.Records().Put(ctx, left); err != nil {
		t.Fatal(err)
	}
	if id, created, err := w.Register(ctx, r); err != nil || !created || id != who {
		t.Errorf("got %v %v %v, want %v", id, created, err, who)
	}
}

// TestANodeThatComesBackLateTakesNobodysDocument has a node die with a registration in its journal that is not in force anywhere, and come
// back after its claims could have gone.
func TestANodeThatComesBackLateTakesNobodysDocument(t *testing.T) {
	w, ctx, r := open(t, t.TempDir()), context.Background(), registration(t, 1)
	defer w.close(t)
	on := func(use func(*registry.Service)) {
		t.Helper()
		j, err := journal.Open(filepath.Join(w.dir, "other"), journal.Options{Now: w.now, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		other, err := registry.Open(ctx, w.config(t, "other", j))
		if err != nil {
			t.Fatal(err)
		}
		use(other)
		_ = other.Close(ctx) // it cannot note how far it is
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	on(func(other *registry.Service) {
		w.dossiers.set(errDied)
		if _, _, err := other.Register(ctx, r); !errors.Is(err, errDied) {
			t.Fatal(err)
		}
	})
	w.dossiers.set(nil)
	w.clock.Store(int64(3 * time.Hour))
	if _, err := w.NewAger().Run(ctx, 100); err != nil {
		t.Fatal(err)
	}
	living, _, err := w.Register(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	on(func(*registry.Service) {})
	byDoc, err1 := w.ByDocument(ctx, r.Identity.DocType, r.Identity.Number)
	byPhone, err2 := w.ByPhone(ctx, r.Identity.Phone)
	if err := errors.Join(err1, err2); err != nil || byDoc != living || byPhone != living {
		t.Errorf("%v was told that they are registered; their document is now that of %v, their phone that of %v, %v", living, byDoc, byPhone, err)
	}
}

func TestANodesOwnClaimStaysWhileItsJournalIsNotApplied(t *testing.T) {
	w, ctx := open(t, t.TempDir()), context.Background()
	defer w.close(t)
	left := func(after time.Duration) int {
		t.Helper()
		w.clock.Store(int64(after))
		if _, err := w.NewAger().Run(ctx, 100); err != nil {
			t.Fatal(err)
		}
		claims, _, err := w.db.Records().List(ctx, store.RecordQuery{Kind: "claim", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(claims)
	}
	w.dossiers.set(errDied)
	if _, _, err := w.Register(ctx, registration(t, 1)); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	if n := left(3 * time.Hour); n != 2 {
		t.Errorf("%d claims are left of somebody who is in the journal and will come into force", n)
	}
	w.dossiers.set(nil)
	for end := time.Now().Add(time.Minute); w.Applied() < w.journal.Last(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the journal is not applied")
		}
	}
	if n := left(4 * time.Hour); n != 0 {
		t.Errorf("%d claims are left for good", n)
	}
}
