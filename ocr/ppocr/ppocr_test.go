package ppocr_test

import (
	"context"
	"errors"
	"image"
	"math"
	"os"
	"testing"
	"time"

	"github.com/kangma/kangma/ocr/internal/fonts"
	"github.com/kangma/kangma/ocr/internal/raster"
	"github.com/kangma/kangma/ocr/ppocr"
)

func TestMain(m *testing.M) {
	ppocr.ChildMain()
	os.Exit(m.Run())
}

// open gives a pool over the installed models; a test is skipped where they are not.
func open(t *testing.T, ctx context.Context) *ppocr.Pool {
	t.Helper()
	dir, err := ppocr.Find()
	if errors.Is(err, ppocr.ErrAbsent) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	p, err := ppocr.NewPool(ctx, 1, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func line(tb testing.TB, s string) *raster.Plane {
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
	return p
}

func TestPool(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	p := open(t, ctx)
	t.Run("a clean line is read in a child", func(t *testing.T) {
		text, conf, err := p.ReadLine(ctx, line(t, "北京市朝阳区人民路12号").Gray())
		if err != nil || text != "北京市朝阳区人民路12号" || len(conf) != len([]rune(text)) {
			t.Errorf("%q %v %v", text, conf, err)
		}
	})
	t.Run("every character is told with its place and what else it may be", func(t *testing.T) {
		chars, err := p.ReadChars(ctx, line(t, "王士玉").Gray())
		if err != nil || len(chars) != 3 {
			t.Fatal(chars, err)
		}
		for i, c := range chars {
			if x := float32(40 + 40*i); c.Rune != []rune("王士玉")[i] || c.X < x-12 || c.X > x+12 {
				t.Errorf("%c at column %.0f, drawn around %.0f", c.Rune, c.X, x)
			}
			if len(c.Others) == 0 || c.Others[0].P > c.P {
				t.Errorf("%c %.3f may also be %v", c.Rune, c.P, c.Others)
			}
		}
	})
	t.Run("it knows what its models know", func(t *testing.T) {
		if !p.Knows('王') || p.Knows('翀') {
			t.Error("the characters known are not those of the models")
		}
	})
	t.Run("lines are found where they are, level and slanted", func(t *testing.T) {
		for _, slope := range []float64{0, .1} {
			text := line(t, "公民身份号码")
			m := image.NewRGBA(image.Rect(0, 0, 640, 480))
			for i := range m.Pix {
				m.Pix[i] = 255
			}
			for y := range text.H {
				for x := range text.W {
					v := uint8(255 * text.Row(y)[x])
					o := m.PixOffset(150+x, 200+y+int(slope*float64(x)))
					m.Pix[o], m.Pix[o+1], m.Pix[o+2] = v, v, v
				}
			}
			quads, err := p.FindLines(ctx, m)
			if err != nil || len(quads) != 1 {
				t.Fatalf("slope %v: %v %v", slope, quads, err)
			}
			q := quads[0]
			cx, cy := (q[0][0]+q[2][0])/2, (q[0][1]+q[2][1])/2
			if math.Abs(cx-302) > 12 || math.Abs(cy-(236+slope*152)) > 12 {
				t.Errorf("slope %v: middle at %.0f, %.0f", slope, cx, cy)
			}
			if got := (q[1][1] - q[0][1]) / (q[1][0] - q[0][0]); math.Abs(got-slope) > .04 {
				t.Errorf("slope %v found as %v", slope, got)
			}
		}
	})
	t.Run("a child killed by a deadline is replaced", func(t *testing.T) {
		dead, cancel := context.WithCancel(ctx)
		cancel()
		if _, _, err := p.ReadLine(dead, line(t, "北京市").Gray()); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if text, _, err := p.ReadLine(ctx, line(t, "北京市").Gray()); err != nil || text != "北京市" {
			t.Errorf("%q %v", text, err)
		}
	})
	t.Run("a picture out of bounds is refused before any child sees it", func(t *testing.T) {
		if _, _, err := p.ReadLine(ctx, image.NewGray(image.Rect(0, 0, 3000, 3000))); err == nil {
			t.Error("it was read")
		}
		if _, err := p.FindLines(ctx, image.NewRGBA(image.Rectangle{})); err == nil {
			t.Error("an empty picture was searched")
		}
	})
}

func TestAFolderWithoutModelsSaysSo(t *testing.T) {
	t.Setenv("KANGMA_OCR_MODELS", t.TempDir())
	if _, err := ppocr.Find(); !errors.Is(err, ppocr.ErrAbsent) {
		t.Error(err)
	}
}

func TestADamagedModelShowsAtOnce(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"libonnxruntime.so", "det.onnx", "rec.onnx", "keys.txt"} {
		if err := os.WriteFile(dir+"/"+f, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := ppocr.NewPool(ctx, 1, dir); err == nil {
		t.Error("a damaged library was taken")
	}
}
