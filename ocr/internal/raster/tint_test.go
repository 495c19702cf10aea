package raster_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// TestATintIsItsPlane wants the same values to the last bit, inside the picture and beyond its edges: what was measured with
// planes holds for tints.
func TestATintIsItsPlane(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	m := raster.NewRGB(61, 43)
	for i := range m.Pix {
		m.Pix[i] = uint8(rng.IntN(256))
	}
	hm := raster.Homography{.7, .31, -4.3, -.21, .9, -3.7, .0007, -.0004, 1}
	for name, tint := range map[string]raster.Tint{"red": m.RedTint(), "luma": m.LumaTint()} {
		if got, want := tint.Warp(&hm, 90, 60), tint.Plane().Warp(&hm, 90, 60); !slices.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: the tint is not its plane", name)
		}
	}
	if red := m.RedTint().Plane(); red.Pix[100] != float32(m.Pix[300])*(1.0/255) {
		t.Error("the red tint is not red")
	}
}
