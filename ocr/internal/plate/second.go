package plate

import (
	"bytes"
	_ "embed"
	"math"
	"strings"
	"sync"

	"github.com/kangma/kangma/ocr/internal/nn"
)

// HanClasses are the Chinese characters of plates, in the order of their net's answers; the class after the last is "none of
// them".
var HanClasses = []rune(Provinces + specials)

// han.bin is made by `go run ./ocr/train han`, letters.bin by `go run ./ocr/train letters`.
var (
	//go:embed han.bin
	hanWeights []byte
	//go:embed letters.bin
	letterWeights []byte
)

var hanNetwork = loaded(hanWeights, len(HanClasses)+1)
var letterNetwork = loaded(letterWeights, Letters+1)

func loaded(weights []byte, classes int) func() (*nn.Net, error) {
	return sync.OnceValues(func() (*nn.Net, error) {
		n, err := nn.Load(bytes.NewReader(weights))
		if err == nil && (n.In != HanDim || n.Out != classes) {
			return nil, errShape
		}
		return n, err
	})
}

// look is a window through which the second nets see a character, away from where it was found.
type look struct {
	w      Window
	dx, dy float32
}

// looks at Chinese characters, which are drawn as wide as the letters or wider, and at letters.
var (
	hanLooks = []look{{Ordinary, 0, 0}, {Wide, 0, 0}, {Ordinary, -1.5, 0}, {Ordinary, 1.5, 0}, {Ordinary, 0, -1}, {Ordinary, 0, 1},
		{Wide, -2, 0}, {Wide, 2, 0}}
	letterLooks = []look{{Ordinary, 0, 0}, {Ordinary, -1.5, 0}, {Ordinary, 1.5, 0}, {Ordinary, 0, -1}, {Ordinary, 0, 1}}
)

// second asks other nets, which were trained apart, one on Chinese characters only and one on letters and digits, and see
// them more finely, what stands at each place of a reading. Both nets of a place together choose; the confidence is that of
// the less convinced one, so a character on which they differ is never sure.
func (r *Reading) second(f *Field) {
	han, err := hanNetwork()
	if err != nil {
		return
	}
	letters, err := letterNetwork()
	if err != nil {
		return
	}
	for i := range r.Chars {
		c := &r.Chars[i]
		if c.all == nil {
			continue
		}
		c.other = make([]float32, len(Classes))
		for k := range c.other {
			c.other[k] = unasked
		}
		of := r.of.places[i]
		if c.likely(of, false) {
			c.ask(letters, f, letterLooks, 0)
		}
		if c.likely(of, true) {
			c.ask(han, f, hanLooks, Letters)
		}
		c.choose(of)
	}
}

// unasked is the log probability of what the second nets were not asked about, because the first one is sure of the rest.
const unasked = -14

// likely says whether the first net thinks that a Chinese character, or a letter or digit, may stand here.
func (c *Char) likely(of set, han bool) bool {
	for _, k := range of {
		if k >= Letters == han && c.all[k] > -6 {
			return true
		}
	}
	return false
}

// ask looks at a place with a net whose first class is first here.
func (c *Char) ask(net *nn.Net, f *Field, looks []look, first int) {
	s, in := net.NewScratch(), make([]float32, HanDim)
	p := make([]float64, net.Out)
	for _, k := range looks {
		f.HanFeatures(in, float32(c.X)+k.dx, k.dy, k.w)
		net.Forward(in, s)
		for i, v := range s.Logp {
			p[i] += math.Exp(float64(v)) / float64(len(looks))
		}
	}
	for i := range net.Out - 1 {
		c.other[first+i] = float32(math.Log(max(p[i], 1e-6)))
	}
}

// choose takes the class of which both nets together are the most convinced, and notes its rival when it is a letter or a
// digit.
func (c *Char) choose(of set) {
	best, top := -1, float32(math.Inf(-1))
	for _, k := range of {
		if v := c.all[k] + c.other[k]; v > top {
			best, top = k, v
		}
	}
	if best < 0 {
		return
	}
	c.R, c.Logp, c.Rival = Classes[best], float64(min(c.all[best], c.other[best])), math.Inf(-1)
	for _, k := range of {
		if k != best && best < Letters {
			c.Rival = max(c.Rival, float64(max(c.all[k], c.other[k])))
		}
	}
}

// Without chooses the last character again among those that a plate of this colour may end with (GA 36-2018): 警 stands on
// white, 学 and 挂 on yellow, 港, 澳 and 领 on black ground.
func (r *Reading) Without(colour string) {
	c := &r.Chars[len(r.Chars)-1]
	if ClassOf(c.R) < Letters || c.other == nil || strings.ContainsRune(lastOn[colour], c.R) {
		return
	}
	c.choose(setOf(alphabet + lastOn[colour]))
}

// lastOn has green for 警 too: in green light white looks green, and green plates have no special characters.
var lastOn = map[string]string{"white": "警", "green": "警", "yellow": "学挂", "black": "港澳领"}
