package synth

import (
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// onVehicle puts a plate on the front or back of a vehicle. The plate takes a seventh to two fifths of the picture's width.
func onVehicle(rng *rand.Rand, plate *raster.RGB) *raster.RGB {
	w := int(float64(plate.W) * degrade.Between(rng, 2.4, 5))
	h := w * 5 / 8
	m := plain(w, h, 0, 0, 0)
	body := [3]float64{}
	pick(rng, []func(){
		func() { body = [3]float64{rng.Float64(), rng.Float64(), rng.Float64()} },
		func() { g := rng.Float64(); body = [3]float64{g, g, g} },
	})()
	rect := func(x0, y0, x1, y1 float64, c [3]float64, slope float64) {
		for y := max(int(y0*float64(h)), 0); y < min(int(y1*float64(h)), h); y++ {
			f := 1 + slope*(float64(y)/float64(h)-(y0+y1)/2)
			for x := max(int(x0*float64(w)), 0); x < min(int(x1*float64(w)), w); x++ {
				p := m.Pix[3*(y*w+x):]
				for k := range c {
					p[k] = uint8(min(max(255*c[k]*f, 0), 255))
				}
			}
		}
	}
	g := rng.Float64() * .5
	rect(0, 0, 1, 1, [3]float64{.45 + g, .45 + g, .47 + g}, .4) // road and sky
	rect(.04, .12, .96, .93, body, -.5)
	rect(.16, .14, .84, .36, [3]float64{.12, .14, .17}, .6) // window
	lamp := [3]float64{.75, .2, .15}
	if rng.IntN(2) == 0 {
		lamp = [3]float64{.85, .87, .9}
	}
	rect(.07, .44, .2, .56, lamp, .3)
	rect(.8, .44, .93, .56, lamp, .3)
	py := degrade.Between(rng, .6, .74)
	if rng.IntN(2) == 0 { // grille or bumper with bars
		bar := 6 + rng.IntN(22)
		for y := int(.46 * float64(h)); y < int(.9*float64(h)); y++ {
			v := uint8(28)
			if y/bar%2 == 0 {
				v = uint8(50 + rng.IntN(3))
			}
			for x := int(.22 * float64(w)); x < int(.78*float64(w)); x++ {
				p := m.Pix[3*(y*w+x):]
				p[0], p[1], p[2] = v, v, v
			}
		}
	}
	badge(rng, m, body)
	x0 := int((float64(w) - float64(plate.W)) * degrade.Between(rng, .42, .58))
	y0 := min(int(py*float64(h))-plate.H/2, h-plate.H-2)
	paste(m, plate, x0, y0)
	return m
}

// badge writes a maker's name and a model number on the body: text that is no plate.
func badge(rng *rand.Rand, m *raster.RGB, body [3]float64) {
	f, err := fonts.Get("dejavu-bold")
	if err != nil {
		return
	}
	ink := [3]float64{.85, .85, .87}
	if body[0]+body[1]+body[2] > 1.8 {
		ink = [3]float64{.2, .2, .22}
	}
	mask := raster.NewPlane(m.W, m.H)
	size := float64(m.H) * degrade.Between(rng, .025, .05)
	_, _ = f.Text(mask, letters(rng, 4+rng.IntN(5)), float64(m.W)*degrade.Between(rng, .1, .6), float64(m.H)*.42, size, size*.1)
	_, _ = f.Text(mask, letters(rng, 1)+digits(rng, 3), float64(m.W)*degrade.Between(rng, .6, .8), float64(m.H)*.42, size, size*.05)
	blend(m, mask, ink)
}
