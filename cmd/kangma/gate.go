package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/registry"
)

type gateCmd struct {
	Scan      gateScanCmd      `cmd:"" help:"Scan a code at a gate: verify, assess, decide, keep the passage. Exit code 0: pass; 1: anything else."`
	Challenge gateChallengeCmd `cmd:"" help:"Draw a number for a gate to show, which the next code must carry (kangma gate scan --challenge)."`
	Bundle    gateBundleCmd    `cmd:"" help:"Write what a gate needs to decide without a network, signed, and the keys that it pins."`
}

type gateScanCmd struct {
	Code        string  `arg:"" help:"Text of the code, or - to read it from standard input."`
	Gate        string  `help:"Gate id, e.g. metro-1 in the demo. With a bundle the gate is the bundle's."`
	Bundle      string  `type:"existingfile" help:"Decide without the data folder, by this gate bundle (kangma gate bundle, GET /v1/gates/ID/bundle)."`
	Pins        string  `type:"existingfile" help:"The list keys that a bundle is trusted by: PEM, as kangma gate bundle writes them."`
	Keep        string  `type:"path" help:"With a bundle: append the passage to this file, sealed to the server, one JSON object a line, for POST /v1/scans/sync."`
	Temperature float64 `help:"Body temperature in degrees Celsius."`
	Direction   string  `help:"in or out." enum:"in,out," default:""`
	Challenge   int     `help:"The number that the gate showed this person, 10 to 99. Left out where the policy asks for one and the code comes from standard input: drawn and shown on standard error first."`
	Lang        string  `help:"zh or en." enum:"zh,en,both" default:"both"`
}

func (c *gateScanCmd) Run(w *world) error {
	if c.Bundle != "" {
		return c.offline(w)
	}
	if c.Gate == "" {
		return kangma.E(kangma.Invalid, "no_gate", "name the gate: --gate ID, or --bundle FILE")
	}
	return withStack(w, 0, func(s *stack) error {
		g, _, err := registry.GetDoc[checkpoint.Gate](w.ctx, s.registry.Records(), "gate", c.Gate)
		if errors.Is(err, kangma.NotFound) {
			return kangma.E(kangma.NotFound, "no_gate", "there is no such gate in this data folder")
		}
		if err != nil {
			return err
		}
		in, err := c.shot(w, g.Policy)
		if err != nil {
			return err
		}
		in.Gate, in.Operator = g, "cli"
		v, err := s.checkpoint.Scan(w.ctx, in)
		if err != nil {
			return err
		}
		if err := c.print(w, v, true); err != nil {
			return err
		}
		if v.Decision != kangma.Pass {
			return denied
		}
		return nil
	})
}

func (c *gateScanCmd) print(w *world, v kangma.Verdict, kept bool) error {
	if w.JSON {
		return json.NewEncoder(w.out).Encode(v)
	}
	colour := v.Colour.String()
	if !v.Told {
		colour = "no colour (" + string(v.CannotTell) + ")"
	}
	fmt.Fprintf(w.out, "%s  %s  %s %s\n", v.Decision, colour, v.MaskedName, v.IDTail)
	for _, t := range []kangma.Text{v.Why, v.Guidance} {
		if c.Lang != "en" {
			fmt.Fprintln(w.out, " ", t.Zh)
		}
		if c.Lang != "zh" {
			fmt.Fprintln(w.out, " ", t.En)
		}
	}
	if !kept {
		return nil
	}
	_, err := fmt.Fprintf(w.out, "  passage %s is kept\n", v.Event)
	return err
}
