package glyph_test

import (
	"bytes"
	"testing"

	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/raster"
)

func features(t *testing.T, r rune) []float32 {
	t.Helper()
	f, err := fonts.Get("sans")
	if err != nil {
		t.Fatal(err)
	}
	p := raster.NewPlane(64, 64)
	if _, err := f.Text(p, string(r), 16, 44, glyph.Em, 0); err != nil {
		t.Fatal(err)
	}
	out := make([]float32, glyph.Dim)
	glyph.Features(glyph.Cell(p, 32, 32, glyph.WideCell, glyph.WideCell), out)
	return out
}

func TestCleanPrintIsNamedRightIncludingRareCharacters(t *testing.T) {
	m, err := glyph.Default()
	if err != nil {
		t.Fatal(err)
	}
	v := make([]float32, m.Kept)
	wrong := ""
	list := []rune("王李张刘陈男女汉省市区县镇村路号珺喆堃昇玥璟祎垚晗翀旻赟嫱禤淼僳佤畲")
	for _, r := range list {
		m.Project(features(t, r), v)
		if a := m.NearestOf(v, 3); a[0].R != r {
			wrong += string(r) + "=" + string(a[0].R) + " "
		}
	}
	if len(wrong) > 8*2 {
		t.Errorf("of %d characters: %s", len(list), wrong)
	}
}

// TestTheGroupedSearchFindsWhatTheFullSearchFinds compares both on characters half mixed with another one.
func TestTheGroupedSearchFindsWhatTheFullSearchFinds(t *testing.T) {
	m, err := glyph.Default()
	if err != nil {
		t.Fatal(err)
	}
	list := glyph.Classes()
	other := features(t, '国')
	v := make([]float32, m.Kept)
	same, n := 0, 0
	for i := 0; i < 6500; i += 43 {
		f := features(t, list[i])
		for k := range f {
			f[k] = .8*f[k] + .2*other[k]
		}
		m.Project(f, v)
		n++
		if one, all := m.NearestOne(v), m.NearestOf(v, 12); len(one) != 1 || one[0] != all[0] {
			t.Errorf("%c: the nearest alone is another than the first of twelve", list[i])
		}
		if m.NearestOf(v, 1)[0].R == m.Nearest(v, 1)[0].R {
			same++
		}
	}
	if same < n*97/100 {
		t.Errorf("the same answer for %d of %d", same, n)
	} else {
		t.Logf("the same answer for %d of %d", same, n)
	}
}

func TestASavedModelLoadsAsItWas(t *testing.T) {
	m, err := glyph.Default()
	if err != nil {
		t.Fatal(err)
	}
	small := &glyph.Model{Kept: m.Kept, Mean: m.Mean, Proj: m.Proj, Protos: m.Protos[:50]}
	var b bytes.Buffer
	if err := small.Save(&b); err != nil {
		t.Fatal(err)
	}
	again, err := glyph.Load(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if again.Kept != m.Kept || len(again.Protos) != 50 || again.Protos[49].Class != m.Protos[49].Class {
		t.Error("something was lost")
	}
	if _, err := glyph.Load(bytes.NewReader(b.Bytes()[:b.Len()/2])); err == nil {
		t.Error("half a model was loaded")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := glyph.Load(bytes.NewReader(b)); err == nil && m.Kept == 0 {
			t.Error("an empty model was loaded")
		}
	})
}
