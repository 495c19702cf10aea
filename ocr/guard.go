package ocr

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// Bounds on a picture, checked from its header before anything is allocated.
const (
	MaxBytes      = 10 << 20
	maxSide       = 12_000
	maxPixelsJPEG = 50_000_000
	maxPixelsPNG  = 24_000_000
	workSide      = 2400 // the picture is averaged down to this before anything else
)

// shape is how small and how long a picture may be.
type shape struct{ minSide, maxAspect int }

// A card fills a picture of ordinary proportions; a zone or a plate may be cut out as a strip, a plate as a small one.
var (
	cardShape  = shape{320, 4}
	zoneShape  = shape{320, 12}
	plateShape = shape{160, 6}
)

// foreign are the first bytes of picture formats that are refused by name rather than as "not an image".
var foreign = [][2]string{
	{"GIF8", ""}, {"II*\x00", ""}, {"MM\x00*", ""}, {"%PDF", ""}, {"BM", ""}, {"RIFF", "WEBP"}, {"\x00\x00\x01\x00", ""},
	{"\x00\x00\x00\x0cjP  ", ""}, {"\xff\x4f\xff\x51", ""}, {"8BPS", ""},
}

// sniff tells jpeg from png by the first bytes; the file's name and declared type are never trusted.
func sniff(b []byte) (string, error) {
	switch {
	case len(b) == 0:
		return "", errEmpty
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "jpeg", nil
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "png", nil
	case len(b) > 12 && string(b[4:8]) == "ftyp": // HEIC, AVIF
		return "", errFormat
	}
	for _, f := range foreign {
		if bytes.HasPrefix(b, []byte(f[0])) && (f[1] == "" || len(b) > 12 && string(b[8:12]) == f[1]) {
			return "", errFormat
		}
	}
	return "", errNotImage
}

// checkHeader refuses by size. It reads the header only. size is what decoding will take, in bytes.
func checkHeader(b []byte, of shape) (format string, size int, err error) {
	if len(b) > MaxBytes {
		return "", 0, errTooLarge
	}
	if format, err = sniff(b); err != nil {
		return "", 0, err
	}
	var cfg image.Config
	limit := maxPixelsJPEG
	if format == "jpeg" {
		cfg, err = jpeg.DecodeConfig(bytes.NewReader(b))
	} else {
		cfg, err = png.DecodeConfig(bytes.NewReader(b))
		limit = maxPixelsPNG
	}
	if err != nil {
		return "", 0, errDecode.Because(err)
	}
	size = decodedSize(b, format, cfg)
	long, short := max(cfg.Width, cfg.Height), min(cfg.Width, cfg.Height)
	switch {
	case long > maxSide || cfg.Width*cfg.Height > limit || size > maxDecoded:
		return "", 0, errTooLarge
	case long < of.minSide || short < of.minSide/of.maxAspect:
		return "", 0, errTooSmall
	case long > of.maxAspect*short:
		return "", 0, errNoDocument
	}
	return format, size, nil
}

// decode reads the picture within the bounds, upright by its EXIF orientation, averaged down to the working size. scale
// is how many original pixels one working pixel spans.
func decode(ctx context.Context, b []byte, of shape) (m *raster.RGB, scale float64, err error) {
	return decodeTo(ctx, b, of, workSide)
}

// Upright decodes a photo whole, within the bounds of every reader and upright, as the crops of a draft see it.
func Upright(ctx context.Context, b []byte) (image.Image, error) {
	m, _, err := decodeTo(ctx, b, shape{plateShape.minSide, zoneShape.maxAspect}, maxSide)
	if err != nil {
		return nil, err
	}
	return m.Image(), nil
}

func decodeTo(ctx context.Context, b []byte, of shape, side int) (m *raster.RGB, scale float64, err error) {
	format, size, err := checkHeader(b, of)
	if err != nil {
		return nil, 0, err
	}
	free, err := reserve(ctx, size)
	if err != nil {
		return nil, 0, err
	}
	defer free()
	defer func() { // a decoder that panics on a mean file must not take the server with it
		if r := recover(); r != nil {
			m, err = nil, errDecode.Because(fmt.Errorf("panic: %v", r))
		}
	}()
	var img image.Image
	in := ctxReader{ctx, bytes.NewReader(b)}
	if format == "jpeg" {
		img, err = jpeg.Decode(in)
	} else {
		img, err = png.Decode(in)
	}
	switch {
	case ctx.Err() != nil:
		return nil, 0, errDeadline.Because(ctx.Err())
	case err != nil:
		return nil, 0, errDecode.Because(err)
	}
	m, scale = raster.Shrink(img, side)
	img = nil // its memory is given back when this function returns
	if format == "jpeg" {
		m = m.Oriented(exifOrientation(b))
	}
	return m, scale, nil
}

// ctxReader fails once the context is done, which stops a decoder in the middle of a picture.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
