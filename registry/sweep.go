package registry

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
)

// A sweep finds whose colour changed since the sweep before, for notices, offline lists and analytics. No colour is
// stored for it: the old colour is computed again, by the rules of then, at the moment of then, from what was known
// then. So a sweep may be late, stopped and resumed, and still finds every transition.

// Transition is one person whose answer changed between two sweeps.
type Transition struct {
	Person   kangma.PersonID
	From, To Standing
	Reason   string // code of the new answer
	At       time.Time
}

// Standing is a colour, or that none could be told.
type Standing struct {
	Told   bool          `json:"told"`
	Colour kangma.Colour `json:"colour"`
}

// SweepState is how far the sweep is, kept as the record "sweep"/"state".
type SweepState struct {
	Since     time.Time       `json:"since"`             // the moment of the last whole sweep: the old side
	Rules     string          `json:"rules,omitempty"`   // rule-set record of then; "": none was in force
	Next      string          `json:"next,omitempty"`    // rule-set record of the sweep under way
	Until     time.Time       `json:"until,omitzero"`    // the moment of the sweep under way: the new side
	Partition int             `json:"partition"`         // of the sweep under way
	After     kangma.PersonID `json:"after"`             // last person done in it
	People    int64           `json:"people"`            // done so far
	Changed   int64           `json:"changed"`           // found so far
	Whole     int64           `json:"whole,omitempty"`   // people of the last whole sweep, to say how far this one is
	Finished  time.Time       `json:"finished,omitzero"` // when the last whole sweep ended
}

// Progress gives the share of people done, 0 to 1.
func (s SweepState) Progress() float64 {
	if s.Until.IsZero() {
		return 1
	}
	return float64(s.Partition) / store.Partitions
}

// SweepConfig bounds a sweep.
type SweepConfig struct {
	PerSecond int                                       // people looked at; 0: 20,000
	Found     func(context.Context, []Transition) error // told of every page's transitions before the page counts as done
	Progress  func(SweepState)                          // told after every page; nil: nobody
}

const (
	sweepKind     = "sweep"
	sweepDefault  = 20_000
	firstSweepAgo = 24 * time.Hour // the first sweep looks back a day
)

// Sweep runs one whole sweep, or goes on with the one that was stopped, and returns what it found. A transition may be
// told again after a crash: Found is idempotent by person and Until.
func (s *Service) Sweep(ctx context.Context, cfg SweepConfig) (SweepState, error) {
	if cfg.PerSecond <= 0 {
		cfg.PerSecond = sweepDefault
	}
	st, old, now, err := s.beginSweep(ctx)
	if err != nil {
		return st, err
	}
	pace := rate.NewLimiter(rate.Limit(cfg.PerSecond), max(cfg.PerSecond, scanPage))
	for ; st.Partition < store.Partitions; st.Partition, st.After = st.Partition+1, (kangma.PersonID{}) {
		for {
			page, err := s.cfg.Dossiers.Scan(ctx, st.Partition, st.After, scanPage)
			if err != nil {
				return st, err
			}
			if len(page) == 0 {
				break
			}
			if err := pace.WaitN(ctx, len(page)); err != nil {
				return st, err
			}
			if err := s.sweepPage(ctx, &st, page, old, now, cfg); err != nil {
				return st, err
			}
		}
	}
	return s.endSweep(ctx, st)
}

// sweepPage compares one page of people and notes that it is done.
func (s *Service) sweepPage(ctx context.Context, st *SweepState, page []kangma.Dossier, old, now *judgement, cfg SweepConfig) error {
	var found []Transition
	for i := range page {
		if len(page[i].Sealed.DataKey) == 0 {
			continue
		}
		was, _ := old.stand(&page[i], st.Since, st.Since)
		is, reason := now.stand(&page[i], st.Until, time.Time{})
		if was != is {
			found = append(found, Transition{Person: page[i].Person, From: was, To: is, Reason: reason, At: st.Until})
		}
	}
	if len(found) > 0 && cfg.Found != nil {
		if err := cfg.Found(ctx, found); err != nil {
			return err
		}
	}
	st.After = page[len(page)-1].Person
	st.People += int64(len(page))
	st.Changed += int64(len(found))
	if err := s.putSweep(ctx, *st); err != nil {
		return err
	}
	if cfg.Progress != nil {
		cfg.Progress(*st)
	}
	return nil
}

// stand evaluates a dossier down to what a sweep compares.
func (j *judgement) stand(d *kangma.Dossier, at, known time.Time) (Standing, string) {
	in := rules.Input{Dossier: d, At: at, Known: known}
	if j.areas != nil {
		in.Areas = j.areas
	}
	set := j.rules
	if set != nil && !set.InForce(at) {
		set = nil
	}
	a := set.Evaluate(in)
	if !a.Told {
		return Standing{}, a.ReasonCode()
	}
	return Standing{Told: true, Colour: a.Colour}, a.ReasonCode()
}

// beginSweep reads the state, starts a new sweep where none is under way, and loads both sides.
func (s *Service) beginSweep(ctx context.Context) (st SweepState, old, next *judgement, err error) {
	st, _, err = GetDoc[SweepState](ctx, s.cfg.Records, sweepKind, "state")
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return st, nil, nil, err
	}
	if st.Until.IsZero() {
		inForce, _, err := GetDoc[active](ctx, s.cfg.Records, activeKind, "rules")
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return st, nil, nil, err
		}
		if st.Since.IsZero() {
			st.Since = s.cfg.Now().UTC().Add(-firstSweepAgo)
		}
		st.Next, st.Until, st.Partition, st.After, st.People, st.Changed = inForce.Current, s.cfg.Now().UTC(), 0, kangma.PersonID{}, 0, 0
		if err := s.putSweep(ctx, st); err != nil {
			return st, nil, nil, err
		}
	}
	if old, err = s.sweepSide(ctx, st.Rules); err != nil {
		return st, nil, nil, err
	}
	next, err = s.sweepSide(ctx, st.Next)
	return st, old, next, err
}

// sweepSide is one side of a sweep. Both share the areas in force: the table still knows what was known then.
func (s *Service) sweepSide(ctx context.Context, ruleSet string) (j *judgement, err error) {
	j = &judgement{areas: s.current.Load().areas}
	if ruleSet != "" {
		j.rules, err = s.loadRuleSet(ctx, ruleSet)
	}
	return j, err
}

// endSweep makes the sweep under way the last whole one.
func (s *Service) endSweep(ctx context.Context, st SweepState) (SweepState, error) {
	done := st
	st.Since, st.Until, st.Rules, st.Next = st.Until, time.Time{}, st.Next, ""
	st.Partition, st.After, st.Whole, st.Finished = 0, kangma.PersonID{}, st.People, s.cfg.Now().UTC()
	return done, s.putSweep(ctx, st)
}

// putSweep keeps the state without the journal: losing it means only that a sweep is done again.
func (s *Service) putSweep(ctx context.Context, st SweepState) error {
	data, err := json.Marshal(st)
	if err != nil {
		return err
	}
	old, err := s.cfg.Records.Get(ctx, sweepKind, "state")
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return err
	}
	return s.cfg.Records.Put(ctx, store.Record{Kind: sweepKind, ID: "state", Version: old.Version + 1, Data: data})
}

// SweepStatus says how far the sweep is.
func (s *Service) SweepStatus(ctx context.Context) (SweepState, error) {
	st, _, err := GetDoc[SweepState](ctx, s.cfg.Records, sweepKind, "state")
	if errors.Is(err, kangma.NotFound) {
		return st, nil
	}
	return st, err
}
