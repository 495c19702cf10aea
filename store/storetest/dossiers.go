package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Dossiers is the conformance suite of store.Dossiers.
func Dossiers(t *testing.T, open Opener[store.Dossiers]) {
	check(t, open, "a dossier comes back exactly as it was stored", dossiersComeBack)
	check(t, open, "nobody is found where nobody is", dossiersNobody)
	check(t, open, "only the next version is stored", dossiersNextVersion)
	check(t, open, "those that lost are listed and the others stored", dossiersPartlyLost)
	check(t, open, "an index finds its newest owner and goes with the dossier", dossiersIndexes)
	check(t, open, "a partition is scanned in order without skip or repeat", dossiersScan)
	check(t, open, "of 64 racing updates exactly one wins", dossiersRace)
	check(t, open, "operations on one person are linearizable", func(t *testing.T, s store.Dossiers) { wantOK(t, Linear(51, s)) })
	check(t, open, "several people are read at once", dossiersGetMany)
	check(t, open, "a thousand dossiers go in one update", dossiersMany)
	check(t, open, "what is returned is the caller's own", dossiersOwn)
	check(t, open, "an erased person is stored like any other", dossiersErased)
	check(t, open, "a call whose context is over does nothing", dossiersCanceled)
	var kept []kangma.Dossier
	reopened(t, open, "what was stored is there after opening again", func(t *testing.T, s store.Dossiers) {
		r := source(t, 11)
		for range 50 {
			kept = append(kept, RandomDossier(r, RandomPerson(r, -1), r.IntN(9)))
		}
		wantOK(t, s.Update(t.Context(), store.Mark{}, kept...))
	}, func(t *testing.T, s store.Dossiers) {
		for _, d := range kept {
			wantDossier(t, s, d)
		}
	})
}

func dossiersGetMany(t *testing.T, s store.Dossiers) {
	r := source(t, 17)
	var people []kangma.PersonID
	want := map[kangma.PersonID]kangma.Dossier{}
	for i := range 300 {
		id := RandomPerson(r, -1)
		people = append(people, id)
		if i%3 > 0 {
			want[id] = RandomDossier(r, id, 2)
			wantOK(t, s.Update(t.Context(), store.Mark{}, want[id]))
		}
	}
	for round := range 3 {
		for _, ask := range [][]kangma.PersonID{people, people[:1], people[1:2], people[7:71], nil} {
			got, err := store.GetMany(t.Context(), s, ask)
			wantOK(t, err)
			if len(got) != len(ask) {
				t.Fatalf("asked for %d, got %d", len(ask), len(got))
			}
			for i, id := range ask {
				if !reflect.DeepEqual(got[i], want[id]) {
					t.Fatalf("round %d, number %d:\ngot  %+v\nwant %+v", round, i, got[i], want[id])
				}
			}
		}
		for i, id := range people { // what changed since, or came, is seen
			if d, there := want[id]; there == (i%2 == 0) {
				next := RandomDossier(r, id, 3)
				next.Version = d.Version + 1
				want[id] = next
				wantOK(t, s.Update(t.Context(), store.Mark{}, next))
			}
		}
	}
	_, err := store.GetMany(canceled(), s, people)
	if err == nil {
		t.Error("read with a context that is over")
	}
}

