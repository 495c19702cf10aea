package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/seal"
)

// copyDir copies a flat folder.
func copyDir(from, to string) error { return os.CopyFS(to, os.DirFS(from)) }

var now = time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)

// town is one registry on real embedded stores in a temporary folder.
type town struct {
	*registry.Service
	journal  *journal.Journal
	db       *embedded.DB
	dossiers *failing
	dir      string
	clock    *atomic.Int64 // what was added to now
}

func (w *town) at(moment time.Time) { w.clock.Store(int64(moment.Sub(now))) }

func (w *town) now() time.Time { return now.Add(time.Duration(w.clock.Load())) }

// second opens another node on the same state.
func (w *town) second(t *testing.T, node string) *registry.Service {
	t.Helper()
	j, err := journal.Open(filepath.Join(w.dir, node), journal.Options{Now: w.now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := registry.Open(context.Background(), w.config(t, node, j))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *town) config(t testing.TB, node string, j *journal.Journal) registry.Config {
	t.Helper()
	return registry.Config{Node: node, Journal: j, Dossiers: w.dossiers, Records: w.db.Records(), Sealer: sealer(t),
		Now: w.now, Retention: 60 * 24 * time.Hour, Log: slog.New(slog.DiscardHandler)}
}

// failing refuses updates while told to.
type failing struct {
	store.Dossiers
	mu  sync.Mutex
	err error
}

func (f *failing) set(err error) { f.mu.Lock(); f.err = err; f.mu.Unlock() }

func (f *failing) Update(ctx context.Context, m store.Mark, ds ...kangma.Dossier) error {
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return err
	}
	return f.Dossiers.Update(ctx, m, ds...)
}

func (f *failing) GetMany(ctx context.Context, people []kangma.PersonID) ([]kangma.Dossier, error) {
	return store.GetMany(ctx, f.Dossiers, people)
}

func open(t testing.TB, dir string) *town {
	t.Helper()
	return openWith(t, dir, func(*registry.Config) {})
}

// openWith changes the configuration before the registry is opened.
func openWith(t testing.TB, dir string, change func(*registry.Config)) *town {
	t.Helper()
	ctx := context.Background()
	w := &town{dir: dir, clock: new(atomic.Int64)}
	var err error
	if w.journal, err = journal.Open(filepath.Join(dir, "journal"), journal.Options{Now: w.now, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if w.db, err = embedded.Open(filepath.Join(dir, "state.db"), embedded.Options{}); err != nil {
		t.Fatal(err)
	}
	w.dossiers = &failing{Dossiers: w.db.Dossiers()}
	cfg := w.config(t, "n", w.journal)
	change(&cfg)
	w.Service, err = registry.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *town) close(t *testing.T) {
	t.Helper()
	if err := errors.Join(w.Close(context.Background()), w.db.Close(), w.journal.Close()); err != nil {
		t.Error(err)
	}
}

func sealer(t testing.TB) *seal.Sealer {
	t.Helper()
	kek, err := seal.NewKEKs("k", map[string][seal.KeySize]byte{"k": {1}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := seal.New(seal.Keys{KEK: kek, Index: [][seal.KeySize]byte{{2}}, Pseudonym: [seal.KeySize]byte{3}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func registration(t *testing.T, n int) registry.Registration {
	t.Helper()
	first := fmt.Sprintf("44150219900307%03d", n)
	number, err1 := kangma.NewIDNumber(kangma.DocResidentID, first+string(kangma.IDCheckChar(first)), now)
	name, err2 := kangma.NewName("测试甲")
	phone, err3 := kangma.NewPhone(fmt.Sprintf("138%08d", n))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return registry.Registration{Identity: seal.Identity{Name: name, DocType: kangma.DocResidentID, Number: number, Phone: phone}}
}

func negative(at time.Time) kangma.Evidence {
	return kangma.Evidence{ID: kangma.NewEventID(at), Kind: kangma.KindTest, Observed: at, Reported: at, Source: "cdc", Test: &kangma.Test{Method: "pcr", Result: "negative"}}
}

func TestARegistrationIsOnePersonHoweverOftenItComes(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := context.Background()
	r := registration(t, 1)
	ids := make(chan kangma.PersonID, 16)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			id, _, err := w.Register(ctx, r)
			if err != nil {
				t.Error(err)
			}
			ids <- id
		})
	}
	wg.Wait()
	close(ids)
	first := <-ids
	for id := range ids {
		if id != first {
			t.Errorf("two people for one document: %v %v", id, first)
		}
	}
	if got, err := w.ByPhone(ctx, r.Identity.Phone); err != nil || got != first {
		t.Errorf("by phone: %v %v", got, err)
	}
	if left, _, err := w.db.Records().List(ctx, store.RecordQuery{Kind: "claim", Limit: 10}); err != nil || len(left) != 0 {
		t.Errorf("%d claims are left behind, %v", len(left), err)
	}
	stolen := registration(t, 2)
	stolen.Identity.Number = r.Identity.Number
	if _, _, err := w.Register(ctx, stolen); !errors.Is(err, kangma.Conflict) {
		t.Errorf("the same document with another phone: got %v, want Conflict", err)
	}
	stolen = registration(t, 3)
	stolen.Identity.Phone = r.Identity.Phone
	if _, _, err := w.Register(ctx, stolen); !errors.Is(err, kangma.Conflict) {
		t.Errorf("another document with the same phone: got %v, want Conflict", err)
	}
	if _, created, err := w.Register(ctx, registration(t, 3)); err != nil || !created {
		t.Errorf("the document of a refused registration must stay free for its owner: %v %v", created, err)
	}
}

func TestEvidenceCountsOnceAndWhatIsJournaledIsHealed(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	ctx := context.Background()
	id, _, err := w.Register(ctx, registration(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	ev := negative(now.Add(-time.Hour))
	for range 3 {
		if err := w.Submit(ctx, registry.Item{Person: id, Evidence: ev}); err != nil {
			t.Fatal(err)
		}
	}
	w.dossiers.set(kangma.E(kangma.Unavailable, "store", "away"))
	late := negative(now.Add(-2 * time.Hour))
	if err := w.Submit(ctx, registry.Item{Person: id, Evidence: late}); !errors.Is(err, kangma.Unavailable) {
		t.Fatalf("the state is away: got %v, want Unavailable", err)
	}
	w.dossiers.set(nil)
	deadline := time.Now().Add(20 * time.Second)
	for {
		d, err := w.Dossier(ctx, id)
		if err == nil && len(d.Evidence) == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("never healed: %d pieces of evidence, %v", len(d.Evidence), err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.close(t)

	w = open(t, dir) // after a restart nothing is applied twice
	defer w.close(t)
	if d, err := w.Dossier(ctx, id); err != nil || len(d.Evidence) != 2 {
		t.Errorf("after restart: %d, %v", len(d.Evidence), err)
	}
}

func TestTheStateIsRebuiltFromTheJournalAlone(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	ctx := context.Background()
	id, _, err := w.Register(ctx, registration(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	ev := negative(now.Add(-time.Hour))
	if err := w.Submit(ctx, registry.Item{Person: id, Evidence: ev}); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := w.PutDoc(ctx, "gate", "g", map[string]int{"v": i}, nil); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := w.Dossier(ctx, id)
	w.close(t)

	other := t.TempDir()
	if err := copyDir(filepath.Join(dir, "journal"), filepath.Join(other, "journal")); err != nil {
		t.Fatal(err)
	}
	w = open(t, other)
	defer w.close(t)
	after, err := w.Dossier(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	before.Version, after.Version = 0, 0
	b, _ := json.Marshal(before)
	a, _ := json.Marshal(after)
	if string(a) != string(b) {
		t.Errorf("rebuilt dossier differs:\n got %s\nwant %s", a, b)
	}
	doc, _, err := registry.GetDoc[map[string]int](ctx, w.Records(), "gate", "g")
	if err != nil || doc["v"] != 2 {
		t.Errorf("rebuilt record: %v %v", doc, err)
	}
	if _, created, err := w.Register(ctx, registration(t, 1)); err != nil || created {
		t.Errorf("the rebuilt state must know the document: created %v, %v", created, err)
	}
}

func TestNoRulesOrNobodyCannotTell(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := context.Background()
	id, _, err := w.Register(ctx, registration(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if a, _, err := w.Assess(ctx, id, now); err != nil || a.Told || a.CannotTell != kangma.TellNoRules {
		t.Errorf("no rules: %+v %v", a, err)
	}
	preset, err := rules.PresetFile("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.PublishRules(ctx, "x", append(bytes.Clone(preset), "nonsense: 1\n"...)); err == nil {
		t.Error("a rule file with an unknown key was published")
	}
	if _, err := w.PublishRules(ctx, "x", preset); err != nil {
		t.Fatal(err)
	}
	if a, _, err := w.Assess(ctx, kangma.NewPersonID(), now); err != nil || a.Told || a.CannotTell != kangma.TellUnknownPerson {
		t.Errorf("unknown person: %+v %v", a, err)
	}
	if err := w.Erase(ctx, id); err != nil {
		t.Fatal(err)
	}
	if a, _, err := w.Assess(ctx, id, now); err != nil || a.Told {
		t.Errorf("erased person: %+v %v", a, err)
	}
	if again, created, err := w.Register(ctx, registration(t, 1)); err != nil || !created || again == id {
		t.Errorf("an erased person registers anew, as somebody new: %v %v %v", again, created, err)
	}
	if d, err := w.Dossier(ctx, id); err != nil || len(d.Sealed.DataKey) != 0 || len(d.Evidence) != 0 {
		t.Errorf("erased dossier still holds something: %v", err)
	}
}
