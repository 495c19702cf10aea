package wire_test

import (
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/wire"
)

// BenchmarkDossier puts our form beside the generic CBOR library with the root package's tags.
func BenchmarkDossier(b *testing.B) {
	d := typical()
	ours := wire.EncodeDossier(d)
	mode := must(cbor.EncOptions{Sort: cbor.SortCoreDeterministic, Time: cbor.TimeUnixDynamic}.EncMode())
	theirs := must(mode.Marshal(d))
	b.Run("decode ours", func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(len(ours)), "bytes")
		for b.Loop() {
			must(wire.DecodeDossier(ours))
		}
	})
	b.Run("decode generic", func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(len(theirs)), "bytes")
		for b.Loop() {
			var d kangma.Dossier
			if err := cbor.Unmarshal(theirs, &d); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			wire.EncodeDossier(d)
		}
	})
	b.Run("encode generic", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(mode.Marshal(d))
		}
	})
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
