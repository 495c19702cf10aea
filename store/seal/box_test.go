package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/seal"
)

func TestABoxOpensInItsPlaceOnlyAndOnlyWhole(t *testing.T) {
	s := plain(t)
	text := []byte(`{"id_number":"441502199003078828"}`)
	box, err := s.SealBox("quarantine cdc/1", text)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(box, text[2:10]) {
		t.Error("the box shows its text")
	}
	if got, err := s.OpenBox("quarantine cdc/1", box); err != nil || !bytes.Equal(got, text) {
		t.Errorf("%q %v", got, err)
	}
	if _, err := s.OpenBox("quarantine cdc/2", box); !errors.Is(err, kangma.Internal) {
		t.Errorf("in another place: %v", err)
	}
	for i := range box {
		bad := bytes.Clone(box)
		bad[i] ^= 1
		if _, err := s.OpenBox("quarantine cdc/1", bad); err == nil {
			t.Fatalf("byte %d changed, and it opens", i)
		}
		if _, err := s.OpenBox("quarantine cdc/1", box[:i]); err == nil {
			t.Fatalf("cut at %d, and it opens", i)
		}
	}
	other := sealer(t, "b", map[string][seal.KeySize]byte{"b": key(9)}, 2)
	if _, err := other.OpenBox("quarantine cdc/1", box); !errors.Is(err, kangma.Unavailable) {
		t.Errorf("without its key: %v", err)
	}
}
