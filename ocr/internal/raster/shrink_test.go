package raster_test

import (
	"image"
	"image/color"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// TestEveryKindOfPictureIsConvertedAsImageColorDoes compares the quick ways with the plain one, for all subsamplings.
func TestEveryKindOfPictureIsConvertedAsImageColorDoes(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		m := image.NewYCbCr(image.Rect(0, 0, 37, 21), ratio)
		for _, p := range [][]uint8{m.Y, m.Cb, m.Cr} {
			for i := range p {
				p[i] = uint8(rng.IntN(256))
			}
		}
		got, _ := raster.Shrink(m, 100)
		rgba := image.NewRGBA(m.Rect)
		for y := range 21 {
			for x := range 37 {
				c := m.YCbCrAt(x, y)
				r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
				rgba.SetRGBA(x, y, color.RGBA{r, g, b, 255})
			}
		}
		want, _ := raster.Shrink(rgba, 100)
		if got.W != 37 || got.H != 21 || !slices.Equal(got.Pix, want.Pix) {
			t.Errorf("subsampling %v: another picture", ratio)
		}
	}
}

func TestAPictureWithoutTransparencyIsAveragedLikeAnyOther(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	m, other := image.NewRGBA(image.Rect(3, 2, 44, 33)), image.NewNRGBA(image.Rect(3, 2, 44, 33))
	for y := 2; y < 33; y++ {
		for x := 3; x < 44; x++ {
			c := color.NRGBA{uint8(rng.IntN(256)), uint8(rng.IntN(256)), uint8(rng.IntN(256)), 255}
			m.Set(x, y, c)
			other.Set(x, y, c)
		}
	}
	for _, side := range []int{100, 25, 14} {
		a, _ := raster.Shrink(m, side)
		b, _ := raster.Shrink(other, side)
		if a.W != b.W || !slices.Equal(a.Pix, b.Pix) {
			t.Errorf("side %d: another picture", side)
		}
	}
	m.SetRGBA(20, 20, color.RGBA{}) // transparent: white
	if a, _ := raster.Shrink(m, 100); a.Pix[3*(18*41+17)] != 255 {
		t.Error("a transparent pixel is not white")
	}
}
