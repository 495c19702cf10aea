package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/bench"
	"github.com/kangma/kangma/ocr/synth"
	"github.com/kangma/kangma/ocr/tess"
	"github.com/kangma/kangma/risk/areas/divisions"
)

type ocrCmd struct {
	Read   ocrReadCmd   `cmd:"" default:"withargs" help:"Read photos of documents: one draft a photo, never more than what was clearly read."`
	Sample ocrSampleCmd `cmd:"" help:"Draw a synthetic photo of a card of nobody, to try the reader with."`
	Bench  ocrBenchCmd  `cmd:"" help:"Measure the reader on synthetic photos with published seeds."`
}

// toolDeadline is how long a tool, which nobody queues behind, may read one photo.
const toolDeadline = 60 * time.Second

type ocrReadCmd struct {
	Files []string `arg:"" name:"file" help:"JPEG or PNG photos." type:"existingfile"`
	Kind  string   `help:"What is on the photos: idcard, mrz or plate." enum:"idcard,mrz,plate" default:"idcard"`
	Crops string   `help:"Write the picture of every field to this folder." type:"path"`
}

// openReader makes the reader with the addresses of GB/T 2260 and, where it is installed, Tesseract.
// A deadline of 0 is the reader's own, for a post with a queue behind it; tools may wait longer.
func openReader(ctx context.Context, deadline time.Duration, warn func(string)) (r *ocr.Reader, closeAll func() error, err error) {
	opt := ocr.Options{Now: time.Now, Divisions: divisionNames(), Deadline: deadline}
	closeAll = func() error { return nil }
	pool, err := tess.NewPool(ctx, runtime.NumCPU(), "chi_sim")
	if err != nil {
		warn("Tesseract with chi_sim is not installed: names and addresses are left to the officer (" + err.Error() + ")")
	} else {
		opt.TextEngine, closeAll = pool, pool.Close
	}
	r, err = ocr.New(opt)
	return r, closeAll, err
}

// divisionNames gives the full names of counties, and of cities without counties, that addresses may start with.
func divisionNames() (names []string) {
	for _, p := range divisions.Provinces() {
		for _, city := range divisions.Children(p) {
			names = append(names, divisions.Path(city))
			for _, county := range divisions.Children(city) {
				if county.Rank() == kangma.County {
					names = append(names, divisions.Path(county))
				}
			}
		}
	}
	return names
}

func (c *ocrReadCmd) Run(w *world) error {
	r, closeAll, err := openReader(w.ctx, toolDeadline, func(s string) { fmt.Fprintln(w.err, "kangma:", s) })
	if err != nil {
		return err
	}
	bar := progress(w.err, len(c.Files), "识别 reading")
	unread := false
	for _, path := range c.Files {
		d, err := c.read(w.ctx, r, path)
		if w.ctx.Err() != nil {
			break
		}
		unread = unread || err != nil
		if err := c.print(w, path, d, err); err != nil {
			return errors.Join(err, closeAll())
		}
		bar.Add(1)
	}
	bar.Finish()
	if err := errors.Join(w.ctx.Err(), closeAll()); err != nil {
		return err
	}
	if unread {
		return denied
	}
	return nil
}

func (c *ocrReadCmd) read(ctx context.Context, r *ocr.Reader, path string) (*ocr.Draft, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	read := map[string]func(context.Context, []byte) (*ocr.Draft, error){"idcard": r.IDCard, "mrz": r.MRZ, "plate": r.Plate}[c.Kind]
	d, err := read(ctx, raw)
	if d == nil || c.Crops == "" {
		return d, err
	}
	return d, errors.Join(err, c.crop(path, raw, d))
}

// print writes one line: the draft, with the code of what went wrong.
func (c *ocrReadCmd) print(w *world, path string, d *ocr.Draft, failed error) error {
	if d == nil {
		d = &ocr.Draft{}
	}
	d.File = path
	if failed != nil && d.Problem == "" {
		d.Problem = kangma.CodeOf(failed)
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(d)
	}
	show := func(f ocr.Field) string {
		if f.Unsure && f.Value != "" {
			return f.Value + "?"
		}
		return f.Value
	}
	fmt.Fprintf(w.out, "%s: %s", path, d.Kind)
	for _, f := range []ocr.Field{d.Number, d.Name, d.Sex, d.Nation, d.Birth, d.Address, d.Plate} {
		if f.Value != "" {
			fmt.Fprintf(w.out, "  %s", show(f))
		}
	}
	for _, line := range d.MRZ {
		fmt.Fprintf(w.out, "\n    %s", show(line))
	}
	if failed != nil {
		fmt.Fprintf(w.out, "  [%s]", failed)
	} else if d.Problem != "" {
		fmt.Fprintf(w.out, "  [%s]", d.Problem)
	}
	_, err := fmt.Fprintln(w.out)
	return err
}

// crop writes the picture of every field that was found.
func (c *ocrReadCmd) crop(path string, raw []byte, d *ocr.Draft) error {
	img, _, err := image.Decode(bytes.NewReader(raw)) // it was read before, so its size was checked
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Crops, 0o700); err != nil {
		return err
	}
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	for name, r := range d.Crops() {
		if r = r.Intersect(img.Bounds()); r.Empty() {
			continue
		}
		part := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
		draw.Draw(part, part.Bounds(), img, r.Min, draw.Src)
		var b bytes.Buffer
		if err := png.Encode(&b, part); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(c.Crops, stem+"-"+name+".png"), b.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

type ocrBenchCmd struct {
	N       int    `help:"Photos a level." default:"20"`
	Forged  int    `help:"Forged cards a level (one digit changed)." default:"10"`
	Others  int    `help:"Photos a level that show no card." default:"5"`
	Seed    uint64 `help:"First seed; use one that was never used for tuning." default:"900000"`
	Levels  []int  `help:"0 (scan) to 5 (extreme)." default:"0,1,2,3,4"`
	Layout  string `help:"standard, varied, or mixed." enum:"standard,varied,mixed" default:"mixed"`
	Workers int    `help:"Photos read at once; 1 measures processor time." default:"1"`
}

func (c *ocrBenchCmd) Run(w *world) error {
	r, closeAll, err := openReader(w.ctx, toolDeadline, func(s string) { fmt.Fprintln(w.err, "kangma:", s) })
	if err != nil {
		return err
	}
	cfg := bench.Config{Reader: r, Seed: c.Seed, N: c.N, Forged: c.Forged, Others: c.Others, Workers: c.Workers}
	if c.Layout != "mixed" {
		cfg.Layout = c.Layout
	}
	for _, l := range c.Levels {
		cfg.Levels = append(cfg.Levels, synth.Level(l))
	}
	bar := progress(w.err, cfg.Total(), "测量 measuring")
	cfg.Done = func() { bar.Add(1) }
	report, err := bench.Run(w.ctx, cfg)
	bar.Finish()
	if err = errors.Join(err, closeAll()); err != nil {
		return err
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(report.Cells)
	}
	return report.Print(w.out)
}

type ocrSampleCmd struct {
	Out   string `arg:"" help:"JPEG file to write." type:"path"`
	Level int    `help:"0 (scan) to 5 (extreme)." default:"1"`
	Seed  uint64 `help:"Seed of the card and the photo." default:"1"`
}

func (c *ocrSampleCmd) Run(w *world) error {
	p, err := synth.IDCard(c.Seed, synth.Level(c.Level), synth.Options{})
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, p.JPEG, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w.out, "%s: %s %s (invented)\n", c.Out, p.Truth.Person.Number, p.Truth.Person.Name)
	return err
}
