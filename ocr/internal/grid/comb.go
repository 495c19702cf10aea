package grid

import (
	"math"
	"slices"

	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Allowed says which classes may stand at a place of the line.
type Allowed func(place, class int) bool

// Shape is what a line looks like before it is read: how many characters, and the pitch expected in band pixels.
type Shape struct {
	Count              int
	MinPitch, MaxPitch float32
	Allowed            Allowed
}

// Reading is a line as read.
type Reading struct {
	Text    string
	Logp    [][]float32 // for each place the log probability of every class, the last one "no character"
	X       []float32   // centres of the characters in the band
	Mean    float64     // mean log probability of the characters chosen
	Pitch   float32
	DY, F   float32    // vertical shift and size factor that fitted best
	Lift    [2]float32 // further vertical shift of the first and of the last character
	Outside float64    // log probability that nothing stands before the first and after the last character
}

const stride = 2

// field is the net's answers along a band, one every stride pixels.
type field struct {
	x0, n int
	logp  [][]float32
}

func (r *Reader) scan(ink *raster.Plane, dy, f float32) field {
	x0 := WinW / 4
	n := max((ink.W-2*x0)/stride, 0)
	fl := field{x0: x0, n: n, logp: make([][]float32, n)}
	flat := make([]float32, n*r.Net.Out)
	win := make([]float32, WinW*WinH)
	s := r.Net.NewScratch()
	for i := 0; i < n; i++ {
		fl.logp[i] = flat[i*r.Net.Out : (i+1)*r.Net.Out]
		Window(win, ink, float32(x0+i*stride), dy, f)
		r.Net.Forward(win, s)
		copy(fl.logp[i], s.Logp)
	}
	return fl
}

// variants are the vertical shifts and size factors tried, the likely one first.
var variants = [][2]float32{{0, 1}, {-2, 1}, {2, 1}, {0, 1.12}, {0, .9}, {-1.5, 1.12}, {1.5, 1.12}, {-1.5, .9}, {1.5, .9}}

// Good is a mean log probability at which the first variant is good enough to stop.
const Good = -0.05

// Read finds the comb of shape.Count characters on a normalised band. quick tries the likely geometry only. ok is false
// when the band is too short for the shape.
func (r *Reader) Read(ink *raster.Plane, shape Shape, quick bool) (best Reading, ok bool) {
	for i, v := range variants {
		if quick && i > 0 {
			break
		}
		fl := r.scan(ink, v[0], v[1])
		rd, found := r.comb(fl, shape)
		if !found {
			continue
		}
		rd.DY, rd.F = v[0], v[1]
		if !ok || rd.Mean > best.Mean {
			best, ok = rd, true
		}
		if best.Mean > Good || i == 2 && best.Mean < -3 {
			break
		}
	}
	if ok {
		r.refine(ink, &best, shape)
	}
	return best, ok
}

// Fits looks at a band once and gives for each shape how well it fits (mean log probability of its characters, -99 when
// the band is too short), in the likely geometry only.
func (r *Reader) Fits(ink *raster.Plane, shapes []Shape) []float64 {
	fl := r.scan(ink, 0, 1)
	out := make([]float64, len(shapes))
	for i, s := range shapes {
		out[i] = -99
		if rd, ok := r.comb(fl, s); ok {
			out[i] = rd.Mean
		}
	}
	return out
}

// comb chooses the places by dynamic programming for each pitch; neighbouring steps may differ by one stride, which
// absorbs what perspective is left.
func (r *Reader) comb(fl field, shape Shape) (Reading, bool) {
	em := r.emissions(fl, shape)
	paths := newPaths(em, fl.n)
	var best Reading
	found := false
	for p := shape.MinPitch / stride; p <= shape.MaxPitch/stride+0.01; p += 0.25 {
		end, score, ok := paths.try(p)
		mean := score / float64(shape.Count)
		if ok && (!found || mean > best.Mean) {
			found = true
			best = Reading{Mean: mean, Pitch: p * stride, X: make([]float32, shape.Count)}
			for k := shape.Count - 1; k >= 0; k-- {
				best.X[k] = float32(fl.x0 + end*stride)
				end -= int(paths.back[k][end])
			}
		}
	}
	return best, found
}

// emissions gives for each place of the line and each place of the band the best allowed log probability. Neighbouring
// places of the line that allow the same share one row.
func (r *Reader) emissions(fl field, shape Shape) [][]float32 {
	em := make([][]float32, shape.Count)
	var before []int
	for k := range em {
		var allowed []int
		for c := range len(r.Alphabet) {
			if shape.Allowed(k, c) {
				allowed = append(allowed, c)
			}
		}
		if k > 0 && slices.Equal(allowed, before) {
			em[k] = em[k-1]
			continue
		}
		before = allowed
		em[k] = make([]float32, fl.n)
		for i := range em[k] {
			b := float32(-12)
			for _, c := range allowed {
				b = max(b, fl.logp[i][c])
			}
			em[k][i] = b
		}
	}
	return em
}

// paths searches the best comb for one pitch after the other in the same memory.
type paths struct {
	em          [][]float32
	n           int
	score, next []float32
	back        [][]int8 // for each place of the line and of the band the step from the place before
}

func newPaths(em [][]float32, n int) *paths {
	p := &paths{em: em, n: n, score: make([]float32, n), next: make([]float32, n), back: make([][]int8, len(em))}
	all := make([]int8, n*len(em))
	for k := range p.back {
		p.back[k] = all[k*n : (k+1)*n]
	}
	return p
}

// A path that does not exist scores noPath; a step longer or shorter than the pitch costs oddStep.
const (
	noPath  = -1e9
	oddStep = 0.15
)

// try gives the last place and the score of the best comb; ok is false when the band is too short for one.
func (p *paths) try(pitch float32) (end int, score float64, ok bool) {
	count := len(p.em)
	span := int(math.Ceil(float64(pitch) * float64(count-1)))
	if p.n < span-count/4 || p.n < 1 {
		return 0, 0, false
	}
	copy(p.score, p.em[0])
	for k := 1; k < count; k++ {
		// the fractional pitch is spread over the places, so that its sum is right
		d := int(math.Round(float64(pitch)*float64(k))) - int(math.Round(float64(pitch)*float64(k-1)))
		p.step(k, d)
		p.score, p.next = p.next, p.score
	}
	end = nn.Best(p.score)
	return end, float64(p.score[end]), p.score[end] >= noPath/10
}

// step takes every comb one place further, d strides on, or one less or more.
func (p *paths) step(k, d int) {
	em, back := p.em[k][:p.n], p.back[k][:p.n]
	from := min(d+1, p.n) // before, not every step is within the band
	if d < 1 {
		from = p.n
	}
	for i := range from {
		best, step := float32(noPath), int8(0)
		for s := -1; s <= 1; s++ {
			j := i - d - s
			if j < 0 || j >= p.n {
				continue
			}
			v := p.score[j]
			if s != 0 {
				v -= oddStep
			}
			if v > best {
				best, step = v, int8(d+s)
			}
		}
		p.next[i] = best + em[i]
		back[i] = step
	}
	if from == p.n {
		return
	}
	next := p.next[from:p.n]
	em, back = em[from:][:len(next)], back[from:][:len(next)]
	far, usual, near := p.score[:len(next)], p.score[1:][:len(next)], p.score[2:][:len(next)]
	for i := range next {
		best, step := float32(noPath), int8(0)
		if v := near[i] - oddStep; v > best {
			best, step = v, int8(d-1)
		}
		if v := usual[i]; v > best {
			best, step = v, int8(d)
		}
		if v := far[i] - oddStep; v > best {
			best, step = v, int8(d+1)
		}
		next[i] = best + em[i]
		back[i] = step
	}
}

// refine reads every character again at and around its place and averages the answers: the spread of these answers is
// what makes a doubtful character look doubtful.
func (r *Reader) refine(ink *raster.Plane, rd *Reading, shape Shape) {
	win := make([]float32, WinW*WinH)
	s := r.Net.NewScratch()
	at := func(x, dy float32) []float32 {
		Window(win, ink, x, rd.DY+dy, rd.F)
		r.Net.Forward(win, s)
		return s.Logp
	}
	text := make([]byte, shape.Count)
	var sum float64
	rd.Logp = make([][]float32, shape.Count)
	for k, x := range rd.X {
		mean := make([]float32, r.Net.Out)
		for _, o := range [...][2]float32{{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
			for c, v := range at(x+o[0], o[1]+rd.lift(k)) {
				mean[c] += float32(math.Exp(float64(v))) / 5
			}
		}
		for c, v := range mean {
			mean[c] = float32(math.Log(float64(max(v, 1e-6))))
		}
		best := -1
		for c := 0; c < len(r.Alphabet); c++ {
			if shape.Allowed(k, c) && (best < 0 || mean[c] > mean[best]) {
				best = c
			}
		}
		rd.Logp[k], text[k] = mean, r.Alphabet[best]
		sum += float64(mean[best])
	}
	rd.Text, rd.Mean = string(text), sum/float64(shape.Count)
	none := r.None()
	before, after := rd.X[0]-rd.Pitch, rd.X[shape.Count-1]+rd.Pitch
	rd.Outside = float64(at(before, rd.Lift[0])[none])
	rd.Outside += float64(at(after, rd.Lift[1])[none])
}

// lift is the further vertical shift at place k.
func (rd *Reading) lift(k int) float32 {
	t := float32(k) / float32(max(len(rd.X)-1, 1))
	return rd.Lift[0] + (rd.Lift[1]-rd.Lift[0])*t
}
