package glyph

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// math32 is the arithmetic on vectors: gonum's kernels, which use the processor's vector instructions where it has them.
var math32 gonum.Implementation

// first is how many leading dimensions choose the candidates of the full comparison.
const first = 28

// kept is how many means pass the first comparison.
const kept = 160

// Means are grouped around centres, and only the groups nearest to a query are compared: a tenth of the work.
const (
	centres = 120
	visited = 16
	rounds  = 4
)

// bank is a set of means. The leading dimensions of each group lie side by side, so that the first comparison is one
// product of a matrix and a vector: |v-p|² = |v|² + |p|² - 2 v·p.
type bank struct {
	ids    []int32
	lead   []float32 // len(ids) x first
	norms  []float32 // |p|² over the leading dimensions
	rest   []float32 // |p|² over the others
	length []float32 // |p| over the others
	centre []float32 // centres x first; nil for a small bank
	start  []int     // group g is start[g] to start[g+1]
}

func newBank(m *Model, ids []int32) *bank {
	b := &bank{ids: ids, lead: make([]float32, 0, len(ids)*first)}
	for _, i := range ids {
		b.lead = append(b.lead, m.Protos[i].V[:first]...)
	}
	if len(ids) >= 20*centres {
		b.cluster()
		b.lead = b.lead[:0]
		for _, i := range b.ids {
			b.lead = append(b.lead, m.Protos[i].V[:first]...)
		}
	}
	b.norms, b.rest, b.length = make([]float32, len(ids)), make([]float32, len(ids)), make([]float32, len(ids))
	for k, i := range b.ids {
		p := m.Protos[i].V
		b.norms[k], b.rest[k] = dot(p[:first], p[:first]), dot(p[first:], p[first:])
		b.length[k] = float32(math.Sqrt(float64(b.rest[k])))
	}
	return b
}

func dot(a, b []float32) float32 { return math32.Sdot(len(a), a, 1, b, 1) }

func (b *bank) at(k int) []float32 { return b.lead[k*first : (k+1)*first] }

// cluster groups the means by a few rounds of k-means from evenly spaced starts; no chance is involved. It sorts ids by
// group.
func (b *bank) cluster() {
	b.centre = make([]float32, centres*first)
	for c := range centres {
		copy(b.centre[c*first:(c+1)*first], b.at(c*len(b.ids)/centres))
	}
	var group [][]int
	in := make([]int, len(b.ids)) // the group of each in the round before
	for r := range rounds {
		group = make([][]int, centres)
		for k := range b.ids {
			in[k] = b.nearestCentre(b.at(k), in[k])
			group[in[k]] = append(group[in[k]], k)
		}
		if r+1 < rounds {
			b.recentre(group)
		}
	}
	sorted := make([]int32, 0, len(b.ids))
	b.start = []int{0}
	for _, g := range group {
		for _, k := range g {
			sorted = append(sorted, b.ids[k])
		}
		b.start = append(b.start, len(sorted))
	}
	b.ids = sorted
}

// nearestCentre is the nearest centre, the first of equals. guess is where to begin: a good one saves most of the work.
func (b *bank) nearestCentre(v []float32, guess int) int {
	best, bd := guess, dist(v, b.centre[guess*first:(guess+1)*first])
	for c := range centres {
		if d, ok := distWithin(v, b.centre[c*first:(c+1)*first], bd); ok && (d < bd || c < best) {
			best, bd = c, d
		}
	}
	return best
}

// distWithin is dist, given up as soon as it exceeds a limit: partial sums only grow.
func distWithin(a, b []float32, limit float32) (s float32, ok bool) {
	b = b[:len(a)]
	for i, v := range a {
		d := v - b[i]
		if s += d * d; i%4 == 3 && s > limit {
			return s, false
		}
	}
	return s, s <= limit
}

func (b *bank) recentre(group [][]int) {
	for c, g := range group {
		if len(g) == 0 {
			continue
		}
		sum := b.centre[c*first : (c+1)*first]
		clear(sum)
		for _, k := range g {
			for i, v := range b.at(k) {
				sum[i] += v / float32(len(g))
			}
		}
	}
}

// cand is a mean, by its place in ids, and its distance over the leading dimensions.
type cand struct {
	at int32
	d  float32
}

// searching is the working memory of one search.
type searching struct {
	dots []float32
	near []cand
	out  []cand
	best []cand
}

var searches = sync.Pool{New: func() any { return new(searching) }}

// candidates are the means worth a full comparison, with their distances over the leading dimensions. The result is in s.
func (b *bank) candidates(v []float32, s *searching) []cand {
	v = v[:first]
	norm := dot(v, v)
	s.out = s.out[:0]
	if b.centre == nil {
		b.compare(v, norm, 0, len(b.ids), s)
		return s.out
	}
	s.near = s.near[:0]
	for c := range centres {
		s.near = append(s.near, cand{int32(c), dist(v, b.centre[c*first:(c+1)*first])})
	}
	nearestFirst(s.near, visited)
	for _, c := range s.near[:visited] {
		b.compare(v, norm, b.start[c.at], b.start[c.at+1], s)
	}
	return s.out
}

// nearestFirst moves the n nearest to the front, sorted: a sixth of the work of sorting all.
func nearestFirst(list []cand, n int) {
	byDistance := func(x, y cand) int { return cmp.Or(cmp.Compare(x.d, y.d), cmp.Compare(x.at, y.at)) }
	front := list[:n]
	slices.SortFunc(front, byDistance)
	for k := n; k < len(list); k++ {
		c := list[k]
		if byDistance(c, front[n-1]) >= 0 {
			continue
		}
		list[k] = front[n-1]
		i := n - 1
		for i > 0 && byDistance(c, front[i-1]) < 0 {
			front[i] = front[i-1]
			i--
		}
		front[i] = c
	}
}

// compare appends the means from..to with their distances.
func (b *bank) compare(v []float32, norm float32, from, to int, s *searching) {
	n := to - from
	if n == 0 {
		return
	}
	s.dots = slices.Grow(s.dots[:0], n)[:n]
	math32.Sgemv(blas.NoTrans, n, first, 1, b.lead[from*first:to*first], first, v, 1, 0, s.dots, 1)
	for k, d := range s.dots {
		s.out = append(s.out, cand{int32(from + k), norm + b.norms[from+k] - 2*d})
	}
}
