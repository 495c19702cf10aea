package locate

import (
	"math"
	"slices"
	"sort"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// Line is a row of equally spaced, equally tall marks: a candidate for a printed number. Its direction may be the reading
// direction or the opposite one.
type Line struct {
	From, To raster.Point // centres of the first and last mark
	Height   [2]float64   // capital height at From and To
	Pitch    float64      // mean distance of neighbours
	Count    int          // marks found
	Score    float64
	Marks    []float64 // where along From..To the marks are, 0..1
	members  []int
}

// Proportion is the range of pitch over capital height that a kind of line has, and how many characters.
type Proportion struct {
	Min, Max float64
	Want     int
	RunsOn   bool // more marks may stand before and behind it: a longer row is as good as the best part of it
}

// Proportions of card numbers and machine readable zones, and of licence plates.
var (
	Numbers = Proportion{.6, 1.75, 18, true}
	Zones   = Proportion{.7, 1.4, 40, false}
	Plates  = Proportion{.42, 1.0, 7, false}
)

// Chains finds rows of the proportions of Numbers; see ChainsOf.
func (b *Blobs) Chains(least, most int) []Line { return b.ChainsOf(least, most, Numbers) }

// ChainsOf finds rows of at least least marks, best first, no two of like pitch sharing most of their marks.
func (b *Blobs) ChainsOf(least, most int, shape Proportion) []Line {
	ix := newIndex(b)
	var all []Line
	used := make([][]int, len(b.List)) // for each mark those beside it in a chain
	for i := range b.List {
		for _, j := range ix.neighbours(i) {
			if slices.Contains(used[i], j) {
				continue
			}
			members := ix.grow(i, j)
			for k := 1; k < len(members); k++ {
				p, q := members[k-1], members[k]
				if !slices.Contains(used[p], q) {
					used[p], used[q] = append(used[p], q), append(used[q], p)
				}
			}
			if len(members) >= least {
				if l, ok := b.fit(members, shape); ok {
					all = append(all, l)
				}
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Score > all[j].Score })
	var out []Line
	taken := map[int]float64{} // pitch of the line that has the mark
	for _, l := range all {
		n := 0
		for _, m := range l.members {
			if p := taken[m]; p > .8*l.Pitch && p < 1.25*l.Pitch {
				n++
			}
		}
		if 4*n > 3*len(l.members) {
			continue
		}
		for _, m := range l.members {
			taken[m] = l.Pitch
		}
		if out = append(out, l); len(out) == most {
			break
		}
	}
	return out
}

// index finds blobs near a place.
type index struct {
	b     *Blobs
	cell  int
	cols  int
	cells [][]int
}

func newIndex(b *Blobs) *index {
	ix := &index{b: b, cell: 24}
	ix.cols = b.W/ix.cell + 1
	ix.cells = make([][]int, ix.cols*(b.H/ix.cell+1))
	for i, c := range b.List {
		k := int(c.C.Y)/ix.cell*ix.cols + int(c.C.X)/ix.cell
		ix.cells[k] = append(ix.cells[k], i)
	}
	return ix
}

// near calls f for every blob whose centre is within r of p.
func (ix *index) near(p raster.Point, r float64, f func(i int, d float64)) {
	x0, x1 := max(int(p.X-r)/ix.cell, 0), min(int(p.X+r)/ix.cell, ix.cols-1)
	y0, y1 := max(int(p.Y-r)/ix.cell, 0), min(int(p.Y+r)/ix.cell, len(ix.cells)/ix.cols-1)
	for y := y0; y <= y1; y++ {
		for x := x0; x <= x1; x++ {
			for _, i := range ix.cells[y*ix.cols+x] {
				if d := ix.b.List[i].C.Sub(p).Norm(); d <= r {
					f(i, d)
				}
			}
		}
	}
}

// neighbours gives up to six blobs of like size that may be the next mark of a line.
func (ix *index) neighbours(i int) []int {
	c := &ix.b.List[i]
	type cand struct {
		i int
		d float64
	}
	var cs []cand
	ix.near(c.C, 1.9*c.Diag, func(j int, d float64) {
		o := &ix.b.List[j]
		if j != i && d > 0.45*c.Diag && alike(c.Diag, o.Diag) {
			cs = append(cs, cand{j, d})
		}
	})
	sort.Slice(cs, func(a, b int) bool { return cs[a].d < cs[b].d })
	var out []int
	for k := 0; k < len(cs) && k < 6; k++ {
		out = append(out, cs[k].i)
	}
	return out
}

func alike(a, b float64) bool { return a < 1.5*b && b < 1.5*a }

// grow walks from the pair i, j in both directions, each step predicted from the last ones; up to two marks in a row may
// be missing (a digit broken or joined to a smudge).
func (ix *index) grow(i, j int) []int {
	fwd := ix.walk(i, j)
	back := ix.walk(j, i)
	out := make([]int, 0, len(fwd)+len(back))
	for k := len(back) - 1; k >= 0; k-- {
		out = append(out, back[k])
	}
	out = append(out, i, j)
	return append(out, fwd...)
}

// walk gives the blobs found after j, coming from i.
func (ix *index) walk(i, j int) []int {
	a, b := ix.b.List[i], ix.b.List[j]
	step := b.C.Sub(a.C)
	pos, diag := b.C, (a.Diag+b.Diag)/2
	var out []int
	miss := 0
	for len(out) < 60 && miss <= 2 {
		want := pos.Add(step)
		best, bd := -1, 0.34*step.Norm()
		ix.near(want, bd, func(k int, d float64) {
			if d < bd && alike(diag, ix.b.List[k].Diag) && k != i && k != j {
				best, bd = k, d
			}
		})
		if best < 0 {
			miss++
			pos = want
			continue
		}
		c := ix.b.List[best].C
		got := c.Sub(pos)
		step = step.Mul(.75).Add(got.Mul(.25))
		diag = .8*diag + .2*ix.b.List[best].Diag
		pos, miss = c, 0
		out = append(out, best)
	}
	return out
}

// leastScore is the score below which a row that runs on is not worth a look: the numbers of six hundred cards had 12 and
// more.
const leastScore = 6

// fit measures a chain: the straight line through it, the capital height along it, how regular it is.
func (b *Blobs) fit(members []int, shape Proportion) (Line, bool) {
	first, last := b.List[members[0]].C, b.List[members[len(members)-1]].C
	u := last.Sub(first)
	length := u.Norm()
	if length < 20 {
		return Line{}, false
	}
	u = u.Mul(1 / length)
	n := raster.Point{X: -u.Y, Y: u.X}
	ts, gaps := make([]float64, 0, len(members)), make([]float64, 0, len(members))
	for k, m := range members {
		ts = append(ts, b.List[m].C.Sub(first).Dot(u))
		if k > 0 {
			gaps = append(gaps, ts[k]-ts[k-1])
		}
	}
	pitch := median(gaps)
	bad := make([]float64, len(ts)) // how irregular each mark and its distance to the one before are
	for k, g := range gaps {
		r := g / pitch
		bad[k+1] = min(math.Abs(r-math.Round(r)), .5)
	}
	if shape.RunsOn && shape.score(bad) < leastScore {
		return Line{}, false // its heights can only make it worse
	}
	tops, bots := make([]float64, 0, len(members)), make([]float64, 0, len(members))
	for _, m := range members {
		lo, hi := b.extent(m, first, n)
		tops, bots = append(tops, lo), append(bots, hi)
	}
	top, bot := edges(ts, tops, bots)
	l := Line{Pitch: pitch, Count: len(members), members: members}
	for k := range ts {
		bad[k] += min(math.Abs(tops[k]-top.at(ts[k]))+math.Abs(bots[k]-bot.at(ts[k])), pitch) / pitch
	}
	mid := func(t float64) raster.Point { return first.Add(u.Mul(t)).Add(n.Mul((top.at(t) + bot.at(t)) / 2)) }
	l.From, l.To = mid(0), mid(length)
	l.Height = [2]float64{bot.at(0) - top.at(0), bot.at(length) - top.at(length)}
	h := (l.Height[0] + l.Height[1]) / 2
	if l.Height[0] < 4 || l.Height[1] < 4 || pitch < shape.Min*h || pitch > shape.Max*h {
		return Line{}, false
	}
	l.Score = shape.score(bad)
	for _, t := range ts {
		l.Marks = append(l.Marks, t/length)
	}
	return l, true
}

// score is the better, the closer the count of marks is to the wanted and the more regular they are.
func (p Proportion) score(bad []float64) float64 {
	surplus := .4
	sum := total(bad)
	if p.RunsOn && len(bad) > p.Want {
		surplus = .1
		part := total(bad[:p.Want])
		sum = part
		for k := p.Want; k < len(bad); k++ {
			part += bad[k] - bad[k-p.Want]
			sum = min(sum, part)
		}
	}
	// long lines gather more irregularity than short ones
	return 18 - .4*float64(max(p.Want-len(bad), 0)) - surplus*float64(max(len(bad)-p.Want, 0)) - 2.4*sum*18/float64(max(p.Want, 18))
}

func total(v []float64) (sum float64) {
	for _, x := range v {
		sum += x
	}
	return sum
}

// edges fits the upper and the lower edge of a line by its tall marks only: the filler < of a machine readable zone is
// lower than the letters and would tilt the edges.
func edges(ts, tops, bots []float64) (top, bot straight) {
	heights := make([]float64, len(ts))
	for i := range ts {
		heights[i] = bots[i] - tops[i]
	}
	limit := .86 * choose(append([]float64(nil), heights...), len(heights)*8/10)
	var t, a, b []float64
	for i, h := range heights {
		if h >= limit {
			t, a, b = append(t, ts[i]), append(a, tops[i]), append(b, bots[i])
		}
	}
	if len(t) < 3 {
		t, a, b = ts, tops, bots
	}
	if t[len(t)-1]-t[0] < .6*(ts[len(ts)-1]-ts[0]) { // too short a part to tell how the height changes: parallel edges
		mids := make([]float64, len(ts))
		for i := range ts {
			mids[i] = (tops[i] + bots[i]) / 2
		}
		tall := make([]float64, len(t))
		for i := range t {
			tall[i] = (b[i] - a[i]) / 2
		}
		half := median(tall)
		mid := robustLine(ts, mids)
		return straight{mid.a - half, mid.b}, straight{mid.a + half, mid.b}
	}
	return robustLine(t, a), robustLine(t, b)
}

// extent projects a blob's pixels on the normal n: the least and greatest distance from the line through o. The ends of every
// row are enough.
func (b *Blobs) extent(m int, o, n raster.Point) (lo, hi float64) {
	c := &b.List[m]
	if c.ends == nil {
		b.findEnds(c)
	}
	lo, hi = math.Inf(1), math.Inf(-1)
	for i, e := range c.ends {
		dy := (float64(c.Y0+i) - o.Y) * n.Y
		for _, x := range e {
			d := (float64(x)-o.X)*n.X + dy
			lo, hi = min(lo, d), max(hi, d)
		}
	}
	return lo - .5, hi + .5
}

// findEnds looks up the first and the last pixel of every row of a blob. Every row has some: a blob is connected.
func (b *Blobs) findEnds(c *Blob) {
	c.ends = make([][2]int32, c.Y1-c.Y0+1)
	for i := range c.ends {
		row := b.Labels[(c.Y0+i)*b.W:]
		x0, x1 := c.X0, c.X1
		for row[x0] != c.Label {
			x0++
		}
		for row[x1] != c.Label {
			x1--
		}
		c.ends[i] = [2]int32{int32(x0), int32(x1)}
	}
}
