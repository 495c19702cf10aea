package registry_test

import (
	"context"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

// accesses waits until the person's list has n views: it follows the journal.
func (w *town) accesses(t *testing.T, id kangma.PersonID, n int) (views []registry.View) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		views, err := w.Accesses(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		if len(views) == n || time.Now().After(deadline) {
			return views
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func view(id kangma.PersonID, at time.Time) registry.View {
	return registry.View{ID: kangma.NewEventID(at), At: at, Person: id, Access: kangma.Access{Account: "gate-1", Role: "gate", Purpose: "checkpoint"}}
}

func passageAt(at time.Time) kangma.Passage {
	return kangma.Passage{ID: kangma.NewEventID(at), At: at, Gate: "g", District: 441502000, Verified: "online", Reason: "ok"}
}

func TestViewsAreListedOnceNewestFirstAndBounded(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	ctx := t.Context()
	id, _, err := w.Register(ctx, registration(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	first := view(id, now)
	for range 3 { // a retry
		if err := w.AppendPassage(ctx, passageAt(now), first); err != nil {
			t.Fatal(err)
		}
	}
	if views := w.accesses(t, id, 1); len(views) != 1 || views[0].Account != "gate-1" || !views[0].At.Equal(now) || views[0].ID != first.ID {
		t.Fatalf("%+v", views)
	}
	var many []registry.View
	for i := range 250 {
		many = append(many, view(id, now.Add(time.Duration(i+1)*time.Second)))
	}
	if err := w.AppendPassages(ctx, nil, many); err != nil {
		t.Fatal(err)
	}
	w.close(t)

	w = open(t, dir) // what was not applied yet is applied now, from the journal
	defer w.close(t)
	views := w.accesses(t, id, 200)
	if len(views) != 200 || views[0].ID != many[249].ID || views[199].ID != many[50].ID {
		t.Fatalf("%d views, from %v to %v", len(views), views[0].At, views[len(views)-1].At)
	}
	if err := w.Erase(ctx, id); err != nil {
		t.Fatal(err)
	}
	if views := w.accesses(t, id, 0); len(views) != 0 {
		t.Errorf("erased, yet %d views stay", len(views))
	}
}

func TestAPassageWithAViewMovesTheMark(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := t.Context()
	id, _, err := w.Register(ctx, registration(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := w.AppendPassage(ctx, passageAt(now), view(id, now.Add(time.Duration(i)*time.Second))); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := w.journal.After(ctx, 0, 100)
	if err != nil || len(entries) != 11 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for w.Applied() != 11 && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	if got := w.Applied(); got != 11 {
		t.Errorf("applied up to %d of 11", got)
	}
}
