package field

import (
	"cmp"
	"slices"

	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Char is one character of a line as read.
type Char struct {
	X0, X1  float32
	Dark    float32 // ink of its darkest part, 0..1
	Narrow  bool
	V       []float32 // projected features of a wide character, to compare with any class
	Answers []glyph.Answer
	cx, cy  float32 // the middle of its cell in the region, and the em it was read with
	em      float32
	flat    bool // a flat bar, known by its shape
	fixed   bool // a letter of a division that the address begins with
	Agreed  int  // 1: another reader says the same, -1: it says otherwise, 0: not asked
	said    rune // what another reader says, if it says otherwise, and its confidence
	saidTo  float32
	heard   *Heard // what a reader of whole rows says, and what it knows
	knows   func(rune) bool
	taken   bool // it is what that reader says, who was convinced
}

// R is the character read.
func (c *Char) R() rune { return c.Answers[0].R }

// distTo is the distance to one of the answers; ok is false when it is not among them.
func (c *Char) distTo(r rune) (float32, bool) {
	for _, a := range c.Answers {
		if a.R == r {
			return a.Dist, true
		}
	}
	return 0, false
}

// Line is a line of text as read.
type Line struct {
	Y0, Y1   int
	Em       float32
	Chars    []Char
	anchored bool        // its first character stands where values begin
	reader   *lineReader // what the characters were chosen from
}

// Text is the line as a string.
func (l *Line) Text() string {
	out := make([]rune, len(l.Chars))
	for i := range l.Chars {
		out[i] = l.Chars[i].R()
	}
	return string(out)
}

// Widths of segments in ems.
const (
	narrowMin, narrowMax = 0.12, 0.74
	wideMin, wideMax     = 0.56, 1.16
)

// lineReader segments one line: every way to cut it at light columns is a path, and the path of the best-looking
// characters wins.
type lineReader struct {
	m      *glyph.Model
	ink    *raster.Plane
	cy, em float32
	cols   []float32 // ink a column
	white  float32   // a column with less of it is white
	skip   float32   // cost of leaving ink unread
	cuts   []int
	price  []float32           // of cutting there: nothing at white columns
	han    bool                // no digits or letters are expected: a name
	cell   map[[2]int][2]*Char // wide and narrow reading of a segment
}

// readLine reads the line whose middle is at row cy with characters of size em, between columns x0 and x1.
// han says that only full-width characters and the middle dot are expected.
// quick says that few cuts need be tried where the characters are clear.
func readLine(m *glyph.Model, ink *raster.Plane, cy, em float32, x0, x1 int, han, quick bool) Line {
	lr := &lineReader{m: m, ink: ink, cy: cy, em: em, cell: map[[2]int][2]*Char{}, han: han}
	lr.columns(x0, x1)
	return Line{Y0: int(cy - em/2), Y1: int(cy + em/2), Em: em, Chars: lr.best(quick), reader: lr}
}

// columns sums the ink and finds where a cut is possible: the light columns, and the dips between them.
func (lr *lineReader) columns(x0, x1 int) {
	y0, y1 := max(int(lr.cy-lr.em*.52), 0), min(int(lr.cy+lr.em*.52), lr.ink.H-1)
	lr.cols = make([]float32, lr.ink.W)
	for y := y0; y <= y1; y++ {
		row := lr.ink.Row(y)
		for x := x0; x < x1; x++ {
			if row[x] > .12 {
				lr.cols[x] += row[x]
			}
		}
	}
	c := lr.cols
	white := lr.em * whiteColumn
	lr.skip = skipInk
	if lr.han {
		white, lr.skip = lr.em*whiteInName, skipInName
	}
	lr.white = white
	for x := x0; x < x1; x++ {
		if c[x] > white {
			// a dip in inked columns
			if x > x0+1 && x < x1-2 && c[x] < c[x-1] && c[x] <= c[x+1] && c[x] < lr.em*.62 {
				lr.cuts = append(lr.cuts, x)
			}
			continue
		}
		start := x
		for x < x1 && c[x] <= white {
			x++
		}
		lr.cuts = append(lr.cuts, start)
		if x-start > 2 {
			lr.cuts = append(lr.cuts, x)
		}
	}
	if n := len(lr.cuts); n == 0 || lr.cuts[n-1] != x1 {
		lr.cuts = append(lr.cuts, x1)
	}
	if lr.cuts[0] > x0 {
		lr.cuts = append([]int{x0}, lr.cuts...)
	}
	for _, x := range lr.cuts {
		p := float32(0)
		if x < x1 && c[x] > white {
			p = .05 + c[x]/lr.em
		}
		lr.price = append(lr.price, p)
	}
}

// Costs, per em of width and unit of squared distance.
const (
	fair       = 2.1  // a character as far as this from its class is as good as nothing
	fairNarrow = 1.45 // the same for narrow ones: two of them must not be cheaper than the wide one that they are pieces of
	skipInk    = 1.6  // leaving an em of ink unread costs so much
	skipInName = 4    // and in a name, where nothing may be lost and nothing else is printed
	perGlyph   = 0.06
)

// Ink of a column, in ems, up to which it is white. In a name the thin stroke of 一 must not fall apart.
const (
	whiteColumn = .035
	whiteInName = .018
	thinStroke  = .01 // what joins the ink of a character is part of it if a column has more: the thin bars of Song
)

// clearDigit is the distance of a narrow character of probability 0.95.
const clearDigit = 0.93

type arc struct {
	from int
	char *Char
}

// best reads the line. A quick reading is of white columns as cuts first; the dips within what is clearly one character then
// are none. Most of the cells that could be read lie between those.
func (lr *lineReader) best(quick bool) (out []Char) {
	if quick {
		lr.dropDips()
	}
	for _, c := range lr.path() {
		lr.complete(c)
		out = append(out, *c)
	}
	return out
}

// dropDips leaves out the cuts within what is clearly one character.
func (lr *lineReader) dropDips() {
	cuts, price := lr.cuts, lr.price
	lr.cuts, lr.price = nil, nil
	for i, p := range price {
		if p == 0 || i == 0 {
			lr.cuts, lr.price = append(lr.cuts, cuts[i]), append(lr.price, p)
		}
	}
	if len(lr.cuts) == len(cuts) {
		return
	}
	inner := lr.clear(lr.path())
	lr.cuts, lr.price = nil, nil
	for i, x := range cuts {
		for len(inner) > 0 && x >= inner[0].y1 {
			inner = inner[1:]
		}
		if price[i] == 0 || i == 0 || len(inner) == 0 || x <= inner[0].y0 {
			lr.cuts, lr.price = append(lr.cuts, x), append(lr.price, price[i])
		}
	}
}

// A full-width character nearer to its class than surelyOne, and about as wide as one, is not two that touch. Dips near its
// ends may still be where it begins or ends.
const (
	surelyOne    = 1.3
	surelyNarrow = 0.62
	surelyWide   = 1.06
	endsWithin   = 0.17
)

// clear gives the columns within the characters that are surely one each. What stands before a counter is none of them: it
// may be two digits that touch.
func (lr *lineReader) clear(chars []*Char) (inner []span) {
	for i, c := range chars {
		w := (c.X1 - c.X0) / lr.em
		if c.Narrow || c.Answers[0].Dist > surelyOne || w < surelyNarrow || w > surelyWide {
			continue
		}
		if i+1 < len(chars) && (chars[i+1].Narrow || isCounter(chars[i+1].R())) || i > 0 && chars[i-1].Narrow {
			continue
		}
		inner = append(inner, span{int(c.X0 + endsWithin*lr.em), int(c.X1 - endsWithin*lr.em)})
	}
	return inner
}

// path is the cheapest way to cut the line.
func (lr *lineReader) path() (out []*Char) {
	n := len(lr.cuts)
	cost := make([]float32, n)
	back := make([]arc, n)
	for j := 1; j < n; j++ {
		cost[j] = cost[j-1] + lr.inkBetween(lr.cuts[j-1], lr.cuts[j])*lr.skip
		back[j] = arc{j - 1, nil}
		for i := j - 1; i >= 0; i-- {
			w := float32(lr.cuts[j]-lr.cuts[i]) / lr.em
			if w > wideMax {
				break
			}
			ch, c := lr.segment(lr.cuts[i], lr.cuts[j], w)
			if c += (lr.price[i] + lr.price[j]) / 2; ch != nil && cost[i]+c < cost[j] {
				cost[j] = cost[i] + c
				back[j] = arc{i, ch}
			}
		}
	}
	for j := n - 1; j > 0; j = back[j].from {
		if back[j].char != nil {
			out = append(out, back[j].char)
		}
	}
	slices.Reverse(out)
	return out
}

// inkBetween is the ink of a range of columns in ems of an average character (a third of the em square is ink).
func (lr *lineReader) inkBetween(a, b int) float32 {
	var s float32
	for x := a; x < b; x++ {
		s += lr.cols[x]
	}
	return s / (lr.em * lr.em * .3)
}

// segment reads columns a..b as a wide and, if it may be one, as a narrow character, and gives the cheaper with its cost.
func (lr *lineReader) segment(a, b int, w float32) (*Char, float32) {
	var best *Char
	var cost float32
	pair := lr.pair(a, b)
	for k, ch := range pair {
		if c, ok := costOf(ch, k == 1, w); ok && (best == nil || c < cost) {
			best, cost = ch, c
		}
	}
	return best, cost
}

// pair is the wide and the narrow reading of columns a..b; nil where there is none.
func (lr *lineReader) pair(a, b int) [2]*Char {
	// the ink inside, without white margins, but with thin strokes that join it
	from, to, thin := a, b, thinStroke*lr.em
	for a < b && lr.cols[a] <= lr.white {
		a++
	}
	for b > a && lr.cols[b-1] <= lr.white {
		b--
	}
	for a > from && a < b && lr.cols[a-1] > thin {
		a--
	}
	for b < to && a < b && lr.cols[b] > thin {
		b++
	}
	if float32(b-a) < lr.em*.06 || lr.inkBetween(a, b) < .02 {
		return [2]*Char{}
	}
	key := [2]int{a, b}
	pair, done := lr.cell[key]
	if !done {
		pair = lr.read(a, b)
		lr.cell[key] = pair
	}
	return pair
}

// costOf is what a reading of a segment w ems wide costs; ok is false where it cannot be.
func costOf(ch *Char, narrow bool, w float32) (c float32, ok bool) {
	switch {
	case ch == nil || !narrow && w < wideMin*.5 || narrow && (w < narrowMin || w > narrowMax):
		return 0, false
	case narrow:
		return (ch.Answers[0].Dist-fairNarrow)*.56 + perGlyph, true
	}
	c = ch.Answers[0].Dist - fair + perGlyph
	if w < wideMin {
		c += (wideMin - w) * 2
	}
	return c, true
}

func (lr *lineReader) read(a, b int) (pair [2]*Char) {
	w := float32(b-a) / lr.em
	cx := float32(a+b-1) / 2
	if w <= narrowMax {
		pair[1] = lr.char(a, b, cx, true)
	}
	// a clear digit need not be compared with eight thousand characters
	if w > .26 && w <= wideMax && (pair[1] == nil || w > .5 || pair[1].Answers[0].Dist > clearDigit) {
		pair[0] = lr.char(a, b, cx, false)
		if pair[0] != nil && w > .5 && lr.isFlat(a, b) {
			pair[0].flat = true
			pair[0].Answers = asBar(pair[0].Answers)
			pair[1] = nil
		}
	}
	return pair
}

// asBar puts 一 before the other answers.
func asBar(answers []glyph.Answer) []glyph.Answer {
	answers = append([]glyph.Answer{{R: '一', Dist: 1}}, answers...)
	answers[1].Dist = max(answers[1].Dist, 1.4)
	return answers
}

// mostAnswers is how many characters are considered for one place.
const mostAnswers = 12

// complete finds all answers of a wide character that was chosen.
func (lr *lineReader) complete(c *Char) {
	if c.Narrow {
		return
	}
	c.Answers = lr.m.NearestOf(c.V, mostAnswers)
	if c.flat {
		c.Answers = asBar(c.Answers)
	}
}

// isFlat says whether all ink of columns a..b lies within a flat bar near the middle of the row.
func (lr *lineReader) isFlat(a, b int) bool {
	top, bottom := lr.ink.H, -1
	for y := max(int(lr.cy-lr.em/2), 0); y < min(int(lr.cy+lr.em/2), lr.ink.H); y++ {
		for _, v := range lr.ink.Row(y)[a:b] {
			if v > .3 {
				top, bottom = min(top, y), y
				break
			}
		}
	}
	for x := a; x < b; x++ {
		if lr.cols[x] <= thinStroke*lr.em { // a dot and a piece of the next character
			return false
		}
	}
	if a > 0 && lr.cols[a-1] > lr.white || b < len(lr.cols) && lr.cols[b] > lr.white { // a stroke of a larger character
		return false
	}
	off := (float32(top+bottom)/2 - lr.cy) / lr.em
	return bottom >= top && float32(bottom-top+1) < .26*lr.em && off > -.22 && off < .22
}

func (lr *lineReader) char(a, b int, cx float32, narrow bool) *Char {
	k := lr.em / glyph.Em
	cw := float32(glyph.WideCell) * k
	if narrow {
		cw = glyph.NarrowCell * k
	}
	var f [glyph.Dim]float32
	glyph.CellFeatures(lr.ink, cx, lr.cy, cw, glyph.WideCell*k, f[:])
	c := &Char{X0: float32(a), X1: float32(b), Narrow: narrow, Dark: lr.darkest(a, b), cx: cx, cy: lr.cy, em: lr.em}
	if narrow {
		c.Answers = glyph.Narrow(f[:])
		lr.likely(c)
	} else {
		c.V = make([]float32, lr.m.Kept)
		lr.m.Project(f[:], c.V)
		c.Answers = lr.m.NearestOne(c.V) // the others are asked for when it is chosen
	}
	if len(c.Answers) == 0 {
		return nil
	}
	return c
}

// likely weighs the answers for a narrow character by what the ink's width says, and by how rare letters are in addresses:
// half a digit, whose cell shows all of it, must not be read as a second one.
func (lr *lineReader) likely(c *Char) {
	w := (c.X1 - c.X0) / lr.em
	for k := range c.Answers {
		a := &c.Answers[k]
		switch r := a.R; {
		case r == '1':
			a.Dist += max(w-.46, 0) * 6
		case r >= '0' && r <= '9':
			a.Dist += max(.34-w, 0)*8 + max(w-.56, 0)*6
		case r == '-':
			a.Dist += max(w-.42, 0) * 6
		case r == '·':
			if lr.han {
				a.Dist += max(w-.3, 0) * 6
			}
		case r == '#':
			a.Dist += 1.2
		default:
			a.Dist += .8 + max(.2-w, 0)*8
		}
		if lr.han && a.R != '·' {
			a.Dist += 1
		}
	}
	slices.SortStableFunc(c.Answers, func(a, b glyph.Answer) int { return cmp.Compare(a.Dist, b.Dist) })
}
