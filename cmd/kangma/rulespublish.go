package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/rules"
)

type rulesPublishCmd struct {
	Set       string    `arg:"" help:"Name of a preset (kangma rules list; its window of then is opened) or path of a rule file (its window says when it takes over)."`
	From      time.Time `help:"When a preset takes over (RFC 3339); default at once."`
	Supersede bool      `help:"End whatever is in the way; otherwise only what is open-ended or an earlier version of the same set."`
	Force     bool      `help:"Publish though it would recolour more people than the breaker allows. Without it such a rule set is held for two persons."`
}

// cliFloor: at the command line a rule set that recolours so few people is not held, as a batch of evidence is not.
const cliFloor = 20

var windowLine = regexp.MustCompile(`(?m)^in_force: \{from: ([^,}]+),[^}]*\}`)

// presetNow gives the file of a preset with its window left open: a preset is of its time, and who publishes it now wants
// it in force now.
func presetNow(id string) ([]byte, error) { return presetFrom(id, time.Time{}) }

// presetFrom is presetNow from a moment on; zero: from the beginning of the preset's own window.
func presetFrom(id string, from time.Time) ([]byte, error) {
	raw, err := rules.PresetFile(id)
	if err != nil {
		return nil, err
	}
	begin := "$1"
	if !from.IsZero() {
		begin = `"` + from.In(beijing).Format(time.RFC3339) + `"`
	}
	return windowLine.ReplaceAll(raw, []byte("in_force: {from: "+begin+"}")), nil
}

// file gives what to publish.
func (c *rulesPublishCmd) file() ([]byte, error) {
	raw, err := presetFrom(c.Set, c.From)
	if !errors.Is(err, kangma.NotFound) {
		return raw, err
	}
	if !c.From.IsZero() {
		return nil, kangma.E(kangma.Invalid, "from", "--from is for presets; a rule file says itself from when on it is in force (in_force)")
	}
	return os.ReadFile(c.Set)
}

func (c *rulesPublishCmd) Run(w *world) error {
	raw, err := c.file()
	if err != nil {
		return err
	}
	return withStack(w, 0, func(s *stack) error {
		pub := registry.Publication{Name: c.Set, YAML: raw, Supersede: c.Supersede, Wait: true, Floor: cliFloor}
		if c.Force {
			pub.Floor = 1 << 60
		}
		done, held, err := s.registry.ProposeRules(w.ctx, registry.Actor{Account: "cli", Organisation: "operator"}, pub)
		if err != nil {
			return printedFaults(w, c.Set, err)
		}
		if w.JSON {
			err = json.NewEncoder(w.out).Encode(map[string]any{"published": done, "held": held})
		} else {
			printPublished(w, done, held)
		}
		if held != nil {
			return errors.Join(err, denied)
		}
		return err
	})
}

// printedFaults prints every fault of a refused rule set.
func printedFaults(w *world, name string, err error) error {
	var e *kangma.Error
	if errors.As(err, &e) && len(e.Faults) > 0 {
		printFaults(w, name, err)
	}
	return err
}

func printPublished(w *world, p registry.Published, held *registry.Held) {
	switch {
	case held != nil:
		fmt.Fprintf(w.out, "HELD: %s\n%s\nrelease it: POST /v1/approvals/%s by a person of another organisation, or publish with --force\n", held.Verdict.Why.Zh, held.Verdict.Why.En, held.ID)
	case p.State == "scheduled":
		fmt.Fprintf(w.out, "in force from %s: %s version %s, digest %s\n", p.From.In(beijing).Format("2006-01-02 15:04"), p.Rules.ID, p.Rules.Version, p.Rules.Digest)
	default:
		fmt.Fprintf(w.out, "in force: %s version %s, digest %s\n", p.Rules.ID, p.Rules.Version, p.Rules.Digest)
	}
}

type rulesScheduleCmd struct{}

func (rulesScheduleCmd) Run(w *world) error {
	return withStack(w, 0, func(s *stack) error {
		all, err := s.registry.Planned(w.ctx)
		if err != nil {
			return err
		}
		if w.JSON {
			return json.NewEncoder(w.out).Encode(all)
		}
		when := func(t time.Time) string {
			if t.IsZero() {
				return "-"
			}
			return t.In(beijing).Format("2006-01-02 15:04")
		}
		for _, p := range all {
			fmt.Fprintf(w.out, "%-10s %-16s  %-16s  %s version %s, digest %s\n", p.State, when(p.From), when(p.To), p.Rules.ID, p.Rules.Version, p.Rules.Digest[:16])
		}
		return nil
	})
}

type rulesRollBackCmd struct{}

func (rulesRollBackCmd) Run(w *world) error {
	return withStack(w, 0, func(s *stack) error {
		ref, err := s.registry.RollBackRules(w.ctx)
		if err == nil {
			fmt.Fprintf(w.out, "undone; in force: %s version %s, digest %s\n", ref.ID, ref.Version, ref.Digest)
		}
		return err
	})
}
