package main

import (
	"math/rand/v2"
	"strings"

	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Groups of faces that look alike; a character has one mean in each.
const (
	hei  = iota // strokes of even weight, which cards are printed in
	song        // thin horizontals and serifs
	kai         // brush
	groupCount
)

// hanFace is a face of Chinese characters with the share of samples it gets.
type hanFace struct {
	font   *fonts.Font
	weight float64
	group  int
	// The reader knows the size and the middle of a character only from the ink of its row, so both are measured on each
	// face: ink is the height of a row, mid its middle above the baseline, in ems of the font.
	ink, mid float64
}

// taught are the faces that the characters are learnt from. Of the faces in heldOut nothing is ever drawn while learning: they tell how
// the reader does on print it has never seen.
var (
	taught = []struct {
		name   string
		weight float64
		group  int
	}{{"sans", 4, hei}, {"sans-demi", 1.2, hei}, {"sans-light", .7, hei}, {"sans-medium", 1.2, hei}, {"sans-bold", 2, hei}, {"sans-black", .3, hei},
		{"droid", 1.5, hei}, {"microhei", .7, hei},
		{"serif", 1, song}, {"serif-medium", .5, song}, {"serif-light", .3, song}, {"serif-bold", .5, song}, {"song", .9, song},
		{"wenkai", 1.2, kai}, {"kai", .9, kai}, {"ukai", .4, kai}}
	heldOut = []struct {
		name   string
		weight float64
		group  int
	}{{"zenhei", 1, hei}, {"uming", 1, song}, {"wenkai-bold", 1, kai}}
)

func hanFaces(list []struct {
	name   string
	weight float64
	group  int
}) ([]hanFace, error) {
	var out []hanFace
	for _, s := range list {
		f, err := fonts.Get(s.name)
		if err != nil {
			return nil, err
		}
		h := hanFace{font: f, weight: s.weight, group: s.group}
		if h.ink, h.mid, err = rowOfInk(f); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// rowOfInk measures a row of common characters: its height and its middle above the baseline, in ems.
func rowOfInk(f *fonts.Font) (height, mid float64, err error) {
	const em, base = 200, 260
	p := raster.NewPlane(12*em, 2*em)
	if _, err := f.Text(p, "国建海清路镇村县号张", em/2, base, em, 0); err != nil {
		return 0, 0, err
	}
	y0, y1 := p.H, 0
	for y := range p.H {
		for _, v := range p.Row(y) {
			if v > .5 {
				y0, y1 = min(y0, y), max(y1, y+1)
			}
		}
	}
	return float64(y1-y0) / em, (base - float64(y0+y1)/2) / em, nil
}

// pickFace draws a face that has r, or nil.
func pickFace(rng *rand.Rand, faces []hanFace, r rune) *hanFace {
	var sum float64
	for i := range faces {
		if faces[i].font.Has(r) {
			sum += faces[i].weight
		}
	}
	t := rng.Float64() * sum
	for i := range faces {
		if !faces[i].font.Has(r) {
			continue
		}
		if t -= faces[i].weight; t <= 0 {
			return &faces[i]
		}
	}
	return nil
}

// neighbour is a character to stand beside another one; "" is none.
func (h *hanFace) neighbour(rng *rand.Rand, narrow bool) string {
	switch {
	case narrow && rng.Float64() < .7 && h.font.Has('0'):
		return string(rune('0' + rng.IntN(10)))
	case rng.Float64() < .14:
		return ""
	case rng.Float64() < .06 && h.font.Has('·'):
		return "·"
	}
	for {
		if c := glyph.Classes()[rng.IntN(3500)]; h.font.Has(c) && !strings.ContainsRune(glyph.Extra, c) {
			return string(c)
		}
	}
}
