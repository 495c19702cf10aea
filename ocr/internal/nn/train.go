package nn

import (
	"math"
	"math/rand/v2"
	"sync"
)

// Sample is one training example.
type Sample struct {
	X     []float32
	Class int
}

// New makes a net with He-initialised weights from a fixed seed.
func New(in, hidden, out int, seed uint64) *Net {
	rng := rand.New(rand.NewPCG(seed, 1))
	n := &Net{In: in, Hidden: hidden, Out: out, W1: make([]float32, in*hidden), B1: make([]float32, hidden),
		W2: make([]float32, hidden*out), B2: make([]float32, out)}
	for i := range n.W1 {
		n.W1[i] = float32(rng.NormFloat64() * math.Sqrt(2/float64(in)))
	}
	for i := range n.W2 {
		n.W2[i] = float32(rng.NormFloat64() * math.Sqrt(1/float64(hidden)))
	}
	return n
}

// Trainer runs Adam (Kingma and Ba 2015) over mini-batches; the result depends on the samples and their order only.
type Trainer struct {
	net     *Net
	m, v    [4][]float32
	t       int
	workers []*gradients
}

type gradients struct {
	g    [4][]float32
	s    *Scratch
	loss float64
	hits int
}

// NewTrainer prepares training of n; each batch is split over a fixed number of workers.
func NewTrainer(n *Net, workers int) *Trainer {
	t := &Trainer{net: n}
	for i, p := range n.params() {
		t.m[i], t.v[i] = make([]float32, len(p)), make([]float32, len(p))
	}
	for range workers {
		w := &gradients{s: n.NewScratch()}
		for i, p := range n.params() {
			w.g[i] = make([]float32, len(p))
		}
		t.workers = append(t.workers, w)
	}
	return t
}

func (n *Net) params() [4][]float32 { return [4][]float32{n.W1, n.B1, n.W2, n.B2} }

// Epoch goes once over the samples and gives the mean loss and the share of right answers.
func (t *Trainer) Epoch(samples []Sample, batch int, rate float64) (loss, right float64) {
	for _, w := range t.workers {
		w.loss, w.hits = 0, 0
	}
	for i := 0; i < len(samples); i += batch {
		part := samples[i:min(i+batch, len(samples))]
		var wg sync.WaitGroup
		for k, w := range t.workers {
			wg.Go(func() {
				for j := k; j < len(part); j += len(t.workers) {
					w.add(t.net, part[j])
				}
			})
		}
		wg.Wait()
		t.step(len(part), rate)
	}
	for _, w := range t.workers {
		loss += w.loss
		right += float64(w.hits)
	}
	n := float64(len(samples))
	return loss / n, right / n
}

// add accumulates the gradient of one sample's cross-entropy.
func (w *gradients) add(n *Net, s Sample) {
	n.Forward(s.X, w.s)
	w.loss -= float64(w.s.Logp[s.Class])
	if Best(w.s.Logp) == s.Class {
		w.hits++
	}
	d := w.s.Logp // becomes p - onehot
	for i, lp := range d {
		d[i] = float32(math.Exp(float64(lp)))
	}
	d[s.Class]--
	axpy(w.g[3], d, 1)
	h := w.s.h
	for i, v := range h {
		if v <= 0 {
			h[i] = 0
			continue
		}
		row := n.W2[i*n.Out : (i+1)*n.Out]
		axpy(w.g[2][i*n.Out:(i+1)*n.Out], d, v)
		h[i] = dot(row, d)
	}
	axpy(w.g[1], h, 1)
	for i, v := range s.X {
		if v > 0.02 || v < -0.02 {
			axpy(w.g[0][i*n.Hidden:(i+1)*n.Hidden], h, v)
		}
	}
}

func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s float32
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// Best is the index of the greatest value.
func Best(z []float32) int {
	b := 0
	for i, v := range z {
		if v > z[b] {
			b = i
		}
	}
	return b
}

func (t *Trainer) step(n int, rate float64) {
	const b1, b2, eps = 0.9, 0.999, 1e-8
	t.t++
	lr := float32(rate * math.Sqrt(1-math.Pow(b2, float64(t.t))) / (1 - math.Pow(b1, float64(t.t))))
	inv := 1 / float32(n)
	var wg sync.WaitGroup
	for pi, p := range t.net.params() {
		wg.Go(func() {
			m, v := t.m[pi], t.v[pi]
			for i := range p {
				var g float32
				for _, w := range t.workers {
					g += w.g[pi][i]
					w.g[pi][i] = 0
				}
				g *= inv
				m[i] = b1*m[i] + (1-b1)*g
				v[i] = b2*v[i] + (1-b2)*g*g
				p[i] -= lr * m[i] / (float32(math.Sqrt(float64(v[i]))) + eps)
			}
		})
	}
	wg.Wait()
}
