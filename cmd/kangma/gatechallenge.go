package main

import (
	"encoding/json"
	"fmt"

	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
)

type gateChallengeCmd struct{}

// Run draws a number. Nothing is kept: the gate says which number it showed when it scans.
func (gateChallengeCmd) Run(w *world) error {
	n := codegen.NewChallenge()
	if w.JSON {
		return json.NewEncoder(w.out).Encode(map[string]int{"challenge": n})
	}
	_, err := fmt.Fprintln(w.out, n)
	return err
}

// shot reads the code. Where the policy asks for a number, and none was shown before, the number is shown first.
func (c *gateScanCmd) shot(w *world, p checkpoint.Policy) (in checkpoint.Scan, err error) {
	in = checkpoint.Scan{Direction: c.Direction, Temperature: int(c.Temperature*10 + 0.5), Challenge: c.Challenge}
	if p.Challenge && c.Challenge == 0 && c.Code == "-" {
		in.Challenge = codegen.NewChallenge()
		if _, err := fmt.Fprintf(w.err, "验证数字 gate's number: %d\n", in.Challenge); err != nil {
			return in, err
		}
	}
	in.Code, err = codeText(w, c.Code)
	return in, err
}
