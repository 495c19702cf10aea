package replica_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/replica"
	"github.com/kangma/kangma/store/storetest"
)

// shared is a state in SQLite that counts the writes of its partitions as Redis does, and may be away.
type shared struct {
	store.Dossiers
	mu     sync.Mutex
	writes [store.Partitions]int
	epoch  string
	away   bool
	scans  int
}

var errAway = kangma.E(kangma.Unavailable, "away", "the state store does not answer")

func (s *shared) Update(ctx context.Context, mark store.Mark, all ...kangma.Dossier) error {
	err := s.Dossiers.Update(ctx, mark, all...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range all {
		s.writes[store.PartitionOf(d.Person)]++
	}
	return err
}

func (s *shared) Scan(ctx context.Context, p int, after kangma.PersonID, limit int) ([]kangma.Dossier, error) {
	s.mu.Lock()
	s.scans++
	away := s.away
	s.mu.Unlock()
	if away {
		return nil, errAway
	}
	return s.Dossiers.Scan(ctx, p, after, limit)
}

func (s *shared) changes(context.Context) (out [store.Partitions]string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return out, errAway
	}
	for p := range out {
		out[p] = fmt.Sprintf("%s/%d", s.epoch, s.writes[p])
	}
	return out, nil
}

func (s *shared) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

type world struct {
	shared *shared
	state  *embedded.DB
	path   string
	now    time.Time
	copy   *replica.Copy
}

func memory(tb testing.TB, path string) *embedded.DB {
	tb.Helper()
	db, err := embedded.Open(path, embedded.Options{Relaxed: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

func newWorld(tb testing.TB) *world {
	w := &world{state: memory(tb, ""), path: filepath.Join(tb.TempDir(), "replica.db"), now: time.Date(2022, 7, 10, 8, 0, 0, 0, time.UTC)}
	w.shared = &shared{Dossiers: w.state.Dossiers(), epoch: "one"}
	w.open(tb)
	return w
}

// open opens the copy, again after a crash of the node.
func (w *world) open(tb testing.TB) {
	tb.Helper()
	c, err := replica.New(replica.Shared{Dossiers: w.shared, Records: w.state.Records(), Changes: w.shared.changes},
		embedded.Mirror{DB: memory(tb, w.path)}, replica.Options{Rate: 1 << 20, Skip: []string{"otp"}, Now: func() time.Time { return w.now }})
	if err != nil {
		tb.Fatal(err)
	}
	w.copy = c
}

func (w *world) round(t *testing.T) {
	t.Helper()
	if err := w.copy.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) want(t *testing.T, d kangma.Dossier, asOf time.Time) {
	t.Helper()
	got, at, err := w.copy.LastDossier(t.Context(), d.Person)
	if err != nil || !reflect.DeepEqual(got, d) || !at.Equal(asOf) {
		t.Errorf("got version %d as of %v, %v\nwant version %d as of %v", got.Version, at, err, d.Version, asOf)
	}
}

func update(t *testing.T, s store.Dossiers, all ...kangma.Dossier) {
	t.Helper()
	if err := s.Update(t.Context(), store.Mark{}, all...); err != nil {
		t.Fatal(err)
	}
}

func people(r *rand.Rand, n int) []kangma.Dossier {
	all := make([]kangma.Dossier, n)
	for i := range all {
		all[i] = storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 3)
	}
	return all
}

func TestTheCopySaysWhatItIsAtLeastAsNewAs(t *testing.T) {
	w := newWorld(t)
	all := people(rand.New(rand.NewPCG(1, 1)), 1500)
	update(t, w.shared, all...)
	if _, _, err := w.copy.LastDossier(t.Context(), all[0].Person); kangma.CodeOf(err) != "no_copy" {
		t.Errorf("before the first round: %v, want no_copy", err)
	}
	first := w.now
	w.round(t)
	for _, d := range all {
		w.want(t, d, first)
	}
	w.now = w.now.Add(time.Minute)
	moved := all[7]
	moved.Version, moved.Evidence = 2, moved.Evidence[:1]
	update(t, w.shared, moved) // by another node
	w.want(t, all[7], first)   // as old as it says
	scans := w.shared.scans
	w.round(t)
	if n := w.shared.scans - scans; n > 2 {
		t.Errorf("%d pages were read where one partition had changed", n)
	}
	w.want(t, moved, w.now)
	w.want(t, all[8], w.now)

	w.shared.setAway(true)
	then := w.now
	w.now = w.now.Add(time.Hour)
	if err := w.copy.Round(t.Context()); !errors.Is(err, kangma.Unavailable) {
		t.Errorf("a round without the state: %v", err)
	}
	w.want(t, moved, then)
	w.open(t) // the node was killed
	w.want(t, moved, then)
	if !w.copy.Whole() || !w.copy.AsOf().Equal(then) {
		t.Errorf("after opening again: whole %v, as of %v", w.copy.Whole(), w.copy.AsOf())
	}
	if _, _, err := w.copy.LastDossier(t.Context(), kangma.PersonID{1, 2, 3}); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("somebody unknown: %v", err)
	}
}

func TestWhatThisNodeWritesIsInTheCopyAtOnce(t *testing.T) {
	w := newWorld(t)
	all := people(rand.New(rand.NewPCG(1, 2)), 10)
	update(t, w.shared, all...)
	w.round(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go w.copy.Run(ctx)
	mine := all[3]
	mine.Version, mine.Evidence = 2, nil
	update(t, w.copy.Dossiers(), mine)
	gate := store.Record{Kind: "gate", ID: "g", Version: 1, Data: []byte("{}"), Index: map[string]string{"org": "o"}}
	if err := w.copy.Records().Put(t.Context(), gate); err != nil {
		t.Fatal(err)
	}
	if err := w.copy.Records().Put(t.Context(), store.Record{Kind: "otp", ID: "x", Version: 1}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		d, _, err := w.copy.LastDossier(t.Context(), mine.Person)
		rec, err2 := w.copy.LastRecord(t.Context(), "gate", "g")
		return err == nil && err2 == nil && d.Version == 2 && rec.Index["org"] == "o"
	})
	if _, err := w.copy.LastRecord(t.Context(), "otp", "x"); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("a kind that is not copied: %v", err)
	}
	lost := all[4]
	lost.Version = 9 // not the next one
	if err := w.copy.Dossiers().Update(t.Context(), store.Mark{}, lost); !errors.Is(err, kangma.Conflict) {
		t.Fatal(err)
	}
	stop()
	if d, _, err := w.copy.LastDossier(t.Context(), lost.Person); err != nil || d.Version != 1 {
		t.Errorf("a lost race is in the copy: version %d, %v", d.Version, err)
	}
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("never")
}

