package ocr_test

import (
	"testing"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

func TestPlate(t *testing.T) {
	r := newReader(t, ocr.Options{})
	read, accepted := 0, 0
	for seed := uint64(30); seed < 42; seed++ {
		p, colour, err := synth.Plate(seed, 1)
		if err != nil {
			t.Fatal(err)
		}
		d, err := r.Plate(t.Context(), p.JPEG)
		if err != nil {
			continue
		}
		if d.Plate.Value == p.Truth.Plate {
			read++
		}
		if !d.Plate.Unsure {
			accepted++
			if []rune(d.Plate.Value)[0] != []rune(p.Truth.Plate)[0] {
				t.Errorf("seed %d: an accepted plate has the wrong province", seed)
			}
			if d.PlateColour != colour {
				t.Errorf("seed %d: colour %s, want %s", seed, d.PlateColour, colour)
			}
		}
	}
	if read < 7 {
		t.Errorf("%d of 12 plates right, %d accepted", read, accepted)
	}
}
