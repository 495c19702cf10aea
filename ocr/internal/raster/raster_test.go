package raster_test

import (
	"image"
	"math"
	"testing"

	"github.com/kangma/kangma/ocr/internal/raster"
)

func TestAHomographyMapsTheCornersAndBack(t *testing.T) {
	q := raster.Quad{{X: 10, Y: 20}, {X: 210, Y: 5}, {X: 190, Y: 160}, {X: 30, Y: 140}}
	h, ok := raster.RectTo(85.6, 54, q)
	if !ok {
		t.Fatal("not a quad")
	}
	inv, ok := h.Inverse()
	if !ok {
		t.Fatal("no inverse")
	}
	for i, c := range [4]raster.Point{{}, {X: 85.6}, {X: 85.6, Y: 54}, {Y: 54}} {
		p := h.Apply(c)
		if p.Sub(q[i]).Norm() > 1e-6 || inv.Apply(p).Sub(c).Norm() > 1e-6 {
			t.Errorf("corner %d: %v", i, p)
		}
	}
	if _, ok := raster.RectTo(1, 1, raster.Quad{}); ok {
		t.Error("a point is no quad")
	}
}

func TestBoxIsAMeanAtTheEdgesToo(t *testing.T) {
	p := raster.NewPlane(9, 7)
	for i := range p.Pix {
		p.Pix[i] = .5
	}
	for _, r := range []int{1, 3, 20} {
		for _, v := range p.Box(r).Pix {
			if math.Abs(float64(v)-.5) > 1e-5 {
				t.Fatalf("radius %d: %v", r, v)
			}
		}
	}
}

func TestInkDoesNotDependOnTheLight(t *testing.T) {
	dark, bright := raster.NewPlane(80, 80), raster.NewPlane(80, 80)
	for i := range dark.Pix {
		v := float32(.8)
		if x := i % 80; x >= 38 && x < 42 {
			v = .2
		}
		bright.Pix[i], dark.Pix[i] = v, v*.4
	}
	a, b := bright.Ink(30), dark.Ink(30)
	for _, i := range []int{80*40 + 40, 80*40 + 10} {
		if math.Abs(float64(a.Pix[i]-b.Pix[i])) > .02 {
			t.Errorf("at %d: %v in bright light, %v in dim", i, a.Pix[i], b.Pix[i])
		}
	}
	if a.Pix[80*40+40] < .6 || a.Pix[80*40+10] > .05 {
		t.Errorf("ink %v, paper %v", a.Pix[80*40+40], a.Pix[80*40+10])
	}
}

func TestShrinkAveragesAndNeverEnlarges(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 100, 50))
	for i := range g.Pix {
		g.Pix[i] = uint8(200 * (i % 2))
	}
	m, f := raster.Shrink(g, 60)
	if m.W != 50 || m.H != 25 || f != 2 || m.Pix[0] != 100 {
		t.Errorf("%d x %d, factor %v, value %d", m.W, m.H, f, m.Pix[0])
	}
	if m, f := raster.Shrink(g, 500); m.W != 100 || f != 1 {
		t.Errorf("%d wide, factor %v", m.W, f)
	}
}
