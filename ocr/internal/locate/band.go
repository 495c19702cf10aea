package locate

import (
	"math"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// Geometry of a band to cut: capital height, total height and row of the capitals' top, in result pixels.
type Geometry struct{ Cap, H, Top int }

// Band is a rectified line with its mapping back to the photo.
type Band struct {
	*raster.Plane
	ToPhoto raster.Homography
	Pitch   float64 // expected pitch in band pixels
}

// Scaled gives the line in the pixels of a picture f times as large.
func (l Line) Scaled(f float64) Line {
	off := raster.Point{X: (f - 1) / 2, Y: (f - 1) / 2}
	l.From, l.To = l.From.Mul(f).Add(off), l.To.Mul(f).Add(off)
	l.Height[0] *= f
	l.Height[1] *= f
	l.Pitch *= f
	return l
}

// Reversed is the same line read from the other end.
func (l Line) Reversed() Line {
	l.From, l.To = l.To, l.From
	l.Height[0], l.Height[1] = l.Height[1], l.Height[0]
	marks := make([]float64, len(l.Marks))
	for i, m := range l.Marks {
		marks[len(marks)-1-i] = 1 - m
	}
	l.Marks = marks
	return l
}

// Cut rectifies the line from p, longer by extra pitches at both ends. ok is false when the line is degenerate or tiny.
func (l Line) Cut(p raster.Warper, extra float64, g Geometry) (Band, bool) {
	u := l.To.Sub(l.From)
	length := u.Norm()
	if length < 8 || l.Height[0] < 2 || l.Height[1] < 2 {
		return Band{}, false
	}
	u = u.Mul(1 / length)
	n := raster.Point{X: -u.Y, Y: u.X}
	slope := (l.Height[1] - l.Height[0]) / length
	e := extra * l.Pitch
	h0, h1 := max(l.Height[0]-slope*e, l.Height[0]*.6), max(l.Height[1]+slope*e, l.Height[1]*.6)
	mean := (h0 + h1) / 2
	up, down := float64(g.Top)/float64(g.Cap)+.5, float64(g.H-g.Top-g.Cap)/float64(g.Cap)+.5
	a, b := l.From.Sub(u.Mul(e)), l.To.Add(u.Mul(e))
	q := raster.Quad{a.Sub(n.Mul(h0 * up)), b.Sub(n.Mul(h1 * up)), b.Add(n.Mul(h1 * down)), a.Add(n.Mul(h0 * down))}
	w := int(math.Round((length + 2*e) / mean * float64(g.Cap)))
	if w < g.H || w > 4000 {
		return Band{}, false
	}
	hm, ok := raster.RectTo(float64(w), float64(g.H), q)
	if !ok {
		return Band{}, false
	}
	return Band{p.Warp(&hm, w, g.H), hm, l.Pitch / ((l.Height[0] + l.Height[1]) / 2) * float64(g.Cap)}, true
}
