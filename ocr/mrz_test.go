package ocr_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

func zoneOf(d *ocr.Draft) (lines []string, sure bool) {
	sure = true
	for _, f := range d.MRZ {
		lines = append(lines, f.Value)
		sure = sure && !f.Unsure
	}
	return lines, sure
}

func TestMRZReadsEveryFormat(t *testing.T) {
	r := newReader(t, ocr.Options{Deadline: time.Minute})
	for _, format := range []string{"TD3", "TD2", "TD1"} {
		for seed := uint64(10); seed < 14; seed++ {
			p, err := synth.MRZ(seed, synth.Level(seed%3), format)
			if err != nil {
				t.Fatal(err)
			}
			d, err := r.MRZ(t.Context(), p.JPEG)
			if err != nil {
				t.Errorf("%s seed %d: %v", format, seed, err)
				continue
			}
			if got, _ := zoneOf(d); !slices.Equal(got, p.Truth.MRZ) {
				t.Errorf("%s seed %d: read %s, want %s", format, seed, got, p.Truth.MRZ)
			}
		}
	}
}

// the specimens of ICAO Doc 9303 parts 4 to 6, and lines of the shape of a Chinese passport, whose second line has no filler
var zoneSpecimens = map[string][]string{
	"TD3":  {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"},
	"TD2":  {"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"},
	"TD1":  {"I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"},
	"TD3C": {"POCHNZHENGJIAN<<YANGBEN<<<<<<<<<<<<<<<<<<<<<", "E000000008CHN8108153F2907228MBNPLPLPLJKNA996"},
}

func TestSpecimensAreReadWhicheverWayThePhotoStands(t *testing.T) {
	r := newReader(t, ocr.Options{Deadline: time.Minute})
	turns := map[string]int{"TD3": 0, "TD2": 1, "TD1": 2, "TD3C": 3}
	for name, lines := range zoneSpecimens {
		p, err := synth.MRZOf(5, 1, strings.TrimSuffix(name, "C"), lines)
		if err != nil {
			t.Fatal(err)
		}
		d, err := r.MRZ(t.Context(), turned(t, p.JPEG, turns[name]))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _ := zoneOf(d); !slices.Equal(got, lines) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// published specimens of permits: one line to Hong Kong and Macao, three for residents of Hong Kong
var permitSpecimens = [][]string{
	{"CSC000000004<2404200<8108038<6"},
	{"CRH1234567830002212119F8108038", "NGKELMPONBPJLBLOAABA1234567842", "ZHENG<JIAN<<YANG<BEN<<<<<<<<<<"},
}

func TestPermitsAreReadAsFarAsTheirSpecimensAreKnown(t *testing.T) {
	r := newReader(t, ocr.Options{Deadline: time.Minute})
	for i, lines := range permitSpecimens {
		p, err := synth.MRZOf(uint64(3+i), 1, "TD1", lines)
		if err != nil {
			t.Fatal(err)
		}
		d, err := r.MRZ(t.Context(), p.JPEG)
		if err != nil {
			t.Errorf("%s: %v", lines, err)
			continue
		}
		if got, _ := zoneOf(d); !slices.Equal(got, lines) {
			t.Errorf("%s: %s", lines, got)
		}
	}
}

// turned gives the photo turned by quarter turns, without saying so in its metadata.
func turned(t *testing.T, photo []byte, quarters int) []byte {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(photo))
	if err != nil {
		t.Fatal(err)
	}
	for range quarters {
		b := m.Bounds()
		n := image.NewRGBA(image.Rect(0, 0, b.Dy(), b.Dx()))
		for y := range b.Dy() {
			for x := range b.Dx() {
				n.Set(b.Dy()-1-y, x, m.At(b.Min.X+x, b.Min.Y+y))
			}
		}
		m = n
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAZoneWithOneDigitChangedIsNeverSure(t *testing.T) {
	r := newReader(t, ocr.Options{Deadline: time.Minute})
	lines := slices.Clone(zoneSpecimens["TD3"])
	lines[1] = strings.Replace(lines[1], "7408122", "7403122", 1)
	for level := range synth.Level(3) {
		p, err := synth.MRZOf(8, level, "TD3", lines)
		if err != nil {
			t.Fatal(err)
		}
		d, err := r.MRZ(t.Context(), p.JPEG)
		if err != nil {
			continue
		}
		got, sure := zoneOf(d)
		if sure {
			t.Errorf("level %d: a zone whose check digits are false passed as sure", level)
		}
		if got[1] == lines[1] && (d.Problem != "checksum_failed" || d.FailedTest == "") {
			t.Errorf("level %d: the digits as printed are shown without saying that a check failed", level)
		}
	}
}

func TestAPhotoWithoutAZoneSaysSo(t *testing.T) {
	r := newReader(t, ocr.Options{Deadline: time.Minute})
	_, err := r.MRZ(t.Context(), card(t, 20, 1, synth.Options{}).JPEG)
	if kangma.CodeOf(err) != "mrz_not_found" {
		t.Error(err)
	}
}
