package snapshot_test

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal/crashfs"
	"github.com/kangma/kangma/store/snapshot"
	"github.com/kangma/kangma/store/storetest"
)

// growing is a state that goes on: step n applies the journal up to position n.
type growing struct {
	db *embedded.DB
	r  *rand.Rand
	at store.Position
}

func (g *growing) step(t *testing.T) {
	t.Helper()
	g.at++
	d := storetest.RandomDossier(g.r, storetest.RandomPerson(g.r, -1), 1)
	d.Version = 1
	if err := g.db.Dossiers().Update(t.Context(), store.Mark{Node: "n1", Applied: g.at}, d); err != nil {
		t.Fatal(err)
	}
}

func (g *growing) add(t *testing.T, f snapshot.Folder) error {
	t.Helper()
	_, _, err := f.Add(t.Context(), snapshot.Head{Node: "n1", Created: created},
		snapshot.Source{Dossiers: g.db.Dossiers(), Records: g.db.Records()}, snapshot.Options{})
	return err
}

func TestAFolderKeepsTheLastCopies(t *testing.T) {
	g := growing{db: state(t), r: rand.New(rand.NewPCG(1, 1))}
	f := snapshot.Folder{Dir: filepath.Join(t.TempDir(), "snapshots"), Key: key}
	if _, err := f.Newest(t.Context()); !errors.Is(err, kangma.NotFound) {
		t.Errorf("an empty folder: %v", err)
	}
	for i, want := range []store.Position{0, 1, 2, 3} { // with one copy nothing is released
		g.step(t)
		if err := g.add(t, f); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Released("n1"); got != want || err != nil {
			t.Errorf("after %d copies: released %d %v, want %d", i+1, got, err, want)
		}
	}
	all, err := f.List()
	if err != nil || len(all) != 2 || all[0].Head.Marks["n1"] != 4 || all[1].Head.Marks["n1"] != 3 {
		t.Errorf("got %+v %v", all, err)
	}
	if got, _ := f.Released("n2"); got != 0 {
		t.Errorf("a node that is in no copy: released %d", got)
	}
}

func TestTheNewestWholeCopyIsFound(t *testing.T) {
	fs := crashfs.New()
	g := growing{db: state(t), r: rand.New(rand.NewPCG(2, 2))}
	f := snapshot.Folder{Dir: "/data/snapshots", FS: fs, Key: key}
	for range 2 {
		g.step(t)
		if err := g.add(t, f); err != nil {
			t.Fatal(err)
		}
	}
	all, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	err = fs.Corrupt(filepath.Join(f.Dir, all[0].Name), func(b []byte) []byte { b[len(b)-20] ^= 1; return b })
	if err != nil {
		t.Fatal(err)
	}
	if e, err := f.Newest(t.Context()); err != nil || e.Head.Marks["n1"] != 1 {
		t.Errorf("got %+v %v, want the older copy", e, err)
	}
	other := f
	other.Key = snapshot.Key{8}
	if _, err := other.Newest(t.Context()); !errors.Is(err, kangma.NotFound) {
		t.Errorf("other keys: %v", err)
	}
}

// TestAPowerCutNeverTakesTheCopiesTheReleaseRestsOn cuts the power at every operation of three additions. What Released said before the
// cut must be in a whole copy afterwards, and adding must go on.
func TestAPowerCutNeverTakesTheCopiesTheReleaseRestsOn(t *testing.T) {
	live := func(fs *crashfs.FS) (released store.Position, done bool) {
		g := growing{db: state(t), r: rand.New(rand.NewPCG(3, 3))}
		f := snapshot.Folder{Dir: "/data/snapshots", FS: fs, Key: key}
		for range 4 {
			g.step(t)
			if g.add(t, f) != nil {
				return released, false
			}
			if now, err := f.Released("n1"); err == nil {
				released = now
			}
		}
		return released, true
	}
	whole := crashfs.New()
	if _, done := live(whole); !done {
		t.Fatal("a disk without faults failed")
	}
	rnd, states := rand.New(rand.NewPCG(4, 4)), 0
	for at := range whole.Ops() {
		fs := crashfs.New()
		fs.CutAfter(at)
		released, done := live(fs)
		if done {
			t.Fatalf("the power was not cut at operation %d", at)
		}
		for _, left := range []crashfs.Left{crashfs.None(), crashfs.All(), crashfs.Some(rnd), crashfs.Some(rnd)} {
			states++
			f := snapshot.Folder{Dir: "/data/snapshots", FS: fs.After(left), Key: key}
			e, err := f.Newest(t.Context())
			if released > 0 && (err != nil || e.Head.Marks["n1"] < released) {
				t.Fatalf("cut at operation %d: released up to %d, found %+v %v", at, released, e.Head, err)
			}
			if again, err := f.Released("n1"); err != nil || again < released {
				t.Fatalf("cut at operation %d: released %d before and %d after, %v", at, released, again, err)
			}
			g := growing{db: state(t), r: rand.New(rand.NewPCG(5, 5)), at: 100}
			g.step(t)
			if err := g.add(t, f); err != nil {
				t.Fatalf("cut at operation %d: adding afterwards: %v", at, err)
			}
			if e, err := f.Newest(t.Context()); err != nil || e.Head.Marks["n1"] != 101 {
				t.Fatalf("cut at operation %d: got %+v %v, want the copy just added", at, e, err)
			}
		}
	}
	t.Logf("%d operations, %d states", whole.Ops(), states)
	if states < 40 {
		t.Error("too few states")
	}
}
