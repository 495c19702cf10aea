package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/blas/gonum"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// Sharpening moves means and projection together so that the right mean is the nearest by a clear margin: the loss is that
// of a softmax over the nearest rivals of each sample, by distance (discriminative feature extraction with a learning
// vector quantiser; Jin, Liu and Hou 2010). Hard pairs make nearly all of the gradient, easy samples none.
const (
	rivals = 28  // means that a sample is compared with besides those of its own class
	sharp  = 6.0 // of the softmax, in nats a unit of distance; less than what is true, so that a narrow win is not enough

	meanRate  = 0.9
	projRate  = 0.0022 // of the projection's own size
	batchSize = 512
)

var math32 gonum.Implementation

// gradient is what one worker gathers over its half of a batch.
type gradient struct {
	proj  []float32
	means map[int32][]float32
	loss  float64
	f, v  []float32
	gv    []float32
	dist  []float32
}

func newGradient(m *glyph.Model) *gradient {
	return &gradient{proj: make([]float32, glyph.Dim*m.Kept), means: map[int32][]float32{}, f: make([]float32, glyph.Dim),
		v: make([]float32, m.Kept), gv: make([]float32, m.Kept)}
}

// sharpen trains for all epochs; the samples go in an order of a fixed seed and each batch is split in the same two halves, so
// the result is the same every time.
func sharpen(m *glyph.Model, samples []glyphSample, report func(string)) {
	own := make([][]int32, len(glyph.Classes()))
	for i := range m.Protos {
		own[m.Protos[i].Class] = append(own[m.Protos[i].Class], int32(i))
	}
	adam := newAdam(len(m.Proj))
	size := rms(m.Proj)
	rng := rand.New(rand.NewPCG(glyphSeed, 9))
	g := [2]*gradient{newGradient(m), newGradient(m)}
	order := rng.Perm(len(samples))
	near := make([]int32, len(samples)*rivals)
	for e := range epochs {
		if e%2 == 0 {
			findRivals(m, samples, near)
		}
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		falling := math.Pow(.68, float64(e))
		loss := 0.0
		for at := 0; at < len(order); at += batchSize {
			batch := order[at:min(at+batchSize, len(order))]
			var wg sync.WaitGroup
			for k := range g {
				wg.Go(func() {
					for _, i := range batch[k*len(batch)/2 : (k+1)*len(batch)/2] {
						g[k].add(m, &samples[i], own[samples[i].class], near[i*rivals:(i+1)*rivals])
					}
				})
			}
			wg.Wait()
			for k := range g {
				loss += g[k].loss
				g[k].moveMeans(m, float32(meanRate*falling))
			}
			for i, x := range g[1].proj {
				g[0].proj[i] += x
			}
			adam.step(m.Proj, g[0].proj, projRate*size*falling)
			clear(g[0].proj)
			clear(g[1].proj)
		}
		m.Reindex()
		report(fmt.Sprintf("epoch %d, loss %.4f", e+1, loss/float64(len(order))))
	}
}

// findRivals finds the nearest means of other classes for every sample.
func findRivals(m *glyph.Model, samples []glyphSample, near []int32) {
	m.Reindex()
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			f, v := make([]float32, glyph.Dim), make([]float32, m.Kept)
			for i := k; i < len(samples); i += 2 {
				samples[i].features(f)
				m.Project(f, v)
				dst := near[i*rivals : (i+1)*rivals]
				for j := range dst {
					dst[j] = -1
				}
				m.NearestMeans(v, int32(samples[i].class), dst)
			}
		})
	}
	wg.Wait()
}

// add adds one sample's gradient.
func (g *gradient) add(m *glyph.Model, s *glyphSample, own, near []int32) {
	s.features(g.f)
	m.Project(g.f, g.v)
	right, dr := int32(-1), float32(0)
	for _, i := range own {
		if d := squared(g.v, m.Protos[i].V); right < 0 || d < dr {
			right, dr = i, d
		}
	}
	if right < 0 {
		return
	}
	unit := float32(sharp / float64(m.Kept))
	g.dist = g.dist[:0]
	sum := 1.0 // of exp(sharp * (dr-d)) over all; the right one first
	for _, i := range near {
		if i < 0 {
			break
		}
		e := float32(math.Exp(min(float64(unit*(dr-squared(g.v, m.Protos[i].V))), 30)))
		g.dist = append(g.dist, e)
		sum += float64(e)
	}
	g.loss += math.Log(sum)
	wrong := 1 - 1/sum
	if wrong < .01 {
		return
	}
	clear(g.gv)
	g.pull(m, right, unit*float32(wrong))
	for k, e := range g.dist {
		if p := e / float32(sum); p > .002 {
			g.pull(m, near[k], -unit*p)
		}
	}
	for i := range g.f {
		g.f[i] -= m.Mean[i]
	}
	math32.Sger(glyph.Dim, m.Kept, 1, g.f, 1, g.gv, 1, g.proj, m.Kept)
}

