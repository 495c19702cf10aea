package main

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// lineSpec says what lines one net is to learn.
type lineSpec struct {
	alphabet string
	fonts    []weighted
	// pitch of the line in capital heights, least and greatest
	minPitch, maxPitch float64
	// caps in photo pixels, least and greatest
	minCap, maxCap float64
	maxBlur        float64 // standard deviation in capital heights
	clutter        []*fonts.Font
	// filler is a character that fills lines and whose height and place differ between the faces in use ("<"), or 0
	filler byte
}

type weighted struct {
	font   *fonts.Font
	weight float64
}

func (s lineSpec) pick(rng *rand.Rand) *fonts.Font {
	var sum float64
	for _, w := range s.fonts {
		sum += w.weight
	}
	t := rng.Float64() * sum
	for _, w := range s.fonts {
		if t -= w.weight; t < 0 {
			return w.font
		}
	}
	return s.fonts[0].font
}

// render draws a line of n random characters three times over-sampled and gives it at photo scale (capital height cap),
// together with the characters' centres and the row of the capitals' top.
func (s lineSpec) render(rng *rand.Rand, n int, capH float64) (p *raster.Plane, text []int, cx []float64, top float64, pitch float64) {
	const over = 3
	f := s.pick(rng)
	em := capH * over / capRatio(f)
	pitch = degrade.Between(rng, s.minPitch, s.maxPitch) * capH
	w, h := int((float64(n)+4)*pitch*over), int(capH*3*over)
	mask := raster.NewPlane(w, h)
	base := capH * 2 * over
	for i := 0; i < n; i++ {
		c := rng.IntN(len(s.alphabet))
		y, size := base, em
		if s.filler != 0 {
			c, y, size = s.fill(rng, c, base, em, capH*over)
		}
		text = append(text, c)
		x := (2 + float64(i)) * pitch * over
		if err := f.Fixed(mask, s.alphabet[c:c+1], x, y, size, pitch*over); err != nil {
			panic(err) // a character silently missing would be learnt as paper
		}
		cx = append(cx, (x+pitch*over/2)/over)
	}
	s.addClutter(rng, mask, capH*over, base)
	if rng.Float64() < .65 {
		mask = degrade.Weight(mask, int(degrade.Between(rng, 1, .055*capH*over)), degrade.Between(rng, -1, 1))
	}
	return mask.Resize(w/over, h/over), text, cx, base/over - capH, pitch
}

// fill makes one character of six the filler and varies its place and size.
func (s lineSpec) fill(rng *rand.Rand, c int, base, em, capH float64) (int, float64, float64) {
	if rng.Float64() < .14 {
		c = strings.IndexByte(s.alphabet, s.filler)
	}
	if s.alphabet[c] != s.filler {
		return c, base, em
	}
	k := degrade.Between(rng, .82, 1.15)
	return c, base - capH/2*(1-k) + degrade.Between(rng, -.1, .1)*capH, em * k
}

// addClutter writes other text beside and around the line: a label before it, rows above or below.
func (s lineSpec) addClutter(rng *rand.Rand, mask *raster.Plane, capH, base float64) {
	if len(s.clutter) == 0 {
		return
	}
	f := s.clutter[rng.IntN(len(s.clutter))]
	size := capH * degrade.Between(rng, .9, 1.5)
	if rng.Float64() < .4 {
		_, _ = f.Text(mask, randomHan(rng, 3), degrade.Between(rng, -2, 0)*size, base, size, 0)
	}
	if rng.Float64() < .3 {
		_, _ = f.Text(mask, randomHan(rng, 40), rng.Float64()*size, base-capH*degrade.Between(rng, 1.25, 1.6), size, 2)
	}
}

func randomHan(rng *rand.Rand, n int) string {
	r := make([]rune, n)
	for i := range r {
		r[i] = rune(0x4e00 + rng.IntN(0x9fa5-0x4e00))
	}
	return string(r)
}

// capRatio is the capital (digit) height of a face in ems, measured from the face itself.
func capRatio(f *fonts.Font) float64 {
	if v, ok := capRatios[f.Name]; ok {
		return v
	}
	m := raster.NewPlane(160, 160)
	_, _ = f.Text(m, "E5", 10, 130, 100, 0)
	y0, y1 := m.H, 0
	for y := 0; y < m.H; y++ {
		for _, v := range m.Row(y) {
			if v > .5 {
				y0, y1 = min(y0, y), max(y1, y+1)
			}
		}
	}
	capRatios[f.Name] = float64(y1-y0) / 100
	return capRatios[f.Name]
}

var capRatios = map[string]float64{}

// spoil paints the coverage mask on paper and degrades it as a photo.
func (s lineSpec) spoil(rng *rand.Rand, mask *raster.Plane, capH float64) *raster.Plane {
	paper, ink := degrade.Between(rng, .55, 1), degrade.Between(rng, .02, .4)
	fx, fy, ph := rng.Float64()*.5, rng.Float64()*.5, rng.Float64()*6
	amp := rng.Float64() * .05
	gx := degrade.Between(rng, -.3, .3) / float64(mask.W)
	p := raster.NewPlane(mask.W, mask.H)
	for y := 0; y < p.H; y++ {
		for x, m := range mask.Row(y) {
			bg := paper*(1+gx*float64(x)) + amp*math.Sin(fx*float64(x)+fy*float64(y)+ph)
			p.Pix[y*p.W+x] = float32(bg*(1-float64(m)) + ink*bg*float64(m))
		}
	}
	sigma := s.maxBlur * capH * rng.Float64() * rng.Float64()
	p = p.Gauss(max(sigma, .3))
	if rng.Float64() < .25 {
		p = degrade.Motion(p, rng.Float64()*.2*capH, rng.Float64()*math.Pi)
	}
	degrade.Noise(rng, p, degrade.Between(rng, 0, .05))
	if rng.Float64() < .8 {
		p = degrade.JPEG(p, 30+rng.IntN(65))
	}
	return p
}

