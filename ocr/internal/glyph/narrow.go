package glyph

import (
	"bytes"
	_ "embed"
	"math"
	"slices"
	"sync"

	"github.com/kangma/kangma/ocr/internal/nn"
)

// narrow.bin is made by `go run ./ocr/train narrow`.
//
//go:embed narrow.bin
var narrowWeights []byte

var narrowNet = sync.OnceValues(func() (*nn.Net, error) { return nn.Load(bytes.NewReader(narrowWeights)) })

// NarrowGain scales features to the range that the net of narrow characters was trained on.
const NarrowGain = 10

// A narrow character's log probability in the unit of Answer.Dist, so that both kinds can be weighed against each other: a
// sure one is as near as a good print of a wide one, and one of probability a tenth as far as something else.
const (
	sureDist   = 0.9
	distPerNat = 0.5
)

// Probability is what Narrow thought of an answer.
func Probability(d float32) float64 {
	return math.Exp(min(float64(sureDist-d)/distPerNat, 0))
}

var narrowRunes = []rune(Extra)

// Narrow names a half-width character from its features (which it does not change), best first, all classes. A cell that
// holds a piece of a wide character, or nothing, gets distances over 2.
func Narrow(f []float32) []Answer {
	net, err := narrowNet()
	if err != nil {
		return nil
	}
	var x [Dim]float32
	for i, v := range f {
		x[i] = v * NarrowGain
	}
	s := net.NewScratch()
	net.Forward(x[:], s)
	out := make([]Answer, len(narrowRunes))
	for i, r := range narrowRunes {
		out[i] = Answer{r, sureDist - distPerNat*max(s.Logp[i], -12)}
	}
	slices.SortStableFunc(out, func(a, b Answer) int {
		switch {
		case a.Dist < b.Dist:
			return -1
		case a.Dist > b.Dist:
			return 1
		}
		return 0
	})
	return out
}
