package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/backtest"
	"github.com/kangma/kangma/risk/rules"
)

type rulesBacktestCmd struct {
	New       string `arg:"" help:"Name of a preset or path of a rule file."`
	Against   string `help:"The other side; default: the rule set in force in this data folder."`
	From      string `required:"" help:"First day, YYYY-MM-DD."`
	To        string `required:"" help:"Last day, YYYY-MM-DD."`
	People    int    `help:"Replay over this many synthetic people, moved by the area history, instead of the stored ones."`
	Seed      uint64 `help:"Seed of the synthetic people." default:"1"`
	Hindsight bool   `help:"Judge every day by everything known today, not by what was known then."`
	CSV       string `help:"Write the cells to this CSV file." type:"path"`
	SVG       string `help:"Write a picture to this SVG file." type:"path"`
}

func (c *rulesBacktestCmd) Run(w *world) error {
	from, err1 := time.ParseInLocation(time.DateOnly, c.From, beijing)
	to, err2 := time.ParseInLocation(time.DateOnly, c.To, beijing)
	if err := errors.Join(err1, err2); err != nil || to.Before(from) {
		return kangma.E(kangma.Invalid, "days", "give --from and --to as YYYY-MM-DD, from not after to")
	}
	next, err := ruleSet(c.New)
	if err != nil {
		return err
	}
	return withStack(w, 0, func(s *stack) error {
		old := s.registry.Rules()
		if c.Against != "" {
			if old, err = ruleSet(c.Against); err != nil {
				return err
			}
		}
		cfg := backtest.Config{
			Old: backtest.Side{Areas: s.registry.Areas()}, New: backtest.Side{Rules: next, Areas: s.registry.Areas()},
			From: from, Days: int(to.Sub(from).Hours()/24) + 1, Hour: 8, Hindsight: c.Hindsight,
		}
		if old != nil { // a nil set must stay a nil interface
			cfg.Old.Rules = old
		}
		return c.replay(w, s, cfg)
	})
}

func (c *rulesBacktestCmd) replay(w *world, s *stack, cfg backtest.Config) error {
	var src backtest.Source = s.registry.People()
	total := -1
	if c.People > 0 {
		p := backtest.Population{Seed: c.Seed, People: c.People, From: cfg.From, Days: cfg.Days, Areas: s.registry.Areas()}
		src, total = p.Prepare(), c.People
	}
	bar := progress(w.err, total, "回放 replaying")
	cfg.Progress = func(people int64) { bar.Set(people) }
	started := time.Now()
	report, err := backtest.Run(w.ctx, src, cfg)
	bar.Finish()
	if err != nil {
		return err
	}
	took := time.Since(started)
	if err := c.write(w, report); err != nil {
		return err
	}
	if !w.JSON {
		fmt.Fprintf(w.out, "\n%d people × %d days in %s: %.0f people-days a second\n", report.People, report.Days, took.Round(time.Millisecond),
			float64(report.People)*float64(report.Days)/took.Seconds())
		v := report.Blast(backtest.Breaker{})
		fmt.Fprintf(w.out, "%s\n%s\n", v.Why.Zh, v.Why.En)
	}
	return nil
}

func (c *rulesBacktestCmd) write(w *world, r *backtest.Report) error {
	if c.CSV != "" {
		if err := writeTo(c.CSV, r.WriteCSV); err != nil {
			return err
		}
	}
	if c.SVG != "" {
		if err := writeTo(c.SVG, r.WriteSVG); err != nil {
			return err
		}
	}
	if w.JSON {
		return r.WriteJSON(w.out)
	}
	return r.WriteTable(w.out)
}

// ruleSet loads a preset by name or a rule file by path.
func ruleSet(name string) (*rules.Set, error) {
	set, err := rules.Preset(name)
	if !errors.Is(err, kangma.NotFound) {
		return set, err
	}
	raw, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, kangma.E(kangma.NotFound, "rule_set", name+" is neither a preset (kangma rules list) nor a file")
	}
	if err != nil {
		return nil, err
	}
	return rules.Load(filepath.Base(name), raw)
}
