package ocr_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// TestAFourthAddressLineNearTheNumberIsRead holds a card of another printer whose last line of the address stands so near to the
// number that the region above it must end right above its digits.
func TestAFourthAddressLineNearTheNumberIsRead(t *testing.T) {
	r := newReader(t, ocr.Options{})
	const address = "河北省石家庄市长安区建设大道548号阳光花园小区17幢2单元3层8号"
	for seed := uint64(128200); seed < 128201; seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0x1dca4d))
			p := synth.NewPerson(rng)
			p.Address = address
			l := synth.Foreign(rng)
			l.ValueFont, l.AddrChars = "sans", 9
			l.NumberY = l.AddrY + 3*l.RowGap + l.NumberCap/2 + .95*l.NumberPitch // from the fourth baseline to the number's middle
			m, err := synth.DrawCard(rng, p, l)
			if err != nil {
				t.Fatal(err)
			}
			d, err := r.IDCard(t.Context(), encode(t, m.Image()))
			if err != nil {
				t.Fatal(err)
			}
			if d.Number.Value != p.Number || !d.NumberAccepted || d.Address.Value != address {
				t.Errorf("number %q (accepted: %v), printed %q; address %q, printed %q", d.Number.Value, d.NumberAccepted, p.Number, d.Address.Value, address)
			}
		})
	}
}
