package synth

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// MRZOptions of a synthetic zone. The zero options draw a passport (TD3) as Doc 9303 lays it out.
type MRZOptions struct {
	Format  string   // TD1, TD2 or TD3; "" is TD3
	HeldOut bool     // a face and a page that nothing is trained or tuned on
	Lines   []string // lines of the caller, such as a published specimen, or nil for lines drawn by the seed
}

// MRZ makes the photo of a page or card with a zone of a format (TD1, TD2 or TD3).
func MRZ(seed uint64, level Level, format string) (Photo, error) {
	return MRZWith(seed, level, MRZOptions{Format: format})
}

// MRZOf is MRZ with lines of the caller, such as a published specimen.
func MRZOf(seed uint64, level Level, format string, lines []string) (Photo, error) {
	return MRZWith(seed, level, MRZOptions{Format: format, Lines: lines})
}

// MRZWith makes the photo of a zone. The same seed, level and options give the same photo.
func MRZWith(seed uint64, level Level, o MRZOptions) (Photo, error) {
	rng := rand.New(rand.NewPCG(seed, 0x3272+uint64(level)<<32))
	if o.Format == "" {
		o.Format = "TD3"
	}
	if o.Lines == nil {
		o.Lines = Zone(rng, o.Format)
	}
	l := standardZone(rng)
	if o.HeldOut {
		l = heldOutZone(rng)
	}
	m, err := drawZone(rng, o.Format, o.Lines, l)
	if err != nil {
		return Photo{}, err
	}
	jpg, quad, err := shoot(rng, m, level)
	return Photo{JPEG: jpg, Level: level, Seed: seed, Quad: quad, Truth: Truth{MRZ: o.Lines}, Face: l.face}, err
}

// zoneLayout says how a page with a zone is printed.
type zoneLayout struct {
	face        string
	cap         float64 // height of capitals in millimetres; Doc 9303: 2.55 or so
	pitch, gap  float64 // distance of characters and of lines in millimetres; Doc 9303: 2.54 and 6.35 or so
	foot        float64 // last baseline above the lower edge, in millimetres
	weight, ink float64
	ground      string // paper, guilloche, photo
	upperPage   bool   // an open book
	cropped     bool   // only the strip with the zone
	textFace    string
}

// standardZone is Doc 9303 with the small freedoms that printers take.
func standardZone(rng *rand.Rand) zoneLayout {
	between := func(a, b float64) float64 { return degrade.Between(rng, a, b) }
	return zoneLayout{face: "ocr-b", cap: 2.55 * between(.94, 1.08), pitch: 2.54 * between(.98, 1.02), gap: 6.35 * between(.92, 1.08), foot: between(6.5, 10),
		weight: between(-.6, .6), ink: between(.05, .25), ground: pick(rng, []string{"paper", "paper", "guilloche"}), upperPage: rng.IntN(5) == 0, textFace: "sans"}
}

// zoneFacesHeld are typewriter faces in which people draw specimens, and OCR-B itself; the trainer does not use the others.
var zoneFacesHeld = []string{"ocr-b", "noto-mono", "nimbus-mono-bold"}

// heldOutZone is how other people draw zones: other faces, distances and grounds.
func heldOutZone(rng *rand.Rand) zoneLayout {
	between := func(a, b float64) float64 { return degrade.Between(rng, a, b) }
	l := zoneLayout{face: pick(rng, installed(zoneFacesHeld...)), pitch: 2.54 * between(.92, 1.03), gap: 6.35 * between(.75, 1.25), foot: between(5, 13),
		weight: between(-.3, .4), ink: between(.02, .3), ground: pick(rng, []string{"paper", "guilloche", "photo"}), upperPage: rng.IntN(3) == 0,
		cropped: rng.IntN(6) == 0, textFace: pick(rng, installed("serif", "liberation-bold", "sans"))}
	l.cap = l.pitch * between(.92, 1.12)
	return l
}

// zoneMM is how many pixels a drawn page has to the millimetre.
const zoneMM = 14.0

