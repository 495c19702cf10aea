package ocr_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

// drawn is a card without any defect of a photo, on a grey ground, and the person on it.
func drawn(t *testing.T, seed uint64) (*image.RGBA, synth.Person, synth.Layout) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 99))
	p, l := synth.NewPerson(rng), synth.Standard()
	m, err := synth.DrawCard(rng, p, l)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(image.Rect(0, 0, m.W+160, m.H+160))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.Gray{90}), image.Point{}, draw.Src)
	draw.Draw(out, image.Rect(80, 80, 80+m.W, 80+m.H), m.Image(), image.Point{}, draw.Src)
	return out, p, l
}

func encode(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 88}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestIDCardReadsGoodPhotosOfBothLayouts(t *testing.T) {
	r := newReader(t, ocr.Options{})
	whole := 0
	for seed := uint64(100); seed < 106; seed++ {
		for _, varied := range []bool{false, true} {
			p := card(t, seed, synth.Level(seed%3), synth.Options{Varied: varied})
			d, err := r.IDCard(t.Context(), p.JPEG)
			if err != nil {
				t.Errorf("seed %d varied %v: %v", seed, varied, err)
				continue
			}
			want := p.Truth.Person
			if !d.NumberAccepted || d.Number.Value != want.Number {
				t.Errorf("seed %d varied %v: number accepted %v, equal %v", seed, varied, d.NumberAccepted, d.Number.Value == want.Number)
			}
			if d.Name.Value == want.Name && d.Sex.Value == want.Sex && d.Nation.Value == want.Nation && d.Birth.Value == want.Birth && !d.Number.Crop.Empty() && !d.Name.Crop.Empty() {
				whole++
			}
		}
	}
	if whole < 10 {
		t.Errorf("name, sex, nation and birth of %d of 12 cards", whole)
	}
}

func TestAForgedNumberIsReportedAsPrinted(t *testing.T) {
	r := newReader(t, ocr.Options{})
	told := 0
	for seed := uint64(200); seed < 208; seed++ {
		p := card(t, seed, 1, synth.Options{Forged: true})
		d, err := r.IDCard(t.Context(), p.JPEG)
		if err != nil {
			t.Fatal(err)
		}
		if d.NumberAccepted {
			t.Fatalf("seed %d: a forged number was accepted", seed)
		}
		if d.Problem == "checksum_failed" && d.Number.Value == p.Truth.Person.Number && d.FailedTest != "" && kangma.CodeOf(d.Err()) == "checksum_failed" {
			told++
		}
	}
	if told < 7 {
		t.Errorf("only %d of 8 were told as printed with the test that failed", told)
	}
}

func TestACoveredDigitIsNeverCompleted(t *testing.T) {
	r := newReader(t, ocr.Options{})
	for _, shade := range []uint8{20, 120, 200, 240} {
		for k := 0; k < 18; k += 3 {
			m, _, l := drawn(t, 300+uint64(k))
			x := 80 + int((l.NumberX+float64(k)*l.NumberPitch)*synth.CardW)
			y := 80 + int(l.NumberY*synth.CardW)
			cover := image.Rect(x+2, y-int(l.NumberCap*synth.CardW)-6, x+int(l.NumberPitch*synth.CardW)-2, y+8)
			draw.Draw(m, cover, image.NewUniform(color.Gray{shade}), image.Point{}, draw.Src)
			d, err := r.IDCard(t.Context(), encode(t, m))
			if err != nil {
				continue // nothing shown is no guess either
			}
			if d.NumberAccepted {
				t.Errorf("shade %d, digit %d: completed", shade, k+1)
			}
		}
	}
}

func TestTwoCardsOnOnePhotoAreRefused(t *testing.T) {
	r := newReader(t, ocr.Options{})
	a, _, _ := drawn(t, 400)
	b, _, _ := drawn(t, 401)
	both := image.NewRGBA(image.Rect(0, 0, a.Bounds().Dx(), 2*a.Bounds().Dy()))
	draw.Draw(both, a.Bounds(), a, image.Point{}, draw.Src)
	draw.Draw(both, b.Bounds().Add(image.Pt(0, a.Bounds().Dy())), b, image.Point{}, draw.Src)
	_, err := r.IDCard(t.Context(), encode(t, both))
	if kangma.CodeOf(err) != "multiple_cards" {
		t.Error(err)
	}
}

