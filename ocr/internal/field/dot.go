package field

import (
	"slices"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// leastStep is the distance of two characters' middles, in ems, from which a mark may stand between them.
const leastStep = 1.13

// leastMass is the least ink of a mark, in square ems; in a gap wider than wideGap ems a quarter of it is enough.
const (
	leastMass = float32(.004)
	wideGap   = .6
)

// wider is how much farther than usual in its name a character stands behind a mark, at least.
const wider = 1.14

// step is the distance of the middles of a character and the one before it.
func (l *Line) step(i int) float32 {
	a, b := &l.Chars[i-1], &l.Chars[i]
	return (b.X0 + b.X1 - a.X0 - a.X1) / 2
}

// leastStep is from which distance a mark may stand between two characters of a line. How far characters stand apart in this
// line, when it tells, is a better measure than the em, which is that of the whole card.
func (l *Line) leastStep() float32 {
	var steps []float32
	for i := 1; i < len(l.Chars); i++ {
		if !l.Chars[i].Narrow && !l.Chars[i-1].Narrow {
			steps = append(steps, l.step(i))
		}
	}
	least := leastStep * l.Em
	if len(steps) >= 3 {
		slices.Sort(steps)
		least = min(least, wider*steps[(len(steps)-1)/2])
	}
	return least
}

// addMarks puts the marks of names that are known by their shape, because a cell that holds nothing else says little to the
// classifier: the middle dot of minority names where a small round mark stands between two characters at half height, and
// 一, a flat bar as wide as a character, also behind the last one.
func (r *Region) addMarks(l Line) Line {
	out := Line{Y0: l.Y0, Y1: l.Y1, Em: l.Em}
	least := l.leastStep()
	for i, ch := range l.Chars {
		if i > 0 && ch.R() != '·' && l.Chars[i-1].R() != '·' && l.step(i) > least {
			m := r.markBetween(l, int(l.Chars[i-1].X1)+1, int(ch.X0)-1)
			switch {
			case m.isDot():
				out.Chars = append(out.Chars, Char{X0: m.x0, X1: m.x1, Narrow: true, Dark: ch.Dark, V: ch.V,
					Answers: []glyph.Answer{{R: '·', Dist: 1}, {R: '-', Dist: 2}}})
			case m.isBar():
				out.Chars = append(out.Chars, m.bar(ch))
			}
		}
		out.Chars = append(out.Chars, ch)
	}
	if n := len(out.Chars); n > 0 {
		last := out.Chars[n-1]
		if m := r.markBetween(l, int(last.X1)+2, min(int(last.X1+1.25*l.Em), r.Ink.W)); m.isBar() {
			out.Chars = append(out.Chars, m.bar(last))
		}
	}
	return out
}

// mark is the ink between two columns: where it lies, its size and how far below the middle of its row it lies, in ems.
type mark struct {
	x0, x1         float32
	wide, high, at float32
}

func (m mark) isDot() bool {
	return m.wide <= .32 && m.high >= .05 && m.high <= .34 && m.at > -.25 && m.at < .25
}

func (m mark) isBar() bool {
	return m.wide >= .5 && m.wide <= 1.05 && m.high <= .26 && m.at > -.22 && m.at < .22
}

// bar is the character 一, with the darkness and the size of a neighbour.
func (m mark) bar(beside Char) Char {
	return Char{X0: m.x0, X1: m.x1, Dark: beside.Dark, em: beside.em, flat: true, Answers: []glyph.Answer{{R: '一', Dist: 1}, {R: '二', Dist: 1.4}}}
}

func (r *Region) markBetween(l Line, a, b int) mark {
	none := mark{wide: 9, high: 9}
	if float32(b-a) < .12*l.Em {
		return none
	}
	cy := float32(l.Y0+l.Y1) / 2
	y0, y1 := max(int(cy-l.Em*.5), 0), min(int(cy+l.Em*.5), r.Ink.H)
	a, b = r.withoutEnds(a, b, y0, y1)
	left, right, top, bottom := b, a, int(cy+l.Em), int(cy-l.Em)
	var mass, sy float32
	for y := y0; y < y1; y++ {
		for x := a; x < b; x++ {
			if v := r.Ink.Pix[y*r.Ink.W+x]; v > .3 {
				left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
				mass += v
				sy += v * float32(y)
			}
		}
	}
	least := leastMass
	if float32(b-a) > wideGap*l.Em { // nothing but a dot makes such a gap in a name
		least /= 4
	}
	if mass < least*l.Em*l.Em {
		return none
	}
	return mark{float32(left), float32(right), float32(right-left+1) / l.Em, float32(bottom-top+1) / l.Em, (sy/mass - cy) / l.Em}
}

// withoutEnds leaves out the ink at both ends of columns a to b, which are tips of the characters beside.
func (r *Region) withoutEnds(a, b, y0, y1 int) (from, to int) {
	inked := func(x int) bool {
		for y := y0; y < y1; y++ {
			if r.Ink.Pix[y*r.Ink.W+x] > .3 {
				return true
			}
		}
		return false
	}
	for from = a; from < b && inked(from); from++ {
	}
	for to = b; to > from && inked(to-1); to-- {
	}
	if from == to { // all of it is ink: a bar as wide as the gap
		return a, b
	}
	return from, to
}
