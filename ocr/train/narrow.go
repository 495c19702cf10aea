package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/raster"
)

const (
	narrowSeed     = 20261125
	perNarrow      = 250   // samples a letter; digits get four times as many
	narrowNothings = 12000 // cells that hold no narrow character: parts of Chinese ones, the white between two digits
	narrowHidden   = 64
)

// trainNarrow learns the half-width characters of addresses and birth dates, and to tell them from pieces of Chinese
// characters, which is what a wrong cut of a line shows.
func trainNarrow() error {
	var faces []weighted
	for _, n := range []struct {
		name   string
		weight float64
	}{{"sans", 4}, {"sans-bold", 2}, {"serif", 1}, {"serif-bold", .5}, {"wenkai", 1}, {"song", .7}, {"kai", .7}, {"dejavu", 1.5}} {
		f, err := fonts.Get(n.name)
		if err != nil {
			return err
		}
		faces = append(faces, weighted{f, n.weight})
	}
	train, check := narrowSamples(faces, perNarrow, narrowNothings, narrowSeed), narrowSamples(faces, 12, 600, narrowSeed+1)
	net := nn.New(glyph.Dim, narrowHidden, len([]rune(glyph.Extra))+1, narrowSeed)
	fmt.Println("letters, digits and what is neither:")
	return trainNet(net, train, check, 14, narrowSeed, "ocr/internal/glyph/narrow.bin")
}

func narrowSamples(faces []weighted, each, nothings int, seed uint64) []nn.Sample {
	letters := []rune(glyph.Extra)
	spec := lineSpec{fonts: faces}
	var jobs []int // class of each sample
	for c, r := range letters {
		n := each
		if r >= '0' && r <= '9' {
			n *= 4
		}
		for range n {
			jobs = append(jobs, c)
		}
	}
	for range nothings {
		jobs = append(jobs, len(letters))
	}
	out := make([]nn.Sample, len(jobs))
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for i := k; i < len(jobs); i += 2 {
				out[i] = narrowSample(rand.New(rand.NewPCG(seed, uint64(i))), spec, letters, jobs[i])
			}
		})
	}
	wg.Wait()
	return out
}

// narrowSample is one cell. Nothing is a Chinese character cut anywhere, or the place between two digits.
func narrowSample(rng *rand.Rand, spec lineSpec, letters []rune, class int) nn.Sample {
	f := spec.pick(rng)
	var r rune
	shift := 0.0
	if class < len(letters) {
		r = letters[class]
	} else if shift = degrade.Between(rng, -.45, .45); rng.Float64() < .15 {
		r = rune('0' + rng.IntN(10))
		shift = degrade.Between(rng, .22, .32)
		if rng.IntN(2) == 0 {
			shift = -shift
		}
	}
	for r == 0 || !f.Has(r) || class == len(letters) && !f.Has('一') {
		if class < len(letters) {
			f = spec.pick(rng)
			continue
		}
		f, r = spec.pick(rng), glyph.Classes()[rng.IntN(3500)]
	}
	v := make([]float32, glyph.Dim)
	glyph.Features(cutCell(rng, f, r, true, shift, 60), v)
	for i := range v {
		v[i] *= glyph.NarrowGain
	}
	return nn.Sample{X: v, Class: class}
}

// cutCell is glyphCell for a cell of a given kind whose middle lies shift ems beside the character's; maxEm is the size
// of the largest characters on the photo, in pixels.
func cutCell(rng *rand.Rand, f *fonts.Font, r rune, narrow bool, shift, maxEm float64) *raster.Plane {
	neighbour := func() string {
		if !f.Has('一') { // a face without Chinese characters
			return string(rune('0' + rng.IntN(10)))
		}
		if narrow && rng.Float64() < .7 {
			if f.Has('0') {
				return string(rune('0' + rng.IntN(10)))
			}
		}
		if rng.Float64() < .12 {
			return "　"
		}
		for {
			if c := glyph.Classes()[rng.IntN(3500)]; f.Has(c) {
				return string(c)
			}
		}
	}
	mask := raster.NewPlane(drawEm*7/2, drawEm*7/4)
	base := float64(drawEm) * 1.25
	tracking := drawEm * .04
	draw := func(s string, x float64) {
		if s == "　" {
			return
		}
		if _, err := f.Text(mask, s, x, base, drawEm, 0); err != nil {
			panic(err)
		}
	}
	w := f.Width(string(r), drawEm, 0)
	x := float64(mask.W)/2 - w/2
	draw(string(r), x)
	left, right := neighbour(), neighbour()
	draw(left, x-tracking-f.Width(left, drawEm, 0))
	draw(right, x+w+tracking)
	if rng.Float64() < .5 {
		mask = degrade.Weight(mask, 1+rng.IntN(2), degrade.Between(rng, -.7, .8))
	}
	em := 11 * math.Exp(rng.Float64()*math.Log(maxEm/11))
	k := em / drawEm
	photo := mask.Resize(int(float64(mask.W)*k), int(float64(mask.H)*k))
	spec := lineSpec{maxBlur: .15}
	photo = spec.spoil(rng, photo, em*.8)
	// to reading scale, with a little shear and tilt
	s := em / glyph.Em
	shear, tilt := degrade.Between(rng, -.07, .07), degrade.Between(rng, -.03, .03)
	W, H := int(float64(photo.W)/s), int(float64(photo.H)/s)
	hm := raster.Homography{s, shear * s, -shear * s * float64(H) / 2, tilt * s, s, -tilt * s * float64(W) / 2, 0, 0, 1}
	ink := glyph.Normalise(photo.Warp(&hm, W, H))
	cx := float32(W)/2 + float32((degrade.Between(rng, -.07, .07)+shift)*glyph.Em)
	cy := float32((base-.38*drawEm)*k/s + degrade.Between(rng, -.06, .06)*glyph.Em)
	cell := glyph.WideCell
	if narrow {
		cell = glyph.NarrowCell
	}
	return glyph.Cell(ink, cx, cy, float32(cell*degrade.Between(rng, .93, 1.07)), float32(glyph.WideCell*degrade.Between(rng, .93, 1.07)))
}
