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

// CharReader is a LineReader that tells more: where each character stands and what else it may be, and which characters it
// knows at all. Its word weighs as much as what it is worth: it decides where it is convinced and has no say about what it
// does not know. Both methods may be called concurrently.
type CharReader interface {
	LineReader
	ReadChars(ctx context.Context, line *image.Gray) ([]ReadChar, error)
	Knows(r rune) bool
}

// ReadChar is a character that a CharReader sees: the likeliest, its probability 0..1, its middle in pixels from the left end
// of the line, and what else it may be, likeliest first.
type ReadChar struct {
	Rune   rune          `json:"r"`
	P      float32       `json:"p"`
	X      float32       `json:"x"`
	Others []Alternative `json:"o,omitempty"`
}

// Alternative is what else a character may be, with its probability 0..1.
type Alternative struct {
	Rune rune    `json:"r"`
	P    float32 `json:"p"`
}
