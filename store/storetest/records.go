package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Records is the conformance suite of store.Records.
func Records(t *testing.T, open Opener[store.Records]) {
	check(t, open, "a record comes back exactly as it was put", recordsComeBack)
	check(t, open, "nothing is found where nothing is", recordsNothing)
	check(t, open, "only the next version is put", recordsNextVersion)
	check(t, open, "kinds and ids are never confused", recordsNames)
	check(t, open, "what is no record is refused", recordsInvalid)
	check(t, open, "a deleted record is a tombstone whose version goes on", recordsTombstone)
	check(t, open, "an index lists what carries it now", recordsIndex)
	check(t, open, "a cursor neither skips nor repeats while others come and go", recordsCursor)
	check(t, open, "of 64 racing puts exactly one wins", recordsRace)
	check(t, open, "a record holds 16 MiB and not a byte more", recordsLarge)
	check(t, open, "what is returned is the caller's own", recordsOwn)
	check(t, open, "a call whose context is over does nothing", recordsCanceled)
	reopened(t, open, "what was put is there after opening again", func(t *testing.T, s store.Records) {
		for i := range 30 {
			wantOK(t, s.Put(t.Context(), gateRecord(i, 1)))
		}
		gone := gateRecord(3, 2)
		gone.Deleted = true
		wantOK(t, s.Put(t.Context(), gone))
	}, func(t *testing.T, s store.Records) {
		wantRecord(t, s, gateRecord(7, 1))
		r, err := s.Get(t.Context(), "gate", gateRecord(3, 0).ID)
		wantKind(t, err, kangma.NotFound)
		if r.Version != 2 {
			t.Errorf("tombstone: got version %d, want 2", r.Version)
		}
		if got := listAll(t, s, store.RecordQuery{Kind: "gate", Index: "org", Value: "机构:0", Limit: 4}, nil); len(got) != 9 {
			t.Errorf("by index: got %d, want 9", len(got))
		}
	})
	check(t, open, "a dump gives every record of every kind, tombstones too", recordsDump)
}

func gateRecord(i int, version uint64) store.Record {
	return store.Record{Kind: "gate", ID: fmt.Sprintf("卡口:%%%03d", i), Version: version, Data: []byte(fmt.Sprint("data ", i, version)),
		Index: map[string]string{"org": fmt.Sprint("机构:", i%3), "status": "on"}}
}

