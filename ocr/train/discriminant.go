package main

import (
	"math"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// withinStride is how many samples are passed over for each that the scatter within classes is measured on.
const withinStride = 3

// discriminant computes the projection that spreads classes best against the spread within them (Fisher), and the means.
func discriminant(samples []glyphSample) *glyph.Model {
	n := glyph.Dim
	mean := make([]float32, n)
	classMean := map[int][]float32{}
	count := map[int]float32{}
	f := make([]float32, n)
	for i := range samples {
		s := &samples[i]
		m := classMean[s.class]
		if m == nil {
			m = make([]float32, n)
			classMean[s.class] = m
		}
		s.features(f)
		for i, v := range f {
			m[i] += v
		}
		count[s.class]++
	}
	for c, m := range classMean {
		for i := range m {
			m[i] /= count[c]
		}
	}
	var between, within [][]float32
	for c := range glyph.Classes() {
		if m := classMean[c]; m != nil {
			for i, v := range m {
				mean[i] += v / float32(len(classMean))
			}
		}
	}
	for c := range glyph.Classes() {
		if m := classMean[c]; m != nil {
			between = append(between, difference(m, mean))
		}
	}
	for k := 0; k < len(samples); k += withinStride {
		samples[k].features(f)
		within = append(within, difference(f, classMean[samples[k].class]))
	}
	sb, sw := scatter(between, n), scatter(within, n)
	m := &glyph.Model{Kept: keptDims, Mean: mean, Proj: projection(sw, sb, n, float64(len(within)), float64(len(between)))}
	addProtos(m, samples)
	return m
}

func difference(a, b []float32) []float32 {
	d := make([]float32, len(a))
	for i, v := range a {
		d[i] = v - b[i]
	}
	return d
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
	v, f := make([]float32, m.Kept), make([]float32, glyph.Dim)
	for i := range samples {
		s := &samples[i]
		k := key{s.class, s.group}
		if sums[k] == nil {
			sums[k] = make([]float32, m.Kept)
		}
		s.features(f)
		m.Project(f, v)
		for i, x := range v {
			sums[k][i] += x
		}
		count[k]++
	}
	for c := range glyph.Classes() {
		for g := range groupCount {
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
