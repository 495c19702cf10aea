package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"github.com/kangma/kangma/internal/load"
)

type loadFeedCmd struct {
	Target      string        `help:"Server, ADDRESS:PORT." default:"127.0.0.1:8080"`
	AllowTarget []string      `help:"Targets (ADDRESS:PORT) that may be loaded though they are not this machine."`
	Population  string        `help:"Population file; default: the one in the data folder." type:"path"`
	Rate        float64       `help:"Items a second." default:"10000"`
	Lines       int           `help:"Lines of a batch." default:"1000"`
	Duration    time.Duration `help:"How long." default:"10s"`
	Senders     int           `help:"Batches on their way at once, at most." default:"16"`
	Probes      float64       `help:"Positive tests a second that are followed until a gate says red." default:"5"`
	People      int           `help:"Use the first so many people; 0: all."`
}

func (c *loadFeedCmd) Run(w *world) error {
	p := &load.FeedPlan{Target: c.Target, Allowed: c.AllowTarget, Rate: c.Rate, Lines: c.Lines, Duration: c.Duration, Senders: c.Senders, Probes: c.Probes, People: c.People}
	if err := p.Check(); err != nil {
		return err
	}
	path := c.Population
	if path == "" {
		path = filepath.Join(w.Data, load.PopulationFile)
	}
	pop, err := load.OpenPopulation(path)
	if err != nil {
		return err
	}
	watch, finish := watchBars(w)
	report, err := load.Feed(w.ctx, p, pop, watch)
	finish()
	if report == nil {
		return err
	}
	if w.JSON {
		return errors.Join(err, json.NewEncoder(w.out).Encode(report))
	}
	return errors.Join(err, report.Print(w.out))
}
