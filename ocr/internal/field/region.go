// Package field finds and reads the written fields of an ID card once its number has been read. Everything is placed by
// content, relative to the number and to the birth year that the number tells, never by fixed places on the card: cards
// of another layout read as well.
package field

import (
	"image"
	"math"

	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Frame is what the number line says about the card: the centre of the first digit, the step to the next digit, and the
// downward normal, all in photo pixels; Ratio is pitch at the last digit over pitch at the first, which perspective makes.
type Frame struct {
	Origin, Step, Down raster.Point
	Ratio              float64
}

// Sizes in units of the number's pitch. On the standard card full-width characters measure about 1.2 pitches; other
// printings differ, so the region is cut again when its rows turn out taller or lower.
const (
	emPerPitch = 1.21
	left       = 12.0 // the region begins so far left of the first digit
	right      = 16.0
	above      = 24.0
	below      = 0.78 // the region ends so far above the number's middle: its digits reach up to 0.6, a last line of an address down to 0.85
	textLeft   = 10.4 // lines are read from so far left of the first digit …
	rowsLeft   = 7.4  // … and looked for between here, where values may begin, …
	rowsRight  = 6.5  // … and so far right of the first digit, where the portrait may begin
	rowsAbove  = 22.5 // and so far above the number; the top row of the standard card stands 14 above it, of others 20
	bendAbove  = 17.5 // how far up rows tell the region's bend
	nearAbove  = 9.0  // and how far when a first reading failed
)

// Region is the upright picture of the part of the card above the number, at a scale at which full-width characters
// measure about glyph.Em.
type Region struct {
	frame  Frame
	unit   float64       // region pixels a pitch
	bend   float64       // how much the top row is turned against the number line, as a slope
	source *raster.Plane // the photo at about the region's scale, so that sampling it does not alias
	shrunk float64       // photo pixels a source pixel
	Gray   *raster.Plane
	Ink    *raster.Plane
}

// NewRegion cuts the region from a plane of brightness (the brightest channel) and straightens its rows.
// Rows up to reach pitches above the number tell how.
func NewRegion(p *raster.Plane, f Frame, reach float64) *Region {
	r := &Region{frame: f, unit: glyph.Em / emPerPitch, source: p, shrunk: 1}
	r.cut()
	if b := r.findBend(reach); math.Abs(b) > 0.004 {
		r.bend = b
		r.cut()
	}
	return r
}

// rescale cuts the region again so that characters of em pixels measure glyph.Em.
func (r *Region) rescale(em float64) {
	r.unit *= min(max(glyph.Em/em, .6), 1.8)
	r.cut()
}

// ToPhoto maps a place of the region to the photo.
func (r *Region) ToPhoto(x, y float64) raster.Point {
	u := x/r.unit - left
	v := y/r.unit - above
	v += r.bend * u * v / -above
	f := r.frame
	// along the line the pitch grows or shrinks evenly from the first to the last digit
	s := u + (f.Ratio-1)*u*u/(2*17)
	return f.Origin.Add(f.Step.Mul(s)).Add(f.Down.Mul(v * (1 + (f.Ratio-1)*u/17)))
}

func (r *Region) cut() {
	for r.frame.Step.Norm()/r.unit > 1.45*r.shrunk {
		r.source = r.source.Half()
		r.shrunk *= 2
	}
	g := raster.NewPlane(int((left+right)*r.unit), int((above-below)*r.unit))
	k, off := 1/r.shrunk, (1-r.shrunk)/2/r.shrunk
	for y := 0; y < g.H; y++ {
		row := g.Row(y)
		for x := range row {
			q := r.ToPhoto(float64(x), float64(y))
			row[x] = r.source.Near(float32(q.X*k+off), float32(q.Y*k+off))
		}
	}
	r.Gray = g
	r.Ink = glyph.Normalise(calmed(g))
	for i, v := range r.Ink.Opening(4).Pix { // a shadow's edge is no print
		r.Ink.Pix[i] = max(r.Ink.Pix[i]-v, 0)
	}
}

// calmed smooths a picture taken in the dusk, whose noise would be read as print; others are left as they are.
func calmed(g *raster.Plane) *raster.Plane {
	var hist [256]int
	n := 0
	for y := 1; y < g.H; y += 3 {
		row := g.Row(y)
		for x := 1; x+1 < len(row); x += 3 {
			d := row[x] - (row[x-1]+row[x+1])/2
			hist[int(min(max(d, -d)/max(row[x], .02)*500, 255))]++
			n++
		}
	}
	acc, median := 0, 0
	for median < 255 && acc+hist[median] < n/2 {
		acc += hist[median]
		median++
	}
	switch noise := float64(median) / 500; { // half of the paper's points deviate by less than this share of their brightness
	case noise > .055:
		return g.Gauss(1.1)
	case noise > .03:
		return g.Gauss(.7)
	}
	return g
}

// column is the region's column so many pitches right of the first digit of the number.
func (r *Region) column(pitches float64) int {
	return min(max(int(math.Round((left+pitches)*r.unit)), 0), r.Gray.W)
}

// row is the region's row so many pitches above the number.
func (r *Region) row(pitches float64) int { return int((above - pitches) * r.unit) }

// top is the row above which no text of the card is expected.
func (r *Region) top() int { return r.row(rowsAbove) }

// findBend tries slopes for the top row and keeps the one that gives the sharpest rows.
func (r *Region) findBend(reach float64) float64 {
	type point struct{ y, lever, ink float64 } // a slope b moves the point by b*lever rows
	var points []point
	x0, x1 := r.column(-rowsLeft), r.column(rowsRight)
	for y := r.row(reach); y < r.Ink.H; y++ {
		v := (above - float64(y)/r.unit) / above
		row := r.Ink.Row(y)
		for x := x0 + y%2; x < x1; x += 2 {
			if row[x] > .35 {
				points = append(points, point{float64(y) + 40, (float64(x) - left*r.unit) * v, float64(row[x])})
			}
		}
	}
	best, bestScore := 0.0, -1.0
	prof := make([]float64, r.Ink.H+80)
	for k := -20; k <= 20; k++ {
		b := float64(k) * 0.008
		clear(prof)
		for _, p := range points {
			if i := int(p.y - b*p.lever); i >= 0 && i < len(prof) {
				prof[i] += p.ink
			}
		}
		score := 0.0
		for i := 2; i < len(prof); i++ {
			d := prof[i] + prof[i-1]
			score += d * d
		}
		if score *= 1 - 0.001*math.Abs(float64(k)); score > bestScore {
			best, bestScore = b, score
		}
	}
	return best
}

// Bounds gives the rectangle of the photo that a rectangle of the region covers.
func (r *Region) Bounds(x0, y0, x1, y1 float64) image.Rectangle {
	out := image.Rectangle{}
	for i, c := range [4][2]float64{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} {
		p := r.ToPhoto(c[0], c[1])
		q := image.Rect(int(p.X), int(p.Y), int(p.X)+1, int(p.Y)+1)
		if i == 0 {
			out = q
		} else {
			out = out.Union(q)
		}
	}
	return out
}
