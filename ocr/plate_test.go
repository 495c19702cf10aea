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

// TestPlatesThatWereOnceMisread reads photos on which the reader once fell into a trap.
func TestPlatesThatWereOnceMisread(t *testing.T) {
	r := newReader(t, ocr.Options{Deadline: time.Minute})
	for trap, p := range map[string]struct {
		seed  uint64
		level synth.Level
		held  bool
	}{
		"the right half of 琼 is 京, and two nets that saw that half only were sure of it": {20560021, 1, true},
		"the bars of a grille make more rows of marks than are looked at first":          {140020, 1, false},
		"a badge beside the plate is clearer than the plate":                             {141017, 1, true},
	} {
		t.Run(trap, func(t *testing.T) {
			photo, _, err := synth.PlateWith(p.seed, p.level, synth.PlateOptions{HeldOut: p.held})
			if err != nil {
				t.Fatal(err)
			}
			d, err := r.Plate(t.Context(), photo.JPEG)
			if err != nil {
				t.Fatal(err)
			}
			if d.Plate.Value != photo.Truth.Plate {
				t.Errorf("read %s (sure %t), want %s", d.Plate.Value, !d.Plate.Unsure, photo.Truth.Plate)
			}
		})
	}
}
