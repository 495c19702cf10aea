package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/kangma/kangma/registry"
)

// checkAhead is how long before a planned rule set takes over the breaker is asked again.
const checkAhead = 15 * time.Minute

// sweep looks for colour changes until ctx ends: one sweep every so often, and at once when something was published or a
// planned rule set takes over, at a bounded rate and after whoever waits for an answer. It says how many people changed, never who.
func (s *stack) sweep(ctx context.Context, every time.Duration, perSecond int, spare func(context.Context) error, log *slog.Logger) {
	select {
	case <-s.warmth.done: // the two do not compete for the disk
	case <-ctx.Done():
		return
	}
	for {
		st, err := s.registry.Sweep(ctx, registry.SweepConfig{PerSecond: perSecond, Yield: spare})
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, registry.ErrSweptElsewhere):
			log.Debug("another node sweeps")
		case err != nil:
			log.Warn("sweep", "err", err, "progress", st.Progress())
		default:
			log.Info("sweep", "people", st.People, "changed", st.Changed)
			if v := s.registry.ChangeRate(st); v.Held {
				log.Error("unusually many people changed colour", "share", v.Share, "limit", v.Limit)
			}
		}
		s.checkPlans(ctx, log)
		s.alarm(ctx, log)
		if !s.pause(ctx, every) {
			return
		}
	}
}

// pause waits for the next sweep: every so often, or as soon as there is something to find.
func (s *stack) pause(ctx context.Context, every time.Duration) bool {
	wait := every
	if at := s.registry.NextActivation(); !at.IsZero() {
		until := time.Until(at)
		if until > checkAhead { // first ask the breaker again, then look when it took over
			until -= checkAhead
		}
		wait = min(wait, max(until, time.Second))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-s.registry.Changed():
	}
	return true
}

// checkPlans asks the breaker again about what takes over soon.
func (s *stack) checkPlans(ctx context.Context, log *slog.Logger) {
	held, err := s.registry.CheckActivations(ctx, checkAhead)
	if err != nil && ctx.Err() == nil {
		log.Warn("check what takes over soon", "err", err)
	}
	for _, h := range held {
		log.Error("a planned rule set would recolour too many by now; it is held for two persons", "approval", h.ID, "share", h.Verdict.Share)
	}
}
