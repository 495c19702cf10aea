package plate_test

import (
	"math"
	"strings"
	"testing"

	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/plate"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// band draws a line as the reader would rectify it: letters at plate.Pitch, capitals of plate.Cap rows.
func band(t *testing.T, s string) *raster.Plane {
	t.Helper()
	f, err := fonts.Get("sans-bold")
	if err != nil {
		t.Fatal(err)
	}
	const over = 4
	r := []rune(s)
	big := raster.NewPlane((len(r)+6)*plate.Pitch*over, plate.BandH*over)
	for i, c := range r {
		x := float64((i + 3) * plate.Pitch * over)
		base := float64((plate.CapTop + plate.Cap) * over)
		size := plate.Cap * over / .733
		if c > 0x2fff {
			size *= .86
			x -= 4
			base -= 4
		}
		if err := f.Fixed(big, string(c), x, base, size, plate.Pitch*over); err != nil {
			t.Fatal(err)
		}
	}
	p := big.Resize(big.W/over, plate.BandH)
	for i, v := range p.Pix {
		p.Pix[i] = .9 - .8*v
	}
	return p
}

func TestALineIsReadByItsLayout(t *testing.T) {
	for text, layout := range map[string]string{"粤A12345": "seven", "京AD54321": "eight", "沪C12345F": "eight", "苏E8H72学": "seven"} {
		b := band(t, text)
		r, ok := plate.Read(plate.NewField(b, false, 0, b.W), &plate.Seven, &plate.Small, &plate.Large, &plate.Embassy)
		if !ok || r.Text() != text || r.Layout != layout {
			t.Errorf("%s: read %s as %s, score %.2f", text, r.Text(), r.Layout, r.Score)
		}
		if r.Least() < .5 {
			t.Errorf("%s: a clean line is doubtful: %.2f", text, r.Least())
		}
	}
}

func TestLightPrintOnDarkGroundIsReadWhenSaidSo(t *testing.T) {
	b := band(t, "沪B90817")
	for i, v := range b.Pix {
		b.Pix[i] = 1 - v
	}
	if r, ok := plate.Read(plate.NewField(b, true, 0, b.W), &plate.Seven); !ok || r.Text() != "沪B90817" {
		t.Errorf("read %s", r.Text())
	}
}

func TestGreenPlatesHaveOneLetterThatTellsHowTheyAreDriven(t *testing.T) {
	b := band(t, "沪0J87261") // no green plate: read as one, its third place must be a letter or its last
	r, ok := plate.Read(plate.NewField(b, false, 0, b.W), &plate.Small, &plate.Large)
	if !ok {
		t.Fatal("nothing was read")
	}
	c := []rune(r.Text())
	if small, large := strings.ContainsRune("ABCDEFGHJK", c[2]), strings.ContainsRune("ABCDEFGHJK", c[7]); small == large {
		t.Errorf("read %s", r.Text())
	}
}

func TestThePlaceOfTheLastCharacterTakesOnlyWhatTheColourAllows(t *testing.T) {
	b := band(t, "粤LA1C0港")
	r, ok := plate.Read(plate.NewField(b, false, 0, b.W), &plate.Seven)
	if !ok || r.Text() != "粤LA1C0港" {
		t.Fatalf("read %s", r.Text())
	}
	if r.Without("black"); r.Text() != "粤LA1C0港" {
		t.Errorf("on black ground: %s", r.Text())
	}
	if r.Without("blue"); strings.HasSuffix(r.Text(), "港") || r.Least() > .5 {
		t.Errorf("on blue ground: %s, %.2f", r.Text(), r.Least())
	}
}

func TestAllReadersTogetherStillReadACleanLine(t *testing.T) {
	for _, text := range []string{"琼A12345", "京B67890", "苏E8H72学"} {
		b := band(t, text)
		f := plate.NewField(b, false, 0, b.W)
		r, ok := plate.Read(f, &plate.Seven)
		if r.Confirm(f); !ok || r.Text() != text || r.Least() < .5 {
			t.Errorf("%s: read %s, %.2f", text, r.Text(), r.Least())
		}
	}
}

func TestABareBandIsNoPlate(t *testing.T) {
	b := raster.NewPlane(300, plate.BandH)
	for i := range b.Pix {
		b.Pix[i] = .5 + .1*float32(math.Sin(float64(i)))
	}
	if r, ok := plate.Read(plate.NewField(b, false, 0, b.W), &plate.Seven, &plate.Small, &plate.Large); ok && r.Score > -1 {
		t.Errorf("read %s, score %.2f", r.Text(), r.Score)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("seed"), 120, true)
	f.Add([]byte{0, 255, 0, 255, 7}, 3, false)
	f.Fuzz(func(t *testing.T, raw []byte, w int, inverted bool) {
		if w < 1 || w > 600 || len(raw) == 0 {
			return
		}
		p := raster.NewPlane(w, plate.BandH)
		for i := range p.Pix {
			p.Pix[i] = float32(raw[i%len(raw)]) / 255
		}
		f := plate.NewField(p, inverted, 0, w)
		r, ok := plate.Read(f, &plate.Seven, &plate.Small, &plate.Large, &plate.Embassy, &plate.Lower, &plate.Upper)
		if !ok {
			return
		}
		r.Without("blue")
		r.Confirm(f)
		if strings.ContainsRune(r.Text(), 0) || r.Least() < 0 || r.Least() > 1.0001 || math.IsNaN(r.Score) {
			t.Errorf("%q %v %v", r.Text(), r.Least(), r.Score)
		}
		for _, c := range r.Chars {
			if c.X < 0 || c.X > float64(w) {
				t.Errorf("a character at %v of %d", c.X, w)
			}
		}
	})
}
