package checkpoint

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

var shownAt = time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)

func gateAt(id string, d kangma.Division) Gate { return Gate{ID: id, District: d} }

func TestACodeAtTwoGatesSoonerThanAnybodyTravelsIsFlagged(t *testing.T) {
	const shanwei, haifeng, guangzhou, beijing = 441502000, 441521000, 440106000, 110108000
	for what, c := range map[string]struct {
		from, to Gate
		after    time.Duration
		flagged  bool
	}{
		"the same gate at once":                   {gateAt("a", shanwei), gateAt("a", shanwei), 0, false},
		"the next door of a station":              {gateAt("a", shanwei), gateAt("b", shanwei), travelCounty, false},
		"two doors of a county at once":           {gateAt("a", shanwei), gateAt("b", shanwei), travelCounty - 1, true},
		"a gate known by its city only":           {gateAt("a", shanwei), gateAt("b", 441500000), travelCounty, false},
		"the next county in a minute":             {gateAt("a", shanwei), gateAt("b", haifeng), time.Minute, true},
		"the next county in five":                 {gateAt("a", shanwei), gateAt("b", haifeng), 5 * time.Minute, false},
		"another city in ten minutes":             {gateAt("a", shanwei), gateAt("b", guangzhou), 10 * time.Minute, true},
		"another city in twenty":                  {gateAt("a", shanwei), gateAt("b", guangzhou), 20 * time.Minute, false},
		"another province in half an hour":        {gateAt("a", shanwei), gateAt("b", beijing), 30 * time.Minute, true},
		"another province in an hour":             {gateAt("a", shanwei), gateAt("b", beijing), time.Hour, false},
		"a gate that stands nowhere":              {gateAt("a", shanwei), gateAt("b", 0), 0, false},
		"an upload that comes in the wrong order": {gateAt("a", shanwei), gateAt("b", beijing), -time.Minute, true},
	} {
		t.Run(what, func(t *testing.T) {
			var s Shown
			code := &codegen.Claims{ID: codegen.CodeID{1}}
			if _, flags := s.note(code, c.from, kangma.EventID{1}, shownAt); flags != nil {
				t.Errorf("the first showing: %v", flags)
			}
			_, flags := s.note(code, c.to, kangma.EventID{2}, shownAt.Add(c.after))
			if got := len(flags) == 1 && flags[0] == FlagTravel; got != c.flagged {
				t.Errorf("flags %v, want travel %v", flags, c.flagged)
			}
			if _, flags := s.note(&codegen.Claims{ID: codegen.CodeID{2}}, c.to, kangma.EventID{3}, shownAt.Add(c.after)); flags != nil {
				t.Errorf("another code: %v", flags)
			}
		})
	}
}

func TestAHolderProofIsWorthOneShowing(t *testing.T) {
	var s Shown
	metro, bus := gateAt("metro", 441502000), gateAt("bus", 441502000)
	proof := &codegen.Claims{ID: codegen.CodeID{1}, Slot: 7, Shown: true}
	note := func(c *codegen.Claims, g Gate, event byte, after time.Duration) bool {
		replayed, _ := s.note(c, g, kangma.EventID{event}, shownAt.Add(after))
		return replayed
	}
	for _, c := range []struct {
		what     string
		claims   *codegen.Claims
		gate     Gate
		event    byte
		after    time.Duration
		replayed bool
	}{
		{"the first", proof, metro, 1, 0, false},
		{"a retry", proof, metro, 1, time.Second, false},
		{"a second person at the same gate", proof, metro, 2, 2 * time.Second, true},
		{"another gate", proof, bus, 3, 30 * time.Second, true},
		{"the same event from another gate", proof, bus, 1, 30 * time.Second, true},
		{"the next slot", &codegen.Claims{ID: proof.ID, Slot: 8, Shown: true}, metro, 4, 30 * time.Second, false},
		{"a code without proofs", &codegen.Claims{ID: codegen.CodeID{2}}, metro, 5, 0, false},
		{"a code without proofs again", &codegen.Claims{ID: codegen.CodeID{2}}, metro, 6, 0, false},
		{"within its window still", proof, metro, 7, proofLife - 1, true},
	} {
		if got := note(c.claims, c.gate, c.event, c.after); got != c.replayed {
			t.Errorf("%s: replayed %v", c.what, got)
		}
	}
	if s.forget(proof, kangma.EventID{9}); !note(proof, metro, 8, time.Second) {
		t.Error("another scan's failure freed the proof")
	}
	if s.forget(proof, kangma.EventID{1}); note(proof, metro, 8, time.Second) {
		t.Error("a proof whose passage could not be kept counts as shown")
	}
}

func TestWhatIsRememberedIsBoundedAndExpires(t *testing.T) {
	var a aging[uint64, uint64]
	for i := range uint64(3 * maxShown) {
		a.put(i, i, shownAt, time.Minute)
	}
	if n := len(a.young) + len(a.old); n > maxShown {
		t.Errorf("%d are remembered, at most %d", n, maxShown)
	}
	last := uint64(3*maxShown - 1)
	if _, ok := a.get(last, shownAt.Add(time.Minute), time.Minute); !ok {
		t.Error("forgotten within its life")
	}
	if _, ok := a.get(last, shownAt.Add(3*time.Minute), time.Minute); ok || len(a.young)+len(a.old) != 0 {
		t.Error("remembered after two lives")
	}
}

func BenchmarkShown(b *testing.B) {
	var s Shown
	g := gateAt("a", 441502000)
	for i := 0; b.Loop(); i++ {
		c := codegen.Claims{Slot: i & 1023, Shown: true}
		binary.BigEndian.PutUint64(c.ID[:], uint64(i))
		s.note(&c, g, kangma.EventID{1}, shownAt)
	}
}
