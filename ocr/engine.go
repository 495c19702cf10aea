package ocr

import (
	"context"
	"image"
)

// LineReader reads one line of printed text. It gets only 8-bit pictures that this package made itself, never a caller's
// bytes. It may be called concurrently; it must return when ctx is done. conf has one value 0..1 a rune of text.
type LineReader interface {
	ReadLine(ctx context.Context, line *image.Gray) (text string, conf []float32, err error)
}
