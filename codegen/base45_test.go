package codegen_test

import (
	"bytes"
	"testing"

	"github.com/kangma/kangma/codegen"
)

// The examples of RFC 9285 section 4.3 and 4.4.
func TestBase45KnowsTheExamplesOfTheRFC(t *testing.T) {
	for plain, text := range map[string]string{"AB": "BB8", "Hello!!": "%69 VD92EX0", "base-45": "UJCLQE7W581", "ietf!": "QED8WEX0", "": ""} {
		if got := string(codegen.AppendBase45(nil, []byte(plain))); got != text {
			t.Errorf("%q encodes as %q, want %q", plain, got, text)
		}
		if got, err := codegen.DecodeBase45(nil, text); err != nil || string(got) != plain {
			t.Errorf("%q decodes as %q (%v), want %q", text, got, err, plain)
		}
	}
}

func TestBase45RefusesWhatNoEncoderMakes(t *testing.T) {
	for _, bad := range []string{"GGW", ":::", "A", "AAAA", "::", "ab8", "B8\x00", "BB8é", "BB8\n"} {
		if got, err := codegen.DecodeBase45(nil, bad); err == nil {
			t.Errorf("%q decodes as %x", bad, got)
		}
	}
}

func FuzzBase45HasOneText(f *testing.F) {
	f.Add("BB8")
	f.Add("%69 VD92EX0")
	f.Add(":::")
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := codegen.DecodeBase45(nil, text); err == nil {
			if again := codegen.AppendBase45(nil, b); !bytes.Equal(again, []byte(text)) {
				t.Errorf("%q also decodes as %q", text, again)
			}
		}
	})
}
