package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/kangma/kangma/registry"
)

// sweep looks for colour changes until ctx ends: one sweep every so often, at a bounded rate. It says how many people
// changed, never who.
func (s *stack) sweep(ctx context.Context, every time.Duration, perSecond int, log *slog.Logger) {
	for {
		st, err := s.registry.Sweep(ctx, registry.SweepConfig{PerSecond: perSecond})
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Warn("sweep", "err", err, "progress", st.Progress())
		default:
			log.Info("sweep", "people", st.People, "changed", st.Changed)
		}
		s.alarm(ctx, log)
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}
