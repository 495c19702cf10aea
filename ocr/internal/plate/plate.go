// Package plate reads the characters of a licence plate (GA 36-2018) from a rectified line. A small net looks at a window
// around every place of the line; dynamic programming finds the best row of characters for each layout, with gaps that may
// differ, because drawings and real plates space their characters differently.
package plate

import (
	"bytes"
	_ "embed"
	"math"
	"strings"
	"sync"

	"github.com/kangma/kangma/ocr/internal/nn"
)

// alphabet has no I and no O, which plates do not use.
const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// Letters is how many of the classes are letters and digits, the first ones.
const Letters = len(alphabet)

// Provinces are the 31 characters a plate may begin with.
const Provinces = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

// specials stand in the last place (trainer, police, Hong Kong, Macao, consulate, trailer) or, 使, in the first (embassy).
const specials = "学警港澳领挂使"

// Classes are the characters that the net knows, in the order of its answers; the class after the last is "no character".
var Classes = []rune(alphabet + Provinces + specials)

var classOf = func() map[rune]int {
	m := map[rune]int{}
	for i, r := range Classes {
		m[r] = i
	}
	return m
}()

// ClassOf is the class of a character, or the class "no character".
func ClassOf(r rune) int {
	if c, ok := classOf[r]; ok {
		return c
	}
	return len(Classes)
}

// plate.bin is made by `go run ./ocr/train plates`.
//
//go:embed plate.bin
var weights []byte

var network = sync.OnceValues(func() (*nn.Net, error) {
	n, err := nn.Load(bytes.NewReader(weights))
	if err == nil && (n.In != Dim || n.Out != len(Classes)+1) {
		return nil, errShape
	}
	return n, err
})

// IsProvince says whether r begins plates.
func IsProvince(r rune) bool { return strings.ContainsRune(Provinces, r) }

// set is a set of classes.
type set []int

func setOf(s string) set {
	var out set
	for _, r := range s {
		out = append(out, ClassOf(r))
	}
	return out
}

var (
	aProvince = setOf(Provinces)
	aLetter   = setOf(alphabet[10:])
	anAlnum   = setOf(alphabet)
	aDigit    = setOf(alphabet[:10])
	aLast     = setOf(alphabet + "学警港澳领挂")
	aMark     = setOf("ABCDEFGHJK") // how a new-energy vehicle is driven
	anEmbassy = setOf("使")
)

// Layout is a sequence of places on one line.
type Layout struct {
	Name   string
	places []set
	dot    int // a wider gap may follow this place, or -1
}

// Layouts of one line, those of eight places for small and for large new-energy vehicles, and the two lines of a double-layer
// plate.
var (
	Seven   = Layout{"seven", []set{aProvince, aLetter, anAlnum, anAlnum, anAlnum, anAlnum, aLast}, 1}
	Small   = Layout{"eight", []set{aProvince, aLetter, aMark, anAlnum, aDigit, aDigit, aDigit, aDigit}, 1}
	Large   = Layout{"eight", []set{aProvince, aLetter, aDigit, aDigit, aDigit, aDigit, aDigit, aMark}, 1}
	Embassy = Layout{"embassy", []set{anEmbassy, aDigit, aDigit, aDigit, aDigit, aDigit, aDigit}, 3}
	Lower   = Layout{"lower", []set{anAlnum, anAlnum, anAlnum, anAlnum, aLast}, -1}
	Upper   = Layout{"upper", []set{aProvince, aLetter}, 0}
)

// Char is one character as read: its log probability and its place on the band.
type Char struct {
	R    rune
	Logp float64
	X    float64

	// Rival is the greatest log probability that either net gives to another character. Of Chinese ones it is part of Logp.
	Rival float64

	all, other []float32 // log probability of every class, by either net
}

// Reading is a line as read.
type Reading struct {
	Layout string
	Chars  []Char
	Score  float64 // mean log probability of characters and of nothing beside them

	of *Layout
}

// Text joins the characters.
func (r *Reading) Text() string {
	var b strings.Builder
	for _, c := range r.Chars {
		b.WriteRune(c.R)
	}
	return b.String()
}

// Least is the probability of the weakest character.
func (r *Reading) Least() float64 {
	least := 0.0
	for _, c := range r.Chars {
		least = min(least, c.Logp)
	}
	return math.Exp(least)
}

// Rival is the probability of the likeliest other character of any place.
func (r *Reading) Rival() float64 {
	most := math.Inf(-1)
	for _, c := range r.Chars {
		most = max(most, c.Rival)
	}
	return math.Exp(most)
}

// Gap is the mean distance of neighbouring letters, the widest two gaps left out.
func (r *Reading) Gap() float64 {
	var gaps []float64
	for i := 1; i < len(r.Chars); i++ {
		gaps = append(gaps, r.Chars[i].X-r.Chars[i-1].X)
	}
	return trimmed(gaps)
}
