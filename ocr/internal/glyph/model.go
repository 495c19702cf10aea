package glyph

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/blas"

	"github.com/kangma/kangma/ocr/internal/hanzi"
)

// Extra are the classes beyond the standard table: what addresses and names hold besides Chinese characters.
const Extra = "0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ#·"

// Classes are all characters the model names, in the order of its means.
var Classes = sync.OnceValue(func() []rune {
	var out []rune
	for _, r := range hanzi.All() {
		if r >= 0x4e00 && r <= 0x9fff { // the few beyond the basic block have no free font in common use
			out = append(out, r)
		}
	}
	return append(out, []rune(Extra)...)
})

// Model projects features and compares them with class means.
type Model struct {
	Kept   int       // dimensions after projection
	Mean   []float32 // Dim: mean of all features
	Proj   []float32 // Dim x Kept, scaled so that the within-class spread is one in every kept dimension
	Protos []Proto
	// Sharpness of a softmax over negative distances that makes its probabilities true, in nats a unit of Answer.Dist.
	Sharpness float32

	once   sync.Once // guards the indexes
	wide   *bank
	byRune map[rune][]int32
}

// Proto is a mean of one class; a class may have several.
type Proto struct {
	Class int32
	V     []float32 // Kept values
}

// Answer is a character with its squared distance per kept dimension (about 1 for a good print).
type Answer struct {
	R    rune
	Dist float32
}

// glyphs.bin is made by `go run ./ocr/train glyphs`.
//
//go:embed glyphs.bin
var weights []byte

// Default is the model that the binary carries.
var Default = sync.OnceValues(func() (*Model, error) { return Load(bytes.NewReader(weights)) })

// Project computes the kept dimensions of a feature vector.
func (m *Model) Project(f, out []float32) {
	var d [Dim]float32
	for i, v := range f {
		d[i] = v - m.Mean[i]
	}
	math32.Sgemv(blas.Trans, Dim, m.Kept, 1, m.Proj, m.Kept, d[:], 1, 0, out, 1)
}

// Nearest gives the n nearest classes, nearest first, comparing all means.
func (m *Model) Nearest(v []float32, n int) []Answer {
	best := make([]cand, len(m.Protos))
	for i := range m.Protos {
		best[i] = cand{m.Protos[i].Class, dist(v, m.Protos[i].V)}
	}
	return m.answers(best, n)
}

// nearest searches a bank of means for the n nearest classes.
func (m *Model) nearest(v []float32, n int, b *bank) []Answer {
	s := searches.Get().(*searching)
	defer searches.Put(s)
	tail := dot(v[first:], v[first:])
	coarse := b.candidates(v, s)
	limit, _ := limitOf(coarse, kept)
	best := s.best[:0]
	for _, c := range coarse {
		if c.d > limit {
			continue
		}
		p := &m.Protos[b.ids[c.at]]
		best = append(best, cand{p.Class, max(c.d+tail+b.rest[c.at]-2*dot(v[first:], p.V[first:]), 0)})
	}
	s.best = best
	return m.answers(best, n)
}

// answers names the n nearest different classes among means, whose at is the class.
func (m *Model) answers(best []cand, n int) []Answer {
	slices.SortFunc(best, func(x, y cand) int { return cmp.Or(cmp.Compare(x.d, y.d), cmp.Compare(x.at, y.at)) })
	out := make([]Answer, 0, n)
	for _, c := range best {
		r := Classes()[c.at]
		if !slices.ContainsFunc(out, func(a Answer) bool { return a.R == r }) {
			if out = append(out, Answer{r, c.d / float32(m.Kept)}); len(out) == n {
				break
			}
		}
	}
	return out
}

func dist(a, b []float32) float32 {
	b = b[:len(a)]
	var s float32
	for i, v := range a {
		d := v - b[i]
		s += d * d
	}
	return s
}

