// Package plate reads the characters of a licence plate (GA 36-2018) from a rectified line: a province by the glyph
// classifier, letters and digits by a small net, over the layouts of seven and eight characters.
package plate

import (
	"bytes"
	_ "embed"
	"math"
	"strings"
	"sync"

	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// alphabet has no I and no O, which plates do not use.
const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// Provinces are the 31 characters a plate may begin with.
const Provinces = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

// lastChars may stand in the last place: trainer, police, Hong Kong, Macao, consulate, trailer.
const lastChars = "学警港澳领挂"

// plate.bin is made by `go run ./ocr/train plates`.
//
//go:embed plate.bin
var weights []byte

var reader = sync.OnceValues(func() (*grid.Reader, error) {
	net, err := nn.Load(bytes.NewReader(weights))
	if err != nil {
		return nil, err
	}
	return &grid.Reader{Net: net, Alphabet: alphabet}, nil
})

// Stretch is how much wider than tall a plate must be drawn for the net, which learnt ordinary proportions.
const Stretch = 1.5

// Layout is where characters stand, in pitches from the third character.
type Layout struct {
	Eight  bool
	places []float64
}

// Layouts of one line: seven characters at 57 mm with 79 across the dot, eight at 52 mm with 92.
var Layouts = []Layout{
	{false, []float64{-79.0/57 - 1, -79.0 / 57, 0, 1, 2, 3, 4}},
	{true, []float64{-92.0/52 - 1, -92.0 / 52, 0, 1, 2, 3, 4, 5}},
}

// Char is one character as read.
type Char struct {
	R    rune
	Logp float64
}

// Reading is a plate as read.
type Reading struct {
	Text  string
	Chars []Char
	Mean  float64 // mean log probability of the letters and digits
	Eight bool
}

// Band is a rectified line at capital height Cap (grid.Cap), stretched by Stretch, and the same at glyph size.
type Band struct {
	Ink   *raster.Plane // normalised, for the net
	Glyph *raster.Plane // normalised, capital height GlyphCap
	X     float64       // where a mark of the line is, in Ink pixels
	Pitch float64       // in Ink pixels
}

// GlyphCap is the capital height of the band for the glyph classifier.
const GlyphCap = 30

// Read tries every layout with the known mark at every place and gives the best reading.
func Read(m *glyph.Model, b Band) (best Reading, ok bool) {
	r, err := reader()
	if err != nil {
		return best, false
	}
	s := r.Net.NewScratch()
	win := make([]float32, grid.WinW*grid.WinH)
	for _, l := range Layouts {
		for k := 2; k < len(l.places); k++ {
			for _, f := range [...]float64{1, .97, 1.03} {
				x0 := b.X - l.places[k]*b.Pitch*f
				rd, fits := read(r, m, b, l, x0, b.Pitch*f, win, s)
				if fits && (!ok || rd.Mean > best.Mean) {
					best, ok = rd, true
				}
			}
		}
	}
	return best, ok
}

func read(r *grid.Reader, m *glyph.Model, b Band, l Layout, x0, pitch float64, win []float32, s *nn.Scratch) (Reading, bool) {
	rd := Reading{Eight: l.Eight}
	n := len(l.places)
	at := func(i int) float64 { return x0 + l.places[i]*pitch }
	if at(0) < -pitch/4 || at(n-1) > float64(b.Ink.W)+pitch/4 {
		return rd, false
	}
	sum := 0.0
	chars := make([]Char, n)
	for i := 1; i < n; i++ {
		chars[i] = letter(r, b, at(i), i == 1, win, s)
		if i == n-1 && !l.Eight && chars[i].Logp < -1.2 {
			if c := han(m, b, at(i), lastChars); c.Logp > chars[i].Logp {
				chars[i] = c
			}
		}
		sum += chars[i].Logp
	}
	rd.Mean = sum / float64(n-1)
	// what stands beyond the last character must not be one
	if beyond := at(n-1) + pitch; beyond < float64(b.Ink.W)-grid.WinW/2 {
		if c := letter(r, b, beyond, false, win, s); c.Logp > -.7 {
			rd.Mean -= .5
		}
	}
	if rd.Mean < -1.5 {
		return rd, true
	}
	chars[0] = han(m, b, at(0), Provinces)
	for _, c := range chars {
		rd.Text += string(c.R)
	}
	rd.Chars = chars
	return rd, true
}

// letter reads one place, the best of three small shifts.
func letter(r *grid.Reader, b Band, x float64, letterOnly bool, win []float32, s *nn.Scratch) Char {
	best := Char{'?', -20}
	for _, dx := range [...]float32{0, -1.5, 1.5} {
		grid.Window(win, b.Ink, float32(x)+dx, 0, 1)
		r.Net.Forward(win, s)
		for c := 0; c < len(alphabet); c++ {
			if letterOnly && c < 10 {
				continue
			}
			if lp := float64(s.Logp[c]); lp > best.Logp {
				best = Char{rune(alphabet[c]), lp}
			}
		}
	}
	return best
}

// han chooses among a closed set of Chinese characters; its confidence is the lead over the runner-up.
func han(m *glyph.Model, b Band, x float64, set string) Char {
	k := float64(GlyphCap) / grid.Cap
	f, v := make([]float32, glyph.Dim), make([]float32, m.Kept)
	first, second := math.Inf(1), math.Inf(1)
	best := '?'
	for _, dx := range [...]float64{0, -1, 1} {
		cx := (x + dx) * k
		w := float32(b.Pitch * k * .92)
		cell := glyph.Cell(b.Glyph, float32(cx), float32(b.Glyph.H)/2, w, GlyphCap*1.14)
		glyph.Features(cell, f)
		m.Project(f, v)
		for _, c := range set {
			d, ok := m.DistTo(v, c)
			switch {
			case !ok:
			case float64(d) < first:
				if c != best {
					second = first
				}
				first, best = float64(d), c
			case c != best && float64(d) < second:
				second = float64(d)
			}
		}
	}
	margin := second - first
	return Char{best, -math.Log1p(math.Exp(-(8*margin - .8*max(first-1.6, 0))))}
}

// IsProvince says whether r begins plates.
func IsProvince(r rune) bool { return strings.ContainsRune(Provinces, r) }
