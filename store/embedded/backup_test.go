package embedded_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/soak"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

func openDB(t *testing.T, path string, o embedded.Options) *embedded.DB {
	t.Helper()
	db, err := embedded.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func hashOf(t *testing.T, db *embedded.DB, kinds ...string) digest.Digest {
	t.Helper()
	d, err := digest.State(t.Context(), db.Dossiers(), db.Records(), digest.Options{Versions: true, Kinds: kinds})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestABackupWhileWritingIsOfOneMomentAndRestores(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, filepath.Join(dir, "state.db"), embedded.Options{})
	r := source(t, 61)
	people := make([]kangma.Dossier, 400)
	ids := make([]kangma.PersonID, len(people))
	// The file is copied in several steps, between which it changes.
	if err := db.Records().Put(t.Context(), store.Record{Kind: "area-list", ID: "large", Version: 1, Data: make([]byte, 12<<20)}); err != nil {
		t.Fatal(err)
	}
	for i := range people {
		people[i] = storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 8)
		ids[i] = people[i].Person
	}
	// One writer moves everybody one version on, in one update with the mark: of one moment, all have the version that
	// the mark says.
	done := make(chan struct{})
	var wg sync.WaitGroup
	first := make(chan struct{})
	wg.Go(func() {
		for v := uint64(1); ; v++ {
			for i := range people {
				people[i].Version = v
			}
			if err := db.Dossiers().Update(context.Background(), store.Mark{Node: "n", Applied: store.Position(v)}, people...); err != nil {
				t.Error(err)
			}
			if v == 1 {
				close(first)
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	<-first
	for n := range 3 {
		wantOneMoment(t, dir, db, n, ids)
	}
	close(done)
	wg.Wait()
	path := filepath.Join(dir, "last")
	if err := db.Backup(t.Context(), path, nil); err != nil {
		t.Fatal(err)
	}
	restored := filepath.Join(dir, "elsewhere")
	if err := embedded.Restore(t.Context(), path, restored, nil); err != nil {
		t.Fatal(err)
	}
	got, want := hashOf(t, openDB(t, restored, embedded.Options{}), "applied"), hashOf(t, db, "applied")
	if partitions, kinds := got.Differs(want); got.String() != want.String() || got.People != 400 {
		t.Errorf("restored elsewhere: got state %s of %d people, want %s; they differ in partitions %v, records %v", got, got.People, want, partitions, kinds)
	}
}

// wantOneMoment makes a backup while the writer writes, restores it, and finds everybody at the version of the mark.
func wantOneMoment(t *testing.T, dir string, db *embedded.DB, n int, ids []kangma.PersonID) {
	t.Helper()
	steps, last := 0, 0
	path := filepath.Join(dir, "backup-"+strconv.Itoa(n))
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Backup(ctx, path, func(done, total int) {
		if steps++; done < last {
			t.Errorf("after %d pages the copy began again", last)
			cancel()
		}
		last = done
		time.Sleep(20 * time.Millisecond) // lets the writer in
	})
	cancel()
	if err != nil || steps < 3 {
		t.Fatalf("backup in %d steps: %v", steps, err)
	}
	restored := filepath.Join(dir, "restored-"+strconv.Itoa(n))
	if err := embedded.Restore(t.Context(), path, restored, nil); err != nil {
		t.Fatal(err)
	}
	copied := openDB(t, restored, embedded.Options{})
	rec, err := copied.Records().Get(t.Context(), "applied", "n")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if d, err := copied.Dossiers().Get(t.Context(), id); err != nil || strconv.FormatUint(d.Version, 10) != string(rec.Data) {
			t.Fatalf("backup %d: somebody has version %d, %v, while the mark is %s", n, d.Version, err, rec.Data)
		}
	}
	if _, err := copied.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestABackupIsRefusedWhereItWouldDoHarm(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, filepath.Join(dir, "state.db"), embedded.Options{})
	taken := filepath.Join(dir, "taken")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(t.Context(), taken, nil); kangma.KindOf(err) != kangma.Conflict {
		t.Errorf("over a file: got %v", err)
	}
	if b, _ := os.ReadFile(taken); string(b) != "precious" {
		t.Error("the file is gone")
	}
	if err := embedded.Restore(t.Context(), taken, filepath.Join(dir, "new"), nil); kangma.CodeOf(err) != "store_damaged" {
		t.Errorf("restore of something else: got %v", err)
	}
	if err := embedded.Restore(t.Context(), filepath.Join(dir, "none"), filepath.Join(dir, "new"), nil); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("restore of nothing: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Backup(ctx, filepath.Join(dir, "canceled"), nil); err == nil {
		t.Error("a canceled backup succeeded")
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*.part"))
	if _, err := os.Stat(filepath.Join(dir, "canceled")); err == nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", err, left)
	}
}

func TestFilesAreOursAloneToRead(t *testing.T) {
	dir := t.TempDir()
	db := openDB(t, filepath.Join(dir, "state.db"), embedded.Options{})
	if err := db.Records().Put(t.Context(), store.Record{Kind: "gate", ID: "g", Version: 1}); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(t.Context(), filepath.Join(dir, "backup"), nil); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 3 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, f := range files {
		if st, err := f.Info(); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", f.Name(), st.Mode(), err)
		}
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "state.db"), embedded.Options{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := db.Dossiers().Get(t.Context(), kangma.PersonID{1})
	if kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("get: got %v", err)
	}
	if err := db.Records().Put(t.Context(), store.Record{Kind: "a", ID: "b", Version: 1}); kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("put: got %v", err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func source(t testing.TB, seed uint64) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(soak.Own(t, seed), 1))
}
