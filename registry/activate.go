package registry

import (
	"context"
	"slices"
	"time"

	"github.com/kangma/kangma/risk/backtest"
)

// CheckActivations asks the breaker again about every planned rule set that takes over within ahead: what would change was
// estimated when it was published, and evidence and areas have changed since. One that would now recolour too many is taken
// out of the plan and held for two persons; what is in force stays. One that two persons released, or that was asked about
// before, is left alone. It returns what it held.
func (s *Service) CheckActivations(ctx context.Context, ahead time.Duration) (held []Held, err error) {
	p, _, err := s.plan(ctx)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	for _, sp := range p.Spans {
		if !sp.From.After(now) || sp.From.Sub(now) > ahead || sp.Released || !sp.Checked.IsZero() {
			continue
		}
		h, err := s.checkActivation(ctx, p, sp)
		if err != nil {
			return held, err
		}
		if h != nil {
			held = append(held, *h)
		}
	}
	return held, nil
}

// checkActivation weighs one planned takeover.
func (s *Service) checkActivation(ctx context.Context, p plan, sp span) (*Held, error) {
	without, _ := p.without(sp.ID, sp.From, s.cfg.Now().UTC())
	s.publish.Lock()
	catalogue, err := s.catalogue(ctx, without)
	s.publish.Unlock()
	if err != nil {
		return nil, err
	}
	next := s.current.Load()
	v, err := s.blastAt(ctx, &judgement{rules: catalogue, areas: next.areas}, next, sp.From, 0)
	if err != nil {
		return nil, err
	}
	s.publish.Lock()
	defer s.publish.Unlock()
	if !v.Held {
		_, err := s.changePlan(ctx, func(p plan, now time.Time) (plan, bool, error) { return p.noteChecked(sp, now), true, nil })
		return nil, err
	}
	return s.holdPlanned(ctx, sp, v)
}

// holdPlanned takes a planned rule set out of the plan and holds it. The caller holds s.publish.
func (s *Service) holdPlanned(ctx context.Context, sp span, v backtest.Verdict) (*Held, error) {
	rec, err := s.cfg.Records.Get(ctx, ruleKind, sp.ID)
	if err != nil {
		return nil, err
	}
	found := false
	_, err = s.changePlan(ctx, func(p plan, now time.Time) (plan, bool, error) {
		out, ok := p.without(sp.ID, sp.From, now)
		found = ok
		return out, ok, nil
	})
	if err != nil || !found {
		return nil, err
	}
	return s.hold(ctx, Held{What: "rules", Name: setOf(sp.ID), From: sp.From, Verdict: v, Requested: sp.By}, rec.Data)
}

// noteChecked remembers that the breaker let a span pass.
func (p plan) noteChecked(sp span, now time.Time) plan {
	p.Spans = slices.Clone(p.Spans)
	for i := range p.Spans {
		if p.Spans[i].ID == sp.ID && p.Spans[i].From.Equal(sp.From) {
			p.Spans[i].Checked = now
		}
	}
	return p
}

// ChangeRate asks the breaker about what a sweep found: held means that more people changed colour between two sweeps than
// one change may recolour, which somebody should look at. Nothing is undone by it.
func (s *Service) ChangeRate(st SweepState) backtest.Verdict {
	if st.People == 0 || st.Changed <= breakerFloor || st.Since.IsZero() {
		return backtest.Verdict{}
	}
	return s.cfg.Breaker.Check(min(st.Changed, st.People), st.People)
}
