package ocr_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// TestALoneSexAndAShortNationAreReadByTheirClosedSets holds cards whose 女 was lost as specks and whose 汉 was taken for an X
// when their row was cut into characters.
func TestALoneSexAndAShortNationAreReadByTheirClosedSets(t *testing.T) {
	r := newReader(t, ocr.Options{})
	for _, seed := range []uint64{9300020, 9300030, 9400114} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			p := card(t, seed, 0, synth.Options{Foreign: true})
			d, err := r.IDCard(t.Context(), p.JPEG)
			if err != nil {
				t.Fatal(err)
			}
			if want := p.Truth.Person; d.Sex.Value != want.Sex || d.Nation.Value != want.Nation {
				t.Errorf("sex %q, nation %q, printed %q and %q", d.Sex.Value, d.Nation.Value, want.Sex, want.Nation)
			}
		})
	}
}

// TestThePrintedSexIsReadNotTakenFromTheNumber: a card that prints another sex than its number tells is flagged and its
// print kept.
func TestThePrintedSexIsReadNotTakenFromTheNumber(t *testing.T) {
	r := newReader(t, ocr.Options{})
	for seed := uint64(9300030); seed < 9300034; seed++ {
		rng := rand.New(rand.NewPCG(seed, 0x1dca4d))
		p := synth.NewPerson(rng)
		p.Sex = map[string]string{"女": "男", "男": "女"}[p.Sex]
		m, err := synth.DrawCard(rng, p, synth.Foreign(rng))
		if err != nil {
			t.Fatal(err)
		}
		d, err := r.IDCard(t.Context(), encode(t, m.Image()))
		if err != nil {
			t.Fatal(err)
		}
		if d.Sex.Value != p.Sex || d.Problem != "inconsistent" {
			t.Errorf("seed %d: sex %q, printed %q, problem %q", seed, d.Sex.Value, p.Sex, d.Problem)
		}
	}
}
