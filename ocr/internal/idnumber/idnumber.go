// Package idnumber reads the eighteen characters of a resident ID number from a rectified line and decides whether they
// may be believed. It never completes a number: the checksum may only break a near tie, by Policy.
package idnumber

import (
	"bytes"
	_ "embed"
	"math"
	"sync"
	"time"

	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// digits.bin is made by `go run ./ocr/train digits`.
//
//go:embed digits.bin
var weights []byte

var reader = sync.OnceValues(func() (*grid.Reader, error) {
	net, err := nn.Load(bytes.NewReader(weights))
	if err != nil {
		return nil, err
	}
	return &grid.Reader{Net: net, Alphabet: alphabet}, nil
})

// Line is a number line as read and judged.
type Line struct {
	grid.Reading
	Judgement
}

// Pitches of the number line in band pixels: 0.8 to 1.4 capital heights.
const minPitch, maxPitch = 16, 28

// Read reads a rectified band (see package grid) whose line may start anywhere. pitch, if not 0, is the pitch expected.
// quick tries only the likely geometry. ok is false when the band is too short for eighteen characters.
func Read(band *raster.Plane, pitch float64, quick bool, now time.Time) (Line, bool) {
	r, err := reader()
	if err != nil {
		return Line{}, false
	}
	shape := grid.Shape{Count: 18, MinPitch: minPitch, MaxPitch: maxPitch,
		Allowed: func(place, class int) bool { return class < 10 || place == 17 }}
	if pitch > 0 {
		shape.MinPitch, shape.MaxPitch = float32(max(pitch*.9-.6, 13)), float32(pitch*1.1+.6)
	}
	rd, ok := r.Read(grid.Normalise(band), shape, quick)
	if !ok {
		return Line{}, false
	}
	return Line{rd, DefaultPolicy.Judge(rd.Logp, now)}, true
}

func exp(x float64) float64 { return math.Exp(x) }