// limitOf estimates the n-th smallest distance through a histogram, good enough to cut a list of candidates, and tells
// where the smallest is.
func limitOf(list []cand, n int) (limit float32, nearest int) {
	lo, hi := float32(math.Inf(1)), float32(0)
	for k := range list {
		d := list[k].d
		if d < lo {
			lo, nearest = d, k
		}
		if d > hi {
			hi = d
		}
	}
	const bins = 512
	var hist [bins + 1]int32
	scale := bins / max(hi-lo, 1e-9)
	for k := range list {
		hist[min(uint(int((list[k].d-lo)*scale)), bins)]++
	}
	acc := 0
	for b, c := range &hist {
		if acc += int(c); acc >= min(n, len(list)) {
			return lo + float32(b+1)/scale, nearest
		}
	}
	return hi, nearest
}

var errModel = errors.New("glyph: the weights are damaged")

// Save writes the model with one byte a value.
func (m *Model) Save(w io.Writer) error {
	z := gzip.NewWriter(w)
	err := errors.Join(binary.Write(z, binary.LittleEndian, [3]uint32{uint32(m.Kept), uint32(len(m.Protos)), math.Float32bits(m.Sharpness)}),
		binary.Write(z, binary.LittleEndian, m.Mean), writeBytes(z, m.Proj, m.Kept))
	for _, p := range m.Protos {
		err = errors.Join(err, binary.Write(z, binary.LittleEndian, p.Class), writeBytes(z, p.V, m.Kept))
	}
	return errors.Join(err, z.Close())
}

func writeBytes(w io.Writer, m []float32, cols int) error {
	for r := 0; r < len(m); r += cols {
		var top float32
		for _, v := range m[r : r+cols] {
			top = max(top, v, -v)
		}
		scale := max(top, 1e-9) / 127
		q := make([]int8, cols)
		for i, v := range m[r : r+cols] {
			q[i] = int8(math.Round(float64(v / scale)))
		}
		if err := errors.Join(binary.Write(w, binary.LittleEndian, scale), binary.Write(w, binary.LittleEndian, q)); err != nil {
			return err
		}
	}
	return nil
}

