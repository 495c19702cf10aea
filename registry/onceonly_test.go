package registry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

// TestAFeedCountsOnceWhicheverWriteFails makes each write of a feed's journey fail in turn, before it did anything and after it did
// everything; the provider sends again until it is told that all is kept, or the node is started anew in between. At the
// end everyone has each piece once, and the journal alone makes the same.
func TestAFeedCountsOnceWhicheverWriteFails(t *testing.T) {
	faults := storetest.NewFaults()
	for n := 1; ; n++ {
		reached := false
		for _, fault := range []storetest.Fault{storetest.Fail(n), storetest.FailButPersist(n)} {
			restart := n%2 == 0 != fault.Persist // every other time
			t.Run(fmt.Sprintf("write %d, done %v, restart %v", n, fault.Persist, restart), func(t *testing.T) {
				faults.Set()
				w, ids := faultyTown(t, faults)
				bodies := []string{lines(slices.Concat(ids, ids), "negative"), lines(ids, "positive")}
				faults.Set(fault)
				for _, body := range bodies {
					w = sendUntilKept(t, w, body, restart)
				}
				reached = reached || faults.Calls() >= n
				faults.Set()
				for i, id := range ids {
					if d, err := w.Dossier(t.Context(), id); err != nil || len(d.Evidence) != 3 {
						t.Errorf("person %d has %d pieces, want 3, %v", i, len(d.Evidence), err)
					}
				}
				wantOfJournal(t, w)
			})
		}
		if !reached || t.Failed() {
			t.Logf("%d writes", n-1)
			if n < 6 {
				t.Error("a feed makes more writes than that")
			}
			return
		}
	}
}

// faultyTown is a town of three whose journal and stores fail as told.
func faultyTown(t *testing.T, faults *storetest.Faults) (*town, []kangma.PersonID) {
	t.Helper()
	w := openWith(t, t.TempDir(), withFaults(faults))
	var ids []kangma.PersonID
	for i := range 3 {
		id, _, err := w.Register(t.Context(), registration(t, i))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	t.Cleanup(func() { w.close(t) })
	return w, ids
}

func withFaults(faults *storetest.Faults) func(*registry.Config) {
	return func(c *registry.Config) {
		c.Journal, c.Dossiers, c.Records = storetest.FaultyJournal(c.Journal, faults), storetest.FaultyDossiers(c.Dossiers, faults), storetest.FaultyRecords(c.Records, faults)
	}
}

// sendUntilKept sends a body until it is acknowledged.
func sendUntilKept(t *testing.T, w *town, body string, restart bool) *town {
	t.Helper()
	for range 10 {
		res, err := w.TakeIn(t.Context(), strings.NewReader(body), feeds.Options{Provider: "lab-x", Batch: fmt.Sprint("lab-x/", len(body)), Content: feeds.EvidenceContent,
			Format: feeds.NDJSON, Now: now, Retention: 60 * 24 * time.Hour}, anna, nil)
		if err == nil && res.Held == nil {
			return w
		}
		if err != nil && !errors.Is(err, storetest.Injected) || res.Held != nil {
			t.Fatalf("%+v %v", res, err)
		}
		if restart { // what was appended and not applied is applied by the start
			if err := w.Close(context.Background()); err != nil && !errors.Is(err, storetest.Injected) {
				t.Fatal(err)
			}
			s, err := registry.Open(t.Context(), w.config(t, "n", w.journal))
			if err != nil {
				t.Fatal(err)
			}
			w.Service = s
		}
	}
	t.Fatal("never acknowledged")
	return nil
}

// wantOfJournal compares the town with what its journal alone makes.
func wantOfJournal(t *testing.T, w *town) {
	t.Helper()
	entries, err := w.journal.After(t.Context(), 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	db, err := embedded.Open("", embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := registry.NewApplier(db.Dossiers(), db.Records()).Apply(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	sum := func(people store.Dossiers, records store.Records) string {
		d, err := digest.State(t.Context(), people, records, digest.Options{Kinds: []string{}})
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	if got, want := sum(db.Dossiers(), db.Records()), sum(w.db.Dossiers(), w.db.Records()); got != want {
		t.Error("the journal makes another state")
	}
}
