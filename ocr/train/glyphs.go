package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/raster"
)

const (
	glyphSeed   = 20261122
	perClass    = 18
	keptDims    = 144
	drawEm      = 80 // characters are drawn at this size and shrunk to photo size
	checkStride = 9  // one sample in nine is kept for checking, not training
)

// glyphFace is a font with the share of samples it gets; group 0 are the sans-serif faces that cards are printed in.
type glyphFace struct {
	font   *fonts.Font
	weight float64
	group  int
}

type glyphSample struct {
	class, group int
	f            []float32
}

func trainGlyphs() error {
	var faces []glyphFace
	for _, s := range []struct {
		name   string
		weight float64
		group  int
	}{{"sans", 4, 0}, {"sans-bold", 2, 0}, {"droid", 2, 0}, {"serif", .8, 1}, {"serif-bold", .4, 1}, {"wenkai", .7, 1}, {"song", .3, 1}, {"kai", .3, 1}} {
		f, err := fonts.Get(s.name)
		if err != nil {
			return err
		}
		faces = append(faces, glyphFace{f, s.weight, s.group})
	}
	train, check := glyphSamples(faces)
	fmt.Printf("%d samples, %d to check\n", len(train), len(check))
	m := discriminant(train)
	fmt.Printf("before tuning: check %.4f\n", glyphScore(m, check))
	for e := range 1 {
		tune(m, train, 0.06/float64(e+1))
		fmt.Printf("tuning %d: check %.4f\n", e+1, glyphScore(m, check))
	}
	var buf bytes.Buffer
	if err := m.Save(&buf); err != nil {
		return err
	}
	fmt.Println("writing glyphs.bin", buf.Len(), "bytes")
	return os.WriteFile("ocr/internal/glyph/glyphs.bin", buf.Bytes(), 0o644)
}

func glyphSamples(faces []glyphFace) (train, check []glyphSample) {
	classes := glyph.Classes()
	parts := make([][]glyphSample, len(classes))
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for c := k; c < len(classes); c += 2 {
				parts[c] = classSamples(faces, c, classes[c])
			}
		})
	}
	wg.Wait()
	for _, p := range parts {
		for i, s := range p {
			if i%checkStride == checkStride-1 {
				check = append(check, s)
			} else {
				train = append(train, s)
			}
		}
	}
	return train, check
}

func classSamples(faces []glyphFace, class int, r rune) []glyphSample {
	var usable []glyphFace
	var sum float64
	for _, f := range faces {
		if f.font.Has(r) {
			usable = append(usable, f)
			sum += f.weight
		}
	}
	n := perClass
	if strings.ContainsRune(glyph.Extra, r) {
		n *= 4
	}
	var out []glyphSample
	for i := range n {
		rng := rand.New(rand.NewPCG(glyphSeed, uint64(class)*1000+uint64(i)))
		t := rng.Float64() * sum
		k := 0
		for t -= usable[k].weight; t > 0 && k+1 < len(usable); t -= usable[k].weight {
			k++
		}
		s := glyphSample{class: class, group: usable[k].group, f: make([]float32, glyph.Dim)}
		glyph.Features(glyphCell(rng, usable[k].font, r), s.f)
		out = append(out, s)
	}
	return out
}

