package plate

import (
	"bytes"
	_ "embed"
	"math"
	"sync"

	"github.com/kangma/kangma/ocr/internal/nn"
)

// HanClasses are the Chinese characters of plates, in the order of the second net's answers; the class after the last is
// "none of them".
var HanClasses = []rune(Provinces + specials)

// han.bin is made by `go run ./ocr/train han`.
//
//go:embed han.bin
var hanWeights []byte

var hanNetwork = sync.OnceValues(func() (*nn.Net, error) {
	n, err := nn.Load(bytes.NewReader(hanWeights))
	if err == nil && (n.In != HanDim || n.Out != len(HanClasses)+1) {
		return nil, errShape
	}
	return n, err
})

// looks are the windows through which the second net sees a character: drawn as wide as the letters or wider.
var looks = [...]struct {
	w      Window
	dx, dy float32
}{{Ordinary, 0, 0}, {Wide, 0, 0}, {Ordinary, -1.5, 0}, {Ordinary, 1.5, 0}, {Ordinary, 0, -1}, {Ordinary, 0, 1}, {Wide, -2, 0}, {Wide, 2, 0}}

// Second asks another net, which was trained apart on Chinese characters only and sees them more finely, what stands at
// each Chinese character of a reading. Both nets together choose; the confidence is that of the less convinced one, so a
// character on which they differ is never sure.
func (r *Reading) Second(f *Field, l *Layout) {
	net, err := hanNetwork()
	if err != nil {
		return
	}
	s := net.NewScratch()
	in := make([]float32, HanDim)
	for i := range r.Chars {
		if c := &r.Chars[i]; c.all != nil && ClassOf(c.R) >= len(alphabet) {
			c.second(net, s, in, f, l.places[i])
		}
	}
}

func (c *Char) second(net *nn.Net, s *nn.Scratch, in []float32, f *Field, of set) {
	p := make([]float64, net.Out)
	for _, k := range looks {
		f.HanFeatures(in, float32(c.X)+k.dx, k.dy, k.w)
		net.Forward(in, s)
		for i, v := range s.Logp {
			p[i] += math.Exp(float64(v)) / float64(len(looks))
		}
	}
	best, top, own := -1, math.Inf(-1), 0.0
	for _, k := range of {
		if k < len(alphabet) {
			continue
		}
		other := math.Log(max(p[k-len(alphabet)], 1e-6))
		if v := other + float64(c.all[k]); v > top {
			best, top, own = k, v, other
		}
	}
	if best >= 0 {
		c.R, c.Logp = Classes[best], min(own, float64(c.all[best]))
	}
}
