package ocr_test

import (
	"math/rand/v2"
	"testing"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// TestNamesOfFewStrokesAreReadWhole holds the names that once lost a character: 一 fell apart, 丁 was taken for the letter T.
func TestNamesOfFewStrokesAreReadWhole(t *testing.T) {
	r := newReader(t, ocr.Options{})
	for _, name := range []string{"鲁梦一", "丁泉玉", "徐一", "石国倩", "帕提·阿依古丽", "喆江"} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 6))
			p := synth.NewPerson(rng)
			p.Name = name
			m, err := synth.DrawCard(rng, p, synth.Standard())
			if err != nil {
				t.Fatal(err)
			}
			d, err := r.IDCard(t.Context(), encode(t, m.Image()))
			if err != nil {
				t.Fatal(err)
			}
			if d.Name.Value != name {
				t.Errorf("read as %s, confidence %.3f", d.Name.Value, d.Name.Confidence)
			}
		})
	}
}

// TestTheBackIsToldOnAWoodenDesk: a reddish ground must not hide the emblem, nor the date on the back be taken for a number.
func TestTheBackIsToldOnAWoodenDesk(t *testing.T) {
	r := newReader(t, ocr.Options{})
	told := 0
	seeds := []struct {
		seed  uint64
		level synth.Level
	}{{300005, 1}, {300015, 1}, {300030, 2}, {300020, 3}}
	for _, s := range seeds {
		p, what, err := synth.Negative(s.seed, s.level)
		if err != nil || what != "back" {
			t.Fatal(what, err)
		}
		if d, _ := r.IDCard(t.Context(), p.JPEG); d != nil && d.Kind == ocr.IDCardBack {
			told++
		}
	}
	if told < len(seeds)-1 {
		t.Errorf("%d of %d backs were told", told, len(seeds))
	}
}
