package field

import (
	"slices"

	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Char is one character of a line as read.
type Char struct {
	X0, X1  float32
	Dark    float32 // ink of its darkest part, 0..1
	Narrow  bool
	V       []float32 // projected features, to compare with any class
	Answers []glyph.Answer
	Agreed  int // 1: another reader says the same, -1: it says otherwise, 0: not asked
}

// R is the character read.
func (c *Char) R() rune { return c.Answers[0].R }

// Line is a line of text as read.
type Line struct {
	Y0, Y1 int
	Em     float32
	Chars  []Char
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
	cuts   []int
	cell   map[[2]int][2]*Char // wide and narrow reading of a segment
}

// readLine reads the line whose middle is at row cy with characters of size em, between columns x0 and x1.
func readLine(m *glyph.Model, ink *raster.Plane, cy, em float32, x0, x1 int) Line {
	lr := &lineReader{m: m, ink: ink, cy: cy, em: em, cell: map[[2]int][2]*Char{}}
	lr.columns(x0, x1)
	return Line{Y0: int(cy - em/2), Y1: int(cy + em/2), Em: em, Chars: lr.best()}
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
	white := lr.em * .035
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
}

// Costs, per em of width and unit of squared distance.
const (
	fair     = 2.1 // a character as far as this from its class is as good as nothing
	skipInk  = 1.6 // leaving an em of ink unread costs so much
	perGlyph = 0.06
)

type arc struct {
	from int
	char *Char
}

func (lr *lineReader) best() []Char {
	n := len(lr.cuts)
	cost := make([]float32, n)
	back := make([]arc, n)
	for j := 1; j < n; j++ {
		cost[j] = cost[j-1] + lr.inkBetween(lr.cuts[j-1], lr.cuts[j])*skipInk
		back[j] = arc{j - 1, nil}
		for i := j - 1; i >= 0; i-- {
			w := float32(lr.cuts[j]-lr.cuts[i]) / lr.em
			if w > wideMax {
				break
			}
			ch, c := lr.segment(lr.cuts[i], lr.cuts[j], w)
			if ch != nil && cost[i]+c < cost[j] {
				cost[j] = cost[i] + c
				back[j] = arc{i, ch}
			}
		}
	}
	var out []Char
	for j := n - 1; j > 0; j = back[j].from {
		if back[j].char != nil {
			out = append(out, *back[j].char)
		}
	}
	for a, b := 0, len(out)-1; a < b; a, b = a+1, b-1 {
		out[a], out[b] = out[b], out[a]
	}
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
	// the ink inside, without white margins
	for a < b && lr.cols[a] <= lr.em*.035 {
		a++
	}
	for b > a && lr.cols[b-1] <= lr.em*.035 {
		b--
	}
	if float32(b-a) < lr.em*.06 || lr.inkBetween(a, b) < .02 {
		return nil, 0
	}
	key := [2]int{a, b}
	pair, done := lr.cell[key]
	if !done {
		pair = lr.read(a, b)
		lr.cell[key] = pair
	}
	var best *Char
	var cost float32
	for k, ch := range pair {
		if ch == nil || k == 0 && w < wideMin*.5 || k == 1 && (w < narrowMin || w > narrowMax) {
			continue
		}
		width := float32(1)
		if k == 1 {
			width = .56
		}
		c := (ch.Answers[0].Dist-fair)*width + perGlyph
		if k == 0 && w < wideMin {
			c += (wideMin - w) * 2
		}
		if best == nil || c < cost {
			best, cost = ch, c
		}
	}
	return best, cost
}

func (lr *lineReader) read(a, b int) (pair [2]*Char) {
	w := float32(b-a) / lr.em
	cx := float32(a+b-1) / 2
	if w > .2 && w <= wideMax {
		pair[0] = lr.char(a, b, cx, false)
	}
	if w <= narrowMax {
		pair[1] = lr.char(a, b, cx, true)
	}
	return pair
}

func (lr *lineReader) char(a, b int, cx float32, narrow bool) *Char {
	k := lr.em / glyph.Em
	cw := float32(glyph.WideCell) * k
	if narrow {
		cw = glyph.NarrowCell * k
	}
	cell := glyph.Cell(lr.ink, cx, lr.cy, cw, glyph.WideCell*k)
	f := make([]float32, glyph.Dim)
	glyph.Features(cell, f)
	c := &Char{X0: float32(a), X1: float32(b), Narrow: narrow, Dark: lr.darkest(a, b), V: make([]float32, lr.m.Kept)}
	lr.m.Project(f, c.V)
	c.Answers = lr.m.NearestOf(c.V, 12, narrow)
	if len(c.Answers) == 0 {
		return nil
	}
	return c
}

// darkest is the ink of the darkest tenth of columns a..b.
func (lr *lineReader) darkest(a, b int) float32 {
	var hist [64]int
	n := 0
	for y := max(int(lr.cy-lr.em/2), 0); y < min(int(lr.cy+lr.em/2), lr.ink.H); y++ {
		for _, v := range lr.ink.Row(y)[a:b] {
			hist[min(max(int(v*60), 0), 63)]++
			n++
		}
	}
	acc := 0
	for k := 63; k > 0; k-- {
		if acc += hist[k]; acc*12 > n {
			return float32(k) / 60
		}
	}
	return 0
}

// faint is the share of a line's usual darkness below which a mark is not of the black print: a blue label, the ground.
const faint = 0.55

// dropFaint removes leading characters much fainter than the rest of the line: its label. Further in the line a faint
// character may only lie under glare.
func (l *Line) dropFaint() {
	var dark []float32
	for i := range l.Chars {
		dark = append(dark, l.Chars[i].Dark)
	}
	if len(dark) == 0 {
		return
	}
	slices.Sort(dark)
	limit := dark[len(dark)*7/10] * faint
	for len(l.Chars) > 0 && l.Chars[0].Dark < limit {
		l.Chars = l.Chars[1:]
	}
}
