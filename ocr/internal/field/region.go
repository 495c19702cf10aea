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

// Sizes in units of the number's pitch. Full-width characters of the fields measure about 1.2 pitches on every known
// printing of the card.
const (
	emPerPitch = 1.21
	unit       = glyph.Em / emPerPitch // region pixels a pitch
	left       = 11.0                  // the region begins so far left of the first digit
	right      = 12.5
	above      = 18.6
	below      = 1.15 // the region ends so far above the number's middle
)

// Region is the upright picture of the part of the card above the number.
type Region struct {
	frame Frame
	bend  float64 // how much the top row is turned against the number line, as a slope
	Gray  *raster.Plane
	Ink   *raster.Plane
}

// NewRegion cuts the region from a plane of brightness (the brightest channel) and straightens its rows.
func NewRegion(p *raster.Plane, f Frame) *Region {
	r := &Region{frame: f}
	r.cut(p)
	if b := r.findBend(); math.Abs(b) > 0.004 {
		r.bend = b
		r.cut(p)
	}
	return r
}

// ToPhoto maps a place of the region to the photo.
func (r *Region) ToPhoto(x, y float64) raster.Point {
	u := x/unit - left
	v := y/unit - above
	v += r.bend * u * v / -above
	f := r.frame
	// along the line the pitch grows or shrinks evenly from the first to the last digit
	s := u + (f.Ratio-1)*u*u/(2*17)
	return f.Origin.Add(f.Step.Mul(s)).Add(f.Down.Mul(v * (1 + (f.Ratio-1)*u/17)))
}

func (r *Region) cut(p *raster.Plane) {
	w, h := int(math.Floor(regionW)), int(math.Floor(regionH))
	g := raster.NewPlane(w, h)
	for y := 0; y < h; y++ {
		row := g.Row(y)
		for x := range row {
			q := r.ToPhoto(float64(x), float64(y))
			row[x] = p.At(float32(q.X), float32(q.Y))
		}
	}
	r.Gray, r.Ink = g, glyph.Normalise(g)
	for i, v := range r.Ink.Opening(4).Pix { // a shadow's edge is no print
		r.Ink.Pix[i] = max(r.Ink.Pix[i]-v, 0)
	}
}

// The region's size in pixels.
var (
	regionW = (left + right) * unit
	regionH = (above - below) * unit
)

// textRight is where the portrait may begin.
var textRight = int(math.Round((left + 8.6) * unit))

// textLeft is where values may begin; labels stand left of it or reach a little over it.
var textLeft = int(math.Round((left - 8.1) * unit))

// findBend tries slopes for the top row and keeps the one that gives the sharpest rows.
func (r *Region) findBend() float64 {
	best, bestScore := 0.0, -1.0
	prof := make([]float64, r.Ink.H+80)
	for k := -20; k <= 20; k++ {
		b := float64(k) * 0.008
		clear(prof)
		for y := 0; y < r.Ink.H; y += 2 {
			v := (above - float64(y)/unit) / above
			row := r.Ink.Row(y)
			for x := textLeft; x < min(textRight, len(row)); x += 2 {
				if row[x] > .35 {
					u := float64(x)/unit - left
					if i := int(float64(y)-b*u*unit*v) + 40; i >= 0 && i < len(prof) {
						prof[i] += float64(row[x])
					}
				}
			}
		}
		score := 0.0
		for i := 2; i < len(prof); i++ {
			d := prof[i] + prof[i-1]
			score += d * d
		}
		if score *= 1 - 0.002*math.Abs(float64(k)); score > bestScore {
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
