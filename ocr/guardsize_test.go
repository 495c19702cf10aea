package ocr_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
)

// jpegOf is the header of a JPEG of a size, baseline (0xc0) or progressive (0xc2), three components, the first sampled as told.
func jpegOf(marker byte, w, h uint16, sampling byte) []byte {
	b := []byte{0xff, 0xd8, 0xff, marker, 0, 17, 8}
	b = binary.BigEndian.AppendUint16(b, h)
	b = binary.BigEndian.AppendUint16(b, w)
	return append(b, 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0)
}

// TestAPictureIsRefusedByTheMemoryThatDecodingTakes: a progressive picture holds every coefficient until its end.
func TestAPictureIsRefusedByTheMemoryThatDecodingTakes(t *testing.T) {
	r := newReader(t, ocr.Options{})
	deep := pngHeader(4890, 4890)
	deep[24] = 16 // bits a sample: 191 million bytes
	binary.BigEndian.PutUint32(deep[29:], crc32.ChecksumIEEE(deep[12:29]))
	for name, c := range map[string]struct {
		in   []byte
		code string
	}{
		"baseline, 48 megapixels":           {jpegOf(0xc0, 8000, 6000, 0x22), "decode_failed"},
		"progressive, 12 megapixels":        {jpegOf(0xc2, 4000, 3000, 0x22), "decode_failed"},
		"progressive, 48 megapixels":        {jpegOf(0xc2, 8000, 6000, 0x22), "image_too_large"},
		"progressive, 16 megapixels, 4:4:4": {jpegOf(0xc2, 4600, 3500, 0x11), "image_too_large"},
		"a PNG of 23 megapixels":            {pngHeader(4800, 4800), "decode_failed"},
		"one of sixteen bits a sample":      {deep, "image_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := r.IDCard(t.Context(), c.in); kangma.CodeOf(err) != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

// TestAPaddedHeaderIsFollowed puts comments and fill bytes before the frame header of a good picture.
func TestAPaddedHeaderIsFollowed(t *testing.T) {
	var b bytes.Buffer
	m := image.NewGray(image.Rect(0, 0, 400, 300))
	for i := range m.Pix {
		m.Pix[i] = 120
	}
	m.SetGray(3, 3, color.Gray{250})
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	padded := append([]byte{0xff, 0xd8, 0xff, 0xff, 0xfe, 0, 6, 0xff, 0xc2, 0xff, 0xff}, b.Bytes()[2:]...)
	if _, err := newReader(t, ocr.Options{}).IDCard(t.Context(), padded); kangma.CodeOf(err) != "too_blurry" {
		t.Error(err)
	}
}
