package storetest

import (
	"strconv"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Marks is the conformance suite of what Dossiers and Records of one backend promise together: how far a journal is
// applied is written with the dossiers and read as a record.
func Marks(t *testing.T, open Opener[State]) {
	check(t, open, "a mark is written when nothing was lost", func(t *testing.T, s State) {
		r := source(t, 21)
		wantMark(t, s, "node:一", 0)
		d := RandomDossier(r, RandomPerson(r, -1), 1)
		wantOK(t, s.Dossiers.Update(t.Context(), store.Mark{Node: "node:一", Applied: 41}, d))
		wantMark(t, s, "node:一", 41)
		wantOK(t, s.Dossiers.Update(t.Context(), store.Mark{Node: "node:一", Applied: 1 << 40})) // alone
		wantMark(t, s, "node:一", 1<<40)
		wantMark(t, s, "node", 0)
	})
	check(t, open, "a mark is not written when somebody lost", func(t *testing.T, s State) {
		r := source(t, 22)
		a, b := RandomDossier(r, RandomPerson(r, -1), 1), RandomDossier(r, RandomPerson(r, -1), 1)
		wantOK(t, s.Dossiers.Update(t.Context(), store.Mark{Node: "n", Applied: 5}, a))
		wantLost(t, s.Dossiers.Update(t.Context(), store.Mark{Node: "n", Applied: 9}, b, a), a.Person)
		wantMark(t, s, "n", 5)
	})
	check(t, open, "nodes have their marks each, and records rise beside them", func(t *testing.T, s State) {
		for i := range 20 {
			node := "n" + strconv.Itoa(i%3)
			wantOK(t, s.Dossiers.Update(t.Context(), store.Mark{Node: node, Applied: store.Position(i + 1)}))
			wantMark(t, s, node, store.Position(i+1))
		}
		got, _, err := s.Records.List(t.Context(), store.RecordQuery{Kind: "applied", Limit: 10})
		if err != nil || len(got) != 3 {
			t.Errorf("got %d marks, %v, want 3", len(got), err)
		}
	})
	reopened(t, open, "a mark is there after opening again", func(t *testing.T, s State) {
		wantOK(t, s.Dossiers.Update(t.Context(), store.Mark{Node: "n", Applied: 77}))
	}, func(t *testing.T, s State) { wantMark(t, s, "n", 77) })
}

// wantMark checks a mark; 0 means there is none.
func wantMark(t *testing.T, s State, node string, want store.Position) {
	t.Helper()
	rec, err := s.Records.Get(t.Context(), "applied", node)
	if want == 0 {
		wantKind(t, err, kangma.NotFound)
		return
	}
	if err != nil || string(rec.Data) != strconv.FormatUint(uint64(want), 10) {
		t.Errorf("mark of %s: got %q, %v, want %d", node, rec.Data, err, want)
	}
}
