package synth

import (
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
)

// Options of a synthetic card.
type Options struct {
	Forged bool // one digit of the number is changed so that its checksum is broken
	Varied bool // not the standard layout, fonts and colours
	// Foreign is a card of another printer, which at level 0 fills the picture and may be turned: for evaluation only.
	Foreign bool
	// Unseen is a foreign card whose values are in faces that no reader here ever learns from.
	Unseen   bool
	LongSide int // of the photo in pixels; 0: that of the level
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
	if o.Foreign || o.Unseen {
		l = Foreign(rng)
	}
	if o.Unseen {
		l.ValueFont = pick(rng, installed("zenhei", "uming", "wenkai-bold"))
	}
	doc, err := DrawCard(rng, p, l)
	if err != nil {
		return Photo{}, err
	}
	c, err := level.conditions()
	if err != nil {
		return Photo{}, err
	}
	if o.LongSide > 0 {
		c.longSide = span{float64(o.LongSide), float64(o.LongSide)}
	}
	if (o.Foreign || o.Unseen) && level == 0 {
		c.cover, c.tilt, c.turn, c.full = span{1, 1}, span{}, span{.6}, true
	}
	jpg, quad, err := shootIn(rng, doc, c)
	return Photo{JPEG: jpg, Level: level, Seed: seed, Quad: quad, Truth: Truth{Person: p, Valid: !o.Forged}}, err
}
