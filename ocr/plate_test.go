package ocr_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// TestPlatesOfEveryKind reads one plate of each kind, on vehicles and cropped, drawn by measures and freely, every third in
// faces that the net was never shown.
func TestPlatesOfEveryKind(t *testing.T) {
	r := newReader(t, ocr.Options{Deadline: time.Minute})
	read, sure := 0, 0
	for i, k := range synth.PlateKinds {
		o := synth.PlateOptions{Kind: k.Name, Cropped: i%3 == 1, HeldOut: i%3 == 2}
		p, colour, err := synth.PlateWith(uint64(400+i), synth.Level(i%3), o)
		if err != nil {
			t.Fatal(err)
		}
		d, err := r.Plate(t.Context(), p.JPEG)
		if err != nil {
			t.Logf("%s: %v", k.Name, err)
			continue
		}
		if d.Plate.Value == p.Truth.Plate {
			read++
		} else {
			t.Logf("%s: %s, want %s (sure %t)", k.Name, d.Plate.Value, p.Truth.Plate, !d.Plate.Unsure)
		}
		if d.Plate.Unsure {
			continue
		}
		sure++
		if d.Plate.Value != p.Truth.Plate {
			t.Errorf("%s: %s passed as sure, want %s", k.Name, d.Plate.Value, p.Truth.Plate)
		}
		if d.PlateColour != colour {
			t.Errorf("%s: colour %s, want %s", k.Name, d.PlateColour, colour)
		}
	}
	if n := len(synth.PlateKinds); read < n-1 || sure < n/2 {
		t.Errorf("%d of %d plates right, %d sure", read, n, sure)
	}
}

func TestAPhotoWithoutAPlateIsNeverSure(t *testing.T) {
	r := newReader(t, ocr.Options{Deadline: time.Minute})
	for seed := uint64(0); seed < 3; seed++ {
		p, what, err := synth.Negative(seed, 1)
		if err != nil {
			t.Fatal(err)
		}
		if d, _ := r.Plate(t.Context(), p.JPEG); d != nil && !d.Plate.Unsure {
			t.Errorf("seed %d, a %s: %s passed as a plate", seed, what, d.Plate.Value)
		}
	}
}
