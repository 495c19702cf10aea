package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Size of a drawn card in pixels: 20 to the millimetre, ISO/IEC 7810 ID-1.
const (
	CardW = 1712
	CardH = 1080
)

// Layout places what a card shows; lengths are shares of the card's width. The zero Layout is not usable: take Standard
// or Varied.
type Layout struct {
	LabelX, ValueX                  float64
	NameY, SexY, BirthY, AddrY      float64 // baselines
	NationLabelX, NationX           float64
	RowGap, Size, LabelSize         float64 // address line distance and em sizes
	NumberLabelX, NumberX, NumberY  float64
	NumberPitch, NumberCap          float64
	AddrChars                       int
	PortraitX, PortraitY, PortraitW float64
	BirthXs                         [6]float64 // year 年 month 月 day 日
	ValueFont, LabelFont            string
	NumWeight                       float64 // of the number's strokes, -1 to 1
	Paper, Label                    [3]float64
}

// Standard is close to the second-generation resident ID card (GA 450).
func Standard() Layout {
	return Layout{
		LabelX: .058, ValueX: .165, NameY: .113, SexY: .183, BirthY: .252, AddrY: .326, NationLabelX: .288, NationX: .375,
		RowGap: .052, Size: .0385, LabelSize: .032, NumberLabelX: .058, NumberX: .33, NumberY: .562, NumberPitch: .0318, NumberCap: .0283,
		AddrChars: 11, PortraitX: .625, PortraitY: .08, PortraitW: .30,
		BirthXs:   [6]float64{.165, .258, .31, .352, .402, .442},
		ValueFont: "sans", LabelFont: "sans",
		Paper: [3]float64{.90, .93, .95}, Label: [3]float64{.25, .5, .85},
	}
}

// Varied moves and resizes everything and changes fonts: a reader that has learnt the standard places fails on it.
func Varied(rng *rand.Rand) Layout {
	l := Standard()
	j := func(v *float64, d float64) { *v += degrade.Between(rng, -d, d) }
	dx, dy := degrade.Between(rng, -.012, .03), degrade.Between(rng, -.012, .012)
	for _, v := range []*float64{&l.LabelX, &l.ValueX, &l.NationLabelX, &l.NationX, &l.NumberLabelX, &l.NumberX} {
		*v += dx
	}
	for i := range l.BirthXs {
		l.BirthXs[i] += dx
	}
	for _, v := range []*float64{&l.NameY, &l.SexY, &l.BirthY, &l.AddrY} {
		*v += dy
		j(v, .006)
	}
	j(&l.NumberX, .02)
	j(&l.NumberY, .012)
	j(&l.PortraitY, .02)
	scale := degrade.Between(rng, .88, 1.06)
	l.Size *= scale
	l.LabelSize *= degrade.Between(rng, .85, 1.1)
	l.NumberPitch *= degrade.Between(rng, .94, 1.03)
	l.NumberCap *= degrade.Between(rng, .88, 1.06)
	l.AddrChars = 10 + rng.IntN(2)
	l.RowGap *= degrade.Between(rng, .95, 1.08)
	l.ValueFont = pick(rng, installed("sans", "sans", "sans-bold", "droid", "serif", "wenkai"))
	l.NumWeight = degrade.Between(rng, -.8, .8)
	for i := range l.Paper {
		j(&l.Paper[i], .06)
		j(&l.Label[i], .1)
	}
	return l
}

