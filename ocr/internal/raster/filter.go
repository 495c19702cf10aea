package raster

import "math"

// Box is the mean over a (2r+1)-square window; at the edges the window is cut.
func (p *Plane) Box(r int) *Plane { return p.boxRows(r).boxCols(r) }

func (p *Plane) boxRows(r int) *Plane {
	out := NewPlane(p.W, p.H)
	for y := 0; y < p.H; y++ {
		boxRow(out.Row(y), p.Row(y), r)
	}
	return out
}

// boxRow is the running mean of a row, cut at its ends.
func boxRow(dst, src []float32, r int) {
	var sum float32
	n := 0
	for _, v := range src[:min(r, len(src))] {
		sum += v
		n++
	}
	for x := range dst {
		if x+r < len(src) {
			sum += src[x+r]
			n++
		}
		if x-r-1 >= 0 {
			sum -= src[x-r-1]
			n--
		}
		dst[x] = sum / float32(n)
	}
}

func (p *Plane) boxCols(r int) *Plane {
	out := NewPlane(p.W, p.H)
	sum := make([]float32, p.W)
	n := 0
	for y := 0; y < min(r, p.H); y++ {
		axpy(sum, p.Row(y), 1)
		n++
	}
	for y := 0; y < p.H; y++ {
		if y+r < p.H {
			axpy(sum, p.Row(y+r), 1)
			n++
		}
		if y-r-1 >= 0 {
			axpy(sum, p.Row(y-r-1), -1)
			n--
		}
		dst := out.Row(y)
		copy(dst, sum)
		scale(dst, 1/float32(n))
	}
	return out
}

// Gauss blurs by a normal kernel of the given standard deviation in pixels.
func (p *Plane) Gauss(sigma float64) *Plane {
	if sigma < 0.15 {
		return p
	}
	return p.ConvolveBoth(Normal(sigma))
}

// Normal is a normal kernel of the given standard deviation in pixels, cut off at 2.6 deviations, whose sum is 1.
func Normal(sigma float64) []float32 {
	r := int(math.Ceil(2.6 * sigma))
	k := make([]float32, 2*r+1)
	var sum float32
	for i := range k {
		d := float64(i - r)
		k[i] = float32(math.Exp(-d * d / (2 * sigma * sigma)))
		sum += k[i]
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}

// Convolve filters the rows by an odd kernel; the edge is repeated.
func (p *Plane) Convolve(k []float32) *Plane {
	out := NewPlane(p.W, p.H)
	p.convolveRows(out, k, make([]float32, p.W+len(k)))
	return out
}

// ConvolveBoth filters the rows and the columns by the same odd kernel; the edge is repeated.
func (p *Plane) ConvolveBoth(k []float32) *Plane {
	out := NewPlane(p.W, p.H)
	p.ConvolveInto(out, NewPlane(p.W, p.H), k, make([]float32, p.W+len(k)))
	return out
}

// ConvolveInto is ConvolveBoth for callers that have memory: out and between are zeroed planes of the size of p, wide has
// room for a row and the kernel.
func (p *Plane) ConvolveInto(out, between *Plane, k, wide []float32) {
	p.convolveRows(between, k, wide)
	r := len(k) / 2
	for y := 0; y < p.H; y++ {
		dst := out.Row(y)
		for i, kv := range k {
			axpy(dst, between.Row(clamp(y+i-r, 0, p.H-1)), kv)
		}
	}
}

// convolveRows adds the filtered rows to out. wide holds one row with its edges repeated.
func (p *Plane) convolveRows(out *Plane, k, wide []float32) {
	r := len(k) / 2
	wide = wide[:p.W+2*r]
	for y := 0; y < p.H; y++ {
		src, dst := p.Row(y), out.Row(y)
		copy(wide[r:], src)
		for i := range r {
			wide[i], wide[r+p.W+i] = src[0], src[p.W-1]
		}
		for i, kv := range k {
			axpy(dst, wide[i:i+p.W], kv)
		}
	}
}

// Background estimates the paper under dark print: the local maximum over about `window` pixels, smoothed. It is made at
// a quarter of the size, so that a window of any width costs the same.
func (p *Plane) Background(window int) *Plane {
	small := p
	n := 1
	for n < 4 && min(small.W, small.H) >= 16 {
		small = small.Half()
		n *= 2
	}
	r := max(window/(2*n), 1)
	m := small.dilateRows(r).transpose().dilateRows(r).transpose()
	return m.Box(r).Resize(p.W, p.H)
}

// Opening removes bright marks narrower than about four radii (in pixels of p) and keeps what is wider: shadow edges,
// stains, the portrait. It works at half size.
func (p *Plane) Opening(r int) *Plane {
	h := p.Half()
	for i, v := range h.Pix {
		h.Pix[i] = 1 - v
	}
	h = h.dilateRows(r).transpose().dilateRows(r).transpose() // erosion of the original
	for i, v := range h.Pix {
		h.Pix[i] = 1 - v
	}
	return h.dilateRows(r).transpose().dilateRows(r).transpose().Box(1).Resize(p.W, p.H)
}

func (p *Plane) dilateRows(r int) *Plane {
	out := NewPlane(p.W, p.H)
	maxima := make([]float32, 2*p.W)
	for y := 0; y < p.H; y++ {
		slidingMax(out.Row(y), p.Row(y), r, maxima)
	}
	return out
}

// slidingMax is the maximum over r places to either side, in two passes whatever r is: van Herk (1992) and Gil and Werman
// (1993) keep running maxima from both ends of blocks as long as the window. There is room for two rows in maxima.
func slidingMax(dst, src []float32, r int, maxima []float32) {
	n, w := len(src), 2*r+1
	if r < 3 || n <= w {
		for x := range dst {
			m := src[x]
			for _, v := range src[max(0, x-r):min(n, x+r+1)] {
				m = max(m, v)
			}
			dst[x] = m
		}
		return
	}
	fwd, back := maxima[:n], maxima[n:2*n]
	for i := range src {
		if i%w == 0 {
			fwd[i] = src[i]
		} else {
			fwd[i] = max(fwd[i-1], src[i])
		}
	}
	for i := n - 1; i >= 0; i-- {
		if i == n-1 || i%w == w-1 {
			back[i] = src[i]
		} else {
			back[i] = max(back[i+1], src[i])
		}
	}
	for x := range dst {
		dst[x] = max(back[max(x-r, 0)], fwd[min(x+r, n-1)])
	}
}

func (p *Plane) transpose() *Plane {
	out := NewPlane(p.H, p.W)
	for y := 0; y < p.H; y++ {
		for x, v := range p.Row(y) {
			out.Pix[x*p.H+y] = v
		}
	}
	return out
}

// Ink is 1 - p/background: 0 on paper, towards 1 on black print, whatever the light.
func (p *Plane) Ink(window int) *Plane {
	bg := p.Background(window)
	out := NewPlane(p.W, p.H)
	for i, v := range p.Pix {
		out.Pix[i] = min(max(1-v/max(bg.Pix[i], 0.02), 0), 1)
	}
	return out
}
