package ocr

import (
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"runtime/debug"
)

// Bounds on the memory that decoding takes: a picture over maxDecoded bytes is refused, and only one over largeDecoded is
// decoded at a time, so that a flood of the largest pictures costs the memory of one.
const (
	maxDecoded   = 160 << 20
	largeDecoded = 40 << 20
)

var largeSlot = make(chan struct{}, 1)

// decodedSize is how many bytes the decoders of the standard library will hold for a picture, told from its header.
func decodedSize(b []byte, format string, cfg image.Config) int {
	if format == "jpeg" {
		return jpegSize(b)
	}
	pixels := cfg.Width * cfg.Height
	switch cfg.ColorModel {
	case color.GrayModel:
		return pixels
	case color.Gray16Model:
		return 2 * pixels
	case color.NRGBA64Model, color.RGBA64Model:
		return 8 * pixels
	}
	if _, ok := cfg.ColorModel.(color.Palette); ok {
		return pixels
	}
	return 4 * pixels
}

// jpegSize walks the segments of a JPEG to the frame header (ITU-T T.81, B.2.2): one byte a sample, and for progressive
// pictures a coefficient of four bytes beside it. 0 when there is no frame header: decoding will fail.
func jpegSize(b []byte) int {
	for i := 2; i+9 < len(b); {
		if b[i] != 0xff {
			i++
			continue
		}
		switch m := b[i+1]; {
		case m == 0xff: // fill byte
			i++
		case m == 0x01 || m >= 0xd0 && m <= 0xd9: // without a length
			i += 2
		case m >= 0xc0 && m <= 0xc2:
			return frameSize(b[i+4:], m == 0xc2)
		default:
			i += 2 + int(binary.BigEndian.Uint16(b[i+2:]))
		}
	}
	return 0
}

// frameSize reads precision, height, width and the sampling factors of each component.
func frameSize(f []byte, progressive bool) int {
	if len(f) < 6 {
		return 0
	}
	pixels, n := int(binary.BigEndian.Uint16(f[1:]))*int(binary.BigEndian.Uint16(f[3:])), int(f[5])
	top, sum := 1, 0
	for k := 0; k < n && 7+3*k < len(f); k++ {
		h, v := int(f[7+3*k]>>4), int(f[7+3*k]&15)
		top, sum = max(top, h*v), sum+h*v
	}
	samples := pixels * sum / top
	if progressive {
		return 5 * samples
	}
	return samples
}

// reserve waits for the right to decode a picture of this size. free gives the memory back.
func reserve(ctx context.Context, size int) (free func(), err error) {
	if size <= largeDecoded {
		return func() {}, nil
	}
	select {
	case largeSlot <- struct{}{}:
		return func() { debug.FreeOSMemory(); <-largeSlot }, nil
	case <-ctx.Done():
		return nil, errDeadline.Because(ctx.Err())
	}
}
