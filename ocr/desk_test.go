package ocr_test

import (
	"testing"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// TestANumberThatReadsBothWaysUpIsTakenTheWayItIsValid: upside down, 110101198907079022 is 220620206961101011, as clear to the
// digit net and invalid.
func TestANumberThatReadsBothWaysUpIsTakenTheWayItIsValid(t *testing.T) {
	p, err := synth.IDCard(9400031, 1, synth.Options{Foreign: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := newReader(t, ocr.Options{}).Number(t.Context(), p.JPEG)
	if err != nil {
		t.Fatal(err)
	}
	if want := p.Truth.Person.Number; !d.NumberAccepted || d.Number.Value != want {
		t.Errorf("%s, accepted: %v; printed is %s", d.Number.Value, d.NumberAccepted, want)
	}
}

// TestADeskAboveTheCardDoesNotDecideTheSizeOfItsRows: the streaks of wood fill all columns, and once told the size of characters.
func TestADeskAboveTheCardDoesNotDecideTheSizeOfItsRows(t *testing.T) {
	p, err := synth.IDCard(9400017, 2, synth.Options{Foreign: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := newReader(t, ocr.Options{}).IDCard(t.Context(), p.JPEG)
	if err != nil {
		t.Fatal(err)
	}
	if want := p.Truth.Person; d.Nation.Value != want.Nation || d.Address.Value != want.Address {
		t.Errorf("read %q, %q; printed is %q, %q", d.Nation.Value, d.Address.Value, want.Nation, want.Address)
	}
}
