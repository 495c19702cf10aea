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
	"runtime/debug"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/synth"
	"github.com/kangma/kangma/risk/areas/divisions"
)

type ocrCmd struct {
	Read   ocrReadCmd   `cmd:"" default:"withargs" help:"Read photos of documents: one draft a photo, never more than what was clearly read."`
	Sample ocrSampleCmd `cmd:"" help:"Draw a synthetic photo of a card of nobody, to try the reader with."`
	Bench  ocrBenchCmd  `cmd:"" help:"Measure the reader on synthetic photos with published seeds."`
}

// readMemory is the memory above which the collector works harder while photos are read.
const readMemory = 72 << 20

// toolDeadline is how long a tool, which nobody queues behind, may read one photo.
const toolDeadline = 60 * time.Second

type ocrReadCmd struct {
	Files  []string `arg:"" name:"file" help:"JPEG or PNG photos." type:"existingfile"`
	Kind   string   `help:"What is on the photos: idcard, mrz, plate, or any of them." enum:"any,idcard,mrz,plate" default:"any"`
	Engine bool     `help:"Ask Tesseract for a second opinion on names and addresses." default:"true" negatable:""`
	Crops  string   `help:"Write the picture of every field to this folder." type:"path"`

	used map[string]int // names of crops given so far
}

// openReader makes the reader with the addresses of GB/T 2260 and the engines that are installed.
// A deadline of 0 is the reader's own, for a post with a queue behind it; tools may wait longer.
func openReader(ctx context.Context, deadline time.Duration, warn func(string)) (r *ocr.Reader, closeAll func() error, err error) {
	opt := ocr.Options{Now: time.Now, Divisions: divisionNames(), Deadline: deadline}
	closeAll = openEngines(ctx, &opt, warn)
	r, err = ocr.New(opt)
	return r, closeAll, err
}

// plainReader makes the reader without any engine but its own.
func plainReader(_ context.Context, deadline time.Duration, _ func(string)) (*ocr.Reader, func() error, error) {
	r, err := ocr.New(ocr.Options{Now: time.Now, Divisions: divisionNames(), Deadline: deadline})
	return r, func() error { return nil }, err
}

// divisionNames gives the ways in which cards begin an address: the full name of a county or of a city, without the city
// between, without the province, and with the short names of the autonomous regions.
func divisionNames() (names []string) {
	short := map[string]string{"内蒙古自治区": "内蒙古", "广西壮族自治区": "广西", "西藏自治区": "西藏", "宁夏回族自治区": "宁夏", "新疆维吾尔自治区": "新疆"}
	for _, p := range divisions.Provinces() {
		province := divisions.Name(p)
		for _, city := range divisions.Children(p) {
			names = append(names, divisions.Path(city), divisions.Name(city))
			for _, county := range divisions.Children(city) {
				if county.Rank() != kangma.County {
					continue
				}
				name := divisions.Name(county)
				names = append(names, divisions.Path(county), province+name, divisions.Name(city)+name)
				if s := short[province]; s != "" {
					names = append(names, s+name, s+divisions.Name(city)+name)
				}
			}
		}
	}
	return names
}

func (c *ocrReadCmd) Run(w *world) error {
	debug.SetMemoryLimit(readMemory)
	open := openReader
	if !c.Engine {
		open = plainReader
	}
	r, closeAll, err := open(w.ctx, toolDeadline, func(s string) { fmt.Fprintln(w.err, "kangma:", s) })
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
	read := map[string]func(context.Context, []byte) (*ocr.Draft, error){"any": r.Any, "idcard": r.IDCard, "mrz": r.MRZ, "plate": r.Plate}[c.Kind]
	d, err := read(ctx, raw)
	if d == nil || c.Crops == "" {
		return d, err
	}
	return d, errors.Join(err, c.crop(ctx, path, raw, d))
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
		e := json.NewEncoder(w.out)
		e.SetEscapeHTML(false) // the fillers of a zone stay readable
		return e.Encode(d.Summary())
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
func (c *ocrReadCmd) crop(ctx context.Context, path string, raw []byte, d *ocr.Draft) error {
	img, err := ocr.Upright(ctx, raw)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Crops, 0o700); err != nil {
		return err
	}
	stem := c.stem(path)
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

// stem is the file's name without its ending, or with a number behind it where another file of that name was read before.
func (c *ocrReadCmd) stem(path string) string {
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if c.used == nil {
		c.used = map[string]int{}
	}
	c.used[stem]++
	if n := c.used[stem]; n > 1 {
		return fmt.Sprintf("%s-%d", stem, n)
	}
	return stem
}

type ocrSampleCmd struct {
	Out   string `arg:"" help:"JPEG file to write." type:"path"`
	Kind  string `help:"What to draw: card, back, plate or mrz." enum:"card,back,plate,mrz" default:"card"`
	Level int    `help:"0 (scan) to 5 (extreme)." default:"1"`
	Seed  uint64 `help:"Seed of the card and the photo." default:"1"`
}

func (c *ocrSampleCmd) Run(w *world) error {
	p, err := c.draw()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.Out, p.JPEG, 0o600); err != nil {
		return err
	}
	t := p.Truth
	_, err = fmt.Fprintf(w.out, "%s: %s (invented)\n", c.Out, strings.TrimSpace(strings.Join(append([]string{t.Person.Number, t.Person.Name, t.Plate}, t.MRZ...), " ")))
	return err
}

func (c *ocrSampleCmd) draw() (synth.Photo, error) {
	level := synth.Level(c.Level)
	switch c.Kind {
	case "back":
		return synth.IDCardBack(c.Seed, level)
	case "mrz":
		return synth.MRZ(c.Seed, level, "TD3")
	case "plate":
		p, _, err := synth.Plate(c.Seed, level)
		return p, err
	}
	return synth.IDCard(c.Seed, level, synth.Options{})
}
