package field

import "github.com/kangma/kangma/ocr/internal/glyph"

// addDots puts the middle dot of minority names where a small round mark stands alone between two characters at half
// height. It is found by its shape, because a cell that holds nothing else says little to the classifier.
func (r *Region) addDots(l Line) Line {
	out := Line{Y0: l.Y0, Y1: l.Y1, Em: l.Em}
	for i, ch := range l.Chars {
		if i > 0 && ch.R() != '·' && l.Chars[i-1].R() != '·' && ch.X0+ch.X1-l.Chars[i-1].X0-l.Chars[i-1].X1 > 2*leastStep*l.Em {
			if x0, x1, ok := r.dotBetween(l, int(l.Chars[i-1].X1)+1, int(ch.X0)-1); ok {
				out.Chars = append(out.Chars, Char{X0: x0, X1: x1, Narrow: true, Dark: ch.Dark, V: ch.V,
					Answers: []glyph.Answer{{R: '·', Dist: 1}, {R: '-', Dist: 2}}})
			}
		}
		out.Chars = append(out.Chars, ch)
	}
	return out
}

// leastStep is the distance of two characters' middles, in ems, from which a dot may stand between them.
const leastStep = 1.13

func (r *Region) dotBetween(l Line, a, b int) (x0, x1 float32, ok bool) {
	if float32(b-a) < .12*l.Em {
		return 0, 0, false
	}
	cy := float32(l.Y0+l.Y1) / 2
	left, right, top, bottom := b, a, int(cy+l.Em), int(cy-l.Em)
	var mass, sy float32
	for y := max(int(cy-l.Em*.5), 0); y < min(int(cy+l.Em*.5), r.Ink.H); y++ {
		for x := a; x < b; x++ {
			if v := r.Ink.Pix[y*r.Ink.W+x]; v > .3 {
				left, right, top, bottom = min(left, x), max(right, x), min(top, y), max(bottom, y)
				mass += v
				sy += v * float32(y)
			}
		}
	}
	w, h := float32(right-left+1)/l.Em, float32(bottom-top+1)/l.Em
	if mass < .004*l.Em*l.Em || w > .32 || h > .34 || h < .05 {
		return 0, 0, false
	}
	off := (sy/mass - cy) / l.Em
	return float32(left), float32(right), off > -.25 && off < .25
}
