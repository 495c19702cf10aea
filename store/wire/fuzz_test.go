package wire_test

import (
	"bytes"
	"testing"
)

// FuzzDecode: whatever is accepted is encoded to the same bytes again, so one value has one form.
func FuzzDecode(f *testing.F) {
	for i := range forms {
		for seed := range uint64(3) {
			f.Add(uint8(i), forms[i].encode(forms[i].sample(newSample(seed))))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		form := forms[int(which)%len(forms)]
		v, err := form.decode(b)
		if err != nil {
			return
		}
		if again := form.encode(v); !bytes.Equal(again, b) {
			t.Errorf("%s: %x is also %x", form.name, b, again)
		}
	})
}
