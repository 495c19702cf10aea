package main

import (
	"math"
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// drawEm is the size of characters as drawn, before they are shrunk to photo size.
const (
	drawEm = 60
	// sizes of characters on the photo, in pixels: those of a card 400 pixels wide to one of 1,400
	leastEm, mostEm = 15., 54.
)

// hanCell draws r between neighbours, photographs it badly, and cuts its cell as the reader does: as wide and as high as the
// row's ink says, around the middle of the character's own ink, with the errors of a real segmentation.
func hanCell(rng *rand.Rand, h *hanFace, r rune) *raster.Plane {
	mask := raster.NewPlane(drawEm*12/5, drawEm*7/5)
	base := float64(mask.H)/2 + h.mid*drawEm
	draw := func(s string, x float64) {
		if s == "" {
			return
		}
		if _, err := h.font.Text(mask, s, x, base, drawEm, 0); err != nil {
			panic(err)
		}
	}
	w := h.font.Width(string(r), drawEm, 0)
	x := float64(mask.W)/2 - w/2
	draw(string(r), x)
	x0, x1 := inkColumns(mask)
	tracking := drawEm * degrade.Between(rng, .0, .12)
	if rng.Float64() < .1 {
		tracking += drawEm * degrade.Between(rng, 0, .6) // a name printed widely
	}
	left, right := h.neighbour(rng, false), h.neighbour(rng, false)
	draw(left, x-tracking-h.font.Width(left, drawEm, 0))
	draw(right, x+w+tracking)
	if rng.Float64() < .55 {
		mask = degrade.Weight(mask, 1+rng.IntN(2), degrade.Between(rng, -.8, .85))
	}
	em := leastEm * math.Exp(rng.Float64()*math.Log(mostEm/leastEm))
	k := em / drawEm
	photo := mask.Resize(int(float64(mask.W)*k), int(float64(mask.H)*k))
	photo = lineSpec{maxBlur: .12}.spoil(rng, photo, em*.8)
	// to reading scale: the row's ink is 0.93 of what the reader takes for an em
	s := em * h.ink / .93 / glyph.Em
	shear, tilt := rng.NormFloat64()*.03, rng.NormFloat64()*.013
	W, H := int(float64(photo.W)/s), int(float64(photo.H)/s)
	hm := raster.Homography{s, shear * s, -shear * s * float64(H) / 2, tilt * s, s, -tilt * s * float64(W) / 2, 0, 0, 1}
	ink := glyph.Normalise(photo.Warp(&hm, W, H))
	cx := float64(x0+x1) / 2 * k / s
	cx += rng.NormFloat64() * .028 * glyph.Em
	cy := float64(mask.H)/2*k/s + rng.NormFloat64()*.035*glyph.Em
	return glyph.Cell(ink, float32(cx), float32(cy), float32(glyph.WideCell*math.Exp(rng.NormFloat64()*.035)), float32(glyph.WideCell*math.Exp(rng.NormFloat64()*.035)))
}

// inkColumns is the first inked column and the one after the last.
func inkColumns(p *raster.Plane) (x0, x1 int) {
	x0 = p.W
	for y := range p.H {
		for x, v := range p.Row(y) {
			if v > .4 {
				x0, x1 = min(x0, x), max(x1, x+1)
			}
		}
	}
	return min(x0, x1), x1
}
