package wire_test

import (
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/wire"
)

// BenchmarkDossier puts the packed form beside version 1 and the generic CBOR library with the root package's tags.
func BenchmarkDossier(b *testing.B) {
	d := typical()
	mode := must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, Time: cbor.TimeUnixDynamic}.EncMode())
	for _, form := range []struct {
		name   string
		encode func(kangma.Dossier) []byte
		decode func([]byte) (kangma.Dossier, error)
	}{
		{"packed", wire.EncodeDossier, wire.DecodeDossier},
		{"version 1", wire.EncodeDossierCBOR, wire.DecodeDossier},
		{"generic", func(d kangma.Dossier) []byte { return must(mode.Marshal(d)) }, func(raw []byte) (d kangma.Dossier, err error) { return d, cbor.Unmarshal(raw, &d) }},
	} {
		raw := form.encode(d)
		b.Run("decode "+form.name, func(b *testing.B) {
			b.ReportAllocs()
			b.ReportMetric(float64(len(raw)), "bytes")
			for b.Loop() {
				must(form.decode(raw))
			}
		})
		b.Run("encode "+form.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				form.encode(d)
			}
		})
	}
}

// BenchmarkPassage is what a gate pays for its journal.
func BenchmarkPassage(b *testing.B) {
	p := of[kangma.Passage](newSample(3))
	p.Gate, p.Operator, p.Vehicle, p.Rules, p.Flags = "gate-00042", "acc-17", "", "0123456789abcdef", nil
	raw := wire.EncodePassage(p)
	b.ReportMetric(float64(len(raw)), "bytes")
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			wire.EncodePassage(p)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(wire.DecodePassage(raw))
		}
	})
}
