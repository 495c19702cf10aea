package clickhouse_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kangma/kangma/internal/realserver"
	"github.com/kangma/kangma/store"
)

// TestTheQuickLooksMissNothing: what lets a load skip the two dear look-ups must see every passage that is there already, and every
// one that is not there, or twice, after the insert.
func TestTheQuickLooksMissNothing(t *testing.T) {
	db, r := open(t, single(realserver.StartClickHouse(t))), source(t, 61)
	a := passages(r, 0, 1000, noon, time.Second)
	looks := func(what string, b store.Batch, there int, narrow, confirmed bool) {
		t.Helper()
		n, near, err := db.Narrow(t.Context(), b)
		ok, err2 := db.ConfirmNew(t.Context(), b)
		if err != nil || err2 != nil || n != there || near != narrow || ok != confirmed {
			t.Errorf("%s: %d there, narrow %v, confirmed %v (%v, %v); want %d, %v, %v", what, n, near, ok, err, err2, there, narrow, confirmed)
		}
	}
	blindly := func(b store.Batch) {
		t.Helper()
		if err := db.InsertBlindly(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	looks("nothing is there", a, 0, true, false)
	part := a
	part.Rows = a.Rows[:1]
	blindly(part)
	looks("one of a thousand", a, 1, true, false)
	part.Rows = a.Rows[1:]
	blindly(part)
	looks("all", a, 1000, false, true) // more than the quick look reads: the dear one counts them
	other := a
	other.Node = "another"
	looks("all, of another node", other, 1000, false, false)
	part.Rows = []store.Row{a.Rows[500]}
	other.Rows = part.Rows
	blindly(store.Batch{Node: "another", To: a.To, Rows: part.Rows})
	looks("one of them twice", a, 1000, false, false)

	late := passages(r, a.To, 10, noon.Add(time.Hour), time.Second)
	early := slices.Clone(late.Rows)
	early[0].Passage.At, early[0].Passage.ID = noon, eventID(r, noon)
	late.Rows = early
	looks("ten that span what a thousand others do", late, 0, false, false)
	load(t, db, late)
	looks("loaded all the same, with the copy in between", late, 10, false, false)
}