// glyphCell draws r between neighbours, photographs it badly, and cuts its cell with the errors of a real segmentation.
func glyphCell(rng *rand.Rand, f *fonts.Font, r rune) *raster.Plane {
	return cutCell(rng, f, r, strings.ContainsRune(glyph.Extra, r), 0, 44)
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

// discriminant computes the projection that spreads classes best against the spread within them (Fisher), and the means.
func discriminant(samples []glyphSample) *glyph.Model {
	n := glyph.Dim
	mean := make([]float32, n)
	classMean := map[int][]float32{}
	count := map[int]float32{}
	for _, s := range samples {
		m := classMean[s.class]
		if m == nil {
			m = make([]float32, n)
			classMean[s.class] = m
		}
		for i, v := range s.f {
			m[i] += v
			mean[i] += v / float32(len(samples))
		}
		count[s.class]++
	}
	for c, m := range classMean {
		for i := range m {
			m[i] /= count[c]
		}
	}
	within := make([][]float32, len(samples))
	for k, s := range samples {
		d := make([]float32, n)
		for i, v := range s.f {
			d[i] = v - classMean[s.class][i]
		}
		within[k] = d
	}
	sw := scatter(within, n)
	between := make([][]float32, 0, len(classMean))
	for c := range glyph.Classes() {
		if m := classMean[c]; m != nil {
			d := make([]float32, n)
			for i, v := range m {
				d[i] = v - mean[i]
			}
			between = append(between, d)
		}
	}
	sb := scatter(between, n)
	m := &glyph.Model{Kept: keptDims, Mean: mean, Proj: projection(sw, sb, n, float64(len(samples)), float64(len(between)))}
	addProtos(m, samples)
	return m
}

// projection whitens the within-class scatter and keeps the directions of greatest between-class scatter.
func projection(sw, sb []float64, n int, ns, nb float64) []float32 {
	trace := 0.0
	for i := range sw {
		sw[i] /= ns
		sb[i] /= nb
	}
	for i := 0; i < n; i++ {
		trace += sw[i*n+i]
	}
	for i := 0; i < n; i++ {
		sw[i*n+i] += 0.02 * trace / float64(n)
	}
	vals, vecs := eigen(sw, n)
	// white[i] is row i of D^-1/2 V^T
	white := make([][]float64, n)
	for i := range white {
		white[i] = make([]float64, n)
		for j := range white[i] {
			white[i][j] = vecs[i][j] / math.Sqrt(vals[i])
		}
	}
	t := matmul(white, toRows(sb, n), false)
	b := matmul(t, white, true)
	flat := make([]float64, n*n)
	for i := range b {
		copy(flat[i*n:], b[i])
	}
	_, dirs := eigen(flat, n)
	proj := make([]float32, n*keptDims)
	for k := 0; k < keptDims; k++ {
		for j := 0; j < n; j++ {
			s := 0.0
			for i := 0; i < n; i++ {
				s += dirs[k][i] * white[i][j]
			}
			proj[j*keptDims+k] = float32(s)
		}
	}
	return proj
}

func toRows(a []float64, n int) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = a[i*n : (i+1)*n]
	}
	return out
}

// matmul is a*b, or a*bT when transposed.
func matmul(a, b [][]float64, transposed bool) [][]float64 {
	out := make([][]float64, len(a))
	for i, r := range a {
		if transposed {
			out[i] = make([]float64, len(b))
			for j, c := range b {
				for k, v := range r {
					out[i][j] += v * c[k]
				}
			}
			continue
		}
		out[i] = make([]float64, len(b[0]))
		for k, v := range r {
			for j, w := range b[k] {
				out[i][j] += v * w
			}
		}
	}
	return out
}

// addProtos puts one mean a class and group into the model.
func addProtos(m *glyph.Model, samples []glyphSample) {
	type key struct{ class, group int }
	sums := map[key][]float32{}
	count := map[key]float32{}
	v := make([]float32, m.Kept)
	for _, s := range samples {
		k := key{s.class, s.group}
		if sums[k] == nil {
			sums[k] = make([]float32, m.Kept)
		}
		m.Project(s.f, v)
		for i, x := range v {
			sums[k][i] += x
		}
		count[k]++
	}
	for c := range glyph.Classes() {
		for g := range 2 {
			k := key{c, g}
			if count[k] < 2 {
				continue
			}
			p := glyph.Proto{Class: int32(c), V: sums[k]}
			for i := range p.V {
				p.V[i] /= count[k]
			}
			m.Protos = append(m.Protos, p)
		}
	}
}
