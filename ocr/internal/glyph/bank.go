package glyph

import "sort"

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

// bank is a set of means with their leading dimensions side by side, so that the first comparison walks memory in order.
type bank struct {
	ids    []int32
	lead   []float32
	centre []float32 // centres x first; nil for a small bank
	group  [][]int32 // places in ids
}

func (b *bank) add(m *Model, i int32) {
	b.ids = append(b.ids, i)
	b.lead = append(b.lead, m.Protos[i].V[:first]...)
}

func (b *bank) at(k int) []float32 { return b.lead[k*first : (k+1)*first] }

// cluster groups the means by a few rounds of k-means from evenly spaced starts; no chance is involved.
func (b *bank) cluster() {
	if len(b.ids) < 20*centres {
		return
	}
	b.centre = make([]float32, centres*first)
	for c := range centres {
		copy(b.centre[c*first:(c+1)*first], b.at(c*len(b.ids)/centres))
	}
	for r := range rounds {
		b.group = make([][]int32, centres)
		for k := range b.ids {
			c := b.nearestCentre(b.at(k))
			b.group[c] = append(b.group[c], int32(k))
		}
		if r+1 < rounds {
			b.recentre()
		}
	}
}

func (b *bank) nearestCentre(v []float32) int {
	best, bd := 0, float32(0)
	for c := range centres {
		if d := dist(v, b.centre[c*first:(c+1)*first]); c == 0 || d < bd {
			best, bd = c, d
		}
	}
	return best
}

func (b *bank) recentre() {
	for c, g := range b.group {
		if len(g) == 0 {
			continue
		}
		sum := b.centre[c*first : (c+1)*first]
		clear(sum)
		for _, k := range g {
			for i, v := range b.at(int(k)) {
				sum[i] += v / float32(len(g))
			}
		}
	}
}

type cand struct {
	i int32
	d float32
}

// candidates are the means worth a full comparison, with their distances over the leading dimensions.
func (b *bank) candidates(v []float32) []cand {
	v = v[:first]
	if b.centre == nil {
		out := make([]cand, len(b.ids))
		for k, i := range b.ids {
			out[k] = cand{i, dist(v, b.at(k))}
		}
		return out
	}
	near := make([]cand, centres)
	for c := range near {
		near[c] = cand{int32(c), dist(v, b.centre[c*first:(c+1)*first])}
	}
	sort.Slice(near, func(i, j int) bool { return near[i].d < near[j].d })
	var out []cand
	for _, c := range near[:visited] {
		for _, k := range b.group[c.i] {
			out = append(out, cand{b.ids[k], dist(v, b.at(int(k)))})
		}
	}
	return out
}
