package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar is a progress bar, or nothing where nobody would see it.
type bar struct{ p *progressbar.ProgressBar }

func progress(w io.Writer, total int, what string) bar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || total < 2 {
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
