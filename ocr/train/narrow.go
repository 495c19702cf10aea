package main

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/nn"
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