func installed(names ...string) []string {
	var out []string
	for _, n := range names {
		if _, err := fonts.Get(n); err == nil {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return names
	}
	return out
}

// DrawCard draws the front of a card without any defect of a photo.
func DrawCard(rng *rand.Rand, p Person, l Layout) (*raster.RGB, error) {
	black, blue := raster.NewPlane(CardW, CardH), raster.NewPlane(CardW, CardH)
	c := &cardPen{l: l, black: black, blue: blue}
	c.fields(p)
	if c.err != nil {
		return nil, c.err
	}
	m := raster.NewRGB(CardW, CardH)
	paintPaper(rng, m, l)
	portrait(rng, m, l, p.Sex)
	blend(m, blue, l.Label)
	ink := degrade.Between(rng, .05, .16)
	blend(m, black, [3]float64{ink, ink, ink})
	return m, nil
}

type cardPen struct {
	l           Layout
	black, blue *raster.Plane
	err         error
}

func (c *cardPen) text(dst *raster.Plane, font, s string, x, y, size float64) {
	f, err := fonts.Get(font)
	if err == nil {
		if f.Name != "sans" {
			for _, r := range s {
				if !f.Has(r) { // cards are printed in one face; a face that lacks a character is replaced whole
					f, err = fonts.Get("sans")
					break
				}
			}
		}
		if err == nil {
			_, err = f.Text(dst, s, x*CardW, y*CardW, size*CardW, size*CardW*.04)
		}
	}
	if err != nil && c.err == nil {
		c.err = err
	}
}

func (c *cardPen) label(s string, x, y float64) {
	c.text(c.blue, c.l.LabelFont, s, x, y, c.l.LabelSize)
}

func (c *cardPen) value(s string, x, y float64) {
	c.text(c.black, c.l.ValueFont, s, x, y, c.l.Size)
}

func (c *cardPen) fields(p Person) {
	l := c.l
	c.label("姓 名", l.LabelX, l.NameY)
	c.value(p.Name, l.ValueX, l.NameY)
	c.label("性 别", l.LabelX, l.SexY)
	c.value(p.Sex, l.ValueX, l.SexY)
	c.label("民 族", l.NationLabelX, l.SexY)
	c.value(p.Nation, l.NationX, l.SexY)
	c.label("出 生", l.LabelX, l.BirthY)
	var y, m, d int
	_, _ = fmt.Sscanf(p.Birth, "%d-%d-%d", &y, &m, &d)
	for i, s := range []string{fmt.Sprint(y), "年", fmt.Sprint(m), "月", fmt.Sprint(d), "日"} {
		if i%2 == 0 {
			c.value(s, l.BirthXs[i], l.BirthY)
		} else {
			c.label(s, l.BirthXs[i], l.BirthY)
		}
	}
	c.label("住 址", l.LabelX, l.AddrY)
	for i, s := range lines(p.Address, l.AddrChars) {
		c.value(s, l.ValueX, l.AddrY+float64(i)*l.RowGap)
	}
	c.label("公民身份号码", l.NumberLabelX, l.NumberY)
	c.number(p.Number)
}

// number prints the number in OCR-B, its strokes made heavier or lighter as other printers of cards do.
func (c *cardPen) number(s string) {
	l := c.l
	f, err := fonts.Get("ocr-b")
	if err != nil {
		c.err = err
		return
	}
	size := l.NumberCap / capHeight(f) * CardW
	band := raster.NewPlane(CardW, int(size*2))
	if err := f.Fixed(band, s, l.NumberX*CardW, size*1.5, size, l.NumberPitch*CardW); err != nil {
		c.err = err
		return
	}
	if l.NumWeight != 0 {
		band = degrade.Weight(band, 3, l.NumWeight)
	}
	top := int(l.NumberY*CardW - size*1.5)
	for y := 0; y < band.H && y+top < CardH; y++ {
		if y+top < 0 {
			continue
		}
		dst := c.black.Row(y + top)
		for x, v := range band.Row(y) {
			dst[x] = max(dst[x], v)
		}
	}
}

// capHeight is the height of the digit 5 in ems.
func capHeight(f *fonts.Font) float64 {
	m := raster.NewPlane(130, 160)
	_, _ = f.Text(m, "5", 10, 130, 100, 0)
	top, bottom := m.H, 0
	for y := 0; y < m.H; y++ {
		for _, v := range m.Row(y) {
			if v > .5 {
				top, bottom = min(top, y), max(bottom, y+1)
			}
		}
	}
	return float64(max(bottom-top, 1)) / 100
}

func blend(m *raster.RGB, mask *raster.Plane, colour [3]float64) {
	c := [3]float32{float32(colour[0] * 255), float32(colour[1] * 255), float32(colour[2] * 255)}
	for i, a := range mask.Pix {
		if a == 0 {
			continue
		}
		p := m.Pix[3*i : 3*i+3]
		for k := range p {
			p[k] = uint8(float32(p[k])*(1-a) + c[k]*a)
		}
	}
}

// paintPaper lays the tinted paper with fine wavy lines, the guilloche.
func paintPaper(rng *rand.Rand, m *raster.RGB, l Layout) {
	amp := degrade.Between(rng, .02, .07)
	period := degrade.Between(rng, 9, 16)
	ph, wave := rng.Float64()*6, degrade.Between(rng, 60, 140)
	cols := make([]float64, m.W)
	for x := range cols {
		cols[x] = 22*math.Sin(float64(x)/wave+ph) + 9*math.Sin(float64(x)/wave*2.7)
	}
	for y := 0; y < m.H; y++ {
		tint := .03 * math.Sin(float64(y)/260+ph)
		shade := func(g float64) [3]uint8 {
			return [3]uint8{uint8(255 * min(max(l.Paper[0]+tint-g*1.3, 0), 1)), uint8(255 * min(max(l.Paper[1]-g*.7, 0), 1)),
				uint8(255 * min(max(l.Paper[2]-tint-g*.3, 0), 1))}
		}
		plain, line := shade(0), shade(amp)
		for x := 0; x < m.W; x++ {
			t := (float64(y)+cols[x])/period + 100 // positive: cols is above -31, period above 9
			c := &plain
			if math.Abs(t-math.Floor(t)-.5) < .14 {
				c = &line
			}
			copy(m.Pix[3*(y*m.W+x):3*(y*m.W+x)+3], c[:])
		}
	}
}

// portrait paints a head and shoulders on a plain ground.
func portrait(rng *rand.Rand, m *raster.RGB, l Layout, sex string) {
	x0, y0, w := l.PortraitX*CardW, l.PortraitY*CardW, l.PortraitW*CardW
	h := w * 1.22
	skin, hair := degrade.Between(rng, .62, .8), degrade.Between(rng, .05, .2)
	cloth := [3]float64{rng.Float64() * .6, rng.Float64() * .6, rng.Float64() * .6}
	hairR := .27
	if strings.HasPrefix(sex, "女") {
		hairR = .33
	}
	for y := int(y0); y < int(y0+h); y++ {
		for x := int(x0); x < int(x0+w); x++ {
			u, v := (float64(x)-x0)/w-.5, (float64(y)-y0)/h
			var c [3]float64
			switch {
			case u*u/.045+(v-.45)*(v-.45)/.055 < 1:
				c = [3]float64{skin, skin * .82, skin * .7}
			case u*u+(v-.38)*(v-.38) < hairR*hairR:
				c = [3]float64{hair, hair, hair}
			case v > .72 && math.Abs(u) < .12+(v-.72)*1.6:
				c = cloth
			default:
				continue
			}
			p := m.Pix[3*(y*m.W+x):]
			for k := range c {
				p[k] = uint8(255 * c[k])
			}
		}
	}
}
