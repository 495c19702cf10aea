package mrz

import (
	"bytes"
	_ "embed"
	"slices"
	"sync"

	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// mrz.bin is made by `go run ./ocr/train mrz`.
//
//go:embed mrz.bin
var weights []byte

var reader = sync.OnceValues(func() (*grid.Reader, error) {
	net, err := nn.Load(bytes.NewReader(weights))
	if err != nil {
		return nil, err
	}
	return &grid.Reader{Net: net, Alphabet: Alphabet}, nil
})

// Probe says quickly whether a band shows characters of a zone at the given places: the mean log probability of the best
// character there, upright and upside down. It costs a small part of Columns and sorts the proposals.
func Probe(band *raster.Plane, xs []float32) (upright, turned float64) {
	r, err := reader()
	if err != nil || len(xs) == 0 {
		return -99, -99
	}
	ink := grid.Normalise(band)
	win := make([]float32, grid.WinW*grid.WinH)
	s := r.Net.NewScratch()
	for _, x := range xs {
		grid.Window(win, ink, x, 0, 1)
		r.Net.Forward(win, s)
		upright += float64(max(slices.Max(s.Logp[:len(Alphabet)]), -6))
		slices.Reverse(win)
		r.Net.Forward(win, s)
		turned += float64(max(slices.Max(s.Logp[:len(Alphabet)]), -6))
	}
	n := float64(len(xs))
	return upright / n, turned / n
}

// Columns tells how many columns the line on a band has (44, 36 or 30) and how well that fits: the greatest count whose
// characters are all there. marks is how many characters the line seems to have; a count next to it is believed.
func Columns(band *raster.Plane, pitch float64, marks int) (n int, fit float64) {
	r, err := reader()
	if err != nil {
		return 0, -99
	}
	counts := []int{44, 36, 30}
	for _, c := range counts {
		if marks >= c-1 && marks <= c+1 {
			return c, r.Fits(grid.Normalise(band), []grid.Shape{shapeOf(c, pitch)})[0]
		}
	}
	shapes := make([]grid.Shape, len(counts))
	for i, c := range counts {
		shapes[i] = shapeOf(c, pitch)
	}
	fits := r.Fits(grid.Normalise(band), shapes)
	best := max(fits[0], fits[1], fits[2])
	for i, f := range fits {
		if f > best-.25 {
			return counts[i], f
		}
	}
	return 0, -99
}

func shapeOf(n int, pitch float64) grid.Shape {
	return grid.Shape{Count: n, MinPitch: float32(max(pitch*.93, 14)), MaxPitch: float32(pitch*1.07 + .3),
		Allowed: func(int, int) bool { return true }}
}

// levelled is a mean log probability at which a line needs no search for its slope.
const levelled = -.02

// ReadLine reads one rectified line of n columns. pitch is the pitch expected in band pixels.
func ReadLine(band *raster.Plane, n int, pitch float64, quick bool) (grid.Reading, bool) {
	r, err := reader()
	if err != nil {
		return grid.Reading{}, false
	}
	ink, shape := grid.Normalise(band), shapeOf(n, pitch)
	rd, ok := r.Read(ink, shape, quick)
	if ok {
		rd = r.Straighten(ink, rd, shape)
		if rd.Mean < levelled {
			rd = r.Level(ink, rd, shape)
		}
	}
	return rd, ok
}
