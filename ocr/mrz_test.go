package ocr_test

import (
	"slices"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

func TestMRZReadsEveryFormat(t *testing.T) {
	r := newReader(t, ocr.Options{})
	for _, format := range []string{"TD3", "TD2", "TD1"} {
		right := 0
		for seed := uint64(10); seed < 14; seed++ {
			p, err := synth.MRZ(seed, synth.Level(seed%3), format)
			if err != nil {
				t.Fatal(err)
			}
			d, err := r.MRZ(t.Context(), p.JPEG)
			if err != nil {
				t.Logf("%s seed %d: %v", format, seed, err)
				continue
			}
			var got []string
			unsure := false
			for _, f := range d.MRZ {
				got = append(got, f.Value)
				unsure = unsure || f.Unsure
			}
			same := slices.Equal(got, p.Truth.MRZ)
			if same {
				right++
			} else if !unsure && format != "TD1" {
				// names have no check digit; every other line has
				if got[1] != p.Truth.MRZ[1] {
					t.Errorf("%s seed %d: a wrong line passed as sure", format, seed)
				}
			}
		}
		least := 3
		if format == "TD1" { // three lines, and the zone is small on the photo
			least = 2
		}
		if right < least {
			t.Errorf("%s: %d of 4 zones right", format, right)
		}
	}
}

func TestAPhotoWithoutAZoneSaysSo(t *testing.T) {
	r := newReader(t, ocr.Options{})
	_, err := r.MRZ(t.Context(), card(t, 20, 1, synth.Options{}).JPEG)
	if kangma.CodeOf(err) != "mrz_not_found" {
		t.Error(err)
	}
}
