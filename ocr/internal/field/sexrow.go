package field

import (
	"math"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// Sex and nation are of closed sets, and where they stand is known: the sex where values begin, the nation behind 民族. So
// they can be told without cutting their row into characters of eight thousand kinds, in which 女 or the right half of 汉
// may pass for a letter and the rest be left as specks.
const (
	clearValue = 0.9 // what was read with this confidence is not looked at again
	farFromSet = 2.6 // a mark farther than this from all of a closed set is none of it, …
	farAlone   = 3.7 // … or than this if it is so much nearer to one than to the others:
	muchNearer = 0.8
	mostWorse  = 1.2 // what looks so much more like another character is no sex
)

// nearSet says whether a mark is one of a closed set, from its distances to the nearest two.
func nearSet(best, second float64) bool {
	return best < farFromSet || best < farAlone && second-best > muchNearer
}

// better reads sex and nation again by their closed sets and keeps of each what is surer. x is the column where values
// begin, when that is known.
func (r *Region) better(m *glyph.Model, l Line, x float32, known bool, sex, nation *Value) {
	if sex.Confidence >= clearValue && nation.Confidence >= clearValue {
		return
	}
	w := r.marksOf(m, l)
	if known && sex.Confidence < clearValue {
		if v := w.sex(x); v.Confidence > sex.Confidence {
			*sex = v
		}
	}
	if sex.Text == "" || len(sex.Chars) == 0 || nation.Confidence >= clearValue {
		return
	}
	if v := r.nationBehind(m, l, sex.Chars[0].X1); v.Confidence > nation.Confidence {
		*nation = v
	}
	if nation.Confidence >= clearValue {
		return
	}
	if v := w.nation(w.nationStart(&sex.Chars[0])); v.Confidence > nation.Confidence {
		*nation = v
	}
}

// marks is the ink of a line between white columns.
type marks struct {
	r    *Region
	m    *glyph.Model
	l    Line
	ink  *lineReader
	runs []span // columns
}

func (r *Region) marksOf(m *glyph.Model, l Line) *marks {
	lr := &lineReader{m: m, ink: r.Ink, cy: float32(l.Y0+l.Y1) / 2, em: l.Em}
	x1 := r.column(rowsRight + 2)
	lr.columns(r.column(-textLeft), x1)
	w := &marks{r: r, m: m, l: l, ink: lr}
	for x := 0; x < x1; x++ {
		if lr.cols[x] <= lr.white {
			continue
		}
		start := x
		for x < x1 && lr.cols[x] > lr.white {
			x++
		}
		w.runs = append(w.runs, span{start, x})
	}
	return w
}

// cell looks at columns a to b as one full-width character, from several places.
func (w *marks) cell(a, b float32) Char {
	lr := w.ink
	c := Char{X0: a, X1: b, Dark: lr.darkest(int(a), int(b)), cx: (a + b - 1) / 2, cy: lr.cy, em: lr.em}
	w.r.look(w.m, &c)
	return c
}

// sex tells 男 from 女 at the first mark where values begin, if what stands there is one of them.
func (w *marks) sex(x float32) Value {
	em := w.l.Em
	for i, s := range w.runs {
		if float32(s.y0) < x-.35*em || float32(s.y0) > x+.6*em {
			continue
		}
		end := i + 1
		for end < len(w.runs) && float32(w.runs[end].y0-w.runs[end-1].y1) < .2*em && float32(w.runs[end].y1-s.y0) < 1.1*em {
			end++
		}
		last := w.runs[end-1].y1
		if width := float32(last - s.y0); width < .45*em || width > wideMax*em {
			continue
		}
		if end < len(w.runs) && float32(w.runs[end].y0-last) < .3*em { // it stands alone; a name does not
			return Value{}
		}
		ch := w.cell(float32(s.y0), float32(last))
		male, _ := w.m.DistTo(ch.V, '男')
		female, _ := w.m.DistTo(ch.V, '女')
		worse := min(male, female) - ch.Answers[0].Dist
		if !nearSet(float64(min(male, female)), float64(max(male, female))) || worse > mostWorse {
			return Value{}
		}
		return w.r.sexOf(w.m, w.l, ch, float64(worse))
	}
	return Value{}
}

// sexOf is the nearer of 男 and 女; worse is how much farther than what the character looks most like.
func (r *Region) sexOf(m *glyph.Model, l Line, ch Char, worse float64) Value {
	male, _ := m.DistTo(ch.V, '男')
	female, _ := m.DistTo(ch.V, '女')
	v := r.value([]Line{{Y0: l.Y0, Y1: l.Y1, Em: l.Em, Chars: []Char{ch}}})
	v.Text = "男"
	if female < male {
		v.Text = "女"
	}
	v.Confidence = 1 / (1 + math.Exp(-6*math.Abs(float64(female-male))-1))
	if other := worse - .3; other > 0 { // it looks much more like something else
		v.Confidence *= math.Exp(-3 * other)
	}
	return v
}

// nationStart is the column behind the label 民族 or, when no label was read there, behind the faint marks that follow the
// sex.
func (w *marks) nationStart(sex *Char) float32 {
	start := sex.X1
	for i := range w.l.Chars {
		c := &w.l.Chars[i]
		if c.Narrow || c.X0 < sex.X1 {
			continue
		}
		if d, ok := w.m.DistTo(c.V, '族'); ok && d < 2.2 && d-c.Answers[0].Dist < .3 {
			start = c.X1
		}
	}
	if start > sex.X1 {
		return start
	}
	for _, s := range w.runs {
		if float32(s.y0) >= start && w.ink.darkest(s.y0, s.y1) > faint*sex.Dark {
			return float32(s.y0)
		}
	}
	return start
}

// lightest is the column with the least ink around x, the nearest to x of several.
func (w *marks) lightest(x, around float32) int {
	best := int(x)
	for d := 1; d <= int(around); d++ {
		for _, c := range [2]int{int(x) - d, int(x) + d} {
			if w.ink.cols[c] < w.ink.cols[best] {
				best = c
			}
		}
	}
	return best
}

// trimmed is the cell of columns a to b without white margins.
func (w *marks) trimmed(a, b int) Char {
	for a+1 < b && w.ink.cols[a] <= w.ink.white {
		a++
	}
	for b-1 > a && w.ink.cols[b-1] <= w.ink.white {
		b--
	}
	return w.cell(float32(a), float32(b))
}

// nation fits every nation to the marks from column x on, whole: its letters share the width evenly.
func (w *marks) nation(x float32) Value {
	em := w.l.Em
	var runs []span
	for _, s := range w.runs {
		if float32(s.y0) < x-1 || len(runs) == 0 && w.ink.inkBetween(s.y0, s.y1) < .01 {
			continue
		}
		if n := len(runs); n > 0 && (float32(s.y0-runs[n-1].y1) > .75*em || float32(s.y1-runs[0].y0) > 4.6*em) {
			break
		}
		runs = append(runs, s)
	}
	if len(runs) == 0 {
		return Value{}
	}
	a, b := float32(runs[0].y0), float32(runs[len(runs)-1].y1)
	best, second := math.Inf(1), math.Inf(1)
	var v Value
	for k := 1; k <= 4; k++ {
		step := (b - a) / float32(k)
		if step < .55*em || step > 1.25*em {
			continue
		}
		var chars []Char
		from := int(a)
		for i := range k {
			to := int(b)
			if i+1 < k {
				to = w.lightest(a+float32(i+1)*step, .25*step)
			}
			chars = append(chars, w.trimmed(from, to))
			from = to
		}
		for _, n := range nations {
			d, ok := wordDistance(w.m, chars, n)
			if !ok || len([]rune(n)) != k {
				continue
			}
			if d < best {
				best, second = d, best
				v = Value{Text: n, Chars: chars}
			} else {
				second = min(second, d)
			}
		}
	}
	if !nearSet(best, second) {
		return Value{}
	}
	text := v.Text
	v = w.r.value([]Line{{Y0: w.l.Y0, Y1: w.l.Y1, Em: em, Chars: v.Chars}})
	v.Text = text
	v.Confidence = 1 / (1 + math.Exp(-7*(second-best)+1.5*(best-1.3)))
	return v
}
