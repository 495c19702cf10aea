package synth

import (
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// grounds and inks of the colours of GA 36, each to be jittered.
var plateColours = map[string][2][3]float64{
	"blue":   {{.06, .22, .63}, {.95, .95, .97}},
	"green":  {{.45, .8, .55}, {.06, .06, .06}},
	"yellow": {{.93, .74, .12}, {.06, .06, .06}},
	"white":  {{.93, .93, .92}, {.06, .06, .06}},
	"black":  {{.06, .06, .07}, {.94, .94, .94}},
}

// paint lays ground, rim, print, dot, bolts and dirt.
func (p *platePen) paint() *raster.RGB {
	rng := p.rng
	c := plateColours[p.k.Colour]
	ground, ink := c[0], c[1]
	for i := range ground {
		ground[i] = min(max(ground[i]+degrade.Between(rng, -.05, .05), .02), .98)
		ink[i] = min(max(ink[i]+degrade.Between(rng, -.04, .04), .02), .98)
	}
	m := plain(p.mask.W, p.mask.H, ground[0], ground[1], ground[2])
	if p.k.Colour == "green" {
		p.greenGround(m, ground)
	}
	if p.dot != nil && rng.IntN(6) > 0 {
		disc(p.mask, *p.dot, p.h*degrade.Between(rng, .025, .045))
	}
	p.rim()
	heavy := 1 + rng.IntN(3)
	print := degrade.Weight(p.mask, heavy, degrade.Between(rng, -.5, .5))
	blend(m, print, ink)
	blend(m, degrade.Weight(p.red, heavy, degrade.Between(rng, -.5, .5)), [3]float64{degrade.Between(rng, .7, .9), .1, .12})
	if rng.IntN(2) == 0 {
		p.bolts(m)
	}
	for range rng.IntN(4) {
		dirt(rng, m)
	}
	return m
}

// greenGround fades from white to green, or is yellow below the first two characters of a large vehicle.
func (p *platePen) greenGround(m *raster.RGB, g [3]float64) {
	edge := p.boxes[1].X + p.boxes[1].Pitch*.7
	fade := degrade.Between(p.rng, 0, .5)
	for y := range m.H {
		t := float64(y) / float64(m.H)
		for x := range m.W {
			c := g
			if p.k.Name == "green-large" {
				if float64(x) < edge {
					c = plateColours["yellow"][0]
				}
			} else {
				for k := range c {
					c[k] += (1 - c[k]) * max(0, 1-t*1.4) * fade * 1.6
					c[k] = min(c[k], 1)
				}
			}
			o := m.Pix[3*(y*m.W+x):]
			for k := range c {
				o[k] = uint8(255 * c[k])
			}
		}
	}
}

// rim draws a line along the edge in the colour of the print, or none.
func (p *platePen) rim() {
	if p.rng.IntN(5) == 0 {
		return
	}
	from := degrade.Between(p.rng, 2, 9)
	thick := degrade.Between(p.rng, 2, 7)
	for i := range p.mask.Pix {
		x, y := float64(i%p.mask.W), float64(i/p.mask.W)
		if e := min(x, y, p.w-x, p.h-y); e > from && e < from+thick {
			p.mask.Pix[i] = 1
		}
	}
}

// bolts fasten a plate at the upper and perhaps the lower edge.
func (p *platePen) bolts(m *raster.RGB) {
	spots := raster.NewPlane(m.W, m.H)
	r := p.h * degrade.Between(p.rng, .03, .05)
	inset := degrade.Between(p.rng, .2, .3)
	for _, fx := range []float64{inset, 1 - inset} {
		disc(spots, raster.Point{X: fx * p.w, Y: p.h * .085}, r)
		if p.rng.IntN(2) == 0 {
			disc(spots, raster.Point{X: fx * p.w, Y: p.h * .915}, r)
		}
	}
	g := degrade.Between(p.rng, .3, .8)
	blend(m, spots, [3]float64{g, g, g})
}

// dirt is a soft brown or pale stain that lets the print through.
func dirt(rng *rand.Rand, m *raster.RGB) {
	small := raster.NewPlane(12, 4)
	degrade.Noise(rng, small, 1)
	big := small.Resize(m.W, m.H)
	alpha := float32(degrade.Between(rng, .05, .3))
	for i, v := range big.Pix {
		big.Pix[i] = min(max(v-.4, 0), 1) * alpha
	}
	v := degrade.Between(rng, .2, .7)
	blend(m, big, [3]float64{v, v * .92, v * .8})
}
