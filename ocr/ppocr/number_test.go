package ppocr_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
	"time"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// spy counts how often the number was looked for through the finder.
type spy struct {
	ocr.LineFinder
	asked int
}

func (s *spy) FindLines(ctx context.Context, m *image.RGBA) ([][4][2]float64, error) {
	s.asked++
	return s.LineFinder.FindLines(ctx, m)
}

func TestACardIsReadWithTheSecondReader(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p := open(t, ctx)
	finder := &spy{LineFinder: p}
	r, err := ocr.New(ocr.Options{TextEngine: p, Finder: finder, Deadline: 4 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	photo, err := synth.IDCard(4711, 1, synth.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.IDCard(ctx, photo.JPEG)
	if err != nil {
		t.Fatal(err)
	}
	want := photo.Truth.Person
	if !d.NumberAccepted || d.Number.Value != want.Number {
		t.Error("the number was not accepted or is wrong")
	}
	if d.Name.Value != want.Name {
		t.Errorf("name %s, want %s", d.Name.Value, want.Name)
	}
	if finder.asked != 0 {
		t.Error("the finder was asked although the number was clear")
	}
}

func TestTheFinderProposesOnly(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	p := open(t, ctx)
	finder := &spy{LineFinder: p}
	r, err := ocr.New(ocr.Options{Finder: finder, Deadline: 4 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	m := image.NewRGBA(image.Rect(0, 0, 900, 600))
	for y := range 600 {
		for x := range 900 {
			m.Set(x, y, color.RGBA{uint8(200 + x%40), uint8(190 + y%50), 210, 255})
		}
	}
	d, err := r.IDCard(ctx, encode(t, m))
	if d != nil && d.NumberAccepted {
		t.Error("a number was accepted on a picture without one")
	}
	if err == nil {
		t.Error("a picture without a card gave no error")
	}
	if finder.asked != 1 {
		t.Errorf("the finder was asked %d times, want once", finder.asked)
	}
}

func encode(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
