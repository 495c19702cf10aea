package leak_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/leak"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/journal"
	"github.com/kangma/kangma/store/seal"
	"github.com/kangma/kangma/store/ship"
	"github.com/kangma/kangma/store/snapshot"
)

const known = 10_000 // people whose names, numbers and phones are searched for

var now = time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)

// secrets is what must not be found. Names are of three characters from rare ones, so that chance does not make one.
type secrets struct {
	leak.Search
	people []seal.Identity
}

func newSecrets(t *testing.T, r *rand.Rand) *secrets {
	t.Helper()
	s := &secrets{}
	rare := func() string { return string(rune('㐀' + r.IntN(6000))) }
	for i := range known {
		first := fmt.Sprintf("44%04d%04d%02d%02d%03d", r.IntN(10000), 1930+r.IntN(90), 1+r.IntN(12), 1+r.IntN(28), r.IntN(1000))
		number, err1 := kangma.NewIDNumber(kangma.DocResidentID, first+string(kangma.IDCheckChar(first)), now)
		name, err2 := kangma.NewName(rare() + rare() + rare())
		phone, err3 := kangma.NewPhone(fmt.Sprintf("1%d%04d%05d", 3+r.IntN(7), r.IntN(10000), i))
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatal(err)
		}
		s.people = append(s.people, seal.Identity{Name: name, DocType: kangma.DocResidentID, Number: number, Phone: phone})
		s.Add("name", name.Reveal())
		s.Add("number", number.Reveal())
		s.Add("phone", phone.Reveal())
	}
	return s
}

func (s *secrets) searchAll(t *testing.T, dir string) (hits []string, files, size int) {
	t.Helper()
	hits, files, bytes, err := s.Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return hits, files, int(bytes)
}

