package checkpoint

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/store/storetest"
)

// sharedProofs are those of several nodes, with a clock.
func sharedProofs() (p *proofs, clock *time.Time) {
	now := shownAt
	return &proofs{&storetest.MemoryMoments{Now: func() time.Time { return now }}}, &now
}

func TestAProofIsOneTimeAtAllNodes(t *testing.T) {
	p, clock := sharedProofs()
	ctx := context.Background()
	c := &codegen.Claims{ID: codegen.CodeID{1, 2, 3}, Slot: 7, Shown: true}
	for _, step := range []struct {
		what     string
		claims   *codegen.Claims
		gate     string
		event    byte
		after    time.Duration
		replayed bool
	}{
		{"the first", c, "a", 1, 0, false}, {"its retry", c, "a", 1, time.Second, false}, {"another scan at that gate", c, "a", 2, time.Second, true},
		{"another gate", c, "b", 3, time.Second, true}, {"the same event from another gate", c, "b", 1, time.Second, true},
		{"the next slot", &codegen.Claims{ID: c.ID, Slot: 8}, "b", 4, 30 * time.Second, false},
		{"another code", &codegen.Claims{ID: codegen.CodeID{1, 2, 4}, Slot: 7}, "b", 5, 0, false},
		{"within its time still", c, "c", 6, proofLife - 2*time.Second, true}, {"after its time", c, "c", 7, 2 * proofLife, false},
	} {
		*clock = shownAt.Add(step.after)
		got, err := p.note(ctx, step.claims, step.gate, kangma.EventID{step.event})
		if err != nil || got != step.replayed {
			t.Errorf("%s: replayed %v, %v", step.what, got, err)
		}
	}
}

// The link in an answer to a gate's number proves the slots before its own too, to who has the software.
func TestAnAnswerUsesUpTheSlotsBeforeItsOwnAtAllNodes(t *testing.T) {
	p, clock := sharedProofs()
	ctx := context.Background()
	id := codegen.CodeID{4, 5, 6}
	plain := func(slot int) *codegen.Claims { return &codegen.Claims{ID: id, Slot: slot, Shown: true} }
	answer := func(slot int) *codegen.Claims { c := plain(slot); c.Challenge = 47; return c }
	for i, step := range []struct {
		what     string
		claims   *codegen.Claims
		event    byte
		after    time.Duration
		replayed bool
	}{
		{"a plain show before it", plain(9), 1, 0, false}, {"the answer", answer(12), 2, time.Second, false}, {"its retry", answer(12), 2, 2 * time.Second, false},
		{"the retry of the show before it", plain(9), 1, 2 * time.Second, false}, {"a picture of the answer", answer(12), 3, 3 * time.Second, true},
		{"a slot before it", plain(10), 4, 30 * time.Second, true}, {"its own slot", plain(12), 5, 90 * time.Second, true},
		{"an answer of a slot before it", answer(11), 6, 5 * time.Second, true}, {"a later answer", answer(13), 7, 31 * time.Second, false},
		{"as long as the link is good for", plain(12), 8, answerLife - 2*time.Second, true}, {"a later slot", plain(14), 9, 2 * time.Minute, false},
	} {
		*clock = shownAt.Add(step.after)
		got, err := p.note(ctx, step.claims, "gate", kangma.EventID{step.event})
		if err != nil || got != step.replayed {
			t.Errorf("%d %s: replayed %v, %v", i, step.what, got, err)
		}
	}
}

func TestAnAnswerWhosePassageCouldNotBeKeptIsFree(t *testing.T) {
	var s Shown
	c := &codegen.Claims{ID: codegen.CodeID{1}, Slot: 5, Shown: true, Challenge: 47}
	mine, yours := kangma.NewEventID(shownAt), kangma.NewEventID(shownAt)
	g := Gate{ID: "g", District: 441502000}
	s.note(c, g, mine, shownAt)
	s.forget(c, yours)
	if replayed, _ := s.note(c, g, yours, shownAt); !replayed {
		t.Error("another scan's failure freed it")
	}
	s.forget(c, mine)
	if replayed, _ := s.note(&codegen.Claims{ID: c.ID, Slot: 3, Shown: true}, g, yours, shownAt); replayed {
		t.Error("it is not free")
	}
}

func TestAProofWhosePassageCouldNotBeKeptIsFree(t *testing.T) {
	p, _ := sharedProofs()
	ctx := context.Background()
	c := &codegen.Claims{ID: codegen.CodeID{1}, Slot: 1, Shown: true}
	mine, yours := kangma.NewEventID(shownAt), kangma.NewEventID(shownAt)
	if _, err := p.note(ctx, c, "a", mine); err != nil {
		t.Fatal(err)
	}
	p.forget(ctx, c, "a", yours)
	if got, _ := p.note(ctx, c, "a", yours); !got {
		t.Error("another scan's failure freed it")
	}
	p.forget(ctx, c, "a", mine)
	if got, _ := p.note(ctx, c, "a", yours); got {
		t.Error("it is not free")
	}
}

// Of many nodes that are shown the same proof at once, one lets it pass.
func TestOneOfManyNodesWins(t *testing.T) {
	p, _ := sharedProofs()
	ctx := context.Background()
	var passed, failed atomic.Int64
	var wg sync.WaitGroup
	for node := range 8 {
		wg.Go(func() {
			c := &codegen.Claims{ID: codegen.CodeID{9}, Slot: 3, Shown: true}
			replayed, err := p.note(ctx, c, "gate", kangma.EventID{byte(node + 1)})
			switch {
			case err != nil:
				failed.Add(1) // contended: this node decides by what it knows itself
			case !replayed:
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 1 {
		t.Errorf("%d passed, %d could not tell", passed.Load(), failed.Load())
	}
}
