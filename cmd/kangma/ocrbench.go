package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/bench"
	"github.com/kangma/kangma/ocr/synth"
	"github.com/kangma/kangma/ocr/tess"
)

type ocrBenchCmd struct {
	Kind    string `help:"What is drawn and read: card, plate or mrz." enum:"card,plate,mrz" default:"card"`
	N       int    `help:"Photos a level." default:"20"`
	Forged  int    `help:"Forged cards a level (one digit changed)." default:"10"`
	Others  int    `help:"Photos a level that show no card." default:"5"`
	Numbers int    `help:"Further cards a level of which only the number is read: for how often a wrong one is accepted." default:"0"`
	Seed    uint64 `help:"First seed; use one that was never used for tuning." default:"900000"`
	Levels  []int  `help:"0 (scan) to 5 (extreme)." default:"0,1,2,3,4,5"`
	Layout  string `help:"standard, varied, foreign (another printer's card), unseen (foreign, in faces never learnt from), or mixed." enum:"standard,varied,foreign,unseen,mixed" default:"mixed"`
	Workers int    `help:"Photos read at once; 1 measures processor time." default:"1"`
	Engine  bool   `help:"Ask Tesseract for a second opinion on names and addresses, as the server does." default:"true" negatable:""`
	PPOCR   bool   `name:"pp-ocr" help:"Use PP-OCR instead of Tesseract; it must be installed (make ocr-models)."`
	Naive   int    `help:"So many cards a level are read by Tesseract on the whole photo too, for comparison." default:"5"`
	Memory  bool   `help:"Measure the memory of a process that reads one large photo." default:"true" negatable:""`
}

// benchReport is what --json prints.
type benchReport struct {
	Seed   uint64       `json:"seed"`
	Layout string       `json:"layout"`
	Cells  []bench.Cell `json:"levels"`
	Large  *largePhoto  `json:"large_photo,omitempty"`
}

// largePhoto is what one photo of twelve megapixels cost a process of its own.
type largePhoto struct {
	MemoryMiB float64 `json:"memory_mib"` // peak resident set
	CPUMillis float64 `json:"cpu_ms"`     // with start-up
	Millis    float64 `json:"wall_ms"`
}

func (c *ocrBenchCmd) Run(w *world) error {
	if c.Kind != "card" {
		return c.runDocuments(w)
	}
	var o ocr.Options
	o.Now, o.Divisions, o.Parallel, o.Deadline = time.Now, divisionNames(), max(c.Workers, 1), toolDeadline
	cfg := bench.Config{Seed: c.Seed, N: c.N, Forged: c.Forged, Others: c.Others, Numbers: c.Numbers, Workers: c.Workers, NaiveN: c.Naive}
	var close []io.Closer
	if c.PPOCR {
		pool, err := openPPOCR(w.ctx, &o, max(c.Workers, 1))
		if err != nil {
			return err
		}
		close = append(close, pool)
	} else if c.Engine {
		if pool, err := tess.NewPool(w.ctx, max(c.Workers, 1), "chi_sim"); err == nil {
			o.TextEngine, close = pool, append(close, pool)
		} else {
			fmt.Fprintln(w.err, "kangma: without Tesseract:", err)
		}
	}
	if c.Naive > 0 {
		if page, err := tess.NewPage(w.ctx, 1, "chi_sim+eng"); err == nil {
			cfg.Naive, close = page, append(close, page)
		} else {
			fmt.Fprintln(w.err, "kangma: no comparison:", err)
		}
	}
	report, err := c.run(w, cfg, o)
	if stopped := w.ctx.Err(); stopped != nil { // what was measured so far is not lost
		c.Memory = false
		_ = report.Print(w.err)
		err = stopped
	}
	for _, p := range close {
		err = errors.Join(err, p.Close())
	}
	if err != nil {
		return err
	}
	out := benchReport{Seed: c.Seed, Layout: c.Layout, Cells: report.Cells}
	if c.Memory {
		if out.Large, err = readLargePhoto(w, c.Seed); err != nil {
			return err
		}
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(out)
	}
	if err := report.Print(w.out); err != nil || out.Large == nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "\nA process that reads one photo of 12 megapixels, start-up included: peak memory %.0f MiB, processor %.0f ms, wall %.0f ms\n",
		out.Large.MemoryMiB, out.Large.CPUMillis, out.Large.Millis)
	return err
}

func (c *ocrBenchCmd) run(w *world, cfg bench.Config, o ocr.Options) (rep bench.Report, err error) {
	if cfg.Reader, err = ocr.New(o); err != nil {
		return rep, err
	}
	if c.Layout != "mixed" {
		cfg.Layout = c.Layout
	}
	for _, l := range c.Levels {
		cfg.Levels = append(cfg.Levels, synth.Level(l))
	}
	bar := progress(w.err, cfg.Total(), "测量 measuring")
	cfg.Done = func() { bar.Add(1) }
	rep, err = bench.Run(w.ctx, cfg)
	bar.Finish()
	return rep, err
}

// readLargePhoto reads one photo of twelve megapixels in a process of its own, without the text engine.
func readLargePhoto(w *world, seed uint64) (*largePhoto, error) {
	dir, err := os.MkdirTemp("", "kangma-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p, err := synth.IDCard(seed, 1, synth.Options{LongSide: 4000})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "card.jpg")
	if err := os.WriteFile(file, p.JPEG, 0o600); err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(w.ctx, exe, "ocr", "read", file, "--json", "--no-engine")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	peak := watchMemory(cmd.Process.Pid)
	err = cmd.Wait()
	l := &largePhoto{Millis: float64(time.Since(start).Milliseconds()), MemoryMiB: peak()}
	if err != nil {
		return nil, fmt.Errorf("reading a large photo: %w: %s", err, out.Bytes())
	}
	l.CPUMillis = float64((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Microseconds()) / 1000
	return l, nil
}

// watchMemory follows the peak resident set of a process until the result is called, in MiB. The rusage of a finished
// child is of no use: it counts what the parent held when the child was started.
func watchMemory(pid int) func() float64 {
	stop, done := make(chan struct{}), make(chan int, 1)
	go func() {
		peak := 0
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			if raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err == nil {
				if _, rest, ok := strings.Cut(string(raw), "VmHWM:"); ok {
					var kib int
					if _, err := fmt.Sscan(rest, &kib); err == nil {
						peak = max(peak, kib)
					}
				}
			}
			select {
			case <-stop:
				done <- peak
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 { close(stop); return float64(<-done) / 1024 }
}
