package storetest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

func journalCancelled(t *testing.T, j store.Journal, _ func() store.Journal) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := j.Append(ctx, journalEvents(1)...)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("append gave %v, want context.Canceled", err)
	}
	wantJournalKind(t, err, kangma.Unavailable)
	if _, err = j.After(ctx, 0, 10); !errors.Is(err, context.Canceled) {
		t.Fatalf("after gave %v, want context.Canceled", err)
	}
	if got := journalAppend(t, j, journalEvents(1)...); got != 1 {
		t.Fatalf("got position %d, want 1", got)
	}
}

func journalAliasing(t *testing.T, j store.Journal, _ func() store.Journal) {
	data := []byte("before")
	e := kangma.Event{ID: kangma.EventID{1}, Kind: kangma.EventRecord, Data: data}
	journalAppend(t, j, e)
	copy(data, "after!")
	first := journalAll(t, j, 0, 10)
	if got := first[0].Event.Data; !bytes.Equal(got, []byte("before")) {
		t.Fatalf("got data %q", got)
	}
	copy(first[0].Event.Data, "reader")
	if got := journalAll(t, j, 0, 10)[0].Event.Data; !bytes.Equal(got, []byte("before")) {
		t.Fatalf("got data %q after a reader changed its copy", got)
	}
}

func journalRelease(t *testing.T, j store.Journal, _ func() store.Journal) {
	journalAppend(t, j, journalEvents(10)...)
	for _, pos := range []store.Position{0, 4, 10, 10, 3} {
		if err := j.Release(t.Context(), pos); err != nil {
			t.Fatalf("release %d: %v", pos, err)
		}
	}
	wantJournalKind(t, j.Release(t.Context(), 11), kangma.Invalid)
	if got := journalAll(t, j, 4, 10); len(got) != 6 {
		t.Fatalf("got %d entries behind what was released, want 6", len(got))
	}
}

func journalReopen(t *testing.T, j store.Journal, reopen func() store.Journal) {
	want := journalEvents(40)
	for i := range 4 {
		journalAppend(t, j, want[10*i:][:10]...)
		recorded := journalAll(t, j, 0, 100)
		j = reopen()
		got := journalAll(t, j, 0, 100)
		journalWant(t, got, want[:10*(i+1)])
		for k := range got {
			if !got[k].Recorded.Equal(recorded[k].Recorded) {
				t.Fatalf("position %d changed its time", got[k].Position)
			}
		}
	}
	if got := journalAppend(t, j, want[0]); got != 41 {
		t.Fatalf("got position %d, want 41", got)
	}
}
