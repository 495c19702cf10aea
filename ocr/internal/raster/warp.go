package raster

import "math"

// Point is a place on a picture in pixels; the centre of the first pixel is (0, 0).
type Point struct{ X, Y float64 }

// Add, Sub and Mul are vector arithmetic.
func (p Point) Add(q Point) Point { return Point{p.X + q.X, p.Y + q.Y} }

// Sub gives p - q.
func (p Point) Sub(q Point) Point { return Point{p.X - q.X, p.Y - q.Y} }

// Mul scales a vector.
func (p Point) Mul(f float64) Point { return Point{p.X * f, p.Y * f} }

// Dot is the scalar product.
func (p Point) Dot(q Point) float64 { return p.X*q.X + p.Y*q.Y }

// Norm is the length of a vector.
func (p Point) Norm() float64 { return math.Hypot(p.X, p.Y) }

// Quad is four corners: top left, top right, bottom right, bottom left, as the reader of the text would name them.
type Quad [4]Point

// Homography maps points of one plane to another; row-major 3x3.
type Homography [9]float64

// Apply maps a point.
func (h *Homography) Apply(p Point) Point {
	w := h[6]*p.X + h[7]*p.Y + h[8]
	return Point{(h[0]*p.X + h[1]*p.Y + h[2]) / w, (h[3]*p.X + h[4]*p.Y + h[5]) / w}
}

// RectTo is the homography that takes the rectangle 0..w, 0..h to a quad. ok is false when the quad is degenerate.
// Formula: the unit-square mapping of Heckbert, "Fundamentals of Texture Mapping" (1989), section 2.2.3.
func RectTo(w, h float64, q Quad) (hm Homography, ok bool) {
	d1, d2 := q[1].Sub(q[2]), q[3].Sub(q[2])
	s := q[0].Sub(q[1]).Add(q[2]).Sub(q[3])
	det := d1.X*d2.Y - d1.Y*d2.X
	if math.Abs(det) < 1e-9 {
		return hm, false
	}
	g := (s.X*d2.Y - s.Y*d2.X) / det
	k := (d1.X*s.Y - d1.Y*s.X) / det
	return Homography{
		(q[1].X - q[0].X + g*q[1].X) / w, (q[3].X - q[0].X + k*q[3].X) / h, q[0].X,
		(q[1].Y - q[0].Y + g*q[1].Y) / w, (q[3].Y - q[0].Y + k*q[3].Y) / h, q[0].Y,
		g / w, k / h, 1,
	}, true
}

// Inverse inverts the mapping.
func (h *Homography) Inverse() (Homography, bool) {
	a := h
	inv := Homography{
		a[4]*a[8] - a[5]*a[7], a[2]*a[7] - a[1]*a[8], a[1]*a[5] - a[2]*a[4],
		a[5]*a[6] - a[3]*a[8], a[0]*a[8] - a[2]*a[6], a[2]*a[3] - a[0]*a[5],
		a[3]*a[7] - a[4]*a[6], a[1]*a[6] - a[0]*a[7], a[0]*a[4] - a[1]*a[3],
	}
	det := a[0]*inv[0] + a[1]*inv[3] + a[2]*inv[6]
	if math.Abs(det) < 1e-12 {
		return inv, false
	}
	for i := range inv {
		inv[i] /= det
	}
	return inv, true
}

// Warp samples p through h for a result of w x h pixels (h maps result pixels to places of p).
func (p *Plane) Warp(hm *Homography, w, h int) *Plane { return warp(p.Near, hm, w, h) }

func warp(at func(x, y float32) float32, hm *Homography, w, h int) *Plane {
	out := NewPlane(w, h)
	for y := 0; y < h; y++ {
		dst := out.Row(y)
		fy := float64(y)
		nx, ny, nw := hm[1]*fy+hm[2], hm[4]*fy+hm[5], hm[7]*fy+hm[8]
		for x := range dst {
			inv := 1 / nw
			dst[x] = at(float32(nx*inv), float32(ny*inv))
			nx, ny, nw = nx+hm[0], ny+hm[3], nw+hm[6]
		}
	}
	return out
}
