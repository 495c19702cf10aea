package ocr_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
)

var today = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func newReader(tb testing.TB, o ocr.Options) *ocr.Reader {
	tb.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return today }
	}
	if o.Deadline == 0 {
		o.Deadline = time.Minute // tests run on slow shared machines, under the race detector
	}
	r, err := ocr.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func card(tb testing.TB, seed uint64, level synth.Level, o synth.Options) synth.Photo {
	tb.Helper()
	p, err := synth.IDCard(seed, level, o)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// pngHeader is a PNG that claims a size and has no picture.
func pngHeader(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 8, 6, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func flat(w, h int, c color.Color) []byte {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestBadInputHasItsOwnError(t *testing.T) {
	r := newReader(t, ocr.Options{})
	good := card(t, 1, 1, synth.Options{}).JPEG
	tiny := new(bytes.Buffer)
	_ = png.Encode(tiny, image.NewGray(image.Rect(0, 0, 100, 80)))
	for name, c := range map[string]struct {
		in   []byte
		code string
		kind kangma.Kind
	}{
		"an empty body":                  {nil, "empty_input", kangma.Invalid},
		"a text":                         {[]byte("hello, this is not a picture at all"), "not_an_image", kangma.Invalid},
		"a GIF":                          {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "unsupported_format", kangma.Invalid},
		"a TIFF":                         {[]byte("II*\x00\x08\x00\x00\x00\x00\x00\x00\x00"), "unsupported_format", kangma.Invalid},
		"a WebP":                         {[]byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "unsupported_format", kangma.Invalid},
		"a HEIC":                         {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"), "unsupported_format", kangma.Invalid},
		"a PDF":                          {[]byte("%PDF-1.7\n"), "unsupported_format", kangma.Invalid},
		"more than ten mebibytes":        {append(bytes.Clone(good), make([]byte, ocr.MaxBytes)...), "image_too_large", kangma.TooLarge},
		"a PNG of 40,000 x 40,000":       {pngHeader(40_000, 40_000), "image_too_large", kangma.TooLarge},
		"a PNG of 6,000 x 6,000":         {pngHeader(6000, 6000), "image_too_large", kangma.TooLarge},
		"a small picture":                {tiny.Bytes(), "image_too_small", kangma.Invalid},
		"a strip":                        {pngHeader(4000, 300), "no_document", kangma.Invalid},
		"a PNG header without a picture": {pngHeader(800, 600), "decode_failed", kangma.Invalid},
		"half a JPEG":                    {good[:len(good)/2], "decode_failed", kangma.Invalid},
		"a black photo":                  {flat(800, 600, color.Gray{4}), "too_dark", kangma.Invalid},
		"a white photo":                  {flat(800, 600, color.Gray{253}), "over_exposed", kangma.Invalid},
		"a blurred photo":                {flat(800, 600, color.Gray{120}), "too_blurry", kangma.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := r.IDCard(t.Context(), c.in)
			if d != nil || kangma.CodeOf(err) != c.code || kangma.KindOf(err) != c.kind {
				t.Errorf("got draft %v, error %v; want %s (%v)", d != nil, err, c.code, c.kind)
			}
		})
	}
}

func TestABombIsRefusedFromItsHeader(t *testing.T) {
	r := newReader(t, ocr.Options{})
	bomb := pngHeader(40_000, 40_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := r.IDCard(t.Context(), bomb)
	runtime.ReadMemStats(&after)
	if kangma.CodeOf(err) != "image_too_large" {
		t.Fatal(err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("refusing it allocated %d bytes", got)
	}
}

func TestMutatedJPEGsNeverPanicNorGiveAWrongNumber(t *testing.T) {
	r := newReader(t, ocr.Options{})
	p := card(t, 3, 5, synth.Options{})
	rng := rand.New(rand.NewPCG(5, 5))
	for range mutations() {
		b := bytes.Clone(p.JPEG)
		for range 1 + rng.IntN(12) {
			switch i := rng.IntN(len(b)); rng.IntN(3) {
			case 0:
				b[i] ^= 1 << rng.IntN(8)
			case 1:
				b[i] = byte(rng.IntN(256))
			default:
				b = b[:max(i, len(b)/2)]
			}
		}
		d, err := r.IDCard(t.Context(), b)
		if err != nil && kangma.KindOf(err) == kangma.Internal {
			t.Errorf("a mutated picture gave an internal error: %v", err)
		}
		if d != nil && d.NumberAccepted && d.Number.Value != p.Truth.Person.Number {
			t.Error("a mutated picture gave a wrong number")
		}
	}
}

func TestAReaderRefusesWhatItHasNoSlotFor(t *testing.T) {
	r := newReader(t, ocr.Options{Parallel: 1})
	p := card(t, 4, 1, synth.Options{})
	started, release := make(chan struct{}), make(chan struct{})
	slow := ctxWithHook{t.Context(), started, release}
	done := make(chan error, 1)
	go func() { _, err := r.IDCard(slow, p.JPEG); done <- err }()
	<-started
	_, err := r.IDCard(t.Context(), p.JPEG)
	if kangma.CodeOf(err) != "busy" {
		t.Errorf("second picture: %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Errorf("first picture: %v", err)
	}
	if _, err := r.IDCard(t.Context(), p.JPEG); err != nil {
		t.Errorf("after the load: %v", err)
	}
}

// ctxWithHook stops the first call that asks for its end until it is released, so that a slot is surely held.
type ctxWithHook struct {
	context.Context
	started, release chan struct{}
}

func (c ctxWithHook) Done() <-chan struct{} {
	select {
	case <-c.started:
	default:
		close(c.started)
	}
	<-c.release
	return c.Context.Done()
}

func TestADeadlineEndsTheReading(t *testing.T) {
	r := newReader(t, ocr.Options{Deadline: time.Nanosecond})
	_, err := r.IDCard(t.Context(), card(t, 5, 1, synth.Options{}).JPEG)
	if kangma.CodeOf(err) != "deadline_exceeded" || kangma.KindOf(err) != kangma.Unavailable {
		t.Error(err)
	}
}

// fuzzDeadline keeps one picture under the ten seconds after which the fuzzer takes a process for hung, on a busy machine too.
const fuzzDeadline = 300 * time.Millisecond

func FuzzIDCard(f *testing.F) {
	r := newReader(f, ocr.Options{Deadline: fuzzDeadline})
	p := card(f, 6, 5, synth.Options{})
	f.Add(p.JPEG)
	f.Add(pngHeader(400, 300))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := r.IDCard(t.Context(), b)
		if err != nil && kangma.KindOf(err) == kangma.Internal {
			t.Error(err)
		}
		if d != nil && d.NumberAccepted && d.Number.Value != p.Truth.Person.Number {
			t.Error("a number that is not on the seed photo was accepted")
		}
	})
}

// FuzzZonesAndPlates feeds the other two readers, strips included, and the decoder that crops are cut from.
func FuzzZonesAndPlates(f *testing.F) {
	r := newReader(f, ocr.Options{Deadline: fuzzDeadline})
	zone, err := synth.MRZ(6, 5, "TD1")
	if err != nil {
		f.Fatal(err)
	}
	plate, _, err := synth.PlateWith(6, 5, synth.PlateOptions{Kind: "blue", Cropped: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(zone.JPEG)
	f.Add(plate.JPEG)
	f.Add(pngHeader(600, 60))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func(context.Context, []byte) (*ocr.Draft, error){r.MRZ, r.Plate} {
			d, err := read(t.Context(), b)
			if err != nil && kangma.KindOf(err) == kangma.Internal {
				t.Error(err)
			}
			if d != nil && len(d.Summary().Unsure) == 0 && d.Plate.Value == "" && len(d.MRZ) == 0 {
				t.Error("a draft that is sure of nothing")
			}
		}
		if m, err := ocr.Upright(t.Context(), b); err == nil && m.Bounds().Empty() {
			t.Error("an empty picture")
		}
	})
}
