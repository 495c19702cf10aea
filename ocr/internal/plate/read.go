package plate

import (
	"errors"
	"math"
	"sort"

	"github.com/kangma/kangma/ocr/internal/nn"
)

var errShape = errors.New("plate: the weights do not fit the features")

// stride is the distance of the places looked at, in band pixels.
const stride = 2

// scan is the net's answers along a field.
type scan struct {
	n          int
	ord, wide  [][]float32 // log probabilities, one row every stride pixels
	scratch    *nn.Scratch
	net        *nn.Net
	f          *Field
	input, sum []float32
}

func newScan(f *Field) (*scan, error) {
	net, err := network()
	if err != nil {
		return nil, err
	}
	s := &scan{n: f.W / stride, net: net, f: f, scratch: net.NewScratch(), input: make([]float32, Dim), sum: make([]float32, net.Out)}
	for i := range s.n {
		x := float32(i * stride)
		s.ord = append(s.ord, append([]float32(nil), s.at(x, 0, Ordinary)...))
		if clearLetter(s.ord[i]) { // not part of a Chinese character
			s.wide = append(s.wide, nil)
			continue
		}
		s.wide = append(s.wide, append([]float32(nil), s.at(x, 0, Wide)...))
	}
	return s, nil
}

func clearLetter(logp []float32) bool {
	for c := range len(alphabet) {
		if logp[c] > -.02 {
			return true
		}
	}
	return false
}

// at gives the log probabilities at one place; the result is valid until the next call.
func (s *scan) at(x, dy float32, w Window) []float32 {
	s.f.Features(s.input, x, dy, w)
	s.net.Forward(s.input, s.scratch)
	return s.scratch.Logp
}

// best gives the most probable class of a set at place i. Chinese characters are seen through both windows.
func (s *scan) best(i int, of set) (class int, logp float32, w Window) {
	logp = -30
	for _, c := range of {
		if v := s.ord[i][c]; v > logp {
			class, logp, w = c, v, Ordinary
		}
		if c >= len(alphabet) && s.wide[i] != nil {
			if v := s.wide[i][c] - .05; v > logp {
				class, logp, w = c, v, Wide
			}
		}
	}
	return class, logp, w
}

// gap limits in pitches, and what a gap away from one pitch costs.
type gap struct{ lo, hi, free float64 }

func (l *Layout) gap(k int) gap {
	switch {
	case k == l.dot && l.Name == "upper":
		return gap{.8, 2.2, 9}
	case k == l.dot:
		return gap{.72, 2.05, .8}
	case k == 0 || k == len(l.places)-2: // beside a Chinese character, which may be wide
		return gap{.68, 1.65, .3}
	}
	return gap{.62, 1.42, .14}
}

func (g gap) cost(d float64) float64 {
	e := max(math.Abs(d-1)-g.free, 0)
	return 6 * e * e
}

// Hopeless is a score below which a line is no part of a plate.
const Hopeless = -1.6

// Read finds the best row of characters of a layout in a field. ok is false when the field is too short.
func Read(f *Field, layouts ...*Layout) (best Reading, ok bool) {
	s, err := newScan(f)
	if err != nil {
		return best, false
	}
	for _, l := range layouts {
		if r, found := s.row(l); found && (!ok || r.Score > best.Score) {
			best, ok = r, true
		}
	}
	if ok && best.Score > Hopeless {
		best.second(f)
	}
	return best, ok
}

// row is the dynamic programme over the places of one layout.
func (s *scan) row(l *Layout) (Reading, bool) {
	n := len(l.places)
	score := make([][]float64, n)
	back := make([][]int, n)
	for k := range n {
		score[k], back[k] = make([]float64, s.n), make([]int, s.n)
		for i := range s.n {
			_, lp, _ := s.best(i, l.places[k])
			emit := max(float64(lp), -9)
			if k == 0 {
				score[k][i] = emit + s.beside(i, -1)
				continue
			}
			g := l.gap(k - 1)
			top, from := math.Inf(-1), -1
			for j := i - int(g.hi*Pitch/stride); j <= i-int(g.lo*Pitch/stride); j++ {
				if j < 0 {
					continue
				}
				v := score[k-1][j] - g.cost(float64((i-j)*stride)/Pitch)
				if v > top && (i-j)*stride > Pitch*13/10 { // a wide gap must not hide a character
					v += max(float64(s.ord[(i+j)/2][len(Classes)]), -4)
				}
				if v > top {
					top, from = v, j
				}
			}
			score[k][i], back[k][i] = top+emit, from
		}
	}
	end, top := -1, math.Inf(-1)
	for i, v := range score[n-1] {
		if v += s.beside(i, 1); v > top {
			end, top = i, v
		}
	}
	if end < 0 || math.IsInf(top, -1) {
		return Reading{}, false
	}
	r := Reading{Layout: l.Name, of: l, Score: top / float64(n+1), Chars: make([]Char, n)}
	for k := n - 1; k >= 0; k-- {
		r.Chars[k] = s.char(end, l.places[k])
		end = back[k][end]
	}
	return r, true
}

// beside is the log probability that nothing stands one pitch before or after place i, bounded: a rim may look like a 1.
func (s *scan) beside(i, side int) float64 {
	worst := 0.0
	for _, d := range [...]float64{.95, 1.15} {
		j := i + side*int(d*Pitch/stride)
		if j >= 0 && j < s.n {
			worst = min(worst, float64(s.ord[j][len(Classes)]))
		}
	}
	return max(worst, -4)
}

// char reads one place again at and around it and averages: the spread makes a doubtful character look doubtful.
func (s *scan) char(i int, of set) Char {
	_, _, w := s.best(i, of)
	clear(s.sum)
	x := float32(i * stride)
	around := [...][2]float32{{0, 0}, {-1.3, 0}, {1.3, 0}, {0, -1}, {0, 1}}
	for _, o := range around {
		for c, v := range s.at(x+o[0], o[1], w) {
			s.sum[c] += float32(math.Exp(float64(v))) / float32(len(around))
		}
	}
	best := of[0]
	for _, c := range of {
		if s.sum[c] > s.sum[best] {
			best = c
		}
	}
	all := make([]float32, len(s.sum))
	for c, p := range s.sum {
		all[c] = float32(math.Log(float64(max(p, 1e-6))))
	}
	return Char{R: Classes[best], Logp: float64(all[best]), X: float64(x), all: all}
}

// Probe is the mean log probability that the places xs hold letters or digits.
func Probe(f *Field, xs []float64) float64 {
	net, err := network()
	if err != nil || len(xs) == 0 {
		return -99
	}
	s := &scan{net: net, f: f, scratch: net.NewScratch(), input: make([]float32, Dim)}
	var sum float64
	for _, x := range xs {
		lp := s.at(float32(x), 0, Ordinary)
		top := float32(-8)
		for c := range Classes {
			top = max(top, lp[c])
		}
		sum += float64(top)
	}
	return sum / float64(len(xs))
}

func trimmed(v []float64) float64 {
	if len(v) == 0 {
		return Pitch
	}
	sort.Float64s(v)
	if len(v) > 3 {
		v = v[:len(v)-2]
	}
	var sum float64
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}