// lineSamples makes the windows of one random line: each character with jitter, gaps, outsides, and covered characters.
func (s lineSpec) lineSamples(rng *rand.Rand) []nn.Sample {
	capH := s.minCap * math.Exp(rng.Float64()*math.Log(s.maxCap/s.minCap))
	n := 8
	mask, text, cx, top, pitch := s.render(rng, n, capH)
	if rng.Float64() < .15 { // the other polarity of nothing: an occluder of any brightness over one character
		s.cover(rng, mask, text, cx, capH, top)
	}
	photo := s.spoil(rng, mask, capH)
	// rectify with the errors that locating a line leaves
	scale := grid.Cap / capH / degrade.Between(rng, .92, 1.09)
	tilt, shear := degrade.Between(rng, -.02, .02), degrade.Between(rng, -.08, .08)
	dy := degrade.Between(rng, -1.7, 1.7)
	w := int(float64(photo.W) * scale)
	mid := top + capH/2
	hm := raster.Homography{1 / scale, shear / scale, 0, tilt / scale, 1 / scale, 0, 0, 0, 1}
	hm[5] = mid - (float64(grid.CapTop)+(grid.Cap-1)/2.0+dy)/scale - tilt*float64(photo.W)/2
	hm[2] = -shear / scale * float64(grid.BandH) / 2
	ink := grid.Normalise(photo.Warp(&hm, w, grid.BandH))
	var out []nn.Sample
	add := func(x float64, class int) {
		win := make([]float32, grid.WinW*grid.WinH)
		grid.Window(win, ink, float32(x*scale+rng.NormFloat64()*0.2), 0, 1)
		out = append(out, nn.Sample{X: win, Class: class})
	}
	none := len(s.alphabet)
	for i, x := range cx {
		for range 2 {
			add(x+degrade.Between(rng, -2.2, 2.2)/scale, text[i])
		}
		if rng.Float64() < .55 {
			add(x+pitch/2+degrade.Between(rng, -.15, .15)*pitch, none)
		}
	}
	add(cx[0]-pitch*degrade.Between(rng, .5, 1.5), none)
	add(cx[n-1]+pitch*degrade.Between(rng, .5, 1.5), none)
	return out
}

// cover hides most of one character; its class becomes "no character", so that a finger is never read as a digit.
func (s lineSpec) cover(rng *rand.Rand, mask *raster.Plane, text []int, cx []float64, capH, top float64) {
	k := rng.IntN(len(text))
	shade := float32(rng.Float64())
	frac := degrade.Between(rng, .55, 1.2)
	x0 := int(cx[k] - capH*.45)
	y0, y1 := int(top-2), int(top+capH+2)
	x1 := x0 + int(capH*.9)
	switch rng.IntN(4) {
	case 0:
		y1 = y0 + int(float64(y1-y0)*frac)
	case 1:
		y0 = y1 - int(float64(y1-y0)*frac)
	case 2:
		x1 = x0 + int(float64(x1-x0)*frac)
	case 3:
		x0 = x1 - int(float64(x1-x0)*frac)
	}
	for y := max(y0, 0); y < min(y1, mask.H); y++ {
		for x := max(x0, 0); x < min(x1, mask.W); x++ {
			mask.Pix[y*mask.W+x] = shade
		}
	}
	text[k] = len(s.alphabet)
}

// clutterSamples are windows of a line of other text or texture: never a character of the alphabet.
func (s lineSpec) clutterSamples(rng *rand.Rand) []nn.Sample {
	capH := degrade.Between(rng, 10, 40)
	mask := raster.NewPlane(int(capH*12), int(capH*3))
	if len(s.clutter) > 0 && rng.Float64() < .8 {
		f := s.clutter[rng.IntN(len(s.clutter))]
		_, _ = f.Text(mask, randomHan(rng, 14), rng.Float64()*capH, capH*2, capH*degrade.Between(rng, .9, 1.5), capH*.1*rng.Float64())
	} else {
		degrade.Noise(rng, mask, 1)
		mask = mask.Gauss(degrade.Between(rng, .5, .3*capH))
		for i, v := range mask.Pix {
			mask.Pix[i] = min(max(v*float32(capH)*.4, 0), 1)
		}
	}
	photo := s.spoil(rng, mask, capH)
	scale := grid.Cap / capH
	hm := raster.Homography{1 / scale, 0, 0, 0, 1 / scale, capH - float64(grid.CapTop)/scale, 0, 0, 1}
	ink := grid.Normalise(photo.Warp(&hm, int(float64(photo.W)*scale), grid.BandH))
	var out []nn.Sample
	for range 8 {
		win := make([]float32, grid.WinW*grid.WinH)
		grid.Window(win, ink, float32(degrade.Between(rng, 12, float64(ink.W)-12)), 0, 1)
		out = append(out, nn.Sample{X: win, Class: len(s.alphabet)})
	}
	return out
}
