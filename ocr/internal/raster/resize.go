package raster

import (
	"image"
	"image/color"
)

// Shrink decodes any standard library picture into RGB whose longer side is at most maxSide, averaging whole blocks of
// pixels. It never enlarges. The factor is how many source pixels one result pixel stands for.
func Shrink(src image.Image, maxSide int) (m *RGB, factor float64) {
	b := src.Bounds()
	n := 1
	for max(b.Dx(), b.Dy())/n > maxSide {
		n++
	}
	m = NewRGB(max(b.Dx()/n, 1), max(b.Dy()/n, 1))
	switch s := src.(type) {
	case *image.YCbCr:
		shrinkYCbCr(m, s, n)
	case *image.RGBA:
		if s.Opaque() {
			shrinkRGBA(m, s, n)
			break
		}
		shrinkBy(m, n, func(x, y int) (int, int, int) { return flat(s.RGBAAt(x+b.Min.X, y+b.Min.Y)) })
	case *image.Gray:
		shrinkBy(m, n, func(x, y int) (int, int, int) {
			v := int(s.Pix[s.PixOffset(x+b.Min.X, y+b.Min.Y)])
			return v, v, v
		})
	default:
		shrinkBy(m, n, func(x, y int) (int, int, int) { return flat(src.At(x+b.Min.X, y+b.Min.Y)) })
	}
	return m, float64(n)
}

// flat lays a colour with transparency on white, as a viewer would show it.
func flat(c color.Color) (int, int, int) {
	r, g, b, a := c.RGBA()
	w := 0xffff - a
	return int((r + w) >> 8), int((g + w) >> 8), int((b + w) >> 8)
}

func shrinkBy(m *RGB, n int, at func(x, y int) (r, g, b int)) {
	for y := 0; y < m.H; y++ {
		for x := 0; x < m.W; x++ {
			var sr, sg, sb int
			for j := 0; j < n; j++ {
				for i := 0; i < n; i++ {
					r, g, b := at(x*n+i, y*n+j)
					sr, sg, sb = sr+r, sg+g, sb+b
				}
			}
			p := m.Pix[3*(y*m.W+x):]
			p[0], p[1], p[2] = uint8(sr/(n*n)), uint8(sg/(n*n)), uint8(sb/(n*n))
		}
	}
}

// shrinkRGBA is shrinkBy for the commonest kind of picture without transparency.
func shrinkRGBA(m *RGB, s *image.RGBA, n int) {
	sums := make([]int, 3*m.W)
	for y := 0; y < m.H; y++ {
		clear(sums)
		for j := 0; j < n; j++ {
			row := s.Pix[s.PixOffset(s.Rect.Min.X, s.Rect.Min.Y+y*n+j):]
			for x := 0; x < m.W; x++ {
				sum := sums[3*x : 3*x+3 : 3*x+3]
				for p := row[4*x*n : 4*(x+1)*n]; len(p) >= 4; p = p[4:] {
					sum[0] += int(p[0])
					sum[1] += int(p[1])
					sum[2] += int(p[2])
				}
			}
		}
		dst := m.Pix[3*y*m.W : 3*(y+1)*m.W]
		for i, v := range sums {
			dst[i] = uint8(v / (n * n))
		}
	}
}

// shrinkYCbCr averages in YCbCr and converts once per result pixel, which is what makes twelve megapixels cheap.
func shrinkYCbCr(m *RGB, s *image.YCbCr, n int) {
	b := s.Bounds()
	// where a pixel's colour lies is the sum of a part of its row and a part of its column
	left := s.COffset(b.Min.X, b.Min.Y)
	cols := make([]int32, m.W)
	for x := range cols {
		cols[x] = int32(s.COffset(b.Min.X+x*n+n/2, b.Min.Y) - left)
	}
	sums := make([]int32, m.W)
	for y := 0; y < m.H; y++ {
		clear(sums)
		for j := 0; j < n; j++ {
			sumBlocks(sums, s.Y[s.YOffset(b.Min.X, b.Min.Y+y*n+j):], n)
		}
		dst := m.Pix[3*y*m.W : 3*(y+1)*m.W]
		row := s.COffset(b.Min.X, b.Min.Y+y*n+n/2)
		cb, cr := s.Cb[row:], s.Cr[row:]
		for x, sum := range sums {
			co := cols[x]
			p := dst[3*x : 3*x+3 : 3*x+3]
			p[0], p[1], p[2] = jfif(sum/int32(n*n), int32(cb[co])-128, int32(cr[co])-128)
		}
	}
}

// sumBlocks adds n neighbouring values of a row to each sum.
func sumBlocks(sums []int32, row []uint8, n int) {
	switch n {
	case 1:
		row = row[:len(sums)]
		for x := range sums {
			sums[x] += int32(row[x])
		}
	case 2:
		row = row[:2*len(sums)]
		for x := range sums {
			sums[x] += int32(row[2*x]) + int32(row[2*x+1])
		}
	default:
		for x := range sums {
			for _, v := range row[x*n : x*n+n] {
				sums[x] += int32(v)
			}
		}
	}
}

