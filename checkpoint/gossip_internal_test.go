package checkpoint

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// meet carries the lines of one node to another as a record would.
func meet(from, to *Shown, now time.Time) int {
	return to.learn(parseSighted(appendSighted(nil, from.lately(now))), now)
}

func TestACopiedCodeIsNoticedAtAnotherNode(t *testing.T) {
	const shanwei, beijing = 441502000, 110108000
	code, other := &codegen.Claims{ID: codegen.CodeID{1}}, &codegen.Claims{ID: codegen.CodeID{2}}
	show := func(s *Shown, c *codegen.Claims, g Gate, event byte, after time.Duration) []string {
		_, flags := s.note(c, g, kangma.EventID{event}, shownAt.Add(after))
		return flags
	}
	t.Run("after the nodes have told each other", func(t *testing.T) {
		a, b := &Shown{tell: true}, &Shown{tell: true}
		show(a, code, gateAt("x", shanwei), 1, 0)
		if n := meet(a, b, shownAt.Add(2*time.Second)); n != 0 {
			t.Errorf("%d late", n)
		}
		if flags := show(b, code, gateAt("x", shanwei), 2, 3*time.Second); flags != nil {
			t.Errorf("the same gate by another node: %v", flags)
		}
		if flags := show(b, code, gateAt("y", beijing), 3, 20*time.Minute); len(flags) != 1 || flags[0] != FlagTravel {
			t.Errorf("another province after twenty minutes: %v", flags)
		}
		if flags := show(b, other, gateAt("y", beijing), 4, 20*time.Minute); flags != nil {
			t.Errorf("another code: %v", flags)
		}
	})
	t.Run("at once, before they could, it is found afterwards, once", func(t *testing.T) {
		a, b := &Shown{tell: true}, &Shown{tell: true}
		show(a, code, gateAt("x", shanwei), 1, 0)
		if flags := show(b, code, gateAt("y", beijing), 2, time.Second); flags != nil {
			t.Fatalf("%v", flags)
		}
		now, late := shownAt.Add(2*time.Second), 0
		for range 4 {
			late += meet(a, b, now) + meet(b, a, now)
			now = now.Add(2 * time.Second)
		}
		if late != 1 {
			t.Errorf("found %d times", late)
		}
	})
	t.Run("what is old is told no more, and one node alone keeps no lines", func(t *testing.T) {
		a, alone := &Shown{tell: true}, &Shown{}
		show(a, code, gateAt("x", shanwei), 1, 0)
		show(alone, code, gateAt("x", shanwei), 1, 0)
		if len(a.lately(shownAt.Add(time.Minute))) != 0 || len(a.said) != 0 || len(alone.said) != 0 {
			t.Errorf("%d, %d lines", len(a.said), len(alone.said))
		}
	})
	t.Run("a flood is bounded, and a record of another form gives no lines beyond its size", func(t *testing.T) {
		a := &Shown{tell: true}
		a.said = make([]sighted, 2*maxGossip)
		for i := range a.said {
			a.said[i].at = shownAt
		}
		if show(a, code, gateAt("x", shanwei), 1, 0); len(a.said) != 2*maxGossip {
			t.Errorf("%d lines wait", len(a.said))
		}
		if n := len(a.lately(shownAt)); n != maxGossip {
			t.Errorf("%d lines", n)
		}
		if n := len(parseSighted(make([]byte, gossipSize+5))); n != 1 {
			t.Errorf("%d lines", n)
		}
	})
}