func keys(t *testing.T) *seal.Sealer {
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

// TestNothingOnDiskNamesAnybody registers 10,000 people, gives each evidence and passages, ships, erases some, makes
// backups, and searches journal, databases, logs and backups while everything is open and after it was closed.
func TestNothingOnDiskNamesAnybody(t *testing.T) {
	t.Log("seed 91")
	s := newSecrets(t, rand.New(rand.NewPCG(91, 1)))
	dir := t.TempDir()
	logs, err := os.Create(filepath.Join(dir, "kangma.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	n := openNode(t, dir, slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ids := n.live(t, s.people)
	if err := errors.Join(n.db.Backup(t.Context(), filepath.Join(dir, "state.backup"), nil), n.w.Backup(t.Context(), filepath.Join(dir, "warehouse.backup"), nil),
		n.copies(t.Context(), dir)); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids[:50] {
		if err := n.Erase(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	open, files, size := s.searchAll(t, dir)
	n.close(t)
	closed, _, _ := s.searchAll(t, dir)
	t.Logf("searched %d files, %d bytes, for %d names, numbers and phones: %d hits open, %d closed", files, size, s.Values(), len(open), len(closed))
	if hits := append(open, closed...); len(hits) > 0 {
		t.Errorf("%d hits, the first: %v", len(hits), hits[:min(5, len(hits))])
	}
	if size < 10_000_000 || files < 6 {
		t.Errorf("only %d bytes in %d files: this run proves nothing", size, files)
	}
}

// TestTheSearchFinds proves that the search above can fail.
func TestTheSearchFinds(t *testing.T) {
	s := newSecrets(t, rand.New(rand.NewPCG(92, 1)))
	p := s.people[77]
	for what, clear := range map[string]string{"name": p.Name.Reveal(), "number": p.Number.Reveal(), "phone": p.Phone.Reveal()} {
		db, err := embedded.Open(filepath.Join(t.TempDir(), "state.db"), embedded.Options{})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "backup")
		err = db.Records().Put(t.Context(), store.Record{Kind: "case", ID: "c1", Version: 1, Data: append(bytes.Repeat([]byte{'x'}, 9000), clear...)})
		if err := errors.Join(err, db.Backup(t.Context(), path, nil), db.Close()); err != nil {
			t.Fatal(err)
		}
		if hits, _, _ := s.searchAll(t, filepath.Dir(path)); len(hits) != 1 {
			t.Errorf("a %s in clear: got hits %v, want 1", what, hits)
		}
	}
}

// node is a registry with everything embedded.
type node struct {
	*registry.Service
	journal *journal.Journal
	db      *embedded.DB
	w       *embedded.Warehouse
	sealer  *seal.Sealer
	shipper *ship.Shipper
	stop    context.CancelFunc
	shipped chan error
}

func openNode(t *testing.T, dir string, log *slog.Logger) *node {
	t.Helper()
	n := &node{sealer: keys(t), shipped: make(chan error, 1)}
	clock := func() time.Time { return now }
	var err error
	if n.journal, err = journal.Open(filepath.Join(dir, "journal"), journal.Options{Now: clock, Logger: log}); err != nil {
		t.Fatal(err)
	}
	if n.db, err = embedded.Open(filepath.Join(dir, "state.db"), embedded.Options{Relaxed: true}); err != nil {
		t.Fatal(err)
	}
	if n.w, err = embedded.OpenWarehouse(filepath.Join(dir, "warehouse.db"), embedded.Options{}); err != nil {
		t.Fatal(err)
	}
	n.Service, err = registry.Open(t.Context(), registry.Config{Node: "n", Journal: n.journal, Dossiers: n.db.Dossiers(), Records: n.db.Records(),
		Sealer: n.sealer, Now: clock, Retention: 60 * 24 * time.Hour, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if n.shipper, err = ship.New(ship.Config{Node: "n", Journal: n.journal, Warehouse: n.w, Logger: log}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.stop = cancel
	go func() { n.shipped <- n.shipper.Run(ctx) }()
	return n
}

// copies makes what a backup, an export and the snapshots of a serving node leave on disk.
func (n *node) copies(ctx context.Context, dir string) error {
	_, err := n.journal.Backup(ctx, filepath.Join(dir, "journal.backup"))
	f := snapshot.Folder{Dir: filepath.Join(dir, "snapshots"), Key: snapshot.Key{4}}
	_, sum, err2 := f.Add(ctx, snapshot.Head{Node: "n", Created: now}, snapshot.Source{Dossiers: n.db.Dossiers(), Records: n.db.Records(), Archive: n.w}, snapshot.Options{})
	if err2 == nil && (sum.People != known || sum.Rows == 0) {
		err2 = fmt.Errorf("the copy holds %+v", sum)
	}
	return errors.Join(err, err2)
}

func (n *node) close(t *testing.T) {
	t.Helper()
	n.stop()
	if err := errors.Join(<-n.shipped, n.Close(context.Background()), n.w.Close(), n.db.Close(), n.journal.Close()); err != nil {
		t.Error(err)
	}
}

// live registers everybody, with evidence and two passages each, and waits until all is shipped.
func (n *node) live(t *testing.T, people []seal.Identity) []kangma.PersonID {
	t.Helper()
	ids := make([]kangma.PersonID, len(people))
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for i := g; i < len(people); i += 32 {
				id, err := n.one(t.Context(), i, people[i])
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = id
			}
		})
	}
	wg.Wait()
	if err := n.shipper.Drain(t.Context()); err != nil || t.Failed() {
		t.Fatal(err)
	}
	if pos, err := n.w.Loaded(t.Context(), "n"); err != nil || int(pos) < 3*len(people) {
		t.Fatalf("shipped to %d, %v", pos, err)
	}
	return ids
}

func (n *node) one(ctx context.Context, i int, who seal.Identity) (kangma.PersonID, error) {
	id, _, err := n.Register(ctx, registry.Registration{Identity: who, Home: kangma.Place{Division: 440103001}})
	if err != nil {
		return id, err
	}
	at := now.Add(-time.Duration(i) * time.Second)
	err = n.Submit(ctx, registry.Item{Person: id, Evidence: kangma.Evidence{ID: kangma.NewEventID(at), Kind: kangma.KindTest, Observed: at, Reported: at,
		Source: "cdc", Test: &kangma.Test{Method: "pcr", Result: "negative"}}})
	for gate := range 2 {
		p := kangma.Passage{ID: kangma.NewEventID(at), At: at, Gate: fmt.Sprint("gate-", gate), GateKind: "metro", District: 440103000,
			Person: n.sealer.Pseudonym(id, at), Told: true, Colour: kangma.Green, Decision: kangma.Pass, Reason: "ok", Verified: "online",
			Vehicle: n.sealer.Plate(fmt.Sprintf("粤A%05d", i))}
		err = errors.Join(err, n.AppendPassage(ctx, p))
	}
	return id, err
}
