package snapshot_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/snapshot"
	"github.com/kangma/kangma/store/storetest"
)

var (
	key     = snapshot.Key{1, 2, 3}
	created = time.Date(2022, 8, 1, 2, 3, 4, 0, time.UTC)
)

func state(t *testing.T) *embedded.DB {
	t.Helper()
	db, err := embedded.Open("", embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func warehouse(t *testing.T) *embedded.Warehouse {
	t.Helper()
	w, err := embedded.OpenWarehouse("", embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// town is a state with people, records with tombstones, a mark, and passages.
func town(t *testing.T, people int) (*embedded.DB, *embedded.Warehouse) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	db, w := state(t), warehouse(t)
	for range people {
		d := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), r.IntN(6))
		for v := range uint64(1 + r.IntN(3)) {
			d.Version = v + 1
			if err := db.Dossiers().Update(t.Context(), store.Mark{}, d); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 60 {
		rec := store.Record{Kind: []string{"gate", "account", "applied"}[i%3], ID: fmt.Sprint("id", i), Version: 1, Data: []byte("7")}
		err := db.Records().Put(t.Context(), rec)
		if rec.Version++; i%5 == 0 && rec.Kind != "applied" {
			rec.Deleted = true
			err = errors.Join(err, db.Records().Put(t.Context(), rec))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	passages := storetest.NewTown(r).Passages(2000)
	if err := w.Load(t.Context(), storetest.BatchOf("n1", 5, passages...)); err != nil {
		t.Fatal(err)
	}
	return db, w
}

func write(t *testing.T, db *embedded.DB, a store.Archive) (copied []byte, h snapshot.Head, s snapshot.Summary) {
	t.Helper()
	var b bytes.Buffer
	h, s, err := snapshot.Write(t.Context(), &b, key, snapshot.Head{Node: "n1", Created: created},
		snapshot.Source{Dossiers: db.Dossiers(), Records: db.Records(), Archive: a}, snapshot.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Bytes != int64(b.Len()) {
		t.Errorf("the summary says %d bytes, there are %d", s.Bytes, b.Len())
	}
	return b.Bytes(), h, s
}

func hash(t *testing.T, db *embedded.DB) string {
	t.Helper()
	d, err := digest.State(t.Context(), db.Dossiers(), db.Records(), digest.Options{Versions: true})
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestACopyMakesTheSameState(t *testing.T) {
	db, w := town(t, 700)
	copied, h, s := write(t, db, w)
	to, rows := state(t), map[store.Position]kangma.Passage{}
	gotHead, gotSum, err := snapshot.Read(t.Context(), bytes.NewReader(copied), key, snapshot.Target{State: to.Loader(),
		Rows: func(_ context.Context, node string, page []store.Row) error {
			for _, r := range page {
				rows[r.Position] = r.Passage
			}
			if node != "n1" {
				t.Errorf("rows of %q", node)
			}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	if gotSum != s || s.People != 700 || s.Rows != 2000 || s.Records != 40 {
		t.Errorf("got %+v, written %+v", gotSum, s)
	}
	if !gotHead.Created.Equal(created) || gotHead.Marks["id2"] != 7 || len(h.Marks) != 20 || gotHead.Loaded["n1"] != 2005 {
		t.Errorf("got head %+v", gotHead)
	}
	if a, b := hash(t, db), hash(t, to); a != b || a != s.State {
		t.Errorf("state %s, copied %s, summary %s", a, b, s.State)
	}
	if len(rows) != 2000 {
		t.Errorf("got %d passages", len(rows))
	}
	gone, err := to.Records().Get(t.Context(), "gate", "id15")
	if !errors.Is(err, kangma.NotFound) || gone.Version != 2 {
		t.Errorf("a tombstone: got version %d, %v", gone.Version, err)
	}
	mark, err := to.Records().Get(t.Context(), snapshot.MarkKind, "id2")
	if err != nil || string(mark.Data) != "7" {
		t.Errorf("mark: %+v %v", mark, err)
	}
}

func TestWhatIsThereInALaterVersionStays(t *testing.T) {
	db, _ := town(t, 50)
	copied, _, _ := write(t, db, nil)
	page, err := db.Dossiers().Scan(t.Context(), 0, kangma.PersonID{}, 1)
	for p := 1; len(page) == 0 && err == nil; p++ {
		page, err = db.Dossiers().Scan(t.Context(), p, kangma.PersonID{}, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	d := page[0]
	d.Version++
	d.Evidence = nil
	if err := db.Dossiers().Update(t.Context(), store.Mark{}, d); err != nil {
		t.Fatal(err)
	}
	want := hash(t, db)
	if _, _, err := snapshot.Read(t.Context(), bytes.NewReader(copied), key, snapshot.Target{State: db.Loader()}); err != nil {
		t.Fatal(err)
	}
	if got := hash(t, db); got != want {
		t.Error("an older copy changed a newer state")
	}
}

func TestACopyThatIsNotAsItWasWrittenIsRefused(t *testing.T) {
	db, w := town(t, 300)
	copied, _, _ := write(t, db, w)
	refused := func(what string, raw []byte, code string) {
		t.Helper()
		if _, _, err := snapshot.Verify(t.Context(), bytes.NewReader(raw), key); err == nil || code != "" && kangma.CodeOf(err) != code {
			t.Errorf("%s: got %v, want %s", what, err, code)
		}
	}
	if _, _, err := snapshot.Verify(t.Context(), bytes.NewReader(copied), snapshot.Key{9}); !snapshot.ErrKey(err) {
		t.Errorf("another key: got %v", err)
	}
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		bad := bytes.Clone(copied)
		bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
		refused("a flipped bit", bad, "")
	}
	for range 100 {
		refused("cut short", copied[:r.IntN(len(copied))], "")
	}
	var starts []int // of frames
	for at := 56; at < len(copied); at += 4 + int(binary.LittleEndian.Uint32(copied[at:])) {
		starts = append(starts, at)
	}
	if len(starts) < 4 {
		t.Fatalf("only %d frames", len(starts))
	}
	for i, at := range starts[1:] {
		refused("cut between two frames", copied[:at], "snapshot_cut")
		frame := copied[starts[i]:at]
		refused("a frame left out", append(bytes.Clone(copied[:starts[i]]), copied[at:]...), "snapshot_damaged")
		refused("a frame twice", bytes.Join([][]byte{copied[:at], frame, copied[at:]}, nil), "snapshot_damaged")
	}
	refused("something behind the end", append(bytes.Clone(copied), copied[starts[0]:starts[1]]...), "snapshot_damaged")
	refused("nothing", nil, "snapshot_format")
}

// TestACopyMadeWhileWritingIsHealedByTheJournal copies while people are changed; applying from the marks what was written since, again
// and as a whole, gives the state at the end.
func TestACopyMadeWhileWritingIsHealedByTheJournal(t *testing.T) {
	db, _ := town(t, 400)
	var journal []kangma.Dossier // what was written, in order
	var mu sync.Mutex
	r := rand.New(rand.NewPCG(8, 8))
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := store.Position(1); ctx.Err() == nil; n++ {
			d := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 2)
			d.Version = 1
			mu.Lock()
			journal = append(journal, d)
			err := db.Dossiers().Update(context.WithoutCancel(ctx), store.Mark{Node: "n1", Applied: n}, d)
			mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	for {
		mu.Lock()
		n := len(journal)
		mu.Unlock()
		if n > 50 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	copied, h, _ := write(t, db, nil)
	stop()
	wg.Wait()
	to := state(t)
	if _, _, err := snapshot.Read(t.Context(), bytes.NewReader(copied), key, snapshot.Target{State: to.Loader()}); err != nil {
		t.Fatal(err)
	}
	if h.Marks["n1"] < 50 {
		t.Fatalf("marks %v", h.Marks)
	}
	for _, d := range journal[:h.Marks["n1"]] {
		if _, err := to.Dossiers().Get(t.Context(), d.Person); err != nil {
			t.Fatalf("somebody from before the mark is not in the copy: %v", err)
		}
	}
	for _, d := range journal[h.Marks["n1"]:] {
		if err := to.Dossiers().Update(t.Context(), store.Mark{}, d); err != nil && !errors.Is(err, kangma.Conflict) {
			t.Fatal(err)
		}
	}
	if hash(t, to) != hash(t, db) {
		t.Errorf("after %d of %d were applied again the states differ", len(journal)-int(h.Marks["n1"]), len(journal))
	}
}

func FuzzRead(f *testing.F) {
	db, err := embedded.Open("", embedded.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { db.Close() })
	var b bytes.Buffer
	_, _, err = snapshot.Write(f.Context(), &b, key, snapshot.Head{Node: "n", Created: created},
		snapshot.Source{Dossiers: db.Dossiers(), Records: db.Records()}, snapshot.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("KMSNAP1\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, _, err := snapshot.Verify(t.Context(), bytes.NewReader(raw), key); err == nil && !bytes.Equal(raw, b.Bytes()) {
			t.Error("something that was never written is taken for a copy")
		}
	})
}

// FuzzFrame opens the contents of frames, which only somebody with the key could write.
func FuzzFrame(f *testing.F) {
	for kind := range byte(7) {
		f.Add(kind, []byte{3, 1, 2, 3})
	}
	f.Fuzz(func(t *testing.T, kind byte, content []byte) { _ = snapshot.PutFrame(kind, content) })
}
