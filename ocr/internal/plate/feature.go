package plate

import (
	"math"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// A band is a rectified line: capital height Cap pixels, capital tops at row CapTop, BandH rows in all, letters about Pitch
// pixels apart, whatever their proportions are on the plate.
const (
	Cap    = 24
	CapTop = 10
	BandH  = 44
	Pitch  = 23
)

// Geometry of the features of one place: Rows x Cols samples, Step pixels apart, in eight directions.
const (
	rows, cols, step, dirs = 9, 7, 4, 8
	Dim                    = rows * cols * dirs
)

// The same of the net for Chinese characters.
const (
	hanRows, hanCols, hanStep = 11, 11, 3
	HanDim                    = hanRows * hanCols * dirs
)

// Window says which part of a band a place covers: ordinary for letters, wide for Chinese characters that are drawn wider
// and taller than the letters.
type Window struct{ X, Y float32 }

// Windows of letters and of wide Chinese characters, as factors of the ordinary window.
var (
	Ordinary = Window{1, 1}
	Wide     = Window{1.4, 1.16}
)

// Field is a band as the net sees it: how strongly brightness changes in each of eight directions around every pixel.
// Directions, not brightness, so that light, stroke weight and dirt matter little (Kimura et al. 1987).
type Field struct {
	W   int
	dir [dirs]*raster.Plane

	band     *raster.Plane // as it was given
	inverted bool
}

// NewField makes the field of a band. Print is darker than its ground unless inverted. The contrast is taken from columns
// x0 to x1.
func NewField(band *raster.Plane, inverted bool, x0, x1 int) *Field {
	p := band.Gauss(.7)
	gain := 1 / max(contrast(p, x0, x1), .04)
	if inverted {
		gain = -gain
	}
	f := &Field{W: p.W, band: band, inverted: inverted}
	for d := range f.dir {
		f.dir[d] = raster.NewPlane(p.W, p.H)
	}
	for y := 1; y < p.H-1; y++ {
		up, mid, down := p.Row(y-1), p.Row(y), p.Row(y+1)
		for x := 1; x < p.W-1; x++ {
			gx := ((up[x+1] + 2*mid[x+1] + down[x+1]) - (up[x-1] + 2*mid[x-1] + down[x-1])) * gain
			gy := ((down[x-1] + 2*down[x] + down[x+1]) - (up[x-1] + 2*up[x] + up[x+1])) * gain
			if gx*gx+gy*gy > .02 {
				f.split(y*p.W+x, gx, gy)
			}
		}
	}
	kernel := []float32{1. / 16, 2. / 16, 3. / 16, 4. / 16, 3. / 16, 2. / 16, 1. / 16}
	for d := range f.dir {
		f.dir[d] = f.dir[d].ConvolveBoth(kernel)
	}
	return f
}

// split divides a gradient between its two neighbouring directions.
func (f *Field) split(i int, gx, gy float32) {
	a := math.Atan2(float64(gy), float64(gx)) * dirs / (2 * math.Pi)
	if a < 0 {
		a += dirs
	}
	m := float32(math.Sqrt(float64(gx*gx + gy*gy)))
	lo := int(a)
	t := float32(a - float64(lo))
	f.dir[lo%dirs].Pix[i] += m * (1 - t)
	f.dir[(lo+1)%dirs].Pix[i] += m * t
}

// contrast is the distance between the tenth and the ninetieth percentile of the rows of the letters.
func contrast(p *raster.Plane, x0, x1 int) float32 {
	var hist [256]int
	n := 0
	x0, x1 = max(x0, 0), min(x1, p.W)
	for y := CapTop; y < CapTop+Cap && y < p.H; y++ {
		for x := x0; x < x1; x++ {
			hist[int(min(max(p.Row(y)[x], 0), 1)*255)]++
			n++
		}
	}
	lo, hi, acc := -1, 0, 0
	for v, k := range hist {
		acc += k
		if lo < 0 && acc*10 >= n {
			lo = v
		}
		if acc*10 <= n*9 {
			hi = v
		}
	}
	return float32(max(hi-lo, 0)) / 255
}

// Features computes the net's input (Dim values) for the place at x, dy rows below the middle of the band.
func (f *Field) Features(dst []float32, x, dy float32, w Window) {
	f.sample(dst, x, dy, w, lattice{rows, cols, step})
}

// HanFeatures computes the input (HanDim values) of the net for Chinese characters, which sees the same window more finely.
func (f *Field) HanFeatures(dst []float32, x, dy float32, w Window) {
	f.sample(dst, x, dy, w, lattice{hanRows, hanCols, hanStep})
}

// lattice is rows x cols samples, step pixels apart.
type lattice struct {
	rows, cols int
	step       float32
}

func (f *Field) sample(dst []float32, x, dy float32, w Window, l lattice) {
	var sum float32
	i := 0
	for r := range l.rows {
		y := CapTop + (Cap-1)/2.0 + dy + float32(r-l.rows/2)*l.step*w.Y
		for c := range l.cols {
			fx := x + float32(c-l.cols/2)*l.step*w.X
			for d := range f.dir {
				v := f.dir[d].At(fx, y)
				dst[i] = v
				sum += v
				i++
			}
		}
	}
	inv := float32(l.rows*l.cols) * (64.0 / 63) / (sum + 6)
	for i, v := range dst {
		dst[i] = float32(math.Sqrt(float64(max(v*inv, 0))))
	}
}
