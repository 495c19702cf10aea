package registry_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

func TestBatchesOfTheSamePeopleAtOnceLoseNothing(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := context.Background()
	const people, each, senders = 20, 6, 4
	ids := make([]kangma.PersonID, people)
	for i := range ids {
		var err error
		if ids[i], _, err = w.Register(ctx, registration(t, i)); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			var items []registry.Item
			for i := range people * each {
				items = append(items, registry.Item{Person: ids[i%people], Evidence: negative(now.Add(-time.Duration(s*1000+i) * time.Second))})
			}
			items = append(items, registry.Item{Person: kangma.PersonID{9}, Evidence: negative(now)}) // nobody
			for range 2 {                                                                             // and the same again
				if err := w.Submit(ctx, items...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if d, err := w.Dossier(ctx, id); err != nil || len(d.Evidence) != each*senders {
			t.Errorf("%d pieces, want %d, %v", len(d.Evidence), each*senders, err)
		}
	}
}

func TestABatchThatIsNotAppliedIsNotAcknowledged(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	ctx := context.Background()
	id, _, err := w.Register(ctx, registration(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	items := []registry.Item{{Person: id, Evidence: negative(now.Add(-time.Hour))}, {Person: id, Evidence: negative(now.Add(-2 * time.Hour))}}
	w.dossiers.set(kangma.E(kangma.Unavailable, "store", "away"))
	if err := w.Submit(ctx, items...); kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("acknowledged: %v", err)
	}
	w.dossiers.set(nil)
	if err := w.Submit(ctx, items...); err != nil {
		t.Fatal(err)
	}
	if d, err := w.Dossier(ctx, id); err != nil || len(d.Evidence) != 2 {
		t.Errorf("%d pieces, %v", len(d.Evidence), err)
	}
}