func wantDossier(t *testing.T, s store.Dossiers, want kangma.Dossier) {
	t.Helper()
	got, err := s.Get(t.Context(), want.Person)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func wantLost(t *testing.T, err error, people ...kangma.PersonID) {
	t.Helper()
	var lost *store.Lost
	if !errors.As(err, &lost) || !errors.Is(err, kangma.Conflict) {
		t.Fatalf("got error %v, want a *store.Lost", err)
	}
	byBytes := func(a, b kangma.PersonID) int { return slices.Compare(a[:], b[:]) }
	got := slices.SortedFunc(slices.Values(lost.People), byBytes)
	if want := slices.SortedFunc(slices.Values(people), byBytes); !slices.Equal(got, want) {
		t.Errorf("lost: got %v, want %v", got, want)
	}
}

func dossiersComeBack(t *testing.T, s store.Dossiers) {
	r := source(t, 1)
	for i := range 40 {
		d := RandomDossier(r, RandomPerson(r, -1), i%12)
		wantOK(t, s.Update(t.Context(), store.Mark{}, d))
		wantDossier(t, s, d)
		d.Version, d.Evidence = 2, append(d.Evidence, randomEvidence(r, d.Registered))
		d.Guardians = []kangma.Guardianship{{Guardian: RandomPerson(r, -1), From: d.Registered, Until: d.Registered.AddDate(0, 0, 30), Relation: "child", Accepted: true}}
		d.Applied = []kangma.EventID{{1, byte(i)}}
		wantOK(t, s.Update(t.Context(), store.Mark{}, d))
		wantDossier(t, s, d)
	}
}

func dossiersNobody(t *testing.T, s store.Dossiers) {
	_, err := s.Get(t.Context(), kangma.PersonID{9})
	wantKind(t, err, kangma.NotFound)
	_, err = s.Lookup(t.Context(), kangma.BlindIndex{9})
	wantKind(t, err, kangma.NotFound)
	wantOK(t, s.Update(t.Context(), store.Mark{})) // nothing to do is not an error
	for _, p := range []int{0, 128, 255} {
		if got, err := s.Scan(t.Context(), p, kangma.PersonID{}, 10); err != nil || len(got) != 0 {
			t.Errorf("partition %d: got %d dossiers, %v", p, len(got), err)
		}
	}
}

func dossiersNextVersion(t *testing.T, s store.Dossiers) {
	r := source(t, 2)
	d := RandomDossier(r, RandomPerson(r, -1), 3)
	for _, v := range []uint64{0, 2, 3} {
		d.Version = v
		wantLost(t, s.Update(t.Context(), store.Mark{}, d), d.Person)
	}
	_, err := s.Get(t.Context(), d.Person)
	wantKind(t, err, kangma.NotFound)
	d.Version = 1
	wantOK(t, s.Update(t.Context(), store.Mark{}, d))
	for _, v := range []uint64{0, 1, 3, 1 << 63} {
		same := d
		same.Version = v
		wantLost(t, s.Update(t.Context(), store.Mark{}, same), d.Person)
		other := RandomDossier(r, d.Person, 1) // with other indexes
		other.Version = v
		wantLost(t, s.Update(t.Context(), store.Mark{}, other), d.Person)
		_, err := s.Lookup(t.Context(), other.Sealed.Indexes[0]) // neither did its indexes
		wantKind(t, err, kangma.NotFound)
	}
	wantDossier(t, s, d)
}

func dossiersPartlyLost(t *testing.T, s store.Dossiers) {
	r := source(t, 3)
	var all []kangma.Dossier
	for range 10 {
		all = append(all, RandomDossier(r, RandomPerson(r, -1), 2))
	}
	wantOK(t, s.Update(t.Context(), store.Mark{}, all[3], all[7]))
	var lost []kangma.PersonID
	for _, i := range []int{3, 7} {
		stale := RandomDossier(r, all[i].Person, 5) // version 1 again
		lost = append(lost, stale.Person)
		all[i], stale = stale, all[i]
		defer wantDossier(t, s, stale)
	}
	wantLost(t, s.Update(t.Context(), store.Mark{}, all...), lost...)
	for i, d := range all {
		if i != 3 && i != 7 {
			wantDossier(t, s, d)
		}
	}
}

func dossiersIndexes(t *testing.T, s store.Dossiers) {
	r := source(t, 4)
	find := func(x kangma.BlindIndex, want kangma.PersonID) {
		t.Helper()
		if got, err := s.Lookup(t.Context(), x); err != nil || got != want {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	a, b := RandomDossier(r, RandomPerson(r, -1), 1), RandomDossier(r, RandomPerson(r, -1), 1)
	shared, old, fresh := RandomIndex(r), RandomIndex(r), RandomIndex(r)
	a.Sealed.Indexes = []kangma.BlindIndex{shared, old}
	wantOK(t, s.Update(t.Context(), store.Mark{}, a))
	find(shared, a.Person)
	find(old, a.Person)
	b.Sealed.Indexes = []kangma.BlindIndex{shared}
	wantOK(t, s.Update(t.Context(), store.Mark{}, b))
	find(shared, b.Person) // moved to its newest owner
	a.Version, a.Sealed.Indexes = 2, []kangma.BlindIndex{fresh}
	wantOK(t, s.Update(t.Context(), store.Mark{}, a))
	find(fresh, a.Person)
	find(shared, b.Person) // the old owner letting go takes nothing from the new one
	_, err := s.Lookup(t.Context(), old)
	wantKind(t, err, kangma.NotFound)
	b.Version, b.Sealed = 2, kangma.SealedIdentity{}
	wantOK(t, s.Update(t.Context(), store.Mark{}, b))
	_, err = s.Lookup(t.Context(), shared)
	wantKind(t, err, kangma.NotFound)
	a.Version = 3 // unchanged indexes stay
	wantOK(t, s.Update(t.Context(), store.Mark{}, a))
	find(fresh, a.Person)
}

func dossiersScan(t *testing.T, s store.Dossiers) {
	r := source(t, 5)
	want := map[int][]kangma.PersonID{}
	var all []kangma.Dossier
	for i := range 600 {
		d := RandomDossier(r, RandomPerson(r, []int{0, 7, 255}[i%3]), 1)
		all = append(all, d)
		want[int(d.Person[0])] = append(want[int(d.Person[0])], d.Person)
	}
	wantOK(t, s.Update(t.Context(), store.Mark{}, all...))
	scan := func(partition, limit int, between func()) (got []kangma.PersonID) {
		after := kangma.PersonID{}
		for {
			page, err := s.Scan(t.Context(), partition, after, limit)
			wantOK(t, err)
			if len(page) > limit {
				t.Fatalf("got %d dossiers, limit %d", len(page), limit)
			}
			if len(page) == 0 {
				return got
			}
			for _, d := range page {
				got = append(got, d.Person)
				if len(d.Evidence) != 1 {
					t.Errorf("a scanned dossier has %d pieces of evidence, want 1", len(d.Evidence))
				}
			}
			after = page[len(page)-1].Person
			between()
		}
	}
	for partition, ids := range want {
		slices.SortFunc(ids, func(a, b kangma.PersonID) int { return slices.Compare(a[:], b[:]) })
		for _, limit := range []int{1, 7, 1000} {
			if got := scan(partition, limit, func() {}); !slices.Equal(got, ids) {
				t.Errorf("partition %d, pages of %d: got %d people, want %d in order", partition, limit, len(got), len(ids))
			}
		}
	}
	if got := scan(8, 10, func() {}); len(got) != 0 {
		t.Errorf("an empty partition: got %d people", len(got))
	}
	got := scan(7, 20, func() { // people who register meanwhile do no harm to the others
		wantOK(t, s.Update(t.Context(), store.Mark{}, RandomDossier(r, RandomPerson(r, 7), 1)))
	})
	for _, id := range want[7] {
		if n := len(got) - len(slices.DeleteFunc(slices.Clone(got), func(g kangma.PersonID) bool { return g == id })); n != 1 {
			t.Errorf("%v was scanned %d times while others came in", id, n)
		}
	}
	if !slices.IsSortedFunc(got, func(a, b kangma.PersonID) int { return slices.Compare(a[:], b[:]) }) {
		t.Error("the scan was out of order while others came in")
	}
}

func dossiersRace(t *testing.T, s store.Dossiers) {
	r := source(t, 6)
	person := RandomPerson(r, -1)
	for version := uint64(1); version <= 10; version++ {
		var wins, losses atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for g := range 64 {
			d := RandomDossier(r, person, 1)
			d.Version, d.Home.Community = version, strconv.Itoa(g)
			wg.Go(func() {
				<-start
				err := s.Update(context.Background(), store.Mark{}, d)
				switch {
				case err == nil:
					wins.Add(1)
				case errors.Is(err, kangma.Conflict):
					losses.Add(1)
				default:
					t.Error(err)
				}
				if got, err := s.Get(context.Background(), person); err != nil || got.Version < version {
					t.Errorf("after version %d was decided: got version %d, %v", version, got.Version, err)
				}
			})
		}
		close(start)
		wg.Wait()
		if wins.Load() != 1 || losses.Load() != 63 {
			t.Errorf("version %d: %d won and %d lost, want 1 and 63", version, wins.Load(), losses.Load())
		}
	}
}

func dossiersMany(t *testing.T, s store.Dossiers) {
	r := source(t, 7)
	var all []kangma.Dossier
	for range 1000 {
		all = append(all, RandomDossier(r, RandomPerson(r, -1), 4))
	}
	wantOK(t, s.Update(t.Context(), store.Mark{}, all...))
	for i := range all {
		all[i].Version = 2
	}
	wantOK(t, s.Update(t.Context(), store.Mark{}, all...))
	for i := 0; i < len(all); i += 37 {
		wantDossier(t, s, all[i])
	}
}

func dossiersOwn(t *testing.T, s store.Dossiers) {
	r := source(t, 8)
	d := RandomDossier(r, RandomPerson(r, -1), 3)
	wantOK(t, s.Update(t.Context(), store.Mark{}, d))
	before, err := s.Get(t.Context(), d.Person)
	wantOK(t, err)
	before.Sealed.Fields["identity"][0] ^= 1
	before.Sealed.Indexes[0][0] ^= 1
	before.Evidence[0].Source = "changed"
	wantDossier(t, s, d)
}

func dossiersErased(t *testing.T, s store.Dossiers) {
	r := source(t, 9)
	d := RandomDossier(r, RandomPerson(r, 3), 3)
	wantOK(t, s.Update(t.Context(), store.Mark{}, d))
	gone := kangma.Dossier{Person: d.Person, Version: 2, Applied: []kangma.EventID{{4}}}
	wantOK(t, s.Update(t.Context(), store.Mark{}, gone))
	wantDossier(t, s, gone)
	_, err := s.Lookup(t.Context(), d.Sealed.Indexes[0])
	wantKind(t, err, kangma.NotFound)
	if page, err := s.Scan(t.Context(), 3, kangma.PersonID{}, 10); err != nil || len(page) != 1 {
		t.Errorf("scan: got %d, %v, want the erased person", len(page), err)
	}
}

func dossiersCanceled(t *testing.T, s store.Dossiers) {
	r := source(t, 10)
	d := RandomDossier(r, RandomPerson(r, -1), 1)
	wantCanceled(t, s.Update(canceled(), store.Mark{Node: "n", Applied: 1}, d))
	_, err := s.Get(t.Context(), d.Person)
	wantKind(t, err, kangma.NotFound)
	_, err = s.Get(canceled(), d.Person)
	wantCanceled(t, err)
	_, err = s.Lookup(canceled(), d.Sealed.Indexes[0])
	wantCanceled(t, err)
	_, err = s.Scan(canceled(), 0, kangma.PersonID{}, 10)
	wantCanceled(t, err)
}
