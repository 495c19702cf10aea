package storetest

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/kangma/kangma/store"
)

// recordsDump holds for stores that can be copied as a whole; wrappers need not.
func recordsDump(t *testing.T, s store.Records) {
	d, ok := s.(store.Dumper)
	if !ok {
		t.Logf("%T is no store.Dumper", s)
		return
	}
	want := map[string]store.Record{}
	for i := range 700 { // more than a page
		r := store.Record{Kind: fmt.Sprintf("kind-%d", i%3), ID: fmt.Sprintf("id:%d:甲", i), Version: 1, Data: []byte{byte(i)}, Index: map[string]string{"owner": "o"}}
		wantOK(t, s.Put(t.Context(), r))
		if i%10 == 0 {
			r = store.Record{Kind: r.Kind, ID: r.ID, Version: 2, Deleted: true}
			wantOK(t, s.Put(t.Context(), r))
		}
		want[r.Kind+"/"+r.ID] = r
	}
	got := map[string]store.Record{}
	wantOK(t, d.Dump(t.Context(), func(page []store.Record) error {
		for _, r := range page {
			if _, twice := got[r.Kind+"/"+r.ID]; twice {
				t.Errorf("%s %s came twice", r.Kind, r.ID)
			}
			got[r.Kind+"/"+r.ID] = r
		}
		return nil
	}))
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for key, w := range want {
		if !sameRecord(got[key], w) {
			t.Errorf("%s: got %+v, want %+v", key, got[key], w)
		}
	}
}

// warehouseArchive holds for warehouses that give back what they were loaded with; wrappers need not.
func warehouseArchive(t *testing.T, w store.Warehouse) {
	a, ok := w.(store.Archive)
	if !ok {
		t.Logf("%T is no store.Archive", w)
		return
	}
	town := NewTown(source(t, 5))
	all := town.Passages(300)
	one, two := BatchOf("node:一", 10, all[:200]...), BatchOf("node-2", 0, all[150:]...)
	for _, b := range []store.Batch{one, two, one} {
		wantOK(t, w.Load(t.Context(), b))
	}
	nodes, err := a.Nodes(t.Context())
	wantOK(t, err)
	if want := map[string]store.Position{"node:一": one.To, "node-2": two.To}; !reflect.DeepEqual(nodes, want) {
		t.Errorf("got nodes %v, want %v", nodes, want)
	}
	rows, err := a.Rows(t.Context(), "node:一", 21, 40)
	wantOK(t, err)
	if want := one.Rows[10:30]; !reflect.DeepEqual(rows, want) {
		t.Errorf("got %d rows, want the %d at positions 21 to 40", len(rows), len(want))
	}
	if rows, err := a.Rows(t.Context(), "nobody", 0, 1<<40); err != nil || len(rows) > 0 {
		t.Errorf("a node that never loaded: got %d rows, %v", len(rows), err)
	}
	got := map[string]store.Row{}
	wantOK(t, a.All(t.Context(), func(node string, rows []store.Row) error {
		for _, r := range rows {
			key := fmt.Sprint(node, r.Passage.ID)
			if _, twice := got[key]; twice {
				t.Errorf("%s came twice", key)
			}
			got[key] = r
		}
		return nil
	}))
	if len(got) != len(all) {
		t.Errorf("got %d passages, want %d", len(got), len(all))
	}
	for _, b := range []store.Batch{one, {Node: "node-2", Rows: two.Rows[50:]}} { // the first one loaded stays
		for _, r := range b.Rows {
			if !reflect.DeepEqual(got[fmt.Sprint(b.Node, r.Passage.ID)], r) {
				t.Fatalf("position %d of %s: got %+v, want %+v", r.Position, b.Node, got[fmt.Sprint(b.Node, r.Passage.ID)], r)
			}
		}
	}
}