func drawZone(rng *rand.Rand, format string, lines []string, l zoneLayout) (*raster.RGB, error) {
	const mm = zoneMM
	size := map[string][2]float64{"TD1": {85.6, 54}, "TD2": {105, 74}, "TD3": {125, 88}}[format]
	m := raster.NewRGB(int(size[0]*mm), int(size[1]*mm))
	paintPaper(rng, m, Standard())
	switch l.ground {
	case "guilloche":
		guilloche(rng, m)
	case "photo":
		wash(rng, m)
	}
	f, err := fonts.Get(l.face)
	if err != nil {
		return nil, err
	}
	black := raster.NewPlane(m.W, m.H)
	n := float64(len(lines[0]))
	pitch := min(l.pitch, (size[0]-4)/n) * mm
	em := l.cap * mm / capHeight(f)
	left := (float64(m.W)-pitch*n)/2 + degrade.Between(rng, -.4, .4)*max(float64(m.W)-pitch*n-4*mm, 0)
	for i, s := range lines {
		y := float64(m.H) - mm*(l.foot+l.gap*float64(len(lines)-1-i))
		if err := f.Fixed(black, s, left, y, em, pitch); err != nil {
			return nil, err
		}
	}
	black = degrade.Weight(black, 2, l.weight)
	top := float64(m.H) - mm*(l.foot+l.gap*float64(len(lines)-1)+l.cap+2)
	if !l.cropped {
		if err := pageText(rng, black, l.textFace, size, top/mm); err != nil {
			return nil, err
		}
		face(rng, m, size, top/mm)
	}
	blend(m, black, [3]float64{l.ink, l.ink, l.ink * 1.1})
	switch {
	case l.cropped:
		m = cutRows(m, int(top-degrade.Between(rng, 0, 4)*mm))
	case l.upperPage:
		return openBook(rng, m)
	}
	return m, nil
}

// cutRows leaves out the rows above y.
func cutRows(m *raster.RGB, y int) *raster.RGB {
	y = max(y, 0)
	out := raster.NewRGB(m.W, m.H-y)
	copy(out.Pix, m.Pix[3*y*m.W:])
	return out
}

// guilloche is a security print of fine waves in two pale colours under the text.
func guilloche(rng *rand.Rand, m *raster.RGB) {
	for range 2 {
		fx, fy := degrade.Between(rng, .004, .02), degrade.Between(rng, .2, .6)
		amp, ph := degrade.Between(rng, 8, 40), rng.Float64()*6
		depth := degrade.Between(rng, .03, .13)
		k := rng.IntN(3)
		for y := range m.H {
			for x := range m.W {
				v := math.Sin(fy * (float64(y) + amp*math.Sin(fx*float64(x)+ph)))
				if v < .4 {
					continue
				}
				p := m.Pix[3*(y*m.W+x):]
				for c := range 3 {
					if c != k {
						p[c] = uint8(float64(p[c]) * (1 - depth*(v-.4)/.6))
					}
				}
			}
		}
	}
}

// wash is a ground of large soft shapes in several colours, as a picture printed under the text.
func wash(rng *rand.Rand, m *raster.RGB) {
	for k := range 3 {
		small := raster.NewPlane(9, 6)
		degrade.Noise(rng, small, .16)
		big := small.Resize(m.W, m.H)
		for i, v := range big.Pix {
			m.Pix[3*i+k] = uint8(min(max(float64(m.Pix[3*i+k])*(.9+float64(v)), 90), 255))
		}
	}
}

// openBook puts another page with rows of text above the page.
func openBook(rng *rand.Rand, m *raster.RGB) (*raster.RGB, error) {
	h := m.H + int(float64(m.H)*degrade.Between(rng, .4, .9))
	g := degrade.Between(rng, .8, .95)
	out := plain(m.W, h, g, g, g*.97)
	mask := raster.NewPlane(m.W, h)
	f, err := fonts.Get(pick(rng, installed("serif", "sans")))
	if err != nil {
		return nil, err
	}
	for y := 60.0; y < float64(h-m.H-40); y += degrade.Between(rng, 50, 80) {
		if _, err := f.Text(mask, letters(rng, 30), 60, y, 34, 6); err != nil {
			return nil, err
		}
	}
	blend(out, mask, [3]float64{.3, .25, .3})
	paste(out, m, 0, h-m.H)
	for y := h - m.H - 12; y < h-m.H+12; y++ { // the fold
		f := .6 + .4*math.Abs(float64(y-(h-m.H)))/12
		for i := 3 * y * m.W; i < 3*(y+1)*m.W; i++ {
			out.Pix[i] = uint8(float64(out.Pix[i]) * f)
		}
	}
	return out, nil
}

// face paints the holder's photo as a dark, uneven oval on lighter ground; it ends above bottom millimetres.
func face(rng *rand.Rand, m *raster.RGB, size [2]float64, bottom float64) {
	const mm = zoneMM
	x0, y0, w := .05*size[0]*mm, .12*size[1]*mm, .26*size[0]*mm
	h := min(.42*size[1]*mm, bottom*mm-y0)
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

// pageText prints some lines of the upper page, down to bottom millimetres.
func pageText(rng *rand.Rand, black *raster.Plane, face string, size [2]float64, bottom float64) error {
	const mm = zoneMM
	f, err := fonts.Get(face)
	if err != nil {
		return err
	}
	for y := 12.0; y < min(size[1]*.55, bottom); y += 8 {
		s := fmt.Sprintf("%s %s", letters(rng, 4+rng.IntN(8)), digits(rng, 4+rng.IntN(5)))
		if _, err := f.Text(black, s, size[0]*.38*mm, y*mm, 3.4*mm, 1); err != nil {
			return err
		}
	}
	return nil
}
