// Package nn is a two-layer perceptron: small enough to train in pure Go in minutes and to read a card's number in
// milliseconds, with weights of one byte each. Package ocr/train makes the weights; readers only use Forward.
package nn

import (
	"encoding/binary"
	"errors"
	"io"
	"math"

	"gonum.org/v1/gonum/blas/gonum"
)

// Net maps In inputs through Hidden rectified units to Out classes. Weights are stored input-major, so that an input of
// zero (paper) costs nothing.
type Net struct {
	In, Hidden, Out int
	W1              []float32 // In x Hidden
	B1              []float32
	W2              []float32 // Hidden x Out
	B2              []float32
	w2              []float32 // W2 with rows of a multiple of block; nil while the net is trained
}

// Scratch is the working memory of one caller of Forward.
type Scratch struct {
	h, Logp, out []float32
	in           inputs
}

// NewScratch makes working memory for n.
func (n *Net) NewScratch() *Scratch {
	most := max(n.In, n.Hidden)
	s := &Scratch{h: make([]float32, n.Hidden), Logp: make([]float32, n.Out), in: inputs{make([]int, 0, most), make([]float32, 0, most)}}
	if n.Hidden > 0 {
		s.out = make([]float32, len(n.w2)/n.Hidden)
	}
	return s
}

// Forward computes the natural-log probability of every class into s.Logp.
func (n *Net) Forward(x []float32, s *Scratch) {
	n.hidden(x, s)
	w, out := n.w2, s.out
	if w == nil {
		w, out = n.W2, s.Logp
	}
	s.in.choose(s.h, 0, len(out))
	copy(out, n.B2)
	s.in.sum(out, w)
	copy(s.Logp, out)
	LogSoftmax(s.Logp)
}

// hidden makes the answers of the hidden units; inputs near nothing (paper) are left out.
func (n *Net) hidden(x []float32, s *Scratch) {
	s.in.choose(x, 0.02, n.Hidden)
	copy(s.h, n.B1)
	s.in.sum(s.h, n.W1)
	for i, v := range s.h {
		s.h[i] = max(v, 0)
	}
}

// math32 is the arithmetic on vectors: gonum's kernels, which use the processor's vector instructions where it has them.
var math32 gonum.Implementation

// axpy adds f*w to dst.
func axpy(dst, w []float32, f float32) { math32.Saxpy(len(dst), f, w, 1, dst, 1) }

// LogSoftmax turns scores into log probabilities in place.
func LogSoftmax(z []float32) {
	m := z[0]
	for _, v := range z {
		m = max(m, v)
	}
	var sum float64
	for _, v := range z {
		sum += math.Exp(float64(v - m))
	}
	l := m + float32(math.Log(sum))
	for i := range z {
		z[i] -= l
	}
}

var errWeights = errors.New("nn: the weights are damaged")

// Save writes the net with one signed byte a weight, scaled by row, and float32 biases (little endian).
func (n *Net) Save(w io.Writer) error {
	if err := binary.Write(w, binary.LittleEndian, [3]uint32{uint32(n.In), uint32(n.Hidden), uint32(n.Out)}); err != nil {
		return err
	}
	for _, m := range []struct {
		w    []float32
		cols int
	}{{n.W1, n.Hidden}, {n.W2, n.Out}} {
		if err := saveRows(w, m.w, m.cols); err != nil {
			return err
		}
	}
	return errors.Join(binary.Write(w, binary.LittleEndian, n.B1), binary.Write(w, binary.LittleEndian, n.B2))
}

func saveRows(w io.Writer, m []float32, cols int) error {
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
func Load(r io.Reader) (*Net, error) {
	var dim [3]uint32
	if err := binary.Read(r, binary.LittleEndian, &dim); err != nil {
		return nil, errWeights
	}
	if dim[0] == 0 || dim[1] == 0 || dim[2] == 0 || dim[0] > 4096 || dim[1] > 4096 || dim[2] > 32768 {
		return nil, errWeights
	}
	n := &Net{In: int(dim[0]), Hidden: int(dim[1]), Out: int(dim[2])}
	n.B1, n.B2 = make([]float32, n.Hidden), make([]float32, n.Out)
	var err error
	if n.W1, err = loadRows(r, n.In, n.Hidden); err != nil {
		return nil, err
	}
	if n.W2, err = loadRows(r, n.Hidden, n.Out); err != nil {
		return nil, err
	}
	if errors.Join(binary.Read(r, binary.LittleEndian, n.B1), binary.Read(r, binary.LittleEndian, n.B2)) != nil {
		return nil, errWeights
	}
	n.w2 = padded(n.W2, n.Out)
	return n, nil
}

func loadRows(r io.Reader, rows, cols int) ([]float32, error) {
	m := make([]float32, rows*cols)
	q := make([]int8, cols)
	for i := 0; i < rows; i++ {
		var scale float32
		if errors.Join(binary.Read(r, binary.LittleEndian, &scale), binary.Read(r, binary.LittleEndian, q)) != nil {
			return nil, errWeights
		}
		for j, v := range q {
			m[i*cols+j] = float32(v) * scale
		}
	}
	return m, nil
}
