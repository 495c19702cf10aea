package synth

import (
	"math"
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// PlateBox is where a character of a drawn plate is, in its pixels.
type PlateBox struct {
	R            rune
	X, Y         float64 // centre
	W, H         float64 // of the cell, not of the ink
	Cap          float64 // height of letters in its line
	Pitch        float64 // of letters in its line
	Upper, Other bool    // upper layer; a Chinese character
}

// DrawnPlate is a plate without any defect of a photo.
type DrawnPlate struct {
	Picture *raster.RGB
	Text    string
	Boxes   []PlateBox
}

// PlateFaces says in which faces a plate is drawn.
type PlateFaces int

// Known faces are some of those that the nets learn from, held-out ones are never learnt from. Taught is how the
// trainer of letters draws: in every face that is not held out, each character bent a little in its own way, half of the serials
// of any letters.
const (
	KnownFaces PlateFaces = iota
	HeldOutFaces
	TaughtFaces
)

// faces of letters and of Chinese characters. Micro Hei is Droid's, so it is not taught either.
var (
	plateFaces     = []string{"sans-bold", "sans-bold", "liberation-bold", "liberation-narrow", "roboto-condensed", "bebas", "dejavu-bold", "dejavu-condensed", "dejavu-monob", "sans"}
	plateFacesHeld = []string{"opensans-condensed", "lato-black", "roboto-condensed", "sans-bold"}
	hanFaces       = []string{"sans-bold", "sans-bold", "sans-bold", "sans", "wenkai-bold", "serif-bold", "wenkai", "kai", "song"}
	hanFacesHeld   = []string{"droid", "sans-bold", "droid"}

	plateFacesTaught = append([]string{"nimbus-bold", "nimbus-narrow", "nimbus-narrow", "dejavu", "zenhei"}, plateFaces...)
	hanFacesTaught   = []string{"sans-bold", "sans-bold", "sans-bold", "sans-bold", "sans-black", "sans-medium", "sans", "zenhei", "zenhei", "zenhei", "wenkai-bold", "wenkai",
		"serif-bold", "serif-medium", "serif", "kai", "song", "ukai", "uming"}
)

// faces names those of letters and those of Chinese characters.
func (in PlateFaces) faces() (letters, han []string) {
	switch in {
	case HeldOutFaces:
		return plateFacesHeld, hanFacesHeld
	case TaughtFaces:
		return plateFacesTaught, hanFacesTaught
	}
	return plateFaces, hanFaces
}

type platePen struct {
	rng         *rand.Rand
	k           PlateKind
	letter, han *fonts.Font
	mask, red   *raster.Plane // print, and print in red where the kind has it
	text        []rune
	boxes       []PlateBox
	w, h        float64
	dot         *raster.Point
	taught      bool
	err         error
}

// DrawPlate draws a plate of a kind at about two pixels a millimetre: half by the measures of GA 36-2018, half freely, with
// other proportions, gaps and faces, as other people's drawings have them. The faces of GA 36 itself are not free.
func DrawPlate(rng *rand.Rand, k PlateKind, in PlateFaces) (*DrawnPlate, error) {
	p := &platePen{rng: rng, k: k, text: []rune(plateText(rng, k)), taught: in == TaughtFaces}
	ff, hf := in.faces()
	if p.taught {
		p.anyLetters()
	}
	p.letter, p.err = fonts.Get(pick(rng, installed(ff...)))
	if p.err == nil {
		p.han, p.err = fonts.Get(pick(rng, installed(hf...)))
	}
	if p.err != nil {
		return nil, p.err
	}
	switch {
	case k.DoubleLayer:
		p.twoLines()
	case rng.IntN(5) < 3:
		p.byMeasures()
	default:
		p.byText()
	}
	if p.err != nil {
		return nil, p.err
	}
	return &DrawnPlate{p.paint(), string(p.text), p.boxes}, nil
}

// anyLetters makes every letter of half of the serials as common as every digit: by the rules most letters are rare.
func (p *platePen) anyLetters() {
	const all = "0123456789" + plateLetters
	if p.rng.IntN(2) == 0 {
		return
	}
	for i, r := range p.text {
		if i > 1 && !isHan(r) {
			p.text[i] = rune(all[p.rng.IntN(len(all))])
		}
	}
}

func (p *platePen) size(w, h float64) {
	p.w, p.h = w, h
	p.mask, p.red = raster.NewPlane(int(w), int(h)), raster.NewPlane(int(w), int(h))
}

func isHan(r rune) bool { return r > 0x2fff }

// put draws one character into a box.
func (p *platePen) put(r rune, cx, cy, w, h, pitch float64, upper bool) {
	f, dst := p.letter, p.mask
	if isHan(r) {
		f = p.han
	}
	if r == '警' || r == '领' || r == '使' {
		dst = p.red
	}
	bw, bh := w, h
	if isHan(r) { // drawings differ in how much of the cell the Chinese character fills
		bh *= degrade.Between(p.rng, .92, 1.06)
	}
	var b *bend
	if p.taught {
		b = newBend(p.rng)
	}
	if err := stamp(dst, f, r, cx, cy, bw, bh, b); err != nil && p.err == nil {
		p.err = err
	}
	p.boxes = append(p.boxes, PlateBox{r, cx, cy, w, h, h, pitch, upper, isHan(r)})
}

// byMeasures places one line by GA 36: cells of 45 x 90 mm at 57 mm and 79 mm across the dot; new energy 43 x 90 at 52 mm,
// the gap there 49 mm more... each jittered by up to a tenth.
func (p *platePen) byMeasures() {
	const mm = 2.0
	j := func(v, d float64) float64 { return v * degrade.Between(p.rng, 1-d, 1+d) }
	w, cell, high, pitch, gap := 440.0, 45.0, 90.0, 57.0, 79.0
	if p.k.Eight {
		w, cell, pitch, gap = 480, 43, 52, 92
	}
	jit := pick(p.rng, []float64{0, .03, .09})
	cell, high, pitch, gap = j(cell, jit), j(high, jit/2), j(pitch, jit/2), j(gap, jit*2)
	n := float64(len(p.text))
	first := 1 // the dot stands after this place
	if p.k.First != "" {
		first = 3
	}
	length := pitch*(n-2) + gap
	w = max(w, length+cell+14)
	p.size(w*mm, 140*mm)
	x := (w - length) / 2
	for i, r := range p.text {
		p.put(r, x*mm, 70*mm, cell*mm, high*mm, pitch*mm, false)
		if i == first {
			p.dot = &raster.Point{X: (x + gap/2) * mm, Y: 70 * mm}
			x += gap
		} else {
			x += pitch
		}
	}
}

// twoLines places two layers by GA 36: 80 x 60 mm above, 65 x 110 mm at 80 mm below, jittered.
func (p *platePen) twoLines() {
	const mm = 2.0
	b := func(lo, hi float64) float64 { return degrade.Between(p.rng, lo, hi) }
	p.size(440*mm, 220*mm)
	upW, upH, loW, loH := b(60, 84), b(52, 66), b(55, 67), b(98, 112)
	gap := b(110, 150)
	for i, r := range p.text[:2] {
		p.put(r, (220+gap*(float64(i)-.5))*mm, 47*mm, upW*mm, upH*mm, gap*mm, true)
	}
	n := len(p.text) - 2
	pitch := b(74, 82)
	for i, r := range p.text[2:] {
		p.put(r, (220+pitch*(float64(i)-float64(n-1)/2))*mm, 147*mm, loW*mm, loH*mm, pitch*mm, false)
	}
}

// byText writes one line with the natural proportions of the faces, as drawing programs do, a dot or none between.
func (p *platePen) byText() {
	high := degrade.Between(p.rng, 150, 190)
	em := high / capHeight(p.letter)
	squeeze := degrade.Between(p.rng, .7, 1.05)
	if p.k.Eight {
		squeeze *= .9
	}
	hanW := high * degrade.Between(p.rng, .5, 1.12) * squeeze
	track := high * degrade.Between(p.rng, .06, .2)
	dot := high * degrade.Between(p.rng, -.02, .35)
	widths := make([]float64, len(p.text))
	total, mean, n := 0.0, 0.0, 0.0
	for i, r := range p.text {
		widths[i] = hanW
		if !isHan(r) {
			widths[i] = min(p.letter.Width(string(r), em, 0)*squeeze, high*.85)
			mean, n = mean+widths[i], n+1
		}
		total += widths[i] + track
	}
	total += dot
	pitch := mean/n + track
	side := degrade.Between(p.rng, .2, .5) * high
	p.size(total+2*side, high*degrade.Between(p.rng, 1.35, 1.7))
	x, y := side, p.h/2
	after := 1
	if p.k.First != "" {
		after = 3
	}
	for i, r := range p.text {
		ink := widths[i]
		if !isHan(r) {
			ink *= .86 // the side bearings
		}
		p.put(r, x+widths[i]/2+track/2, y, ink, high, pitch, false)
		x += widths[i] + track
		if i == after {
			p.dot = &raster.Point{X: x + dot/2, Y: y}
			x += dot
		}
	}
	if dot < high*.14 {
		p.dot = nil
	}
}

// bend moves the parts of a character a little against each other, as another face would have them.
type bend struct{ reach, turn [4]float64 }

// newBend draws a bend of up to a thirtieth of the character.
func newBend(rng *rand.Rand) *bend {
	b := new(bend)
	for i := range b.reach {
		b.reach[i] = degrade.Between(rng, 0, .033)
		b.turn[i] = rng.Float64()
	}
	return b
}

// at tells where to look for the part at u, v of a character, both from 0 to 1.
func (b *bend) at(u, v float64) (float64, float64) {
	wave := func(i int, x, often float64) float64 {
		return b.reach[i] * math.Sin(2*math.Pi*(often*x+b.turn[i]))
	}
	return u + wave(0, v, .9) + wave(1, u, 1.2), v + wave(2, u, .9) + wave(3, v, 1.2)
}

// stamp draws a character into a box; a narrow one keeps its proportions. A nil bend leaves it as it is.
func stamp(mask *raster.Plane, f *fonts.Font, r rune, cx, cy, w, h float64, b *bend) error {
	big := raster.NewPlane(220, 200)
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
	if x1 <= x0 || y1 <= y0 {
		return nil
	}
	if natural := h * float64(x1-x0) / float64(y1-y0); r == '1' || r == 'J' && natural < w { // a narrow character is not stretched to the full width
		w = min(w*.62, natural*.9)
	}
	sx, sy := float64(x1-x0)/w, float64(y1-y0)/h
	for y := range int(h + 1) {
		for x := range int(w + 1) {
			tx, ty := int(cx-w/2)+x, int(cy-h/2)+y
			if tx >= 0 && ty >= 0 && tx < mask.W && ty < mask.H {
				u, v := (float64(x)+.5)*sx, (float64(y)+.5)*sy
				if b != nil {
					u, v = b.at((float64(x)+.5)/w, (float64(y)+.5)/h)
					u, v = u*float64(x1-x0), v*float64(y1-y0)
				}
				ink := big.At(float32(float64(x0)+u-.5), float32(float64(y0)+v-.5))
				mask.Pix[ty*mask.W+tx] = max(mask.Pix[ty*mask.W+tx], ink)
			}
		}
	}
	return nil
}

func disc(m *raster.Plane, c raster.Point, r float64) {
	for y := max(int(c.Y-r), 0); y <= min(int(c.Y+r), m.H-1); y++ {
		for x := max(int(c.X-r), 0); x <= min(int(c.X+r), m.W-1); x++ {
			if d := math.Hypot(float64(x)-c.X, float64(y)-c.Y); d < r {
				m.Pix[y*m.W+x] = max(m.Pix[y*m.W+x], float32(min(r-d, 1)))
			}
		}
	}
}
