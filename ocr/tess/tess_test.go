package tess_test

import (
	"context"
	"errors"
	"image"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/raster"
	"github.com/kangma/kangma/ocr/tess"
)

func TestMain(m *testing.M) {
	tess.ChildMain()
	os.Exit(m.Run())
}

func line(tb testing.TB, s string) *image.Gray {
	tb.Helper()
	f, err := fonts.Get("sans")
	if err != nil {
		tb.Fatal(err)
	}
	p := raster.NewPlane(60+44*len([]rune(s)), 72)
	if _, err := f.Text(p, s, 20, 50, 40, 0); err != nil {
		tb.Fatal(err)
	}
	for i, v := range p.Pix {
		p.Pix[i] = 1 - v
	}
	return p.Gray()
}

func TestPool(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p, err := tess.NewPool(ctx, 2, "chi_sim")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a clean line is read in a child", func(t *testing.T) {
		text, conf, err := p.ReadLine(ctx, line(t, "北京市朝阳区人民路"))
		if err != nil || text != "北京市朝阳区人民路" || len(conf) != 9 {
			t.Errorf("%q %v %v", text, conf, err)
		}
	})
	t.Run("a child killed by a deadline is replaced", func(t *testing.T) {
		dead, cancel := context.WithCancel(ctx)
		cancel()
		if _, _, err := p.ReadLine(dead, line(t, "北京市")); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if text, _, err := p.ReadLine(ctx, line(t, "北京市")); err != nil || text != "北京市" {
			t.Errorf("%q %v", text, err)
		}
	})
	t.Run("a picture out of bounds is refused before any child sees it", func(t *testing.T) {
		if _, _, err := p.ReadLine(ctx, image.NewGray(image.Rect(0, 0, 3000, 3000))); err == nil {
			t.Error("it was read")
		}
	})
	t.Run("lines are read while others send noise and go away", func(t *testing.T) {
		var wg sync.WaitGroup
		noise := image.NewGray(image.Rect(0, 0, 2048, 512))
		for i := range noise.Pix {
			noise.Pix[i] = byte(i * i * 2654435761 >> 13)
		}
		wg.Go(func() {
			for range 2 {
				short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
				_, _, _ = p.ReadLine(short, noise) // killed or read: only the others matter
				cancel()
			}
		})
		wg.Go(func() {
			for range 3 {
				if text, _, err := p.ReadLine(ctx, line(t, "北京市")); err != nil || text != "北京市" {
					t.Errorf("%q %v", text, err)
				}
			}
		})
		wg.Wait()
	})
	t.Run("a closed pool says so", func(t *testing.T) {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := p.ReadLine(ctx, line(t, "北京市")); !errors.Is(err, tess.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestAnUnknownLanguageShowsAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := tess.NewPool(ctx, 1, "no_such_language"); err == nil || !strings.Contains(err.Error(), "tesseract-ocr-chi-sim") {
		t.Error(err)
	}
}
