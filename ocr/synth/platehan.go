package synth

import (
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// PlateChar is a character with its surroundings as a plate shows them: print 1, ground 0.
type PlateChar struct {
	Mask         *raster.Plane
	X, Y, W, Cap float64 // centre and cell of the character, height of the letters beside it
}

// DrawPlateChar draws one character between what may stand beside it on a plate: a letter, a rim, a bolt. Chinese characters
// come in every free face but those held out, of any weight and proportion.
func DrawPlateChar(rng *rand.Rand, r rune, atEnd bool) (*PlateChar, error) {
	b := func(lo, hi float64) float64 { return degrade.Between(rng, lo, hi) }
	han, err := fonts.Get(pick(rng, installed("sans-bold", "sans-bold", "sans-bold", "sans", "serif-bold", "serif", "wenkai-bold", "wenkai-bold", "wenkai", "kai", "song")))
	if err != nil {
		return nil, err
	}
	letter, err := fonts.Get(pick(rng, installed(plateFaces...)))
	if err != nil {
		return nil, err
	}
	const capH = 90.0
	m := raster.NewPlane(330, 190)
	c := &PlateChar{Mask: m, X: 165, Y: 95, Cap: capH, W: capH * b(.45, 1.1)}
	f := letter
	if isHan(r) {
		f = han
	}
	if err := stamp(m, f, r, c.X, c.Y, c.W, capH*b(.9, 1.08), nil); err != nil {
		return nil, err
	}
	m = degrade.Weight(m, 1+rng.IntN(3), b(-.9, .9))
	side := 1.0
	if atEnd {
		side = -1
	}
	gap := c.W/2 + capH*b(.1, .55)
	lw := capH * b(.42, .6)
	for k := range 2 {
		x := c.X + side*(gap+lw/2+float64(k)*(lw+capH*b(.08, .2)))
		if err := stamp(m, letter, rune(plateLetters[rng.IntN(len(plateLetters))]), x, c.Y, lw, capH, nil); err != nil {
			return nil, err
		}
	}
	c.Mask = m
	c.edges(rng, side)
	return c, nil
}

// edges draws a rim around the plate and perhaps a bolt.
func (c *PlateChar) edges(rng *rand.Rand, side float64) {
	b := func(lo, hi float64) float64 { return degrade.Between(rng, lo, hi) }
	if rng.IntN(4) > 0 {
		x := c.X - side*(c.W/2+c.Cap*b(.08, .4))
		y0, y1, thick := c.Y-c.Cap*b(.62, .85), c.Y+c.Cap*b(.62, .85), b(2, 6)
		for i := range c.Mask.Pix {
			px, py := float64(i%c.Mask.W), float64(i/c.Mask.W)
			inX := (px-x)*side > 0
			if max(y0-py, py-y1) > 0 {
				continue
			}
			if d := (px - x) * side; d > 0 && d < thick || inX && (py-y0 < thick || y1-py < thick) {
				c.Mask.Pix[i] = 1
			}
		}
	}
	if rng.IntN(4) == 0 {
		disc(c.Mask, raster.Point{X: c.X + b(-40, 40), Y: c.Y - c.Cap*b(.55, .75)}, b(4, 8))
	}
}
