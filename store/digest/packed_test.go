package digest_test

import (
	"math/rand/v2"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/digest"
	"github.com/kangma/kangma/store/storetest"
	"github.com/kangma/kangma/store/wire"
)

// onlyDossiers hides the further powers of a store.
type onlyDossiers struct{ store.Dossiers }

func TestPeopleAsTheyAreStoredSumToTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var people []kangma.Dossier
	for i := range 200 {
		people = append(people, storetest.RandomDossier(r, storetest.RandomPerson(r, -1), i%6))
	}
	db := open(t, people)
	for range 5 {
		for i := range people[:50] {
			people[i].Version++
		}
		if err := db.Dossiers().Update(t.Context(), store.Mark{}, people[:50]...); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := db.Dossiers().(store.PackedScanner); !ok {
		t.Fatal("the embedded store gives nobody as stored")
	}
	for _, versions := range []bool{true, false} {
		var sums [2]digest.Digest
		for i, s := range []store.Dossiers{db.Dossiers(), onlyDossiers{db.Dossiers()}} {
			last := 0
			var err error
			sums[i], err = digest.State(t.Context(), s, db.Records(), digest.Options{Versions: versions, Progress: func(n int, _ uint64) { last = n }})
			if err != nil || last != store.Partitions {
				t.Fatalf("%v, told of %d partitions", err, last)
			}
		}
		if sums[0].String() != sums[1].String() || sums[0].People != 200 || sums[1].People != 200 {
			t.Errorf("versions %v: %v as stored, %v decoded", versions, sums[0], sums[1])
		}
	}
}

func TestAnotherPersonsBytesAreNotCountedAsTheirs(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	a, b := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), 1), storetest.RandomPerson(r, -1)
	right, wrong := digest.NewSummer(true), digest.NewSummer(true)
	raw := wire.EncodeDossier(a)
	err1 := right.Packed(store.Packed{Person: a.Person, Version: a.Version, Data: raw})
	err2 := wrong.Packed(store.Packed{Person: b, Version: a.Version, Data: raw})
	if err1 != nil || err2 == nil {
		t.Errorf("%v, %v", err1, err2)
	}
	if err := wrong.Packed(store.Packed{Person: a.Person, Data: raw[:10]}); err == nil {
		t.Error("bytes that are no dossier count")
	}
}
