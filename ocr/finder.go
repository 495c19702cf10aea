package ocr

import (
	"context"
	"image"
	"sort"

	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/idnumber"
	"github.com/kangma/kangma/ocr/internal/locate"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// LineFinder tells where lines of text are on a picture: four corners each around the line, in pixels of m; corners 0 to 1
// run along it, in either direction. It gets only pictures that this package made itself. It may be called concurrently; it
// must return when ctx is done.
type LineFinder interface {
	FindLines(ctx context.Context, m *image.RGBA) ([][4][2]float64, error)
}

// finderSide is the longest side of the picture that a LineFinder gets.
const finderSide = 960

// Share of a found box's height that capitals take. Finders leave a margin that differs.
var capShares = [...]float64{.6, .72, .5}

// askFinder looks for the number on the lines that the finder sees, when the marks of the photo did not show it. What it
// proposes is proved like any other line: by reading it. have is the best so far, or nil.
func (s *scene) askFinder(ctx context.Context, f LineFinder, have *foundNumber) *foundNumber {
	m, k := raster.Shrink(s.rgb.Image(), finderSide)
	quads, err := f.FindLines(ctx, m.Image())
	if err != nil {
		return have // an engine that fails costs nothing but its proposals
	}
	best := have
	for _, l := range longLines(quads, k) {
		for _, share := range capShares {
			if ctx.Err() != nil {
				return best
			}
			n := s.proposed(l, share)
			if n == nil {
				continue
			}
			s.others = append(s.others, n)
			if better(n, best) {
				best = n
			}
			if best.Verdict == idnumber.Accepted {
				return best
			}
		}
	}
	return best
}

// longLines gives the few longest boxes as lines of the working picture, the height being that of the box.
func longLines(quads [][4][2]float64, k float64) []locate.Line {
	var out []locate.Line
	at := func(c [2]float64) raster.Point {
		return raster.Point{X: (c[0]+.5)*k - .5, Y: (c[1]+.5)*k - .5}
	}
	for _, q := range quads {
		a, b, c, d := at(q[0]), at(q[1]), at(q[2]), at(q[3])
		l := locate.Line{From: a.Add(d).Mul(.5), To: b.Add(c).Mul(.5), Height: [2]float64{d.Sub(a).Norm(), c.Sub(b).Norm()}}
		if length := l.To.Sub(l.From).Norm(); length < 6*l.Height[0] || length < 120 {
			continue
		}
		out = append(out, l)
	}
	sort.SliceStable(out, func(i, j int) bool {
		return out[i].To.Sub(out[i].From).Norm() > out[j].To.Sub(out[j].From).Norm()
	})
	return out[:min(len(out), 4)]
}

// proposed reads a box in both directions, with any pitch, and the better reading thoroughly.
func (s *scene) proposed(l locate.Line, share float64) *foundNumber {
	l.Height[0], l.Height[1] = l.Height[0]*share, l.Height[1]*share
	l.Pitch = l.Height[0]
	var best *foundNumber
	for _, d := range [...]locate.Line{l, l.Reversed()} {
		band, ok := d.Cut(s.max, .5, bandGeometry)
		if !ok {
			continue
		}
		n, ok := idnumber.Read(band.Plane, 0, true, s.now)
		if ok && (best == nil || n.Mean > best.Mean) {
			best = &foundNumber{n, d, band}
		}
	}
	if best == nil || best.Mean < hopeless {
		return nil
	}
	if best.Mean < grid.Good {
		if n, ok := idnumber.Read(best.band.Plane, 0, false, s.now); ok && n.Mean > best.Mean {
			best.Line = n
		}
	}
	best.relocate()
	return best
}
