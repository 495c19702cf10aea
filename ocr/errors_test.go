package ocr_test

import (
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	xdraw "golang.org/x/image/draw"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// gained multiplies the brightness of a picture.
func gained(m *image.RGBA, f float64) *image.RGBA {
	out := image.NewRGBA(m.Rect)
	for i, v := range m.Pix {
		out.Pix[i] = uint8(min(float64(v)*f, 255))
	}
	return out
}

// scaled shrinks a picture to the given width.
func scaled(m image.Image, w int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, w*m.Bounds().Dy()/m.Bounds().Dx()))
	xdraw.CatmullRom.Scale(out, out.Bounds(), m, m.Bounds(), draw.Src, nil)
	return out
}

func TestACardThatCannotBeReadSaysWhy(t *testing.T) {
	r := newReader(t, ocr.Options{})
	m, _, l := drawn(t, 700)
	cardBounds := image.Rect(80, 80, 80+synth.CardW, 80+synth.CardH)
	numberTop := 80 + int((l.NumberY-l.NumberCap)*synth.CardW) - 12

	covered := image.NewRGBA(m.Rect)
	draw.Draw(covered, m.Rect, m, image.Point{}, draw.Src)
	draw.Draw(covered, image.Rect(cardBounds.Min.X+500, numberTop, cardBounds.Max.X-40, cardBounds.Max.Y-30), image.NewUniform(color.RGBA{200, 150, 120, 255}), image.Point{}, draw.Src)

	cut := image.NewRGBA(image.Rect(0, 0, m.Rect.Dx(), numberTop))
	draw.Draw(cut, cut.Rect, m, image.Point{}, draw.Src)

	far := image.NewRGBA(image.Rect(0, 0, 1600, 1200))
	draw.Draw(far, far.Rect, image.NewUniform(color.Gray{90}), image.Point{}, draw.Src)
	small := scaled(m.SubImage(cardBounds), 220)
	draw.Draw(far, small.Rect.Add(image.Pt(600, 500)), small, image.Point{}, draw.Src)

	for name, c := range map[string]struct {
		photo image.Image
		code  string
	}{
		"in the dark":                  {gained(m, .015), "too_dark"},
		"over-exposed":                 {gained(m, 20), "over_exposed"},
		"out of focus":                 {scaled(scaled(m, 60), 1600), "too_blurry"},
		"its number under a hand":      {covered, "number_not_found"},
		"its number cut off":           {cut, "number_not_found"},
		"too far away":                 {far, "image_too_small"},
		"an empty desk with a pattern": {checkered(), "no_document"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := r.IDCard(t.Context(), encode(t, c.photo))
			if kangma.CodeOf(err) != c.code {
				t.Errorf("got %v (draft: %v), want %s", err, d != nil, c.code)
			}
		})
	}
}

// checkered is a desk with soft stripes.
func checkered() image.Image {
	m := image.NewGray(image.Rect(0, 0, 1200, 900))
	for y := range 900 {
		for x := range 1200 {
			m.SetGray(x, y, color.Gray{uint8(120 + 60*((x/150+y/150)%2))})
		}
	}
	return m
}

func TestAnotherPrintedBirthDateIsFlaggedNotMended(t *testing.T) {
	r := newReader(t, ocr.Options{})
	for seed, other := range map[uint64]string{801: "1987-05-26", 802: "1963-11-30", 803: ""} {
		rng := rand.New(rand.NewPCG(seed, 97))
		p := synth.NewPerson(rng)
		if other == "" { // one digit of the year
			y, err := strconv.Atoi(p.Birth[:4])
			if err != nil {
				t.Fatal(err)
			}
			other = strconv.Itoa(y-10) + p.Birth[4:]
		}
		p.Birth = other
		m, err := synth.DrawCard(rng, p, synth.Standard())
		if err != nil {
			t.Fatal(err)
		}
		d, err := r.IDCard(t.Context(), encode(t, scaled(m.Image(), 1400)))
		if err != nil {
			t.Fatal(err)
		}
		if d.Problem != "inconsistent" || d.Birth.Value != other || !d.Birth.Unsure || !d.Number.Unsure || d.Number.Value != p.Number || kangma.CodeOf(d.Err()) != "inconsistent" {
			t.Errorf("seed %d: problem %q, printed birth read %v, unsure %v", seed, d.Problem, d.Birth.Value == other, d.Unsure())
		}
	}
}

// mutations is how many mutated pictures the fast form of the test reads; KANGMA_LONG asks for the long form.
func mutations() int {
	if os.Getenv("KANGMA_LONG") != "" {
		return 10_000
	}
	return 60
}