func TestAStateThatWentBackIsCopiedAsItIs(t *testing.T) {
	w := newWorld(t)
	all := people(rand.New(rand.NewPCG(1, 3)), 300)
	update(t, w.shared, all...)
	moved := all[0]
	moved.Version = 2
	update(t, w.shared, moved)
	if err := w.state.Records().Put(t.Context(), store.Record{Kind: "session", ID: "s", Version: 1}); err != nil {
		t.Fatal(err)
	}
	w.round(t)
	other := memory(t, "") // it lost its last writes and one person, and counts on from there
	back := all[0]
	back.Evidence = nil
	if err := other.Loader().Dossiers(t.Context(), append([]kangma.Dossier{back}, all[2:]...)...); err != nil {
		t.Fatal(err)
	}
	w.shared.Dossiers = other.Dossiers()
	for p := range w.shared.writes {
		w.shared.writes[p] += 5
	}
	w.now = w.now.Add(time.Second)
	w.round(t)
	w.want(t, back, w.now)
	if _, _, err := w.copy.LastDossier(t.Context(), all[1].Person); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("who is gone is in the copy: %v", err)
	}
	if _, err := w.copy.Dossiers().Lookup(t.Context(), all[1].Sealed.Indexes[0]); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("index: %v", err)
	}
	if _, err := w.copy.LastRecord(t.Context(), "session", "s"); err != nil {
		t.Errorf("the same records: %v", err)
	}
	w.shared.epoch, w.state = "two", memory(t, "") // made anew: its logins are not those of before
	w.open(t)
	w.now = w.now.Add(time.Second)
	w.round(t)
	w.want(t, all[5], w.now)
	if _, err := w.copy.LastRecord(t.Context(), "session", "s"); kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("a login of the state before: %v", err)
	}
}

func TestTheCopyIsAStoreLikeTheSharedOne(t *testing.T) {
	make := func(tb testing.TB) *replica.Copy {
		s := &shared{Dossiers: nil, epoch: "e"}
		state := memory(tb, "")
		s.Dossiers = state.Dossiers()
		c, err := replica.New(replica.Shared{Dossiers: s, Records: state.Records(), Changes: s.changes}, embedded.Mirror{DB: memory(tb, "")}, replica.Options{})
		if err != nil {
			tb.Fatal(err)
		}
		return c
	}
	kept := map[string]*replica.Copy{}
	of := func(tb testing.TB, name string) *replica.Copy {
		if kept[name] == nil {
			kept[name] = make(tb)
		}
		return kept[name]
	}
	t.Run("dossiers", func(t *testing.T) {
		storetest.Dossiers(t, func(tb testing.TB, name string) store.Dossiers { return of(t, name).Dossiers() })
	})
	t.Run("records", func(t *testing.T) {
		storetest.Records(t, func(tb testing.TB, name string) store.Records { return of(t, name+"r").Records() })
	})
}
