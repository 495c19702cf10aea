package digest_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/embedded"
	"github.com/kangma/kangma/store/storetest"
)

func open(t *testing.T, people []kangma.Dossier, records ...store.Record) *embedded.DB {
	t.Helper()
	db, err := embedded.Open("", embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Dossiers().Update(t.Context(), store.Mark{}, people...); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := db.Records().Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestEqualStatesHaveEqualDigestsAndDifferencesAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var people []kangma.Dossier
	for range 300 {
		people = append(people, storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 3))
	}
	gate := store.Record{Kind: "gate", ID: "g1", Version: 1, Data: []byte("x")}
	digestOf := func(db *embedded.DB, versions bool) digest.Digest {
		t.Helper()
		d, err := digest.State(t.Context(), db.Dossiers(), db.Records(), digest.Options{Versions: versions, Kinds: []string{"gate", "account"}})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a := open(t, people, gate)
	slices.Reverse(people)
	b := open(t, people, gate)
	want := digestOf(a, true)
	if got := digestOf(b, true); got.String() != want.String() || got.People != 300 || got.Records != 1 {
		t.Errorf("the same people in another order: got %s of %d, want %s", got, got.People, want)
	}
	again := people[0]
	again.Version = 2
	if err := b.Dossiers().Update(t.Context(), store.Mark{}, again); err != nil {
		t.Fatal(err)
	}
	if digestOf(b, false).String() != digestOf(a, false).String() {
		t.Error("a version counted though it should not")
	}
	got := digestOf(b, true)
	if partitions, kinds := got.Differs(want); !slices.Equal(partitions, []int{int(again.Person[0])}) || len(kinds) != 0 {
		t.Errorf("differs in %v and %v, want partition %d", partitions, kinds, again.Person[0])
	}
	gate.Version, gate.Data = 2, []byte("y")
	if err := a.Records().Put(t.Context(), gate); err != nil {
		t.Fatal(err)
	}
	if partitions, kinds := digestOf(a, false).Differs(want); !slices.Contains(kinds, "gate") || len(partitions) == 0 {
		t.Errorf("differs in %d partitions and %v, want a gate (and versions)", len(partitions), kinds)
	}
}
