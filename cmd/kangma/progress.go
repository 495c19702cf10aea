package main

import (
	"errors"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar is a progress bar, or nothing where nobody would see it.
type bar struct{ p *progressbar.ProgressBar }

func progress(w io.Writer, total int, what string) bar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || total == 0 || total == 1 {
		return bar{}
	}
	return bar{progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))}
}

func (b bar) Add(n int) {
	if b.p != nil {
		_ = b.p.Add(n) // the bar is decoration: a failed write to the terminal is no failure of the work
	}
}

func (b bar) Finish() {
	if b.p != nil {
		_ = b.p.Finish()
	}
}

// Set says how many are done; it never goes back.
func (b bar) Set(n int64) {
	if b.p != nil {
		_ = b.p.Set64(n)
	}
}

// writeTo creates a file and fills it.
func writeTo(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(fill(f), f.Close())
}
