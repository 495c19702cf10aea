// Package idnumber reads the eighteen characters of a resident ID number from a rectified line and decides whether they
// may be believed. It never completes a number: the checksum may only break a near tie, by Policy.
package idnumber

import (
	"bytes"
	_ "embed"
	"math"
	"slices"
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

// Probe says quickly whether a band shows digits at the given places: the mean log probability of the best digit at the
// clearest six tenths of them (a line may run on into other print), upright and upside down. It costs a hundredth of Read and sorts the proposals.
func Probe(band *raster.Plane, xs []float32) (upright, turned float64) {
	r, err := reader()
	if err != nil || len(xs) == 0 {
		return math.Inf(-1), math.Inf(-1)
	}
	ink := grid.Normalise(band)
	win := make([]float32, grid.WinW*grid.WinH)
	s := r.Net.NewScratch()
	var up, down []float32
	stride := 7 // marks far apart first
	if len(xs)%stride == 0 {
		stride = 5
	}
	for k := range xs {
		if k == enoughMarks && max(clearest(slices.Clone(up)), clearest(slices.Clone(down))) < noDigits {
			break
		}
		grid.Window(win, ink, xs[k*stride%len(xs)], 0, 1)
		r.Net.Forward(win, s)
		up = append(up, slices.Max(s.Logp[:10]))
		slices.Reverse(win)
		r.Net.Forward(win, s)
		down = append(down, slices.Max(s.Logp[:10]))
	}
	return clearest(up), clearest(down)
}

// After so many marks of which even the clearest are as unlike digits as this, the others are not looked at.
const (
	enoughMarks = 4
	noDigits    = -6
)

func clearest(v []float32) float64 {
	slices.Sort(v)
	v = v[len(v)*4/10:]
	sum := 0.0
	for _, x := range v {
		sum += float64(x) / float64(len(v))
	}
	return sum
}

func exp(x float64) float64 { return math.Exp(x) }
