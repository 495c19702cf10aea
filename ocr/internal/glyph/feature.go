// Package glyph names printed Chinese characters. A cell of a text line becomes directional gradient features, a linear
// discriminant projection keeps what tells characters apart under blur and noise, and the nearest class means are the
// answer. It knows all 8,105 characters of the standard table, rare ones as well as common ones, which no general
// engine does. Method: directional features and discriminant projection as in classical printed character recognition
// (Kimura et al. 1987; Liu et al. 2003); weights by `go run ./ocr/train glyphs`.
package glyph

import (
	"math"

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
	sx, sy := w/Side, h/Side
	for y := 0; y < Side; y++ {
		row := out.Row(y)
		fy := cy + (float32(y)-(Side-1)/2.0)*sy
		for x := range row {
			fx := cx + (float32(x)-(Side-1)/2.0)*sx
			if fx < 0 || fx > float32(ink.W-1) || fy < 0 || fy > float32(ink.H-1) {
				continue
			}
			row[x] = ink.Near(fx, fy)
		}
	}
	return out
}

// weights of a pixel for two neighbouring blocks along one axis.
type spread struct {
	block int
	w     float32
}

var spreads = func() (t [Side][2]spread) {
	const step = float64(Side) / Blocks
	for i := range t {
		p := (float64(i)+.5)/step - .5
		b := int(math.Floor(p))
		f := float32(p - float64(b))
		t[i] = [2]spread{{b, 1 - f}, {b + 1, f}}
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

// Features computes the features of a cell into f (Dim values): the gradient of the ink, split between the two
// nearest of eight directions and pooled over overlapping blocks, square-rooted and scaled to unit length.
func Features(cell *raster.Plane, f []float32) {
	clear(f)
	c := cell.Gauss(.8)
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
func pool(f []float32, x, y int, gx, gy float32) {
	o := octant(gx, gy)
	a, b := unit[o], unit[o+1]
	det := a[0]*b[1] - a[1]*b[0]
	wa, wb := (gx*b[1]-gy*b[0])/det, (a[0]*gy-a[1]*gx)/det
	for _, sy := range spreads[y] {
		if sy.block < 0 || sy.block >= Blocks {
			continue
		}
		for _, sx := range spreads[x] {
			if sx.block < 0 || sx.block >= Blocks {
				continue
			}
			w := sx.w * sy.w
			i := (sy.block*Blocks + sx.block) * Dirs
			f[i+o] += wa * w
			f[i+(o+1)%Dirs] += wb * w
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
