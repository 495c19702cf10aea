package registry_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

// held gives the state of one approval.
func (w *town) held(t *testing.T, id string) registry.Held {
	t.Helper()
	all, err := w.ListHeld(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if h.ID == id {
			return h
		}
	}
	t.Fatal("no such approval")
	return registry.Held{}
}

func TestACountThatTakesLongGoesOnInTheBackground(t *testing.T) {
	w := openWith(t, t.TempDir(), func(c *registry.Config) { c.Patience = 1 })
	defer w.close(t)
	ctx := t.Context()
	if _, err := w.PublishAreas(ctx, list("2022-08-08 11", "城区/甲小区")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.PublishRules(ctx, "old", variant(t, "from: 2022-06-28", "old", false).YAML); err != nil {
		t.Fatal(err)
	}
	id := w.people(t, 12, "乙小区")[0]
	propose := func(p registry.Publication) *registry.Held {
		t.Helper()
		_, held, err := w.ProposeRules(ctx, anna, p)
		if err != nil || held == nil || held.Status != "weighing" {
			t.Fatalf("%+v %v", held, err)
		}
		return held
	}
	harmless := propose(variant(t, "from: 2022-06-28", "harmless", false))
	eventually(t, "a change of nobody is carried out", func() bool { return w.held(t, harmless.ID).Status == "released" })
	if ref, _, _ := w.InForce(); ref.Version != "harmless" || w.held(t, harmless.ID).Decided.Account != "breaker" {
		t.Errorf("in force %+v, %+v", ref, w.held(t, harmless.ID))
	}
	strict := propose(variant(t, "from: 2022-06-28", "strict", true))
	eventually(t, "a change of everybody is held", func() bool { return w.held(t, strict.ID).Status == "held" })
	if h := w.held(t, strict.ID); h.Verdict.Share != 1 || w.colour(t, id) != "green" {
		t.Errorf("%+v, %s", h, w.colour(t, id))
	}
	if _, err := w.Decide(ctx, strict.ID, bob, true); !errors.Is(err, kangma.Forbidden) {
		t.Errorf("released by the same organisation: %v", err)
	}
	if _, err := w.Decide(ctx, strict.ID, cora, true); err != nil || w.colour(t, id) != "yellow" {
		t.Errorf("%v, %s", err, w.colour(t, id))
	}
	waits := variant(t, "from: 2022-06-28", "waits", false)
	waits.Wait = true
	if _, held, err := w.ProposeRules(ctx, anna, waits); err != nil || held == nil || held.Status != "held" {
		t.Errorf("one who waits is told at once: %+v %v", held, err)
	}
}

func TestASweepKeepsToItsRate(t *testing.T) {
	w, red := sweptTown(t)
	defer w.close(t)
	began := time.Now()
	if _, err := w.Sweep(t.Context(), registry.SweepConfig{PerSecond: 20}); err != nil {
		t.Fatal(err)
	}
	least := time.Duration(len(red)-20) * time.Second / 20 // the first 20 at once; a slow machine only takes longer
	if took := time.Since(began); took < least {
		t.Errorf("%d people took %v, want at least %v", len(red), took, least)
	}
}
