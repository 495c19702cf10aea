package field

import (
	"testing"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

func TestAPriorBreaksTiesAndNothingElse(t *testing.T) {
	const sharp = 14
	two := func(d1, d2 float32) *Char {
		return &Char{Answers: []glyph.Answer{{R: '冮', Dist: d1}, {R: '江', Dist: d2}}}
	}
	near := two(1, 1.05)
	if p := near.settle(sharp, priorOf(false, false)); near.R() != '江' || p > .9 {
		t.Errorf("a near tie gives %c, probability %.3f", near.R(), p)
	}
	clear := two(1, 1.4)
	if p := clear.settle(sharp, priorOf(false, false)); clear.R() != '冮' || p < .9 {
		t.Errorf("clear evidence gives %c, probability %.3f", clear.R(), p)
	}
	for _, r := range glyph.Classes() {
		if v := max(namePrior(r, true), namePrior(r, false)); v < 0 || v > 3 {
			t.Fatalf("the prior of %c is %.1f nats", r, v)
		}
	}
}

func TestAnotherReadersWordChangesOnlyTheConfidenceOfAClearCharacter(t *testing.T) {
	c := &Char{Answers: []glyph.Answer{{R: '倩', Dist: 1}, {R: '情', Dist: 1.3}}}
	alone := c.settle(14, priorOf(false, false))
	c.Agreed = 1
	with := c.settle(14, priorOf(false, false))
	c.Agreed = -1
	against := c.settle(14, priorOf(false, false))
	if c.R() != '倩' || !(against < alone && alone < with) {
		t.Errorf("%c: %.3f, %.3f, %.3f", c.R(), against, alone, with)
	}
}

func TestACharacterFarFromEveryClassIsNeverSure(t *testing.T) {
	c := &Char{Answers: []glyph.Answer{{R: '王', Dist: 3}, {R: '玉', Dist: 4}}}
	if p := c.settle(14, priorOf(true, false)); p > .5 {
		t.Errorf("probability %.3f", p)
	}
}