func wantRecord(t *testing.T, s store.Records, want store.Record) {
	t.Helper()
	got, err := s.Get(t.Context(), want.Kind, want.ID)
	if err != nil || !sameRecord(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func sameRecord(a, b store.Record) bool {
	return a.Kind == b.Kind && a.ID == b.ID && a.Version == b.Version && a.Deleted == b.Deleted &&
		bytes.Equal(a.Data, b.Data) && maps.Equal(a.Index, b.Index)
}

// listAll pages through a list, calling between after every page.
func listAll(t *testing.T, s store.Records, q store.RecordQuery, between func()) (all []store.Record) {
	t.Helper()
	for pages := 0; ; pages++ {
		page, next, err := s.List(t.Context(), q)
		wantOK(t, err)
		if len(page) > q.Limit || pages > 10_000 {
			t.Fatalf("got %d records in page %d, limit %d", len(page), pages, q.Limit)
		}
		all = append(all, page...)
		if next == "" {
			return all
		}
		q.After = next
		if between != nil {
			between()
		}
	}
}

func recordsComeBack(t *testing.T, s store.Records) {
	for i := range 20 {
		for v := range uint64(3) {
			r := gateRecord(i, v+1)
			wantOK(t, s.Put(t.Context(), r))
			wantRecord(t, s, r)
		}
	}
	bare := store.Record{Kind: "x", ID: "y", Version: 1}
	wantOK(t, s.Put(t.Context(), bare))
	wantRecord(t, s, bare)
}

func recordsNothing(t *testing.T, s store.Records) {
	_, err := s.Get(t.Context(), "gate", "none")
	wantKind(t, err, kangma.NotFound)
	got, next, err := s.List(t.Context(), store.RecordQuery{Kind: "gate", Limit: 10})
	if err != nil || len(got) != 0 || next != "" {
		t.Errorf("got %v, %q, %v", got, next, err)
	}
}

func recordsNextVersion(t *testing.T, s store.Records) {
	r := gateRecord(1, 0)
	for _, v := range []uint64{0, 2, 1 << 63} {
		r.Version = v
		wantKind(t, s.Put(t.Context(), r), kangma.Conflict)
	}
	r.Version = 1
	wantOK(t, s.Put(t.Context(), r))
	for _, v := range []uint64{0, 1, 3} {
		wantKind(t, s.Put(t.Context(), gateRecord(1, v)), kangma.Conflict)
	}
	wantRecord(t, s, r)
}

func recordsNames(t *testing.T, s store.Records) {
	names := [][2]string{{"a", "b:c"}, {"a", "b"}, {"a-b", "c"}, {"a", "-b"}, {"a", "b%3ac"}, {"a", "b%"}, {"a", "B"}, {"a", "b "},
		{"a", "个"}, {"a", "个:个"}, {"a", "{b}"}, {"a", "b}c"}, {"a", "b\x00c"}, {"a", "b/c"}, {"a", "b*"}, {"a", "*"}, {"a", "?"},
		{"a", "'; drop table record; --"}, {"a", strings.Repeat("长", 66) + "xx"}}
	for i, n := range names {
		wantOK(t, s.Put(t.Context(), store.Record{Kind: n[0], ID: n[1], Version: 1, Data: []byte{byte(i + 1)}, Index: map[string]string{"self": n[1]}}))
	}
	for i, n := range names {
		r, err := s.Get(t.Context(), n[0], n[1])
		if err != nil || !bytes.Equal(r.Data, []byte{byte(i + 1)}) {
			t.Errorf("%q: got %v, %v, want record %d", n, r.Data, err, i+1)
		}
		got := listAll(t, s, store.RecordQuery{Kind: n[0], Index: "self", Value: n[1], Limit: 5}, nil)
		if len(got) != 1 || got[0].ID != n[1] {
			t.Errorf("%q by index: got %d records", n, len(got))
		}
	}
	got := listAll(t, s, store.RecordQuery{Kind: "a", Limit: 3}, nil)
	if len(got) != len(names)-1 || !slices.IsSortedFunc(got, func(a, b store.Record) int { return strings.Compare(a.ID, b.ID) }) {
		t.Errorf("got %d records, want %d in order of id by bytes", len(got), len(names)-1)
	}
}

func recordsInvalid(t *testing.T, s store.Records) {
	for _, r := range []store.Record{
		{Kind: "", ID: "x"}, {Kind: "Gate", ID: "x"}, {Kind: "a:b", ID: "x"}, {Kind: "a", ID: ""},
		{Kind: "a", ID: strings.Repeat("x", 201)}, {Kind: "a", ID: "\xff"}, {Kind: "a", ID: "x", Index: map[string]string{"": "v"}},
	} {
		r.Version = 1
		wantKind(t, s.Put(t.Context(), r), kangma.Invalid)
	}
	for _, q := range []store.RecordQuery{{Kind: "", Limit: 1}, {Kind: "a", Limit: 0}, {Kind: "a", Limit: 1001}, {Kind: "a", Limit: 1, After: "no cursor of ours \x00"}} {
		_, _, err := s.List(t.Context(), q)
		wantKind(t, err, kangma.Invalid)
	}
}

func recordsTombstone(t *testing.T, s store.Records) {
	wantOK(t, s.Put(t.Context(), gateRecord(1, 1)))
	wantOK(t, s.Put(t.Context(), gateRecord(2, 1)))
	gone := gateRecord(1, 2)
	gone.Deleted = true
	wantOK(t, s.Put(t.Context(), gone))
	r, err := s.Get(t.Context(), gone.Kind, gone.ID)
	wantKind(t, err, kangma.NotFound)
	if r.Version != 2 {
		t.Errorf("got version %d with the error, want 2", r.Version)
	}
	for _, q := range []store.RecordQuery{{Kind: "gate", Limit: 10}, {Kind: "gate", Index: "status", Value: "on", Limit: 10}} {
		if got := listAll(t, s, q, nil); len(got) != 1 || got[0].ID != gateRecord(2, 0).ID {
			t.Errorf("list %+v: got %d records, want the one that lives", q, len(got))
		}
	}
	wantKind(t, s.Put(t.Context(), gateRecord(1, 1)), kangma.Conflict)
	wantOK(t, s.Put(t.Context(), gateRecord(1, 3)))
	wantRecord(t, s, gateRecord(1, 3))
}

func recordsIndex(t *testing.T, s store.Records) {
	ids := func(index, value string) (ids []string) {
		for _, r := range listAll(t, s, store.RecordQuery{Kind: "case", Index: index, Value: value, Limit: 2}, nil) {
			ids = append(ids, r.ID)
		}
		return ids
	}
	put := func(id string, version uint64, index map[string]string) {
		t.Helper()
		wantOK(t, s.Put(t.Context(), store.Record{Kind: "case", ID: id, Version: version, Index: index}))
	}
	want := func(index, value string, want ...string) {
		t.Helper()
		if got := ids(index, value); !slices.Equal(got, want) {
			t.Errorf("%s=%s: got %q, want %q", index, value, got, want)
		}
	}
	for _, id := range []string{"c", "a", "b", "a:1"} {
		put(id, 1, map[string]string{"owner": "张:1", "status": "open"})
	}
	wantOK(t, s.Put(t.Context(), store.Record{Kind: "other", ID: "z", Version: 1, Index: map[string]string{"owner": "张:1"}}))
	want("owner", "张:1", "a", "a:1", "b", "c")
	want("owner", "张", []string{}...)
	put("b", 2, map[string]string{"owner": "李", "status": "open"})
	want("owner", "张:1", "a", "a:1", "c")
	want("owner", "李", "b")
	want("status", "open", "a", "a:1", "b", "c")
	put("b", 3, nil)
	want("owner", "李", []string{}...)
	want("status", "open", "a", "a:1", "c")
	want("nothing", "open", []string{}...)
}

func recordsCursor(t *testing.T, s store.Records) {
	for i := range 100 {
		wantOK(t, s.Put(t.Context(), gateRecord(2*i, 1)))
	}
	for _, index := range []bool{false, true} {
		q := store.RecordQuery{Kind: "gate", Limit: 7}
		if index {
			q.Index, q.Value = "status", "on"
		}
		n, before := 0, map[string]bool{}
		for _, r := range listAll(t, s, store.RecordQuery{Kind: "gate", Limit: 1000}, nil) {
			before[r.ID] = true
		}
		seen := map[string]int{}
		for _, r := range listAll(t, s, q, func() {
			fresh := gateRecord(1000*(n+1)+n, 1) // behind and before the cursor alike
			fresh.ID = fmt.Sprintf("卡口:%%%03d-%v", (n*61)%200, index)
			wantOK(t, s.Put(t.Context(), fresh))
			n++
		}) {
			seen[r.ID]++
		}
		for id := range before {
			if seen[id] != 1 {
				t.Errorf("by index %v: %s was listed %d times", index, id, seen[id])
			}
		}
		for id, n := range seen {
			if n > 1 {
				t.Errorf("by index %v: %s was listed %d times", index, id, n)
			}
		}
	}
}

func recordsRace(t *testing.T, s store.Records) {
	for version := uint64(1); version <= 10; version++ {
		var wins, losses atomic.Int64
		var wg sync.WaitGroup
		for g := range 64 {
			r := store.Record{Kind: "gate", ID: "one", Version: version, Data: []byte{byte(g)}, Index: map[string]string{"by": fmt.Sprint(g)}}
			wg.Go(func() {
				switch err := s.Put(context.Background(), r); {
				case err == nil:
					wins.Add(1)
				case errors.Is(err, kangma.Conflict):
					losses.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 || losses.Load() != 63 {
			t.Errorf("version %d: %d won and %d lost, want 1 and 63", version, wins.Load(), losses.Load())
		}
		r, err := s.Get(t.Context(), "gate", "one")
		wantOK(t, err)
		if got := listAll(t, s, store.RecordQuery{Kind: "gate", Index: "by", Value: fmt.Sprint(r.Data[0]), Limit: 5}, nil); len(got) != 1 {
			t.Errorf("version %d: the winner's index lists %d records", version, len(got))
		}
	}
}

func recordsLarge(t *testing.T, s store.Records) {
	r := source(t, 31)
	big := store.Record{Kind: "area-list", ID: "2022-07-10", Version: 1, Data: make([]byte, 16<<20)}
	fillBytes(r, big.Data[:1<<16])
	wantOK(t, s.Put(t.Context(), big))
	wantRecord(t, s, big)
	big.Version, big.Data = 2, append(big.Data, 1)
	wantKind(t, s.Put(t.Context(), big), kangma.TooLarge)
}

func recordsOwn(t *testing.T, s store.Records) {
	mine := gateRecord(1, 1)
	wantOK(t, s.Put(t.Context(), mine))
	mine.Data[0] ^= 1
	mine.Index["org"] = "changed"
	got, err := s.Get(t.Context(), mine.Kind, mine.ID)
	wantOK(t, err)
	got.Data[0] ^= 1
	got.Index["org"] = "changed"
	wantRecord(t, s, gateRecord(1, 1))
}

func recordsCanceled(t *testing.T, s store.Records) {
	wantCanceled(t, s.Put(canceled(), gateRecord(1, 1)))
	_, err := s.Get(t.Context(), "gate", gateRecord(1, 1).ID)
	wantKind(t, err, kangma.NotFound)
	_, err = s.Get(canceled(), "gate", "x")
	wantCanceled(t, err)
	_, _, err = s.List(canceled(), store.RecordQuery{Kind: "gate", Limit: 1})
	wantCanceled(t, err)
}
