package main

import (
	"encoding/json"
	"time"

	"github.com/kangma/kangma/ocr"
	"github.com/kangma/kangma/ocr/bench"
	"github.com/kangma/kangma/ocr/synth"
)

// runDocuments measures plates or machine readable zones. No engine reads those but our own.
func (c *ocrBenchCmd) runDocuments(w *world) error {
	r, err := ocr.New(ocr.Options{Now: time.Now, Parallel: max(c.Workers, 1), Deadline: toolDeadline})
	if err != nil {
		return err
	}
	cfg := bench.Documents{Reader: r, Kind: c.Kind, Seed: c.Seed, N: c.N, Others: c.Others, Workers: c.Workers}
	for _, l := range c.Levels {
		cfg.Levels = append(cfg.Levels, synth.Level(l))
	}
	bar := progress(w.err, cfg.Total(), "测量 measuring")
	cfg.Done = func() { bar.Add(1) }
	rep, err := bench.RunDocuments(w.ctx, cfg)
	bar.Finish()
	if err != nil {
		_ = rep.Print(w.err) // what was measured so far is not lost
		return err
	}
	if w.JSON {
		return json.NewEncoder(w.out).Encode(rep)
	}
	return rep.Print(w.out)
}
