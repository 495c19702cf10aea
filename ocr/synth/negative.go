package synth

import (
	"fmt"
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Negative makes the photo of something that is not the front of a card: bare ground, a printed page with long numbers, a
// bank card, or the back of an ID card. what says which.
func Negative(seed uint64, level Level) (p Photo, what string, err error) {
	rng := rand.New(rand.NewPCG(seed, 0x4e0+uint64(level)<<32))
	var doc *raster.RGB
	switch what = pick(rng, []string{"ground", "page", "bankcard", "back"}); what {
	case "ground":
		doc = raster.NewRGB(CardW, CardH)
		g := toRGB(background(rng, CardW, CardH))
		copy(doc.Pix, g.Pix)
	case "page":
		doc, err = page(rng)
	case "bankcard":
		doc, err = bankCard(rng)
	default:
		doc, err = DrawBack(rng)
	}
	if err != nil {
		return p, what, err
	}
	p = Photo{Level: level, Seed: seed}
	p.JPEG, p.Quad, err = shoot(rng, doc, level)
	return p, what, err
}

// IDCardBack makes the photo of the back of an ID card.
func IDCardBack(seed uint64, level Level) (p Photo, err error) {
	rng := rand.New(rand.NewPCG(seed, 0xbac4+uint64(level)<<32))
	doc, err := DrawBack(rng)
	if err != nil {
		return p, err
	}
	p = Photo{Level: level, Seed: seed}
	p.JPEG, p.Quad, err = shoot(rng, doc, level)
	return p, err
}

func plain(w, h int, r, g, b float64) *raster.RGB {
	m := raster.NewRGB(w, h)
	for i := 0; i < w*h; i++ {
		m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2] = uint8(255*r), uint8(255*g), uint8(255*b)
	}
	return m
}

// page is a printed sheet with rows of text and long numbers that are no ID numbers.
func page(rng *rand.Rand) (*raster.RGB, error) {
	m := plain(CardW, CardH, .95, .95, .93)
	f, err := fonts.Get(pick(rng, installed("sans", "serif", "ocr-b")))
	if err != nil {
		return nil, err
	}
	mask := raster.NewPlane(CardW, CardH)
	for y := 100.0; y < CardH-40; y += degrade.Between(rng, 60, 90) {
		s := ""
		for range 14 + rng.IntN(10) {
			s += fmt.Sprint(rng.IntN(10))
		}
		if _, err := f.Text(mask, s, 80+rng.Float64()*200, y, 46, 4); err != nil {
			return nil, err
		}
	}
	blend(m, mask, [3]float64{.1, .1, .1})
	return m, nil
}

// bankCard is a coloured card with sixteen or nineteen digits in groups.
func bankCard(rng *rand.Rand) (*raster.RGB, error) {
	m := plain(CardW, CardH, degrade.Between(rng, .5, .9), degrade.Between(rng, .5, .9), degrade.Between(rng, .5, .9))
	f, err := fonts.Get("ocr-b")
	if err != nil {
		return nil, err
	}
	s := ""
	for i := range pick(rng, []int{16, 19}) {
		if i%4 == 0 && i > 0 {
			s += " "
		}
		s += fmt.Sprint(rng.IntN(10))
	}
	mask := raster.NewPlane(CardW, CardH)
	if err := f.Fixed(mask, s, 120, 640, 90, 64); err != nil {
		return nil, err
	}
	blend(m, mask, [3]float64{.15, .15, .15})
	return m, nil
}

// DrawBack draws the back of a resident ID card: the emblem, the title, the issuing authority and the validity.
func DrawBack(rng *rand.Rand) (*raster.RGB, error) {
	m := raster.NewRGB(CardW, CardH)
	paintPaper(rng, m, Standard())
	mask := raster.NewPlane(CardW, CardH)
	f, err := fonts.Get("sans")
	if err != nil {
		return nil, err
	}
	for _, t := range []struct {
		s          string
		x, y, size float64
	}{{"中华人民共和国", 560, 260, 110}, {"居 民 身 份 证", 560, 460, 140}, {"签发机关", 330, 840, 52}, {"广州市公安局荔湾分局", 640, 840, 60},
		{"有效期限", 330, 960, 52}, {"2016.05.04-2036.05.04", 640, 960, 60}} {
		if _, err := f.Text(mask, t.s, t.x, t.y, t.size, 6); err != nil {
			return nil, err
		}
	}
	blend(m, mask, [3]float64{.1, .1, .1})
	for y := 60; y < 420; y++ { // the emblem: a red disc with a golden rim
		for x := 130; x < 470; x++ {
			dx, dy := float64(x-300)/160, float64(y-240)/172
			d := dx*dx + dy*dy
			p := m.Pix[3*(y*CardW+x):]
			switch {
			case d < .72:
				p[0], p[1], p[2] = 200, 30, 35
			case d < 1:
				p[0], p[1], p[2] = 205, 90, 60
			}
		}
	}
	return m, nil
}
