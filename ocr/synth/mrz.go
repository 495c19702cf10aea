package synth

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/mrz"
	"github.com/kangma/kangma/ocr/internal/raster"
)

func letters(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('A' + rng.IntN(26))
	}
	return string(b)
}

func digits(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + rng.IntN(10))
	}
	return string(b)
}

func fill(s string, n int) string { return (s + strings.Repeat("<", n))[:n] }

func checked(s string) string { return s + string(mrz.CheckDigit(s)) }

// Zone draws the lines of a machine readable zone: a Chinese passport in half of the TD3 cases, whose second line has no
// filler.
func Zone(rng *rand.Rand, format string) []string {
	state := pick(rng, []string{"CHN", "CHN", "UTO", "GBR", "USA", "KOR", "D<<", "FRA"})
	birth := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(60*365)).Format("060102")
	expiry := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(9*365)).Format("060102")
	sex := pick(rng, []string{"M", "F", "<"})
	name := letters(rng, 2+rng.IntN(5)) + "<<" + letters(rng, 2+rng.IntN(8))
	if rng.IntN(3) == 0 {
		name += "<" + letters(rng, 2+rng.IntN(6))
	}
	doc := letters(rng, 1) + digits(rng, 8)
	switch format {
	case "TD1":
		l1 := fill("I<"+state+checked(doc), 30)
		l2 := checked(birth) + sex + checked(expiry) + state + strings.Repeat("<", 11)
		l2 += string(mrz.CheckDigit(l1[5:30] + l2[0:7] + l2[8:15] + l2[18:29]))
		return []string{l1, l2, fill(name, 30)}
	case "TD2":
		l2 := checked(doc) + state + checked(birth) + sex + checked(expiry) + strings.Repeat("<", 7)
		return []string{fill("I<"+state+name, 36), l2 + string(mrz.CheckDigit(l2[0:10]+l2[13:20]+l2[21:35]))}
	}
	personal := strings.Repeat("<", 14)
	if state == "CHN" {
		personal = letters(rng, 10) + letters(rng, 2) + letters(rng, 2)
	}
	l2 := checked(doc) + state + checked(birth) + sex + checked(expiry) + checked(personal)
	return []string{fill("P<"+state+name, 44), l2 + string(mrz.CheckDigit(l2[0:10]+l2[13:20]+l2[21:43]))}
}

// MRZ makes the photo of a page or card with a zone of a format (TD1, TD2 or TD3).
func MRZ(seed uint64, level Level, format string) (Photo, error) {
	rng := rand.New(rand.NewPCG(seed, 0x3272+uint64(level)<<32))
	return mrzPage(rng, seed, level, format, Zone(rng, format))
}

// MRZOf is MRZ with lines of the caller, such as a published specimen.
func MRZOf(seed uint64, level Level, format string, lines []string) (Photo, error) {
	return mrzPage(rand.New(rand.NewPCG(seed, 0x3273+uint64(level)<<32)), seed, level, format, lines)
}

func mrzPage(rng *rand.Rand, seed uint64, level Level, format string, lines []string) (Photo, error) {
	// 14 pixels a millimetre: TD3 125 x 88 mm, TD2 105 x 74, TD1 85.6 x 54
	const mm = 14.0
	size := map[string][2]float64{"TD1": {85.6, 54}, "TD2": {105, 74}, "TD3": {125, 88}}[format]
	m := raster.NewRGB(int(size[0]*mm), int(size[1]*mm))
	paintPaper(rng, m, Standard())
	f, err := fonts.Get("ocr-b")
	if err != nil {
		return Photo{}, err
	}
	black := raster.NewPlane(m.W, m.H)
	const pitch = 2.54 * mm // ten characters an inch, Doc 9303 part 3
	em := 2.55 * mm / capHeight(f)
	left := (float64(m.W) - pitch*float64(len(lines[0]))) / 2
	for i, l := range lines {
		y := float64(m.H) - mm*(7.5+6.35*float64(len(lines)-1-i))
		if err := f.Fixed(black, l, left, y, em, pitch); err != nil {
			return Photo{}, err
		}
	}
	if w := degrade.Between(rng, -.6, .6); rng.IntN(2) == 0 {
		black = degrade.Weight(black, 2, w)
	}
	if err := pageText(rng, black, mm, size); err != nil {
		return Photo{}, err
	}
	face(rng, m, mm, size)
	blend(m, black, [3]float64{.1, .1, .1})
	jpg, quad, err := shoot(rng, m, level)
	return Photo{JPEG: jpg, Level: level, Seed: seed, Quad: quad, Truth: Truth{MRZ: lines}}, err
}

// face paints the holder's photo as a dark, uneven oval on lighter ground.
func face(rng *rand.Rand, m *raster.RGB, mm float64, size [2]float64) {
	x0, y0, w, h := .05*size[0]*mm, .12*size[1]*mm, .26*size[0]*mm, .42*size[1]*mm
	ground, skin := degrade.Between(rng, .7, .95), degrade.Between(rng, .35, .75)
	for y := y0; y < y0+h; y++ {
		for x := x0; x < x0+w; x++ {
			u, v := (x-x0)/w-.5, (y-y0)/h-.45
			c := ground
			switch d := u*u*7 + v*v*4.5; {
			case d < .55 && v < -.12:
				c = .15
			case d < .55:
				c = skin * (1 + .3*u)
			case v > .3:
				c = .25
			}
			p := m.Pix[3*(int(y)*m.W+int(x)):]
			p[0], p[1], p[2] = uint8(255*c), uint8(235*c), uint8(215*c)
		}
	}
}

// pageText prints some lines of the upper page.
func pageText(rng *rand.Rand, black *raster.Plane, mm float64, size [2]float64) error {
	f, err := fonts.Get("sans")
	if err != nil {
		return err
	}
	for y := 12.0; y < size[1]*.55; y += 8 {
		s := fmt.Sprintf("%s %s", letters(rng, 4+rng.IntN(8)), digits(rng, 4+rng.IntN(5)))
		if _, err := f.Text(black, s, size[0]*.38*mm, y*mm, 3.4*mm, 1); err != nil {
			return err
		}
	}
	return nil
}
