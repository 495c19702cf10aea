package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/hanzi"
)

const (
	glyphSeed  = 20261201
	perClass   = 30 // samples a common character to learn from
	perRare    = 20 // and a rare one (grades 2 and 3 of the standard table)
	perCheck   = 1  // to check with
	perHeldOut = 1  // and in faces that are never learnt
	keptDims   = 176
	epochs     = 4
)

// glyphSample is one cell; its features are kept as bytes, because half a million of them must fit.
type glyphSample struct {
	class, group int
	q            [glyph.Dim]uint8
}

// featureStep is the step of kept features: they are at most a quarter.
const featureStep = 1. / 1000

func (s *glyphSample) set(f []float32) {
	for i, v := range f {
		s.q[i] = uint8(min(v/featureStep+.5, 255))
	}
}

func (s *glyphSample) features(f []float32) {
	for i, v := range s.q {
		f[i] = float32(v) * featureStep
	}
}

func trainGlyphs() error {
	faces, err := hanFaces(taught)
	if err != nil {
		return err
	}
	unseen, err := hanFaces(heldOut)
	if err != nil {
		return err
	}
	train := glyphSamples(faces, glyphSeed, perClass, perRare)
	check := glyphSamples(faces, glyphSeed+1, perCheck, perCheck)
	other := glyphSamples(unseen, glyphSeed+2, perHeldOut, perHeldOut)
	fmt.Printf("%d samples, %d to check, %d in other faces\n", len(train), len(check), len(other))
	m := discriminant(train)
	report := func(what string) {
		fmt.Printf("%s: check %.4f, other faces %.4f\n", what, glyphScore(m, check), glyphScore(m, other))
	}
	report("means")
	sharpen(m, train, report)
	rescale(m, check)
	m.Sharpness = float32(fitSharpness(m, check))
	fmt.Printf("sharpness %.2f\n", m.Sharpness)
	var buf bytes.Buffer
	if err := m.Save(&buf); err != nil {
		return err
	}
	fmt.Println("writing glyphs.bin", buf.Len(), "bytes")
	return os.WriteFile("ocr/internal/glyph/glyphs.bin", buf.Bytes(), 0o644)
}

// glyphSamples draws every full-width character so many times; a sample depends on the seed, its character and its count
// only.
func glyphSamples(faces []hanFace, seed uint64, common, rare int) []glyphSample {
	type job struct{ class, nr int }
	var jobs []job
	for c, r := range glyph.Classes() {
		each := common
		if hanzi.Index()[r] >= hanzi.Grade1 {
			each = rare
		}
		if strings.ContainsRune(glyph.Extra, r) {
			continue
		}
		for i := range each {
			jobs = append(jobs, job{c, i})
		}
	}
	out := make([]glyphSample, len(jobs))
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			f := make([]float32, glyph.Dim)
			for i := k; i < len(jobs); i += 2 {
				j := jobs[i]
				r := glyph.Classes()[j.class]
				rng := rand.New(rand.NewPCG(seed, uint64(j.class)*1000+uint64(j.nr)))
				h := pickFace(rng, faces, r)
				if h == nil {
					out[i].class = -1
					continue
				}
				glyph.Features(hanCell(rng, h, r), f)
				out[i].class, out[i].group = j.class, h.group
				out[i].set(f)
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(out, func(s glyphSample) bool { return s.class < 0 })
}
