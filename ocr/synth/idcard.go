package synth

import (
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
)

// Options of a synthetic card.
type Options struct {
	Forged bool // one digit of the number is changed so that its checksum is broken
	Varied bool // not the standard layout, fonts and colours
}

// IDCard makes the photo of the front of a resident ID card.
func IDCard(seed uint64, level Level, o Options) (Photo, error) {
	rng := rand.New(rand.NewPCG(seed, 0x1dca4d+uint64(level)<<32))
	p := NewPerson(rng)
	if o.Forged {
		p = p.Forge(rng)
	}
	l := Standard()
	l.NumWeight = degrade.Between(rng, -.5, .5)
	l.ValueFont = pick(rng, installed("sans", "sans", "sans-bold", "droid"))
	if o.Varied {
		l = Varied(rng)
	}
	doc, err := DrawCard(rng, p, l)
	if err != nil {
		return Photo{}, err
	}
	jpg, quad, err := shoot(rng, doc, level)
	return Photo{JPEG: jpg, Level: level, Seed: seed, Quad: quad, Truth: Truth{Person: p, Valid: !o.Forged}}, err
}
