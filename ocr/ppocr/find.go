package ppocr

import (
	"errors"
	"math"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// Values of PP-OCRv4's detector: longest side, mean and deviation of its training pictures (ImageNet), the probability from
// which a pixel is text, and how much a found core is widened (its training shrinks lines; Liao et al. 2020, "Real-time
// Scene Text Detection with Differentiable Binarization").
const (
	detectSide = 960
	textPixel  = .3
	widen      = 1.6
	mostLines  = 200
)

var (
	detectMean = [3]float32{.485, .456, .406}
	detectDev  = [3]float32{.229, .224, .225}
)

func (e *engine) find(pix []byte, w, h int) (reply, error) {
	f := min(1, float64(detectSide)/float64(max(w, h)))
	dw, dh := max(int(float64(w)*f)/32*32, 32), max(int(float64(h)*f)/32*32, 32)
	data := make([]float32, 3*dw*dh)
	for c := range 3 {
		p := raster.NewPlane(w, h)
		for i := range p.Pix {
			p.Pix[i] = float32(pix[3*i+c]) / 255
		}
		for i, v := range p.Resize(dw, dh).Pix {
			data[c*dw*dh+i] = (v - detectMean[c]) / detectDev[c]
		}
	}
	out, _, err := run(e.det, dh, dw, data)
	if err != nil {
		return reply{}, err
	}
	if len(out) != dw*dh {
		return reply{}, errors.New("the detector's answer has another size than its input")
	}
	sx, sy := float64(w)/float64(dw), float64(h)/float64(dh)
	var rp reply
	for _, q := range lines(out, dw, dh) {
		for i := range q {
			q[i][0], q[i][1] = (q[i][0]+.5)*sx-.5, (q[i][1]+.5)*sy-.5
		}
		rp.Quads = append(rp.Quads, q)
	}
	return rp, nil
}

// lines groups text pixels and gives the rectangle of each group by its axes of inertia, longest side first.
func lines(prob []float32, w, h int) [][4][2]float64 {
	seen := make([]bool, w*h)
	var out [][4][2]float64
	for start := range prob {
		if seen[start] || prob[start] < textPixel {
			continue
		}
		group := []int{start}
		seen[start] = true
		for k := 0; k < len(group); k++ {
			i := group[k]
			for _, d := range [...]int{-1, 1, -w, w} {
				j := i + d
				if j < 0 || j >= len(prob) || seen[j] || prob[j] < textPixel || (d == -1 && i%w == 0) || (d == 1 && j%w == 0) {
					continue
				}
				seen[j] = true
				group = append(group, j)
			}
		}
		if len(group) < 24 {
			continue
		}
		if q, ok := rectangle(group, w); ok {
			out = append(out, q)
		}
		if len(out) == mostLines {
			break
		}
	}
	return out
}

func rectangle(group []int, w int) (q [4][2]float64, ok bool) {
	var mx, my float64
	n := float64(len(group))
	for _, i := range group {
		mx, my = mx+float64(i%w)/n, my+float64(i/w)/n
	}
	var xx, xy, yy float64
	for _, i := range group {
		dx, dy := float64(i%w)-mx, float64(i/w)-my
		xx, xy, yy = xx+dx*dx, xy+dx*dy, yy+dy*dy
	}
	a := .5 * math.Atan2(2*xy, xx-yy) // the long axis
	ux, uy := math.Cos(a), math.Sin(a)
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for _, i := range group {
		dx, dy := float64(i%w)-mx, float64(i/w)-my
		for k, v := range [2]float64{dx*ux + dy*uy, -dx*uy + dy*ux} {
			lo[k], hi[k] = min(lo[k], v), max(hi[k], v)
		}
	}
	lw, lh := hi[0]-lo[0]+1, hi[1]-lo[1]+1
	if lw < 4 || lh < 2 {
		return q, false
	}
	grow := lw * lh * widen / (2 * (lw + lh))
	x0, x1, y0, y1 := lo[0]-grow, hi[0]+grow, lo[1]-grow, hi[1]+grow
	for i, c := range [4][2]float64{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} {
		q[i] = [2]float64{mx + c[0]*ux - c[1]*uy, my + c[0]*uy + c[1]*ux}
	}
	return q, true
}
