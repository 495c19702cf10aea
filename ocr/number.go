package ocr

import (
	"context"
	"math"
	"sort"
	"time"

	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/idnumber"
	"github.com/kangma/kangma/ocr/internal/locate"
	"github.com/kangma/kangma/ocr/internal/raster"
)

var bandGeometry = locate.Geometry{Cap: grid.Cap, H: grid.BandH, Top: grid.CapTop}

// foundNumber is a number line with where it lies on the working picture.
type foundNumber struct {
	idnumber.Line
	line locate.Line // in reading direction, from the first to the last digit
	band locate.Band
}

// scene is a working picture with what several stages need of it.
type scene struct {
	rgb    *raster.RGB
	max    *raster.Plane // brightest channel
	small  *raster.Plane // max at detection size
	shrunk float64       // working pixels a detection pixel
	now    time.Time
	others []*foundNumber // every line that was read
	marks  *locate.Blobs  // what stands out from the surroundings of the first width
}

func newScene(m *raster.RGB, now time.Time) *scene {
	s := &scene{rgb: m, max: m.Max(), shrunk: 1, now: now}
	s.small = s.max
	for max(s.small.W, s.small.H) > 1300 {
		s.small = s.small.Half()
		s.shrunk *= 2
	}
	return s
}

// windows are the widths of the surroundings that marks are looked for in, and which of the rows of marks found there, best
// first, are probed before and after the other widths were tried. The number is nearly always among the first rows of the first
// width, on six hundred cards never after the fourteenth; a printed desk has hundreds of rows at every width.
var windows = [...]struct{ width, first, then int }{{41, 45, 60}, {23, 20, 25}, {71, 20, 25}}

// search is one search for a number.
type search struct {
	*scene
	tried  []locate.Line // read
	probed []locate.Line // marks looked at
	best   *foundNumber
}

// findNumber looks for rows of equally spaced marks and proves each by reading it in both directions. The best line is
// given even when it is not accepted; nil when nothing looks like a number.
func (s *scene) findNumber(ctx context.Context) (*foundNumber, error) {
	find := search{scene: s}
	smooth := s.small.Gauss(.7)
	var later [][]locate.Line
	for _, w := range windows {
		marks := locate.FindBlobs(smooth, w.width)
		if s.marks == nil {
			s.marks = marks
		}
		lines := marks.Chains(9, w.then)
		first := min(w.first, len(lines))
		later = append(later, lines[first:])
		if done, err := find.among(ctx, lines[:first]); done || err != nil {
			return find.best, err
		}
	}
	for _, lines := range later {
		if done, err := find.among(ctx, lines); done || err != nil {
			return find.best, err
		}
	}
	return find.best, nil
}

// mostThorough is how many of the rows probed together are read thoroughly, those that were read best at first.
const mostThorough = 2

// among reads the most promising of lines, then the best of those again thoroughly. done says that the number is found.
func (s *search) among(ctx context.Context, lines []locate.Line) (done bool, err error) {
	var read []*foundNumber
	for _, l := range s.promising(lines) {
		if ctx.Err() != nil {
			return false, errDeadline.Because(ctx.Err())
		}
		if again(s.tried, l.Line) {
			continue
		}
		s.tried = append(s.tried, l.Line)
		if f := s.tryLine(l); f != nil {
			read = append(read, f)
		}
	}
	sort.SliceStable(read, func(i, j int) bool { return better(read[i], read[j]) })
	for i, f := range read {
		if i < mostThorough && read[0].Verdict != idnumber.Accepted {
			f.readThoroughly(s.now)
		}
		f.relocate()
		s.others = append(s.others, f)
		if better(f, s.best) {
			s.best = f
		}
	}
	return s.best != nil && s.best.Verdict != idnumber.Unreadable && s.best.stands(), nil
}

// again says whether a line that covers this one was tried before, as far and as large.
func again(tried []locate.Line, l locate.Line) bool {
	for _, t := range tried {
		u := t.To.Sub(t.From)
		length := u.Norm()
		u = u.Mul(1 / length)
		inside := true
		for _, p := range [...]raster.Point{l.From, l.To} {
			d := p.Sub(t.From)
			along, across := d.Dot(u), math.Abs(d.X*u.Y-d.Y*u.X)
			inside = inside && along > -.6*t.Pitch && along < length+.6*t.Pitch && across < .15*t.Height[0]
		}
		h := (l.Height[0] + l.Height[1]) / (t.Height[0] + t.Height[1])
		if inside && h > .93 && h < 1.07 && l.Pitch > .95*t.Pitch && l.Pitch < 1.05*t.Pitch {
			return true
		}
	}
	return false
}