func TestTheBackIsCalledTheBack(t *testing.T) {
	r := newReader(t, ocr.Options{})
	m, err := synth.DrawBack(rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.IDCard(t.Context(), encode(t, m.Image()))
	if kangma.CodeOf(err) != "idcard_back" || d == nil || d.Kind != ocr.IDCardBack {
		t.Error(d, err)
	}
}

// onRed lays a drawn card on a ground as red as the emblem, at half size.
func onRed(t *testing.T, m *image.RGBA) []byte {
	t.Helper()
	small := scaled(m, synth.CardW/2)
	out := image.NewRGBA(image.Rect(0, 0, small.Rect.Dx()+300, small.Rect.Dy()+300))
	draw.Draw(out, out.Rect, image.NewUniform(color.RGBA{170, 30, 35, 255}), image.Point{}, draw.Src)
	draw.Draw(out, small.Rect.Add(image.Pt(150, 150)), small, image.Point{}, draw.Src)
	return encode(t, out)
}

func TestOnARedGroundABackIsABackAndAForgedFrontIsNot(t *testing.T) {
	r := newReader(t, ocr.Options{})
	back, err := synth.IDCardBack(20310003, 1) // on a ground with red patches
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.IDCard(t.Context(), back.JPEG); kangma.CodeOf(err) != "idcard_back" {
		t.Errorf("the back: %v", err)
	}
	rng := rand.New(rand.NewPCG(2, 2))
	p := synth.NewPerson(rng)
	p.Number = p.Number[:17] + string('0'+(p.Number[17]%10+3)%10) // another check digit
	front, err := synth.DrawCard(rng, p, synth.Standard())
	if err != nil {
		t.Fatal(err)
	}
	if d, err := r.IDCard(t.Context(), onRed(t, front.Image())); d == nil || d.Problem != "checksum_failed" {
		t.Errorf("the front: %v", err)
	}
}

func TestAContradictionIsFlaggedNotMended(t *testing.T) {
	r := newReader(t, ocr.Options{})
	flagged := 0
	for seed := uint64(500); seed < 504; seed++ {
		rng := rand.New(rand.NewPCG(seed, 98))
		p := synth.NewPerson(rng)
		printed := map[string]string{"男": "女", "女": "男"}[p.Sex]
		p.Sex = printed
		m, err := synth.DrawCard(rng, p, synth.Standard())
		if err != nil {
			t.Fatal(err)
		}
		d, err := r.IDCard(t.Context(), encode(t, m.Image()))
		if err != nil {
			t.Fatal(err)
		}
		if d.Sex.Value != printed {
			t.Errorf("seed %d: printed %s, read %s", seed, printed, d.Sex.Value)
		}
		if d.Problem == "inconsistent" && d.Number.Unsure && d.Sex.Unsure {
			flagged++
		}
	}
	if flagged < 4 {
		t.Errorf("%d of 4 flagged", flagged)
	}
}

func TestDraftJSONHasTheAgreedKeys(t *testing.T) {
	r := newReader(t, ocr.Options{})
	d, err := r.IDCard(t.Context(), card(t, 100, 1, synth.Options{}).JPEG)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"file", "kind", "number", "number_accepted", "name", "sex", "nation", "birth", "address", "mrz", "plate", "unsure", "error"} {
		if _, ok := m[k]; !ok {
			t.Errorf("no key %q", k)
		}
	}
}

// TestExifOrientation puts the eight orientations of EXIF on turned copies of one picture: all must read alike.
func TestExifOrientation(t *testing.T) {
	r := newReader(t, ocr.Options{})
	m, p, _ := drawn(t, 600)
	b := m.Bounds()
	// how a camera that stores the picture turned lays out its rows, for orientations 3, 6 and 8
	for o, at := range map[byte]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		3: func(x, y int) (int, int) { return b.Dx() - 1 - x, b.Dy() - 1 - y },
		2: func(x, y int) (int, int) { return b.Dx() - 1 - x, y },
		6: func(x, y int) (int, int) { return b.Dx() - 1 - y, x },
		8: func(x, y int) (int, int) { return y, b.Dy() - 1 - x },
	} {
		w, h := b.Dx(), b.Dy()
		if o >= 5 {
			w, h = h, w
		}
		turned := image.NewRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				sx, sy := at(x, y)
				turned.Set(x, y, m.At(sx, sy))
			}
		}
		raw := encode(t, turned)
		exif := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 34}, "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"...)
		exif = append(exif, o, 0, 0, 0, 0, 0, 0)
		d, err := r.IDCard(t.Context(), append(exif, raw[2:]...))
		if err != nil || d.Number.Value != p.Number {
			t.Errorf("orientation %d: %v", o, err)
			continue
		}
		if d.Number.Crop.Dx() < 3*d.Number.Crop.Dy() {
			t.Errorf("orientation %d: the crop %v is not upright", o, d.Number.Crop)
		}
	}
}
