package ocr_test

import (
	"context"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// BenchmarkIDCard reads one usual photo (level 2); the number of reads a second of one core is its inverse.
func BenchmarkIDCard(b *testing.B) {
	r := newReader(b, ocr.Options{})
	p := card(b, 2000, 2, synth.Options{})
	b.ReportAllocs()
	for b.Loop() {
		if d, err := r.IDCard(context.Background(), p.JPEG); err != nil || !d.NumberAccepted {
			b.Fatal(err)
		}
	}
}

// BenchmarkNotACard reads a photo that shows no card, which is the slow way out.
func BenchmarkNotACard(b *testing.B) {
	r := newReader(b, ocr.Options{})
	p, _, err := synth.Negative(1, 2)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if d, _ := r.IDCard(context.Background(), p.JPEG); d != nil && d.NumberAccepted {
			b.Fatal("a number was accepted")
		}
	}
}

// BenchmarkABombIsRefused refuses a PNG that claims 40,000 x 40,000 pixels; asked are 5 ms and 1 MB at most.
func BenchmarkABombIsRefused(b *testing.B) {
	r := newReader(b, ocr.Options{})
	bomb := pngHeader(40_000, 40_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.IDCard(context.Background(), bomb); kangma.CodeOf(err) != "image_too_large" {
			b.Fatal(err)
		}
	}
}
