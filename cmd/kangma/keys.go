package main

import (
	"encoding/json"
	"fmt"
	"time"
)

type keysCmd struct {
	List keysListCmd `cmd:"" help:"List the signing keys with their states."`
}

type keysListCmd struct{}

func (keysListCmd) Run(w *world) error {
	return withStack(w, 0, func(s *stack) error {
		keys, err := s.keys.Keys(time.Now())
		if err != nil {
			return err
		}
		if w.JSON {
			return json.NewEncoder(w.out).Encode(keys)
		}
		for _, k := range keys {
			fmt.Fprintf(w.out, "%s  %-6s %s  %-12s signs %s to %s\n", k.ID, k.Purpose, k.Region, k.State, k.From.Format(time.DateOnly), k.Until.Format(time.DateOnly))
		}
		return nil
	})
}
