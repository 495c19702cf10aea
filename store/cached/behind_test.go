package cached_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/cached"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

func openState(t *testing.T, path string) *embedded.DB {
	t.Helper()
	db, err := embedded.Open(path, embedded.Options{Relaxed: true})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// follow gives the next version of a dossier with one more piece of evidence.
func follow(r *rand.Rand, d kangma.Dossier) kangma.Dossier {
	d.Version++
	d.Evidence = append(d.Evidence[:len(d.Evidence):len(d.Evidence)], storetest.RandomDossier(r, d.Person, 1).Evidence...)
	return d
}

func wantIs(t *testing.T, what string, s store.Dossiers, want kangma.Dossier) {
	t.Helper()
	if got, err := s.Get(t.Context(), want.Person); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, %v\nwant %+v", what, got, err, want)
	}
}

// long is an Options.Behind with which nothing but Flush, or time, stores anything.
const long = 1 << 40

func TestWhatIsNotStoredYetIsSeenEverywhereAndACrashLosesItWithItsMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db := openState(t, path)
	c := cached.New(db.Dossiers(), cached.Options{Behind: long, Entries: 64})
	r := rand.New(rand.NewPCG(3, 3))
	first := storetest.RandomDossier(r, storetest.RandomPerson(r, 7), 2)
	first.Version = 1
	first.Sealed.Indexes = []kangma.BlindIndex{{1}}
	if err := c.Update(t.Context(), store.Mark{Node: "n", Applied: 1}, first); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	second := follow(r, first)
	if err := c.Update(t.Context(), store.Mark{Node: "n", Applied: 2}, second); err != nil {
		t.Fatal(err)
	}
	wantIs(t, "Get", c, second)
	if got, err := c.GetMany(t.Context(), []kangma.PersonID{second.Person}); err != nil || !reflect.DeepEqual(got[0], second) {
		t.Errorf("GetMany: got %+v, %v", got, err)
	}
	if got, err := c.Scan(t.Context(), 7, kangma.PersonID{}, 10); err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], second) {
		t.Errorf("Scan: got %+v, %v", got, err)
	}
	if pos, lags := c.Marked("n"); pos != 1 || !lags {
		t.Errorf("marked %d, %v before the change is stored, want 1", pos, lags)
	}
	if n, size := c.Waiting(); n != 1 || size <= 0 {
		t.Errorf("%d people of %d bytes wait", n, size)
	}
	wantMark := func(db *embedded.DB, want string) {
		t.Helper()
		if rec, err := db.Records().Get(t.Context(), "applied", "n"); err != nil || string(rec.Data) != want {
			t.Errorf("mark %q, %v, want %s", rec.Data, err, want)
		}
	}
	// a crash here: another process opens the file as it is
	crashed := openState(t, path)
	wantIs(t, "after a crash", crashed.Dossiers(), first)
	wantMark(crashed, "1")
	if err := crashed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	wantIs(t, "stored", db.Dossiers(), second)
	wantMark(db, "2")
	if pos, _ := c.Marked("n"); pos != 2 {
		t.Errorf("marked %d, want 2", pos)
	}
	if n, size := c.Waiting(); n != 0 || size != 0 {
		t.Errorf("%d people of %d bytes wait after Close", n, size)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAnotherIdentityIsStoredAtOnceAfterWhatWaits(t *testing.T) {
	db := openState(t, filepath.Join(t.TempDir(), "state.db"))
	defer db.Close()
	c := cached.New(db.Dossiers(), cached.Options{Behind: long})
	defer c.Close()
	r := rand.New(rand.NewPCG(4, 4))
	d := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 1)
	d.Version, d.Sealed.Indexes = 1, []kangma.BlindIndex{{1}}
	for step := range 3 {
		if err := c.Update(t.Context(), store.Mark{}, d); err != nil {
			t.Fatal(step, err)
		}
		d = follow(r, d)
	}
	d.Sealed.Indexes = []kangma.BlindIndex{{2}} // its version follows one that waits
	last := follow(r, d)                        // and one that could wait follows in the same call
	if err := c.Update(t.Context(), store.Mark{}, d, last); err != nil {
		t.Fatal(err)
	}
	wantIs(t, "stored", db.Dossiers(), last)
	if id, err := db.Dossiers().Lookup(t.Context(), kangma.BlindIndex{2}); err != nil || id != d.Person {
		t.Errorf("the new index finds %v, %v", id, err)
	}
	if _, err := db.Dossiers().Lookup(t.Context(), kangma.BlindIndex{1}); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("the old index: %v", err)
	}
	if n, _ := c.Waiting(); n != 0 {
		t.Errorf("%d people wait", n)
	}
}

// refusing is a state whose dossiers cannot catch up while it is told so.
type refusing struct {
	store.Dossiers
	catchUp
	broken atomic.Bool
}

type catchUp interface {
	Wire(ctx context.Context, id kangma.PersonID) ([]byte, error)
	WirePage(ctx context.Context, after int64, limit int, f func(kangma.PersonID, []byte)) (next int64, n int, err error)
	WireMany(ctx context.Context, people []kangma.PersonID, f func(kangma.PersonID, []byte)) error
	CatchUp(ctx context.Context, people []store.Packed, done func([]store.Packed)) error
}

func (s *refusing) CatchUp(ctx context.Context, people []store.Packed, done func([]store.Packed)) error {
	if s.broken.Load() {
		return kangma.E(kangma.Unavailable, "full", "the disk is full")
	}
	return s.catchUp.CatchUp(ctx, people, done)
}

