package codegen

import (
	"bytes"
	"testing"
)

// FuzzOnePayloadPerCode: whatever decodes as claims encodes to the same bytes again.
func FuzzOnePayloadPerCode(f *testing.F) {
	seed := "\xa3\x01\x66440300\x04\x1a\x63\x66\x1e\x00\x3a\x00\x01\x00\x00\x84\x06\x03\x58\x20" + string(make([]byte, 32)) + "\xf6"
	f.Add([]byte(seed))
	f.Add([]byte(seed[:len(seed)-1] + "\x18\x3d"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var c Claims
		at, ok := decodePayload(payload, &c)
		if !ok {
			return
		}
		again, againAt := appendPayload(nil, &c)
		copy(again[againAt:], payload[at:at+sealedSize])
		if at != againAt || !bytes.Equal(again, payload) {
			t.Errorf("%x also encodes as %x", payload, again)
		}
	})
}

// FuzzOneTextPerCode: whatever is cut into parts is put together to the same text again, and no text panics a reader.
func FuzzOneTextPerCode(f *testing.F) {
	f.Add("KM1:")
	f.Add("KM1:BB8")
	f.Fuzz(func(t *testing.T, text string) {
		Inspect(text)
		var buf [maxRaw]byte
		e, tell := cut(text, &buf)
		if tell != "" {
			return
		}
		raw := bytes.Clone(e.raw)
		if len(e.proof) > 0 {
			raw = append(append(raw, 0x40|byte(len(e.proof))), e.proof...)
		}
		if again := appendText(raw); again != text {
			t.Errorf("%q also reads as %q", text, again)
		}
	})
}

// FuzzRice: packed numbers have one form.
func FuzzRice(f *testing.F) {
	f.Add([]byte{0x80, 0x01}, 2, uint(24))
	f.Fuzz(func(t *testing.T, packed []byte, n int, width uint) {
		if n < 0 || n > 1000 || width < 20 || width > 48 {
			return
		}
		values, ok := unpackSorted(packed, n, width)
		if !ok {
			return
		}
		if again := packSorted(values, width); !bytes.Equal(again, packed) {
			t.Errorf("%x also packs as %x", packed, again)
		}
	})
}
