package main

import (
	"context"
	"errors"
	"runtime"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/ppocr"
	"github.com/kangma/kangma/ocr/tess"
)

// openEngines adds a text engine to the options: PP-OCR where `make ocr-models` has put it, which also helps to find the
// number, else Tesseract where that is installed. The reader works without either.
func openEngines(ctx context.Context, opt *ocr.Options, warn func(string)) (closeAll func() error) {
	dir, err := ppocr.Find()
	if err == nil {
		pp, openErr := ppocr.NewPool(ctx, runtime.NumCPU(), dir)
		if openErr == nil {
			opt.TextEngine, opt.Finder = pp, pp
			return pp.Close
		}
		err = openErr
	}
	if !errors.Is(err, ppocr.ErrAbsent) {
		warn("PP-OCR is installed but does not run (" + err.Error() + ")")
	}
	pool, err := tess.NewPool(ctx, runtime.NumCPU(), "chi_sim")
	if err != nil {
		warn("Tesseract with chi_sim is not installed: names and addresses are left to the officer (" + err.Error() + ")")
		return func() error { return nil }
	}
	opt.TextEngine = pool
	return pool.Close
}
