// Package glyph names printed Chinese characters. A cell of a text line becomes directional gradient features, a linear
// discriminant projection keeps what tells characters apart under blur and noise, and the nearest class means are the
// answer. It knows all 8,105 characters of the standard table, rare ones as well as common ones, which no general
// engine does. Method: directional features and discriminant projection as in classical printed character recognition
// (Kimura et al. 1987; Liu et al. 2003); weights by `go run ./ocr/train glyphs`.
package glyph

import (
	"math"
	"sync"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// Geometry of the features: a Side-square picture, Blocks x Blocks places, Dirs directions.
const (
	Side   = 40
	Blocks = 8
	Dirs   = 8
	Dim    = Blocks * Blocks * Dirs
)

// Cell cuts a character out of a plane of ink as the feature extractor wants it: the square with the given centre and
// side (pixels of ink), resampled to Side.
func Cell(ink *raster.Plane, cx, cy, w, h float32) *raster.Plane {
	out := raster.NewPlane(Side, Side)
	cellInto(out, ink, cx, cy, w, h)
	return out
}

// cellInto is Cell into a zeroed plane.
func cellInto(out, ink *raster.Plane, cx, cy, w, h float32) {
	sx, sy := w/Side, h/Side
	var at [Side]float32
	from, to := Side, 0 // the columns that lie on the picture
	for x := range at {
		if at[x] = cx + (float32(x)-(Side-1)/2.0)*sx; at[x] >= 0 && at[x] <= float32(ink.W-1) {
			from, to = min(from, x), x+1
		}
	}
	for y := 0; y < Side; y++ {
		fy := cy + (float32(y)-(Side-1)/2.0)*sy
		if fy < 0 || fy > float32(ink.H-1) {
			continue
		}
		row := out.Row(y)
		y0 := int(fy)
		if y0 >= ink.H-1 { // the last row has no neighbour
			for x := from; x < to; x++ {
				row[x] = ink.Near(at[x], fy)
			}
			continue
		}
		a, b, k := ink.Row(y0), ink.Row(y0+1), fy-float32(y0)
		b = b[:len(a)]
		for x := from; x < to; x++ {
			x0 := int(at[x])
			if x0 >= len(a)-1 {
				row[x] = ink.Near(at[x], fy)
				continue
			}
			f := at[x] - float32(x0)
			top := a[x0] + (a[x0+1]-a[x0])*f
			row[x] = top + (b[x0]+(b[x0+1]-b[x0])*f-top)*k
		}
	}
}

// weights of a pixel for two neighbouring blocks along one axis.
type spread struct {
	block int
	w     float32
}

var spreads = func() (t [Side][]spread) {
	const step = float64(Side) / Blocks
	for i := range t {
		p := (float64(i)+.5)/step - .5
		b := int(math.Floor(p))
		f := float32(p - float64(b))
		for _, s := range [...]spread{{b, 1 - f}, {b + 1, f}} {
			if s.block >= 0 && s.block < Blocks {
				t[i] = append(t[i], s)
			}
		}
	}
	return t
}()

// directions of unit length.
var unit = func() (t [Dirs + 1][2]float32) {
	for i := range t {
		s, c := math.Sincos(2 * math.Pi * float64(i) / Dirs)
		t[i] = [2]float32{float32(c), float32(s)}
	}
	return t
}()

// dets are the determinants of neighbouring directions.
var dets = func() (t [Dirs]float32) {
	for o := range t {
		a, b := unit[o], unit[o+1]
		t[o] = a[0]*b[1] - a[1]*b[0]
	}
	return t
}()

// Features computes the features of a cell into f (Dim values): the gradient of the ink, split between the two
// nearest of eight directions and pooled over overlapping blocks, square-rooted and scaled to unit length.
func Features(cell *raster.Plane, f []float32) {
	s := extracts.Get().(*extracting)
	defer extracts.Put(s)
	s.features(cell, (*[Dim]float32)(f))
}

// CellFeatures is Features of a Cell, in memory that is used again.
func CellFeatures(ink *raster.Plane, cx, cy, w, h float32, f []float32) {
	s := extracts.Get().(*extracting)
	defer extracts.Put(s)
	clear(s.cell.Pix)
	cellInto(s.cell, ink, cx, cy, w, h)
	s.features(s.cell, (*[Dim]float32)(f))
}

// extracting is the working memory of one extraction.
type extracting struct {
	cell, rows, soft *raster.Plane
	wide             []float32
}

var extracts = sync.Pool{New: func() any {
	return &extracting{raster.NewPlane(Side, Side), raster.NewPlane(Side, Side), raster.NewPlane(Side, Side), make([]float32, Side+len(blur))}
}}

// blur takes the stairs off the strokes before their direction is taken.
var blur = raster.Normal(.8)

func (s *extracting) features(cell *raster.Plane, f *[Dim]float32) {
	clear(f[:])
	clear(s.rows.Pix)
	clear(s.soft.Pix)
	c := s.soft
	cell.ConvolveInto(c, s.rows, blur, s.wide)
	for y := 1; y < Side-1; y++ {
		up, mid, down := c.Row(y-1), c.Row(y), c.Row(y+1)
		for x := 1; x < Side-1; x++ {
			gx := (up[x+1] + 2*mid[x+1] + down[x+1]) - (up[x-1] + 2*mid[x-1] + down[x-1])
			gy := (down[x-1] + 2*down[x] + down[x+1]) - (up[x-1] + 2*up[x] + up[x+1])
			if gx*gx+gy*gy > 0.003 {
				pool(f, x, y, gx, gy)
			}
		}
	}
	var sum float32
	for i, v := range f {
		f[i] = float32(math.Sqrt(float64(max(v, 0)))) // rounding can leave a value just below zero
		sum += max(v, 0)
	}
	if sum > 0 {
		inv := float32(1 / math.Sqrt(float64(sum)))
		for i := range f {
			f[i] *= inv
		}
	}
}

// pool adds one gradient by the parallelogram rule to its two neighbouring directions and up to four blocks.
func pool(f *[Dim]float32, x, y int, gx, gy float32) {
	o := octant(gx, gy)
	a, b := &unit[o], &unit[o+1]
	det := dets[o]
	wa, wb := (gx*b[1]-gy*b[0])/det, (a[0]*gy-a[1]*gx)/det
	next := (o + 1) % Dirs
	for _, sy := range spreads[y] {
		for _, sx := range spreads[x] {
			w := sx.w * sy.w
			i := (sy.block*Blocks + sx.block) * Dirs
			f[i+o] += wa * w
			f[i+next] += wb * w
		}
	}
}

// octant is the index of the direction just clockwise below the vector.
func octant(gx, gy float32) int {
	o := 0
	if gy < 0 {
		o, gx, gy = 4, -gx, -gy
	}
	if gx <= 0 && gy >= 0 && (gx < 0 || gy > 0) {
		o, gx, gy = o+2, gy, -gx
	}
	if gy > gx {
		o++
	}
	return o % Dirs
}