// pull adds the gradient of w times the squared distance to mean i, to the mean and to the projected sample.
func (g *gradient) pull(m *glyph.Model, i int32, w float32) {
	p := m.Protos[i].V
	d := g.means[i]
	if d == nil {
		d = make([]float32, len(p))
		g.means[i] = d
	}
	for k, x := range g.v {
		t := 2 * w * (x - p[k])
		g.gv[k] += t
		d[k] += t
	}
}

func (g *gradient) moveMeans(m *glyph.Model, rate float32) {
	for i, d := range g.means {
		p := m.Protos[i].V
		for k, x := range d {
			p[k] += rate * x
		}
	}
	clear(g.means)
	g.loss = 0
}

func squared(a, b []float32) float32 {
	b = b[:len(a)]
	var s float32
	for i, v := range a {
		d := v - b[i]
		s += d * d
	}
	return s
}

// adam is the optimiser of Kingma and Ba (2015) for the projection.
type adam struct {
	m, v []float32
	t    int
}

func newAdam(n int) *adam { return &adam{m: make([]float32, n), v: make([]float32, n)} }

func (a *adam) step(w, grad []float32, rate float64) {
	a.t++
	c1, c2 := 1-math.Pow(.9, float64(a.t)), 1-math.Pow(.999, float64(a.t))
	k := float32(rate / c1)
	for i, g := range grad {
		a.m[i] = .9*a.m[i] + .1*g
		a.v[i] = .999*a.v[i] + .001*g*g
		w[i] -= k * a.m[i] / (float32(math.Sqrt(float64(a.v[i])/c2)) + 1e-12)
	}
}

func rms(w []float32) float64 {
	s := math32.Snrm2(len(w), w, 1)
	return float64(s) / math.Sqrt(float64(len(w)))
}

func glyphScore(m *glyph.Model, check []glyphSample) float64 {
	hits := make([]int, 2)
	m.Reindex()
	var wg sync.WaitGroup
	for k := range hits {
		wg.Go(func() {
			f, v := make([]float32, glyph.Dim), make([]float32, m.Kept)
			for i := k; i < len(check); i += 2 {
				check[i].features(f)
				m.Project(f, v)
				if a := m.NearestOf(v, 1); a[0].R == glyph.Classes()[check[i].class] {
					hits[k]++
				}
			}
		})
	}
	wg.Wait()
	return float64(hits[0]+hits[1]) / float64(len(check))
}

// fitSharpness finds the sharpness of a softmax over the nearest answers that makes its probabilities true.
func fitSharpness(m *glyph.Model, check []glyphSample) float64 {
	f, v := make([]float32, glyph.Dim), make([]float32, m.Kept)
	answers := make([][]glyph.Answer, len(check))
	for i := range check {
		check[i].features(f)
		m.Project(f, v)
		answers[i] = m.NearestOf(v, 12)
	}
	best, bestLoss := 0.0, math.Inf(1)
	for s := 2.0; s < 60; s *= 1.06 {
		loss := 0.0
		for i, a := range answers {
			sum, own := 1e-6, 1e-6
			for _, x := range a {
				e := math.Exp(-s * float64(x.Dist-a[0].Dist))
				sum += e
				if x.R == glyph.Classes()[check[i].class] {
					own += e
				}
			}
			loss -= math.Log(own / sum)
		}
		if loss < bestLoss {
			best, bestLoss = s, loss
		}
	}
	return best
}

// usualDistance is the mean distance of a character, read rightly, from its class: sharpening stretches distances, and the
// reader weighs them against the cost of leaving ink unread.
const usualDistance = 1.15

// rescale gives distances their usual size again.
func rescale(m *glyph.Model, check []glyphSample) {
	f, v := make([]float32, glyph.Dim), make([]float32, m.Kept)
	sum, n := 0.0, 0.0
	m.Reindex()
	for i := range check {
		check[i].features(f)
		m.Project(f, v)
		if a := m.NearestOf(v, 1)[0]; a.R == glyph.Classes()[check[i].class] {
			sum, n = sum+float64(a.Dist), n+1
		}
	}
	k := float32(math.Sqrt(usualDistance / (sum / n)))
	fmt.Printf("mean distance %.3f\n", sum/n)
	for i := range m.Proj {
		m.Proj[i] *= k
	}
	for i := range m.Protos {
		for j := range m.Protos[i].V {
			m.Protos[i].V[j] *= k
		}
	}
	m.Reindex()
}
