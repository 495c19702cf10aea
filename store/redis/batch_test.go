package redis_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/redis"
	"github.com/kangma/kangma/store/storetest"
)

// TestEachPersonOfABatchIsAnsweredByItself changes 300 people at once of whom some lost the race, some change their indexes and some
// are new: they share calls, and nothing else.
func TestEachPersonOfABatchIsAnsweredByItself(t *testing.T) {
	srv := realserver.StartRedis(t)
	db := open(t, single(srv)).Dossiers()
	r := rand.New(rand.NewPCG(5, 22))
	all := make([]kangma.Dossier, 300)
	for i := range all {
		all[i] = storetest.RandomDossier(r, storetest.RandomPerson(r, i%3), 1)
		all[i].Version = 1
		all[i].Sealed.Indexes = []kangma.BlindIndex{storetest.RandomIndex(r)}
	}
	if err := db.Update(t.Context(), store.Mark{}, all[:280]...); err != nil {
		t.Fatal(err)
	}
	batch, want := slices.Clone(all), map[kangma.PersonID]bool{}
	for i := range batch[:280] {
		batch[i].Version = 2
		switch i % 4 {
		case 1:
			batch[i].Version, want[batch[i].Person] = 3, true
		case 2:
			batch[i].Sealed.Indexes = []kangma.BlindIndex{storetest.RandomIndex(r)}
		}
	}
	err := db.Update(t.Context(), store.Mark{}, batch...)
	var lost *store.Lost
	if !errors.As(err, &lost) || len(lost.People) != len(want) {
		t.Fatalf("%v, want %d who lost", err, len(want))
	}
	for _, id := range lost.People {
		if !want[id] {
			t.Errorf("%v lost", id)
		}
	}
	for i, d := range batch {
		version, index := d.Version, d.Sealed.Indexes[0]
		if want[d.Person] {
			version, index = 1, all[i].Sealed.Indexes[0]
		}
		got, err := db.Get(t.Context(), d.Person)
		if err != nil || got.Version != version {
			t.Fatalf("person %d has version %d, %v; want %d", i, got.Version, err, version)
		}
		if id, err := db.Lookup(t.Context(), index); err != nil || id != d.Person {
			t.Fatalf("the index of person %d finds %v, %v", i, id, err)
		}
		if _, err := db.Lookup(t.Context(), all[i].Sealed.Indexes[0]); i < 280 && i%4 == 2 && kangma.KindOf(err) != kangma.NotFound {
			t.Errorf("the index that person %d gave up: %v", i, err)
		}
	}
}

// TestARecordThatComesTwiceInOneLoadIsListedAsItIsLast puts two versions of a record in by one call, the later one under another index.
func TestARecordThatComesTwiceInOneLoadIsListedAsItIsLast(t *testing.T) {
	srv := realserver.StartRedis(t)
	db := open(t, single(srv))
	at := func(version uint64, owner string) store.Record {
		return store.Record{Kind: "case", ID: "1", Version: version, Data: []byte(owner), Index: map[string]string{"owner": owner}}
	}
	err := db.Rebuild(t.Context(), func(ctx context.Context, l *redis.Loader) error {
		return l.Records(ctx, at(1, "a"), at(3, "b"), at(2, "c"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := db.Records().Get(t.Context(), "case", "1"); err != nil || got.Version != 3 {
		t.Fatalf("version %d, %v", got.Version, err)
	}
	for owner, n := range map[string]int{"a": 0, "b": 1, "c": 0} {
		got, _, err := db.Records().List(t.Context(), store.RecordQuery{Kind: "case", Index: "owner", Value: owner, Limit: 10})
		if err != nil || len(got) != n {
			t.Errorf("of %s: %d records, %v; want %d", owner, len(got), err, n)
		}
	}
	left := srv.Must("EVAL", "return #redis.call('KEYS', '*}i*')", "0")
	if left != "1" {
		t.Errorf("%s sets of owners are left, want 1", left)
	}
}

// TestOneAddressMayBeAClusters: the only node of a cluster, or a proxy before one, takes keys of one slot in a call. That is learned from
// its first refusal.
func TestOneAddressMayBeAClusters(t *testing.T) {
	srv := realserver.StartRedis(t, "--cluster-enabled", "yes")
	srv.Must("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
	db := open(t, single(srv)).Dossiers()
	r := rand.New(rand.NewPCG(5, 23))
	all := make([]kangma.Dossier, 100)
	for i := range all {
		all[i] = storetest.RandomDossier(r, storetest.RandomPerson(r, i), 1)
		all[i].Version, all[i].Sealed.Indexes = 1, nil
	}
	if err := db.Update(t.Context(), store.Mark{}, all...); !errors.Is(err, kangma.Unavailable) {
		t.Fatalf("%v, want %v: come again", err, kangma.Unavailable)
	}
	if err := db.Update(t.Context(), store.Mark{}, all...); err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if got, err := db.Get(t.Context(), d.Person); err != nil || got.Version != 1 {
			t.Fatalf("version %d, %v", got.Version, err)
		}
	}
}