// jfif is the conversion of JFIF 1.02 to 8-bit RGB in fixed point, rounded as image/color does it. y is 0..255, cb and cr
// -128..127.
func jfif(y, cb, cr int32) (r, g, b uint8) {
	y *= 0x10101
	return byteOf(y + 91881*cr), byteOf(y - 22554*cb - 46802*cr), byteOf(y + 116130*cb)
}

// byteOf cuts a value of 16 fractional bits to 0..255.
func byteOf(v int32) uint8 {
	if uint32(v)&0xff000000 == 0 {
		return uint8(v >> 16)
	}
	return uint8(^(v >> 31))
}

// Oriented applies an EXIF orientation (1 to 8) so that the picture stands as the camera's owner saw it.
func (m *RGB) Oriented(o int) *RGB {
	if o < 2 || o > 8 {
		return m
	}
	w, h := m.W, m.H
	if o >= 5 {
		w, h = h, w
	}
	out := NewRGB(w, h)
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			sx, sy := orientedSource(o, x, y, m.W, m.H)
			copy(out.Pix[3*(y*w+x):3*(y*w+x)+3], m.Pix[3*(sy*m.W+sx):])
		}
	}
	return out
}

// orientedSource is the table of EXIF 2.3, tag 0x0112: which source pixel lands at x, y.
func orientedSource(o, x, y, w, h int) (int, int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	default: // 8
		return w - 1 - y, x
	}
}

// Half shrinks a plane by two, averaging 2x2 blocks.
func (p *Plane) Half() *Plane {
	out := NewPlane(max(p.W/2, 1), max(p.H/2, 1))
	if p.W < 2 {
		return out.halfOfColumn(p)
	}
	for y := 0; y < out.H; y++ {
		dst := out.Row(y)
		a, b := p.Row(min(2*y, p.H-1))[:2*len(dst)], p.Row(min(2*y+1, p.H-1))[:2*len(dst)]
		for x := range dst {
			dst[x] = (a[2*x] + a[2*x+1] + b[2*x] + b[2*x+1]) * 0.25
		}
	}
	return out
}

// halfOfColumn is Half of a plane one pixel wide.
func (out *Plane) halfOfColumn(p *Plane) *Plane {
	for y := range out.Pix {
		a, b := p.Pix[min(2*y, p.H-1)], p.Pix[min(2*y+1, p.H-1)]
		out.Pix[y] = (a + a + b + b) * 0.25
	}
	return out
}

// Resize resamples to w x h: block means when shrinking, bilinear when enlarging.
func (p *Plane) Resize(w, h int) *Plane {
	for p.W >= 2*w && p.H >= 2*h {
		p = p.Half()
	}
	out := NewPlane(w, h)
	sx, sy := float32(p.W)/float32(w), float32(p.H)/float32(h)
	cols := make([]Between, w)
	for x := range cols {
		cols[x] = BetweenAt((float32(x)+.5)*sx-.5, p.W)
	}
	for y := 0; y < h; y++ {
		p.Sample(out.Row(y), cols, BetweenAt((float32(y)+.5)*sy-.5, p.H))
	}
	return out
}

// Sample puts into dst, of the length of cols, what lies at these columns of a place between two rows (bilinear).
func (p *Plane) Sample(dst []float32, cols []Between, row Between) {
	a, b := p.Row(row.I), p.Row(row.J)
	dst = dst[:len(cols)]
	for x := range cols {
		c := &cols[x]
		top := a[c.I] + (a[c.J]-a[c.I])*c.F
		bot := b[c.I] + (b[c.J]-b[c.I])*c.F
		dst[x] = top + (bot-top)*row.F
	}
}

// Between is a place between two neighbouring pixels I and J, the share F of the way.
type Between struct {
	I, J int
	F    float32
}

// BetweenAt is where x lies among n pixels; outside, the edge is repeated.
func BetweenAt(x float32, n int) Between {
	x = min(max(x, 0), float32(n-1))
	i := int(x)
	return Between{i, min(i+1, n-1), x - float32(i)}
}

// At reads between pixels (bilinear); outside, the edge is repeated.
func (p *Plane) At(x, y float32) float32 {
	x = min(max(x, 0), float32(p.W-1))
	y = min(max(y, 0), float32(p.H-1))
	x0, y0 := int(x), int(y)
	fx, fy := x-float32(x0), y-float32(y0)
	x1, y1 := min(x0+1, p.W-1), min(y0+1, p.H-1)
	a, b := p.Pix[y0*p.W:], p.Pix[y1*p.W:]
	top := a[x0] + (a[x1]-a[x0])*fx
	bot := b[x0] + (b[x1]-b[x0])*fx
	return top + (bot-top)*fy
}

// Near is At, quicker for places well inside the picture, which nearly all are.
func (p *Plane) Near(x, y float32) float32 {
	x0, y0 := int(x), int(y)
	i := y0*p.W + x0
	if x < 0 || y < 0 || x0 >= p.W-1 || y0 >= p.H-1 {
		return p.At(x, y)
	}
	fx, fy := x-float32(x0), y-float32(y0)
	a, b := p.Pix[i:i+2:i+2], p.Pix[i+p.W:i+p.W+2:i+p.W+2]
	top := a[0] + (a[1]-a[0])*fx
	return top + (b[0]+(b[1]-b[0])*fx-top)*fy
}
