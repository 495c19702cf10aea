package mrz

import (
	"bytes"
	_ "embed"
	"math"
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

// ReadLine reads one rectified line of n columns. pitch is the pitch expected in band pixels.
func ReadLine(band *raster.Plane, n int, pitch float64, quick bool) (grid.Reading, bool) {
	r, err := reader()
	if err != nil {
		return grid.Reading{}, false
	}
	return r.Read(grid.Normalise(band), shapeOf(n, pitch), quick)
}

func expOf(x float64) float64 { return math.Exp(x) }
