package embedded_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
	"github.com/kangma/kangma/store/wire"
)

func TestAFileFilledAtOnceIsLikeOneFilledBitByBit(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	var people []kangma.Dossier
	var records []store.Record
	for i := range 400 {
		d := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), r.IntN(4))
		d.Version = 1 + r.Uint64N(5)
		people = append(people, d)
		records = append(records, store.Record{Kind: "k", ID: fmt.Sprint(i), Version: 1 + r.Uint64N(3), Data: []byte{1}, Deleted: i%9 == 0,
			Index: map[string]string{"owner": fmt.Sprint(i % 7)}})
	}
	for i := range 20 { // an index belongs to whoever came last with it
		people[390-i].Sealed.Indexes = append(slices.Clone(people[390-i].Sealed.Indexes), people[i].Sealed.Indexes[0])
	}
	for _, c := range []struct{ late, runs bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		late := c.late // with some who come again: later and earlier versions, other indexes
		t.Run(fmt.Sprint("again ", late, ", in runs ", c.runs), func(t *testing.T) {
			if c.runs {
				t.Cleanup(embedded.FillInRuns(70))
			}
			people, records := slices.Clone(people), slices.Clone(records)
			if late {
				for i := range 40 {
					d, rec := people[i], records[i]
					d.Version += uint64(i%2) * 10
					d.Sealed.Indexes = []kangma.BlindIndex{storetest.RandomIndex(r), people[i+1].Sealed.Indexes[0]}
					rec.Version, rec.Index = rec.Version+uint64(i%2)*10, map[string]string{"owner": "new"}
					people, records = append(people, d), append(records, rec)
				}
			}
			bulk := fillBy(t, embedded.Options{Bulk: true}, people, records)
			plain := fillBy(t, embedded.Options{Relaxed: true}, people, records)
			wantSame(t, bulk, plain, people)
		})
	}
}

// fillBy fills a file, closes it, and opens it again as serve does.
func fillBy(t *testing.T, o embedded.Options, people []kangma.Dossier, records []store.Record) *embedded.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := embedded.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	l := db.Loader()
	for n, page := 0, 0; n < len(people); n, page = n+50, page+1 {
		part := people[n:min(n+50, len(people))]
		if page%2 == 0 {
			err = l.Dossiers(t.Context(), part...)
		} else {
			var packed []store.Packed
			var indexes [][]kangma.BlindIndex
			for _, d := range part {
				packed = append(packed, store.Packed{Person: d.Person, Version: d.Version, Data: wire.EncodeDossier(d)})
				indexes = append(indexes, d.Sealed.Indexes)
			}
			err = l.(store.PackedLoader).Packed(t.Context(), packed, indexes)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Records(t.Context(), records...); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = embedded.Open(path, embedded.Options{Relaxed: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func wantSame(t *testing.T, got, want *embedded.DB, people []kangma.Dossier) {
	t.Helper()
	var sums [2]string
	for i, db := range []*embedded.DB{got, want} {
		d, err := digest.State(t.Context(), db.Dossiers(), db.Records(), digest.Options{Versions: true})
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = d.String()
		if _, err := db.Verify(t.Context(), nil); err != nil {
			t.Error(err)
		}
	}
	if sums[0] != sums[1] {
		t.Error("another state")
	}
	for _, d := range people {
		for _, x := range d.Sealed.Indexes {
			a, err1 := got.Dossiers().Lookup(t.Context(), x)
			b, err2 := want.Dossiers().Lookup(t.Context(), x)
			if a != b || kangma.KindOf(err1) != kangma.KindOf(err2) {
				t.Fatalf("an index finds %v, %v; want %v, %v", a, err1, b, err2)
			}
		}
	}
	for _, owner := range []string{"0", "1", "new"} {
		q := store.RecordQuery{Kind: "k", Index: "owner", Value: owner, Limit: 1000}
		a, _, err1 := got.Records().List(t.Context(), q)
		b, _, err2 := want.Records().List(t.Context(), q)
		if err1 != nil || err2 != nil || len(a) != len(b) || len(a) == 0 && owner != "new" {
			t.Errorf("owner %s: %d records, %v; want %d, %v", owner, len(a), err1, len(b), err2)
		}
	}
}

// TestAFillingThatWasUndoneOnceNeverCountsAsFilled has a run of entries put in by a transaction that is undone: with it went those of
// people who had been stored before.
func TestAFillingThatWasUndoneOnceNeverCountsAsFilled(t *testing.T) {
	t.Cleanup(embedded.FillInRuns(4))
	db, err := embedded.Open(filepath.Join(t.TempDir(), "state.db"), embedded.Options{Bulk: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(3, 9))
	var people []kangma.Dossier
	for range 4 {
		d := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 1)
		d.Version, d.Sealed.Indexes = 1, []kangma.BlindIndex{storetest.RandomIndex(r)}
		people = append(people, d)
	}
	if err := db.Loader().Dossiers(t.Context(), people[0]); err != nil {
		t.Fatal(err)
	}
	err = embedded.UndoOnce(db, func() error { return db.Loader().Dossiers(t.Context(), people[1:]...) })
	if err != nil {
		return // whoever fills knows
	}
	if err := db.Filled(t.Context()); err != nil {
		return
	}
	for i, d := range people {
		if got, err := db.Dossiers().Lookup(t.Context(), d.Sealed.Indexes[0]); err != nil || got != d.Person {
			t.Errorf("the file counts as filled, and by their index person %d is %v, %v", i, got, err)
		}
	}
}
