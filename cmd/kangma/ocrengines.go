package main

import (
	"context"
	"errors"
	"io"
	"runtime"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/ppocr"
	"github.com/kangma/kangma/ocr/tess"
)

// openEngines adds a text engine to the options: PP-OCR where `make ocr-models` has put it, which also helps to find the
// number, else Tesseract where that is installed. The reader works without either.
func openEngines(ctx context.Context, opt *ocr.Options, warn func(string)) (closeAll func() error) {
	pp, err := openPPOCR(ctx, opt, runtime.NumCPU())
	if err == nil {
		return pp.Close
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

// openPPOCR adds PP-OCR to the options; the error is ppocr.ErrAbsent where it is not installed.
func openPPOCR(ctx context.Context, opt *ocr.Options, n int) (io.Closer, error) {
	dir, err := ppocr.Find()
	if err != nil {
		return nil, err
	}
	pool, err := ppocr.NewPool(ctx, n, dir)
	if err != nil {
		return nil, err
	}
	opt.TextEngine, opt.Finder = pool, pool
	return pool, nil
}
