package synth

import (
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// plateStyle is a kind of plate of GA 36-2018: ground and print colours and which text it carries.
type plateStyle struct {
	colour      string
	ground, ink [3]float64
	eight       bool   // new energy: eight characters
	last        string // a Chinese character in the last place
	doubleLayer bool
}

var plateStyles = []plateStyle{
	{"blue", [3]float64{.05, .2, .65}, [3]float64{.95, .95, .97}, false, "", false},
	{"blue", [3]float64{.08, .25, .6}, [3]float64{.93, .95, .95}, false, "", false},
	{"green", [3]float64{.45, .8, .55}, [3]float64{.06, .06, .06}, true, "", false},
	{"yellow", [3]float64{.93, .75, .12}, [3]float64{.06, .06, .06}, false, "", false},
	{"yellow", [3]float64{.93, .75, .12}, [3]float64{.06, .06, .06}, false, "学", false},
	{"yellow", [3]float64{.9, .72, .15}, [3]float64{.06, .06, .06}, false, "", true},
	{"white", [3]float64{.93, .93, .92}, [3]float64{.06, .06, .06}, false, "警", false},
	{"black", [3]float64{.06, .06, .07}, [3]float64{.94, .94, .94}, false, "港", false},
	{"black", [3]float64{.06, .06, .07}, [3]float64{.94, .94, .94}, false, "澳", false},
}

const (
	provinces    = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
	plateLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
	plateChars   = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
)

// Plate makes the photo of a licence plate on a car. Its characters are a compressed free face: those of GA 36 are not
// free.
func Plate(seed uint64, level Level) (Photo, string, error) {
	rng := rand.New(rand.NewPCG(seed, 0x91a7e+uint64(level)<<32))
	st := pick(rng, plateStyles)
	province := []rune(provinces)
	text := string(pick(rng, province))
	if st.last == "港" || st.last == "澳" {
		text = "粤Z"
	} else {
		text += string(plateLetters[rng.IntN(len(plateLetters))])
	}
	n := 5
	if st.eight {
		n = 6
	}
	if st.last != "" {
		n--
	}
	for i := range n {
		if rng.IntN(5) == 0 && i < 3 {
			text += string(plateLetters[rng.IntN(len(plateLetters))])
		} else {
			text += digits(rng, 1)
		}
	}
	text += st.last
	plate, err := drawPlate(rng, []rune(text), st)
	if err != nil {
		return Photo{}, "", err
	}
	car := raster.NewRGB(plate.W*5/2, plate.H*5)
	paintCar(rng, car)
	x0, y0 := (car.W-plate.W)/2, car.H*3/5-plate.H/2
	for y := range plate.H {
		copy(car.Pix[3*((y+y0)*car.W+x0):][:3*plate.W], plate.Pix[3*y*plate.W:])
	}
	jpg, quad, err := shoot(rng, car, level)
	return Photo{JPEG: jpg, Level: level, Seed: seed, Quad: quad, Truth: Truth{Plate: text}}, st.colour, err
}

// paintCar is a bumper: body colour above, a dark grille with bars, the plate's place.
func paintCar(rng *rand.Rand, m *raster.RGB) {
	body := [3]float64{rng.Float64(), rng.Float64(), rng.Float64()}
	for y := range m.H {
		for x := range m.W {
			c := body
			if y > m.H*2/5 {
				g := .12
				if y/18%2 == 0 {
					g = .22
				}
				c = [3]float64{g, g, g}
			}
			p := m.Pix[3*(y*m.W+x):]
			for k := range c {
				p[k] = uint8(255 * c[k])
			}
		}
	}
}

// drawPlate draws at two pixels a millimetre, by the measures of GA 36-2018: characters 45 x 90 mm at 57 mm, 79 mm across
// the dot; new energy 43 x 90 at 52 mm; double-layer 65 x 110 at 80 mm below two characters of 80 x 60.
func drawPlate(rng *rand.Rand, text []rune, st plateStyle) (*raster.RGB, error) {
	w, h := 440.0, 140.0
	if st.eight {
		w = 480
	}
	if st.doubleLayer {
		h = 220
	}
	const mm = 2.0
	m := plain(int(w*mm), int(h*mm), st.ground[0], st.ground[1], st.ground[2])
	mask := raster.NewPlane(m.W, m.H)
	f, err := fonts.Get("sans-bold")
	if err != nil {
		return nil, err
	}
	put := func(r rune, cx, cy, cw, ch float64) error { return stamp(mask, f, r, cx*mm, cy*mm, cw*mm, ch*mm) }
	x := 38.0
	for i, r := range text {
		switch {
		case st.doubleLayer && i < 2:
			err = put(r, 155+130*float64(i), 45, 80, 60)
		case st.doubleLayer:
			err = put(r, 60+80*float64(i-2), 145, 65, 110)
		case st.eight:
			err = put(r, x, 70, 43, 90)
			if x += 52; i == 1 {
				x += 40
			}
		default:
			err = put(r, x, 70, 45, 90)
			if x += 57; i == 1 {
				x += 22
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if !st.doubleLayer && !st.eight {
		for y := 65.0; y < 75; y += .25 { // the dot
			for x := 129.5; x < 139.5; x += .25 {
				if (x-134.5)*(x-134.5)+(y-70)*(y-70) < 25 {
					mask.Pix[int(y*mm)*m.W+int(x*mm)] = 1
				}
			}
		}
	}
	for i := range mask.Pix { // the rim
		x, y := float64(i%m.W)/mm, float64(i/m.W)/mm
		if e := min(x, y, w-x, h-y); e > 3 && e < 5 {
			mask.Pix[i] = 1
		}
	}
	blend(m, degrade.Weight(mask, 1, degrade.Between(rng, -.5, .5)), st.ink)
	return m, nil
}

// stamp draws a character into a box of its own proportions.
func stamp(mask *raster.Plane, f *fonts.Font, r rune, cx, cy, w, h float64) error {
	big := raster.NewPlane(200, 200)
	if _, err := f.Text(big, string(r), 40, 140, 120, 0); err != nil {
		return err
	}
	x0, y0, x1, y1 := big.W, big.H, 0, 0
	for y := range big.H {
		for x, v := range big.Row(y) {
			if v > .3 {
				x0, x1, y0, y1 = min(x0, x), max(x1, x+1), min(y0, y), max(y1, y+1)
			}
		}
	}
	if r == '1' { // a narrow character is not stretched to the full width
		w *= .45
	}
	sx, sy := float64(x1-x0)/w, float64(y1-y0)/h
	for y := range int(h) {
		for x := range int(w) {
			tx, ty := int(cx-w/2)+x, int(cy-h/2)+y
			if tx >= 0 && ty >= 0 && tx < mask.W && ty < mask.H {
				v := big.At(float32(float64(x0)+(float64(x)+.5)*sx-.5), float32(float64(y0)+(float64(y)+.5)*sy-.5))
				mask.Pix[ty*mask.W+tx] = max(mask.Pix[ty*mask.W+tx], v)
			}
		}
	}
	return nil
}
