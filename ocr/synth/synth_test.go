package synth_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr/synth"
)

func TestTheSameSeedGivesTheSamePhoto(t *testing.T) {
	for _, o := range []synth.Options{{}, {Varied: true}, {Forged: true}} {
		a, err := synth.IDCard(42, 4, o)
		if err != nil {
			t.Fatal(err)
		}
		b, err := synth.IDCard(42, 4, o)
		if err != nil {
			t.Fatal(err)
		}
		c, err := synth.IDCard(43, 4, o)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.JPEG, b.JPEG) || bytes.Equal(a.JPEG, c.JPEG) {
			t.Error("a seed does not decide the photo")
		}
	}
}

func TestNumbersAreValidUnlessForged(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for seed := uint64(0); seed < 12; seed++ {
		for _, forged := range []bool{false, true} {
			p, err := synth.IDCard(seed, 5, synth.Options{Forged: forged})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := kangma.NewIDNumber(kangma.DocResidentID, p.Truth.Person.Number, now); (err == nil) == forged {
				t.Errorf("seed %d forged %v: %v", seed, forged, err)
			}
		}
	}
}

func TestThereIsNoSixthLevel(t *testing.T) {
	if _, err := synth.IDCard(1, synth.Levels, synth.Options{}); err == nil {
		t.Error("level 6 was drawn")
	}
}