// probed is a proposed line with its probe in both directions.
type probed struct {
	locate.Line
	probe [2]float64
}

// leastProbe is how much the clearest marks of a row are like digits at least. Those of numbers had more than -0.01 on six
// hundred photos of cards, those of a printed desk have -0.1 to -6.
const leastProbe = -.3

// leastUpright is the same for one direction of a row of which the other is more like digits: 0, 1, 6, 8 and 9 turned are
// digits too, so nothing but the clearly upside down is left out.
const leastUpright = -1.5

// promising scales the proposals to the working picture and keeps the few whose marks look like digits.
func (s *search) promising(lines []locate.Line) []probed {
	var out []probed
	before := s.probed
	for _, l := range lines {
		l = l.Scaled(s.shrunk)
		if again(before, l) {
			continue
		}
		s.probed = append(s.probed, l)
		band, ok := l.Cut(s.max, 1, bandGeometry)
		if !ok {
			continue
		}
		toBand, ok := band.ToPhoto.Inverse()
		if !ok {
			continue
		}
		var xs []float32
		for i := 0; i < len(l.Marks); i += max(len(l.Marks)/8, 1) {
			mark := l.From.Add(l.To.Sub(l.From).Mul(l.Marks[i]))
			xs = append(xs, float32(toBand.Apply(mark).X))
		}
		p := probed{Line: l}
		if p.probe[0], p.probe[1] = idnumber.Probe(band.Plane, xs); max(p.probe[0], p.probe[1]) > leastProbe {
			out = append(out, p)
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		return max(out[i].probe[0], out[i].probe[1]) > max(out[j].probe[0], out[j].probe[1])
	})
	return out[:min(len(out), 5)]
}

func better(a, b *foundNumber) bool {
	if b == nil {
		return true
	}
	if (a.Verdict == idnumber.Accepted) != (b.Verdict == idnumber.Accepted) {
		return a.Verdict == idnumber.Accepted
	}
	return a.Mean > b.Mean
}

// hopeless is a mean log probability below which a line is not a number at all.
const hopeless = -2.2

// poor is a mean from which no other geometry makes a line readable.
const poor = -1.2

// tryLine reads a line quickly in both directions and gives the better reading, if it can be a number at all.
func (s *scene) tryLine(l probed) *foundNumber {
	missing := max(18-l.Count, 0)
	extra := float64(missing) + 2.2
	var best *foundNumber
	for i, d := range [...]locate.Line{l.Line, l.Reversed()} {
		if l.probe[i] < max(l.probe[1-i]-2.5, leastUpright) {
			continue // clearly upside down
		}
		band, ok := d.Cut(s.max, extra, bandGeometry)
		if !ok {
			continue
		}
		n, ok := idnumber.Read(band.Plane, band.Pitch, true, s.now)
		if f := (&foundNumber{n, d, band}); ok && better(f, best) { // 1106 reads upside down as well as upright
			best = f
		}
	}
	if best == nil || best.Mean < hopeless {
		return nil
	}
	return best
}

// readThoroughly reads a line in other geometries too, where that may help.
func (f *foundNumber) readThoroughly(now time.Time) {
	if f.Mean >= grid.Good || f.Mean <= poor {
		return
	}
	if n, ok := idnumber.Read(f.band.Plane, f.band.Pitch, false, now); ok && n.Mean > f.Mean {
		f.Line = n
	}
}

// relocate sets line to run from the first to the last digit as read.
func (f *foundNumber) relocate() {
	mid := float64(grid.CapTop) + grid.Cap/2 + float64(f.DY)
	at := func(x float32, y float64) raster.Point {
		return f.band.ToPhoto.Apply(raster.Point{X: float64(x), Y: y})
	}
	a, b := f.X[0], f.X[len(f.X)-1]
	half := grid.Cap / 2 * float64(f.F)
	l := &f.line
	l.From, l.To = at(a, mid), at(b, mid)
	l.Height = [2]float64{at(a, mid+half).Sub(at(a, mid-half)).Norm(), at(b, mid+half).Sub(at(b, mid-half)).Norm()}
	l.Pitch, l.Count = l.To.Sub(l.From).Norm()/17, 18
}
