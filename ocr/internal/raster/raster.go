// Package raster holds the picture types of the reader and the few operations on them: shrinking, blurring, local
// background, projective rectification. Everything works on 8-bit RGB or on float32 planes in 0..1; nothing here knows
// what is on the picture.
package raster

import "image"

// RGB is an 8-bit colour picture, three bytes a pixel, row by row.
type RGB struct {
	W, H int
	Pix  []uint8
}

// NewRGB makes a black picture.
func NewRGB(w, h int) *RGB { return &RGB{W: w, H: h, Pix: make([]uint8, 3*w*h)} }

// Plane is one channel of float32 values, usually in 0..1.
type Plane struct {
	W, H int
	Pix  []float32
}

// NewPlane makes a plane of zeros.
func NewPlane(w, h int) *Plane { return &Plane{W: w, H: h, Pix: make([]float32, w*h)} }

// Row gives row y; it shares the plane's memory.
func (p *Plane) Row(y int) []float32 { return p.Pix[y*p.W : (y+1)*p.W] }

// Crop copies a rectangle; parts outside the plane repeat its edge.
func (p *Plane) Crop(x0, y0, w, h int) *Plane {
	out := NewPlane(w, h)
	for y := 0; y < h; y++ {
		src := p.Row(clamp(y+y0, 0, p.H-1))
		dst := out.Row(y)
		for x := range dst {
			dst[x] = src[clamp(x+x0, 0, p.W-1)]
		}
	}
	return out
}

func clamp(v, lo, hi int) int { return max(lo, min(hi, v)) }

// Max is the brightest of the three channels at each pixel, 0..1. Coloured print (the blue labels and the guilloche of an
// ID card) nearly vanishes in it, black print stays.
func (m *RGB) Max() *Plane {
	out := NewPlane(m.W, m.H)
	for i := range out.Pix {
		p := m.Pix[3*i : 3*i+3 : 3*i+3]
		out.Pix[i] = float32(max(p[0], p[1], p[2])) * (1.0 / 255)
	}
	return out
}

// Luma is the Rec. 601 luma of each pixel, 0..1.
func (m *RGB) Luma() *Plane {
	out := NewPlane(m.W, m.H)
	for i := range out.Pix {
		p := m.Pix[3*i : 3*i+3 : 3*i+3]
		out.Pix[i] = (0.299*float32(p[0]) + 0.587*float32(p[1]) + 0.114*float32(p[2])) * (1.0 / 255)
	}
	return out
}

// Image makes a standard library picture of m.
func (m *RGB) Image() *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := 0; i < m.W*m.H; i++ {
		copy(out.Pix[4*i:4*i+3], m.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 255
	}
	return out
}

// Gray makes an 8-bit grey picture of p; values outside 0..1 are clipped.
func (p *Plane) Gray() *image.Gray {
	out := image.NewGray(image.Rect(0, 0, p.W, p.H))
	for i, v := range p.Pix {
		out.Pix[i] = uint8(min(max(v, 0), 1)*255 + .5)
	}
	return out
}
