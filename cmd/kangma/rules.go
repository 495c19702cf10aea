package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
	"github.com/kangma/kangma/risk/rules"
)

type rulesCmd struct {
	List     rulesListCmd     `cmd:"" help:"List the presets."`
	Check    rulesCheckCmd    `cmd:"" help:"Check rule files: every fault with its line and column."`
	Publish  rulesPublishCmd  `cmd:"" help:"Put a preset or a rule file in force, now or when its window begins."`
	Schedule rulesScheduleCmd `cmd:"" help:"List which rule sets were, are and will be in force."`
	Explain  rulesExplainCmd  `cmd:"" help:"Explain a person's colour."`
	RollBack rulesRollBackCmd `cmd:"" help:"Undo the last publication of rules, exactly."`
	WhatIf   rulesWhatIfCmd   `cmd:"" help:"What would a person's colour be with more evidence?"`
	Backtest rulesBacktestCmd `cmd:"" help:"Replay a rule set against another over people and days: who would change, and why."`
}

type rulesListCmd struct{}

func (rulesListCmd) Run(w *world) error {
	for _, id := range rules.Presets() {
		set, err := rules.Preset(id)
		if err != nil {
			return err
		}
		fmt.Fprintf(w.out, "%-24s %s / %s\n", id, set.Title().Zh, set.Title().En)
	}
	return nil
}

type rulesCheckCmd struct {
	Files []string `arg:"" name:"file" type:"existingfile" help:"Rule files (YAML)."`
}

func (c *rulesCheckCmd) Run(w *world) error {
	var errs []error
	for _, path := range c.Files {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		set, err := rules.Load(filepath.Base(path), raw)
		if err != nil {
			printFaults(w, path, err)
			errs = append(errs, denied)
			continue
		}
		fmt.Fprintf(w.out, "%s: good: %s version %s, digest %s\n", path, set.Ref().ID, set.Ref().Version, set.Ref().Digest[:16])
		errs = append(errs, runCases(w, path, set))
	}
	return errors.Join(errs...)
}

// runCases runs the cases beside a rule file, NAME.cases.yaml for NAME.yaml, where there are any.
func runCases(w *world, path string, set *rules.Set) error {
	beside := strings.TrimSuffix(path, filepath.Ext(path)) + ".cases.yaml"
	raw, err := os.ReadFile(beside)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(w.out, "  no cases: write %s (docs/rules.md says how)\n", beside)
		return nil
	}
	if err != nil {
		return err
	}
	cases, err := rules.LoadCases(filepath.Base(beside), raw, set.Zone())
	if err != nil {
		printFaults(w, beside, err)
		return denied
	}
	failed, n := cases.Run(set)
	for _, f := range failed {
		fmt.Fprintf(w.out, "%s: %v\n", beside, f)
	}
	fmt.Fprintf(w.out, "  %d expectations, %d failed\n", n, len(failed))
	if len(failed) > 0 {
		return denied
	}
	return nil
}

func printFaults(w *world, path string, err error) {
	var e *kangma.Error
	if !errors.As(err, &e) || len(e.Faults) == 0 {
		fmt.Fprintf(w.out, "%s: %v\n", path, err)
		return
	}
	for _, f := range e.Faults {
		fmt.Fprintf(w.out, "%s: %s\n", path+strings.TrimPrefix(f.Where, filepath.Base(path)), f.What)
	}
}

type rulesExplainCmd struct {
	Person string    `arg:"" help:"Person id, ID number or phone."`
	At     time.Time `help:"The moment to speak of (RFC 3339); default now."`
	Known  time.Time `help:"Count only what was received by then (RFC 3339)."`
	Lang   string    `help:"zh or en." enum:"zh,en" default:"en"`
}

func (c *rulesExplainCmd) Run(w *world) error {
	return withStack(w, 0, func(s *stack) error {
		person, err := findPerson(w.ctx, s, c.Person)
		if err != nil {
			return err
		}
		d, err := s.registry.Dossier(w.ctx, person)
		if err != nil {
			return err
		}
		at := c.At
		if at.IsZero() {
			at = time.Now()
		}
		a := s.registry.Evaluate(&d, at.UTC(), c.Known)
		if w.JSON {
			return json.NewEncoder(w.out).Encode(a)
		}
		explain(w.out, a, &d, c.Lang)
		if !a.Told {
			return denied
		}
		return nil
	})
}

type rulesWhatIfCmd struct {
	Person string `arg:"" help:"Person id, ID number or phone."`
	Add    string `required:"" type:"existingfile" help:"Evidence to add: a file with one JSON object a line, as feeds send it. Nothing is kept."`
	Lang   string `help:"zh or en." enum:"zh,en" default:"en"`
}

func (c *rulesWhatIfCmd) Run(w *world) error {
	extra, err := readEvidence(c.Add)
	if err != nil {
		return err
	}
	return withStack(w, 0, func(s *stack) error {
		person, err := findPerson(w.ctx, s, c.Person)
		if err != nil {
			return err
		}
		d, err := s.registry.Dossier(w.ctx, person)
		if err != nil {
			return err
		}
		d.Evidence = append(d.Evidence, extra...)
		a := s.registry.Evaluate(&d, time.Now().UTC(), time.Time{})
		if w.JSON {
			return json.NewEncoder(w.out).Encode(a)
		}
		explain(w.out, a, &d, c.Lang)
		return nil
	})
}

// readEvidence reads one JSON object a line; every line must stand.
func readEvidence(path string) (all []kangma.Evidence, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	for n := 1; dec.More(); n++ {
		ev := kangma.Evidence{ID: kangma.NewEventID(now), Source: "what-if", Received: now}
		if err := dec.Decode(&ev); err != nil {
			return nil, kangma.E(kangma.Invalid, "evidence", fmt.Sprintf("%s: object %d is not evidence", path, n)).Because(err)
		}
		if faults := feeds.Validate(&ev, now, evidenceRetention); len(faults) > 0 {
			return nil, &kangma.Error{Kind: kangma.Invalid, Code: "evidence", Public: fmt.Sprintf("%s: object %d", path, n), Faults: faults}
		}
		all = append(all, ev)
	}
	return all, nil
}
