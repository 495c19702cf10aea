// Package ocr turns a photo into a draft of a document: the front of a resident ID card, a machine readable zone, a
// licence plate. It is built so that an officer can trust it: the ID number is right or it is not accepted, every field
// carries a confidence, and what is unsure says so. It refuses to guess: an unreadable digit is never completed from the
// checksum, and a number that contradicts the printed birth date or sex is flagged, not mended.
//
// The package is pure Go and keeps nothing: no picture and nothing read is stored or logged. A further engine (Tesseract,
// package ocr/tess) can be given as a second opinion; the number never depends on it.
package ocr

import (
	"context"
	"runtime"
	"time"

	"github.com/kangma/kangma/ocr/internal/field"
	"github.com/kangma/kangma/ocr/internal/glyph"
)

// Options of a Reader. The zero Options are usable.
type Options struct {
	Now        func() time.Time // today, which bounds birth dates; nil: the system clock
	Parallel   int              // pictures read at once; further ones are refused as busy; 0: one a core
	Deadline   time.Duration    // longest time for one picture; 0: two seconds
	Divisions  []string         // full names of divisions that addresses may start with, e.g. 广东省广州市荔湾区; may be nil
	TextEngine LineReader       // second opinion on names and addresses; may be nil
	Finder     LineFinder       // a further way to find the number; may be nil
}

// Reader reads documents. It is safe for concurrent use.
type Reader struct {
	o      Options
	slots  chan struct{}
	model  *glyph.Model
	places *field.Places
}

// New makes a Reader. It fails only when the weights built into the binary are damaged.
func New(o Options) (*Reader, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Parallel <= 0 {
		o.Parallel = runtime.GOMAXPROCS(0)
	}
	if o.Deadline <= 0 {
		o.Deadline = 2 * time.Second
	}
	m, err := glyph.Default()
	if err != nil {
		m = nil // the number is read without it; every other field stays unsure
	}
	return &Reader{o: o, slots: make(chan struct{}, o.Parallel), model: m, places: field.NewPlaces(o.Divisions)}, nil
}

// begin takes a slot and sets the deadline. Nothing queues: a post that waits for a picture is better told so.
func (r *Reader) begin(ctx context.Context) (context.Context, func(), error) {
	select {
	case r.slots <- struct{}{}:
	default:
		e := *errBusy
		e.RetryAfter = 1
		return ctx, nil, &e
	}
	ctx, cancel := context.WithTimeout(ctx, r.o.Deadline)
	return ctx, func() { cancel(); <-r.slots }, nil
}