func TestAStoreThatTakesNothingStopsTheWritersAndNotTheReaders(t *testing.T) {
	db := openState(t, filepath.Join(t.TempDir(), "state.db"))
	defer db.Close()
	inner := &refusing{Dossiers: db.Dossiers(), catchUp: db.Dossiers().(catchUp)}
	c := cached.New(inner, cached.Options{Behind: 8 << 10})
	defer c.Close()
	people := make([]kangma.Dossier, 200)
	for i := range people {
		people[i] = kangma.Dossier{Person: personOf(i), Version: 1, Registered: time.Unix(1e9, 0).UTC()}
	}
	if err := c.Update(t.Context(), store.Mark{}, people...); err != nil {
		t.Fatal(err)
	}
	inner.broken.Store(true)
	r, refused := rand.New(rand.NewPCG(5, 5)), 0
	for i := range people {
		next := follow(r, people[i])
		err := c.Update(t.Context(), store.Mark{Node: "n", Applied: store.Position(i + 1)}, next)
		switch {
		case err == nil && refused == 0:
			people[i] = next
		case kangma.CodeOf(err) == "store_behind":
			refused++
		default:
			t.Fatalf("person %d after %d refusals: %v", i, refused, err)
		}
	}
	if refused == 0 || refused == len(people) {
		t.Fatalf("%d of %d refused", refused, len(people))
	}
	for _, d := range people {
		wantIs(t, "while the store refuses", c, d)
	}
	if _, err := db.Records().Get(t.Context(), "applied", "n"); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("a mark was stored before what it is about: %v", err)
	}
	inner.broken.Store(false)
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, d := range people {
		wantIs(t, "stored", db.Dossiers(), d)
	}
	if rec, err := db.Records().Get(t.Context(), "applied", "n"); err != nil || string(rec.Data) != strconv.Itoa(len(people)-refused) {
		t.Errorf("mark %q, %v", rec.Data, err)
	}
}

// TestReadersNeverSeeAnythingOlder changes, stores, reads, scans and fills memory at once. Each reader knows a version that was
// acknowledged before it asked.
func TestReadersNeverSeeAnythingOlder(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, entries := range []int{64, 100_000} { // memory that gives up nearly everything, and one that keeps everything
		t.Run(fmt.Sprint(entries), func(t *testing.T) { readersNeverSeeOlder(t, seed, entries) })
	}
}

func readersNeverSeeOlder(t *testing.T, seed uint64, entries int) {
	const people, versions = 64, 20
	db := openState(t, filepath.Join(t.TempDir(), "state.db"))
	defer db.Close()
	c := cached.New(db.Dossiers(), cached.Options{Behind: 64 << 10, Entries: entries})
	defer c.Close()
	var acknowledged [people]atomic.Uint64
	ctx, stop := context.WithCancel(t.Context())
	var writers, others sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			var mine []kangma.Dossier
			for i := w; i < people; i += 4 {
				mine = append(mine, kangma.Dossier{Person: personOf(i), Registered: time.Unix(1e9, 0).UTC()})
			}
			for range versions {
				for i := range mine {
					if mine[i] = follow(r, mine[i]); r.IntN(20) == 0 {
						mine[i].Sealed.Indexes = []kangma.BlindIndex{storetest.RandomIndex(r)}
					}
				}
				if err := c.Update(ctx, store.Mark{}, mine...); err != nil {
					t.Error(err)
				}
				for i := range mine {
					acknowledged[w+4*i].Store(mine[i].Version)
				}
			}
		})
	}
	repeat := func(f func(r *rand.Rand)) {
		others.Go(func() {
			for r := rand.New(rand.NewPCG(seed, 99)); ctx.Err() == nil; {
				f(r)
			}
		})
	}
	check := func(what string, i int, before uint64, d kangma.Dossier, err error) {
		if err != nil && kangma.KindOf(err) != kangma.NotFound && ctx.Err() == nil || err == nil && d.Version < before || before > 0 && kangma.KindOf(err) == kangma.NotFound {
			t.Errorf("%s: person %d: version %d, %v after %d was acknowledged", what, i, d.Version, err, before)
		}
	}
	repeat(func(r *rand.Rand) {
		i := r.IntN(people)
		before := acknowledged[i].Load()
		d, err := c.Get(ctx, personOf(i))
		check("Get", i, before, d, err)
	})
	repeat(func(r *rand.Rand) {
		i := r.IntN(people)
		before := acknowledged[i].Load()
		if got, err := c.GetMany(ctx, []kangma.PersonID{personOf(i)}); err == nil {
			check("GetMany", i, before, got[0], nil)
		}
	})
	repeat(func(r *rand.Rand) {
		i := r.IntN(people)
		before := acknowledged[i].Load()
		page, err := c.Scan(ctx, int(personOf(i)[0]), kangma.PersonID{}, 10)
		for _, d := range page {
			if d.Person == personOf(i) {
				check("Scan", i, before, d, err)
			}
		}
	})
	repeat(func(*rand.Rand) {
		if err := errors.Join(c.Warm(ctx, always, func(int64) {}), c.Flush()); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	writers.Wait()
	stop()
	others.Wait()
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	for i := range people {
		d, err := db.Dossiers().Get(t.Context(), personOf(i))
		if err != nil || d.Version != versions || len(d.Evidence) != versions {
			t.Errorf("person %d in the store: version %d with %d pieces, %v", i, d.Version, len(d.Evidence), err)
		}
		again, err := c.Get(t.Context(), personOf(i))
		if err != nil || again.Version != versions {
			t.Errorf("person %d in memory: version %d, %v", i, again.Version, err)
		}
	}
}