// Load reads what Save wrote.
func Load(r io.Reader) (*Model, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, errModel
	}
	raw, err := io.ReadAll(io.LimitReader(z, 64<<20))
	if err != nil || len(raw) < 8 {
		return nil, errModel
	}
	b := bytes.NewReader(raw)
	var dim [3]uint32
	if binary.Read(b, binary.LittleEndian, &dim) != nil || dim[0] < first || dim[0] > Dim || dim[1] > 1<<17 {
		return nil, errModel
	}
	sharpness := math.Float32frombits(dim[2])
	if !(sharpness >= 0 && sharpness < 1000) {
		return nil, errModel
	}
	m := &Model{Kept: int(dim[0]), Sharpness: sharpness, Mean: make([]float32, Dim), Protos: make([]Proto, dim[1])}
	if binary.Read(b, binary.LittleEndian, m.Mean) != nil {
		return nil, errModel
	}
	if m.Proj, err = readBytes(b, Dim, m.Kept); err != nil {
		return nil, err
	}
	for i := range m.Protos {
		var c [4]byte
		if _, err := io.ReadFull(b, c[:]); err != nil {
			return nil, errModel
		}
		class := binary.LittleEndian.Uint32(c[:])
		if int(class) >= len(Classes()) {
			return nil, errModel
		}
		m.Protos[i].Class = int32(class)
		if m.Protos[i].V, err = readBytes(b, 1, m.Kept); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func readBytes(r io.Reader, rows, cols int) ([]float32, error) {
	m := make([]float32, rows*cols)
	q := make([]byte, 4+cols)
	for i := 0; i < rows; i++ {
		if _, err := io.ReadFull(r, q); err != nil {
			return nil, errModel
		}
		scale := math.Float32frombits(binary.LittleEndian.Uint32(q))
		for j, v := range q[4:] {
			m[i*cols+j] = float32(int8(v)) * scale
		}
	}
	return m, nil
}

// NearestMeans fills out, for training, with the nearest means of other classes than the given one, by their places in
// Protos, nearest first.
func (m *Model) NearestMeans(v []float32, class int32, out []int32) {
	m.once.Do(m.index)
	s := searches.Get().(*searching)
	defer searches.Put(s)
	coarse := m.wide.candidates(v, s)
	limit, _ := limitOf(coarse, kept)
	best := s.best[:0]
	for _, c := range coarse {
		if i := m.wide.ids[c.at]; c.d <= limit && m.Protos[i].Class != class {
			best = append(best, cand{i, dist(v, m.Protos[i].V)})
		}
	}
	s.best = best
	slices.SortFunc(best, func(x, y cand) int { return cmp.Or(cmp.Compare(x.d, y.d), cmp.Compare(x.at, y.at)) })
	for k := range out[:min(len(out), len(best))] {
		out[k] = best[k].at
	}
}

// Reindex forgets the indexes, which must be made again after the means have moved. It must not be called while the model
// is in use.
func (m *Model) Reindex() { m.once = sync.Once{} }

// IsNarrow says whether a class is of the half-width kind (Extra).
func IsNarrow(class int32) bool { return int(class) >= len(Classes())-extraCount }

var extraCount = len([]rune(Extra))

// NearestOf is Nearest among the full-width classes only. The half-width ones have a reader of their own, Narrow.
func (m *Model) NearestOf(v []float32, n int) []Answer {
	m.once.Do(m.index)
	return m.nearest(v, n, m.wide)
}

// NearestOne is the first answer of NearestOf, found by comparing whole only those means that can be the nearest; nil when
// the model is empty.
func (m *Model) NearestOne(v []float32) []Answer {
	m.once.Do(m.index)
	b := m.wide
	s := searches.Get().(*searching)
	defer searches.Put(s)
	coarse := b.candidates(v, s)
	if len(coarse) == 0 {
		return nil
	}
	tail := dot(v[first:], v[first:])
	length := float32(math.Sqrt(float64(tail)))
	limit, start := limitOf(coarse, kept)
	whole := func(c cand) cand {
		p := &m.Protos[b.ids[c.at]]
		return cand{p.Class, max(c.d+tail+b.rest[c.at]-2*dot(v[first:], p.V[first:]), 0)}
	}
	best := whole(coarse[start])
	for _, c := range coarse {
		if c.d > limit {
			continue
		}
		// the other dimensions add at least the square of the difference of lengths; the last terms are for rounding
		gap := length - b.length[c.at]
		if c.d+gap*gap-1e-4*(tail+b.rest[c.at])-1e-3 > best.d {
			continue
		}
		if w := whole(c); w.d < best.d || w.d == best.d && w.at < best.at {
			best = w
		}
	}
	return []Answer{{Classes()[best.at], best.d / float32(m.Kept)}}
}

// DistTo is the distance of projected features to one character, in the unit of Answer; ok is false when the model does
// not know it.
func (m *Model) DistTo(v []float32, r rune) (d float32, ok bool) {
	m.once.Do(m.index)
	if len(v) != m.Kept { // a narrow character has none
		return 0, false
	}
	for _, i := range m.byRune[r] {
		if x := dist(v, m.Protos[i].V) / float32(m.Kept); !ok || x < d {
			d, ok = x, true
		}
	}
	return d, ok
}

// Plainness is how far the means of a character lie from the mean of all, squared per kept dimension: 0.5 to 1.5 for most, up
// to 4 for those of few strokes, which also vary more, so that a good print of theirs is farther from their means.
func (m *Model) Plainness(r rune) (most float32) {
	m.once.Do(m.index)
	for _, i := range m.byRune[r] {
		v := m.Protos[i].V
		most = max(most, dot(v, v)/float32(m.Kept))
	}
	return most
}

func (m *Model) index() {
	m.byRune = map[rune][]int32{}
	var wide []int32
	for i := range m.Protos {
		c := m.Protos[i].Class
		if !IsNarrow(c) {
			wide = append(wide, int32(i))
		}
		r := Classes()[c]
		m.byRune[r] = append(m.byRune[r], int32(i))
	}
	m.wide = newBank(m, wide)
}
