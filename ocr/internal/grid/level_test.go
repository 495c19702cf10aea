package grid_test

import (
	"testing"

	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/mrz"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// band draws a line of a zone into a band whose right end lies drop rows lower than its left end.
func band(t *testing.T, text string, drop float64) *raster.Plane {
	t.Helper()
	f, err := fonts.Get("ocr-b")
	if err != nil {
		t.Fatal(err)
	}
	const pitch = 19.0
	big := raster.NewPlane(int(pitch*float64(len(text)+4)), 3*grid.BandH)
	if err := f.Fixed(big, text, 2*pitch, grid.BandH+grid.CapTop+grid.Cap, grid.Cap/.7, pitch); err != nil {
		t.Fatal(err)
	}
	out := raster.NewPlane(big.W, grid.BandH)
	for y := range out.H {
		for x := range out.W {
			shift := drop * (float64(x)/float64(out.W) - .5)
			out.Pix[y*out.W+x] = 1 - .9*big.At(float32(x), float32(float64(y+grid.BandH)-shift))
		}
	}
	return out
}

func TestALineThatSlopesTellsSo(t *testing.T) {
	const text = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
	for _, drop := range []float64{-4, 0, 4} {
		rd, ok := mrz.ReadLine(band(t, text, drop), len(text), 19, false)
		if !ok || rd.Text != text {
			t.Errorf("drop %v: %s", drop, rd.Text)
		}
		if slope := float64(rd.Lift[1] - rd.Lift[0]); drop != 0 && rd.Mean < -.02 && slope*drop <= 0 {
			t.Errorf("drop %v: the ends were read at %v", drop, rd.Lift)
		}
	}
}
