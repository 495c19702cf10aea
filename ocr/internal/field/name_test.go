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
		if v := max(namePrior(r, true), namePrior(r, false)); v < -1 || v > 3.5 {
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

func TestASurnameWeighsByHowManyBearIt(t *testing.T) {
	for _, c := range []struct {
		usual, odd rune
		first      bool
	}{{'余', '佘', true}, {'秦', '泰', true}, {'王', '玉', true}, {'昊', '吴', false}, {'若', '苦', false}, {'娟', '娼', false}} {
		if a, b := namePrior(c.usual, c.first), namePrior(c.odd, c.first); a < b+1 {
			t.Errorf("%c weighs %.2f, %c %.2f", c.usual, a, c.odd, b)
		}
	}
}

func TestWhoDoesNotKnowARareCharacterHasNoSay(t *testing.T) {
	read := func(nearest, said rune, first bool) rune {
		c := &Char{Answers: []glyph.Answer{{R: nearest, Dist: 1}, {R: said, Dist: 1.01}}, said: said, saidTo: 1, Agreed: -1}
		c.settle(14, priorOf(first, false))
		return c.R()
	}
	if r := read('珺', '裙', false); r != '珺' {
		t.Errorf("珺 in a name became %c", r)
	}
	if r := read('佘', '余', true); r != '余' { // where the prior speaks for it too, it is heard
		t.Errorf("the surname is %c", r)
	}
}

func TestAnotherReaderIsAskedOnlyWhereItCanChangeAnAddress(t *testing.T) {
	answers := func(second float32) Char {
		return Char{Answers: []glyph.Answer{{R: '江', Dist: 1 + prior('江')}, {R: '冮', Dist: second + prior('冮')}}}
	}
	fixed := answers(.9)
	fixed.fixed = true
	for _, c := range []struct {
		name string
		char Char
		want bool
	}{
		{"another looks as good", answers(.9), true},
		{"the next looks much worse", answers(1.4), false},
		{"a letter of a known division", fixed, false},
		{"a digit and a Chinese character", Char{Narrow: true, Answers: []glyph.Answer{{R: '1', Dist: 1}, {R: '丁', Dist: 1}}}, false},
		{"two digits", Char{Narrow: true, Answers: []glyph.Answer{{R: '1', Dist: 1}, {R: '7', Dist: 1.1}}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &Value{Chars: []Char{c.char}}
			if got := v.Hears(Row{From: 0, To: 1}); got != c.want {
				t.Errorf("Hears is %t", got)
			}
		})
	}
}

func TestInkBehindANameIsSeen(t *testing.T) {
	line := func(ink float32) *Line {
		cols := make([]float32, 100)
		for x := 40; x < 60; x++ {
			cols[x] = ink
		}
		return &Line{Em: 32, reader: &lineReader{em: 32, cols: cols}}
	}
	name := []Char{{X0: 0, X1: 30}}
	if !line(10).inkBehind(name) || line(.1).inkBehind(name) {
		t.Error("a character behind the name is not told from paper")
	}
}
