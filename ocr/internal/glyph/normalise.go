package glyph

import "github.com/kangma/kangma/ocr/internal/raster"

// Em is the size of a full-width character, in pixels, of a text row as the reader rectifies it.
const Em = 32

// Cells are a little larger than the character, so that a place slightly wrong cuts nothing off.
const (
	WideCell   = 1.12 * Em
	NarrowCell = 0.68 * Em
)

// Normalise turns the brightness of a text row (or of a whole region at row scale) into ink of full contrast.
func Normalise(p *raster.Plane) *raster.Plane {
	ink := p.Ink(2 * Em)
	var hist [256]int
	for _, v := range ink.Pix {
		hist[int(min(max(v, 0), 1)*255)]++
	}
	acc, b := 0, 255
	for b > 0 && acc+hist[b] < len(ink.Pix)/30 {
		acc += hist[b]
		b--
	}
	gain := 1 / max(float32(b)/255, 0.12)
	for i, v := range ink.Pix {
		ink.Pix[i] = min(max(v*gain-0.1, 0), 1.05)
	}
	return ink
}
