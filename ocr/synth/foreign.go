package synth

import (
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
)

// Foreign is a layout of another printer: other sizes of everything, other distances, labels of another colour, faces that
// no card is printed in. Nothing is tuned on it; it shows how far a reader has learnt one card by heart.
func Foreign(rng *rand.Rand) Layout {
	between := func(a, b float64) float64 { return degrade.Between(rng, a, b) }
	size := between(.034, .043)
	row := between(.068, .086)
	l := Layout{
		LabelX: between(.045, .09), Size: size, LabelSize: size * between(.75, .95), RowGap: size * between(1.25, 1.45),
		NumberCap: between(.027, .036), AddrChars: 9 + rng.IntN(3),
		PortraitX: between(.64, .68), PortraitY: between(.06, .12), PortraitW: between(.25, .30),
		ValueFont: pick(rng, installed("sans", "sans-bold", "serif", "wenkai", "song", "kai")), LabelFont: pick(rng, installed("sans", "serif")),
		NumWeight: between(-.6, .6),
	}
	l.ValueX = l.LabelX + between(.095, .125)
	l.NameY = between(.09, .125)
	l.SexY = l.NameY + row
	l.BirthY = l.SexY + row
	l.AddrY = l.BirthY + row
	l.NationLabelX = l.ValueX + between(.08, .12)
	l.NationX = l.NationLabelX + between(.085, .105)
	x := l.ValueX
	for i, w := range [...]float64{2.2, 1, 1.2, 1, 1.2, 1} {
		l.BirthXs[i] = x
		x += size * (w + between(.15, .4))
	}
	l.NumberLabelX = l.LabelX
	l.NumberX = l.LabelX + 6*l.LabelSize + between(.05, .08)
	l.NumberPitch = min(l.NumberCap*between(.85, 1.08), (.965-l.NumberX)/18)
	l.NumberY = between(.53, .565)
	for i := range l.Paper {
		l.Paper[i] = between(.82, .98)
		l.Label[i] = between(.15, .75)
	}
	return l
}
