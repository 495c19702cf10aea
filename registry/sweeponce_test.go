package registry_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// again tells whether a new sweep is asked for.
func (w *town) again() bool {
	select {
	case <-w.Changed():
		return true
	default:
		return false
	}
}

func TestAStartIsSweptOnceAndAPublicationOnceMore(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	w.fill(t)
	w.close(t)
	w = open(t, dir) // reads rules and areas that are in force already
	defer w.close(t)
	w.sweep(t, map[kangma.PersonID][]registry.Transition{})
	if w.again() {
		t.Error("the first sweep after a start found everything, and yet a second one is asked for")
	}
	if _, err := w.PublishAreas(t.Context(), list("2022-08-08 12", "海丰县/甲小区")); err != nil {
		t.Fatal(err)
	}
	if !w.again() {
		t.Error("nobody looks for who changed by what was published")
	}
	if _, err := w.PublishAreas(t.Context(), list("2022-08-08 13", "海丰县/乙小区")); err != nil {
		t.Fatal(err)
	}
	w.sweep(t, map[kangma.PersonID][]registry.Transition{})
	if w.again() {
		t.Error("a sweep that began after the publication is not enough")
	}
}

func TestASweepThatGoesOnDoesNotStandForTheWhole(t *testing.T) {
	w, _ := sweptTown(t)
	defer w.close(t)
	w.sweep(t, map[kangma.PersonID][]registry.Transition{})
	stop, pages := errors.New("stop"), 0
	_, err := w.Sweep(t.Context(), registry.SweepConfig{Yield: func(context.Context) error {
		if pages++; pages > 100 {
			return stop
		}
		return nil
	}})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if _, err := w.PublishAreas(t.Context(), list("2022-08-08 14", "海丰县/甲小区")); err != nil {
		t.Fatal(err)
	}
	w.sweep(t, map[kangma.PersonID][]registry.Transition{}) // those before page 100 were judged by the old list
	if !w.again() {
		t.Error("nobody looks again at those who were looked at before the publication")
	}
}

// meanwhile is a store of records in which something happens while a sweep notes that it begins.
type meanwhile struct {
	store.Records
	once func()
}

func (m *meanwhile) Put(ctx context.Context, rec store.Record) error {
	if f := m.once; f != nil && rec.Kind == "sweep" {
		m.once = nil
		f()
	}
	return m.Records.Put(ctx, rec)
}

func TestWhatIsPublishedWhileASweepBeginsIsSweptFor(t *testing.T) {
	m := &meanwhile{}
	w := openWith(t, t.TempDir(), func(c *registry.Config) { m.Records = c.Records; c.Records = m })
	defer w.close(t)
	w.fill(t)
	w.sweep(t, map[kangma.PersonID][]registry.Transition{})
	w.again()
	m.once = func() {
		w.clock.Add(int64(time.Second)) // the store is slow
		if _, err := w.PublishAreas(t.Context(), list("2022-08-08 12", "海丰县/甲小区")); err != nil {
			t.Error(err)
		}
	}
	w.sweep(t, map[kangma.PersonID][]registry.Transition{})
	if !w.again() {
		t.Error("the sweep looks at a moment before the publication, and nobody looks again")
	}
}
