package field

import (
	"testing"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// known is a character as the classifier would see a perfect print of r, standing at x.
func known(t *testing.T, m *glyph.Model, r rune) *Char {
	t.Helper()
	for i := range m.Protos {
		if glyph.Classes()[m.Protos[i].Class] == r {
			return &Char{V: m.Protos[i].V, Answers: m.NearestOf(m.Protos[i].V, mostAnswers)}
		}
	}
	t.Fatalf("%c is unknown", r)
	return nil
}

// chain is a lattice in which every character has its own step, as wide prints of the letters of text.
func chain(t *testing.T, m *glyph.Model, text string) *addressLattice {
	t.Helper()
	al := &addressLattice{m: m}
	for _, r := range text {
		at := len(al.steps)
		al.steps = append(al.steps, []step{{at + 1, nil, 3, 0}, {at + 1, known(t, m, r), -1, 0}})
	}
	al.steps = append(al.steps, nil)
	al.solve()
	return al
}

func spelt(s *spelling, node int) string {
	if s == nil {
		return ""
	}
	out := make([][]Char, 1)
	s.write(out)
	_ = node
	return (&Line{Chars: out[0]}).Text()
}

func TestADivisionIsSpeltAlongTheLattice(t *testing.T) {
	m, err := glyph.Default()
	if err != nil {
		t.Fatal(err)
	}
	p := NewPlaces([]string{"湖北省恩施市", "湖北省", "湖北省洪湖市", "四川省马尔康市"})
	for _, c := range []struct{ name, printed, want string }{
		{"as printed", "湖北省洪湖市解放路", "湖北省洪湖市"},
		{"one letter mistaken for its look-alike", "湖北省思施市解放路", "湖北省恩施市"},
		{"a county that is a city today", "四川省马尔康县北京路", "四川省马尔康县"},
		{"only the province is known", "湖北省王家村", "湖北省"},
		{"no division at all", "王家村委会", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, node := chain(t, m, c.printed).place(p)
			if got := spelt(s, node); got != c.want {
				t.Errorf("%s begins with %q, want %q", c.printed, got, c.want)
			}
		})
	}
	if s, _ := chain(t, m, "湖北省").place(nil); s != nil {
		t.Error("a division without a table")
	}
}

func TestADigitStandsOnlyBeforeWhatCounts(t *testing.T) {
	m, err := glyph.Default()
	if err != nil {
		t.Fatal(err)
	}
	// 水口屯: 口 costs a little more than half of it as a digit and the other half unread
	pick := func(next rune) string { return cheapest(t, m, '水', '口', .3, '2', next) }
	if got := pick('屯'); got != "水口屯" {
		t.Error(got)
	}
	if got := pick('号'); got != "水2号" {
		t.Error(got)
	}
}

// cheapest reads one character, then either another at its cost or a digit at none, then next.
func cheapest(t *testing.T, m *glyph.Model, before, either rune, cost float32, or, next rune) string {
	t.Helper()
	digit := &Char{Narrow: true, Answers: []glyph.Answer{{R: or, Dist: 1}}}
	al := &addressLattice{m: m, steps: [][]step{
		{{1, known(t, m, before), -1, 0}},
		{{2, known(t, m, either), cost, 0}, {2, digit, 0, 0}},
		{{3, known(t, m, next), -1, 0}},
		nil,
	}}
	al.solve()
	out := make([][]Char, 1)
	al.path(0, atStart, out)
	return (&Line{Chars: out[0]}).Text()
}

func TestACounterOfHousesWantsANumber(t *testing.T) {
	m, err := glyph.Default()
	if err != nil {
		t.Fatal(err)
	}
	// the cells may be 碧水湾田幢 or 碧水湾3幢: the character costs a little less than the digit
	pick := func(next rune) string { return cheapest(t, m, '湾', '田', -.2, '3', next) }
	if got := pick('幢'); got != "湾3幢" {
		t.Error(got)
	}
	if got := pick('村'); got != "湾田村" {
		t.Error(got)
	}
}

func TestDipsWithinClearCharactersAreNoCuts(t *testing.T) {
	at := func(r rune, x0, x1, d float32, narrow bool) *Char {
		return &Char{X0: x0, X1: x1, Narrow: narrow, Answers: []glyph.Answer{{R: r, Dist: d}}}
	}
	lr := &lineReader{em: 32}
	clear := []*Char{at('广', 0, 30, 1, false), at('州', 34, 64, 1, false), at('市', 70, 100, 2, false), at('村', 102, 132, 1, false)}
	if got := lr.clear(clear); len(got) != 3 || got[0].y0 < 4 || got[0].y1 > 26 {
		t.Errorf("of a blurred and three clear characters %v", got)
	}
	for name, chars := range map[string][]*Char{
		"two digits that touch": {at('田', 0, 30, 1, false), at('幢', 34, 64, 2, false)},
		"beside a digit":        {at('3', 0, 14, 1, true), at('田', 16, 46, 1, false)},
		"half a character":      {at('木', 0, 14, 1, false)},
	} {
		if got := lr.clear(chars); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestTwoReadingsAreAlignedByTheirLikeness(t *testing.T) {
	chars := func(s string) (out []Char) {
		for _, r := range s {
			out = append(out, Char{Answers: []glyph.Answer{{R: r}}})
		}
		return out
	}
	at, ok := aligned(chars("广州市荔湾区"), []rune("7州市荔弯湾区"))
	if !ok || at[0] != 0 || at[1] != 1 || at[4] != 5 || at[5] != 6 {
		t.Error(at, ok)
	}
	if _, ok := aligned(chars("广州市荔湾区"), []rune("中山")); ok {
		t.Error("readings of nothing in common are aligned")
	}
}
