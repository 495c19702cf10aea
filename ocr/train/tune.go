package main

import (
	"math"
	"sync"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

func glyphScore(m *glyph.Model, check []glyphSample) float64 {
	hits := make([]int, 2)
	var wg sync.WaitGroup
	for k := range hits {
		wg.Go(func() {
			v := make([]float32, m.Kept)
			for i := k; i < len(check); i += 2 {
				m.Project(check[i].f, v)
				if a := m.Nearest(v, 1); a[0].R == glyph.Classes()[check[i].class] {
					hits[k]++
				}
			}
		})
	}
	wg.Wait()
	return float64(hits[0]+hits[1]) / float64(len(check))
}

// tune moves the class means a little towards samples they nearly lose and the rival away from them: generalised learning
// vector quantisation (Sato and Yamada 1996). Samples go in order, so the result is the same every time.
func tune(m *glyph.Model, samples []glyphSample, rate float64) {
	type move struct {
		right, wrong int
		gain         float64
		v            []float32
	}
	const batch = 256
	moves := make([]move, batch)
	stride := 7919 // a prime: visits the samples in a fixed scattered order
	for start := 0; start < len(samples); start += batch {
		n := min(batch, len(samples)-start)
		var wg sync.WaitGroup
		for k := range 2 {
			wg.Go(func() {
				for i := k; i < n; i += 2 {
					s := samples[(start+i)*stride%len(samples)]
					v := make([]float32, m.Kept)
					m.Project(s.f, v)
					r, w, dr, dw := m.Rivals(v, int32(s.class))
					mu := float64(dr-dw) / float64(dr+dw)
					e := 1 / (1 + math.Exp(-14*mu))
					moves[i] = move{r, w, e * (1 - e) * 4, v}
				}
			})
		}
		wg.Wait()
		for _, mv := range moves[:n] {
			if mv.right < 0 || mv.wrong < 0 || mv.gain < .02 {
				continue
			}
			f := float32(rate * mv.gain)
			pr, pw := m.Protos[mv.right].V, m.Protos[mv.wrong].V
			for i, x := range mv.v {
				pr[i] += f * (x - pr[i])
				pw[i] -= f * (x - pw[i])
			}
		}
	}
}
