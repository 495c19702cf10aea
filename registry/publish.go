package registry

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
)

const (
	ruleKind   = "rule-set" // id: set id @ digest; data: the YAML as published; never changed
	activeKind = "active"   // id "rules": plan
)

// Publication is a rule file to be put in force, at once or from the beginning of its window on.
type Publication struct {
	Name      string // what to call the file in faults
	YAML      []byte
	Supersede bool  // ends whatever is in the way; otherwise only what is open-ended or an earlier version of the same set
	Wait      bool  // wait for the count of whom it would recolour, however long
	Floor     int64 // changes of so many people are never held; 0: of nobody
}

// Published says what a publication did.
type Published struct {
	Rules kangma.RuleSetRef `json:"rules"`
	From  time.Time         `json:"from,omitzero"` // when it takes over, or took over; zero: it was always in force
	To    time.Time         `json:"to,omitzero"`   // when it ends; zero: when another takes over
	State string            `json:"state"`         // in_force, scheduled or over
}

// PublishRules checks a rule file, keeps it and puts it in force: at once, or when its window begins. The old set stays in
// force after any error. It asks nobody: what may change many people goes through ProposeRules.
func (s *Service) PublishRules(ctx context.Context, name string, yaml []byte) (kangma.RuleSetRef, error) {
	set, err := s.loadRulesFile(name, yaml)
	if err != nil {
		return kangma.RuleSetRef{}, err
	}
	_, err = s.enforce(ctx, set, Publication{Name: name, YAML: yaml}, Actor{}, false)
	return set.Ref(), err
}

// loadRulesFile loads a rule file whose window is not over yet.
func (s *Service) loadRulesFile(name string, yaml []byte) (*rules.Set, error) {
	set, err := rules.Load(name, yaml)
	if err != nil {
		return nil, err
	}
	if _, to := set.Window(); !to.IsZero() && !s.cfg.Now().Before(to) {
		return nil, kangma.E(kangma.Invalid, "not_in_force", "the file's in_force window is over; change the window")
	}
	return set, nil
}

func recordID(set *rules.Set) string { return set.Ref().ID + "@" + set.Ref().Digest[:16] }

// enforce keeps a checked rule set and plans it.
func (s *Service) enforce(ctx context.Context, set *rules.Set, pub Publication, by Actor, released bool) (Published, error) {
	s.publish.Lock()
	defer s.publish.Unlock()
	from, to := set.Window()
	next := span{ID: recordID(set), From: from, To: to, By: by, Released: released}
	add := func(p plan, now time.Time) (plan, bool, error) { return p.with(next, now, pub.Supersede) }
	if p, _, err := s.plan(ctx); err != nil {
		return Published{}, err
	} else if _, _, err := add(p, s.cfg.Now()); err != nil {
		return Published{}, err // before anything is kept
	}
	err := s.PutRecord(ctx, store.Record{Kind: ruleKind, ID: next.ID, Version: 1, Data: pub.YAML})
	if err != nil && !errors.Is(err, kangma.Conflict) { // a conflict: it was published before
		return Published{}, err
	}
	p, err := s.changePlan(ctx, add)
	if err != nil {
		return Published{}, err
	}
	return s.published(set, p), nil
}

func (s *Service) published(set *rules.Set, p plan) Published {
	now, out := s.cfg.Now(), Published{Rules: set.Ref(), State: "over"}
	for _, sp := range p.from(now) {
		if sp.ID == recordID(set) {
			return sp.view(set, now)
		}
	}
	return out
}

func (sp span) view(set *rules.Set, now time.Time) Published {
	v := Published{Rules: set.Ref(), From: sp.From, To: sp.To}
	switch {
	case sp.holds(now):
		v.State = "in_force"
	case sp.From.After(now):
		v.State = "scheduled"
	default:
		v.State = "over"
	}
	return v
}

// Planned lists every rule set that was, is or will be in force, in order of time.
func (s *Service) Planned(ctx context.Context) (all []Published, err error) {
	p, _, err := s.plan(ctx)
	if err != nil {
		return nil, err
	}
	s.publish.Lock()
	defer s.publish.Unlock()
	now := s.cfg.Now()
	for _, sp := range p.Spans {
		set, err := s.ruleSet(ctx, sp.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, sp.view(set, now))
	}
	return all, nil
}

// RollBackRules undoes the last publication: from now on everything is as it was to be before, exactly. One that was only
// planned never happens. kangma.Conflict: there is nothing to go back to.
func (s *Service) RollBackRules(ctx context.Context) (kangma.RuleSetRef, error) {
	s.publish.Lock()
	defer s.publish.Unlock()
	_, err := s.changePlan(ctx, func(p plan, now time.Time) (plan, bool, error) {
		out, ok := p.back(now)
		if !ok {
			return p, false, kangma.E(kangma.Conflict, "no_earlier_rules", "no rule set was in force before this one")
		}
		return out, true, nil
	})
	if err != nil {
		return kangma.RuleSetRef{}, err
	}
	ref, _, _ := s.InForce()
	return ref, nil
}

// plan reads the plan; without one it is empty.
func (s *Service) plan(ctx context.Context) (plan, uint64, error) {
	p, version, err := GetDoc[plan](ctx, s.cfg.Records, activeKind, "rules")
	if errors.Is(err, kangma.NotFound) {
		return plan{}, version, nil
	}
	if err == nil && len(p.Spans) == 0 && p.Current != "" { // as kept before rule sets could be planned
		p.Spans = []span{{ID: p.Current}}
	}
	return p, version, err
}

// changePlan changes the plan by compare-and-swap, also against other nodes, and puts it in force here. The caller holds
// s.publish.
func (s *Service) changePlan(ctx context.Context, f func(p plan, now time.Time) (plan, bool, error)) (plan, error) {
	for range casAttempts {
		old, version, err := s.plan(ctx)
		if err != nil {
			return plan{}, err
		}
		next, changed, err := f(old, s.cfg.Now().UTC())
		if err != nil || !changed {
			return next, err
		}
		catalogue, err := s.catalogue(ctx, next)
		if err != nil {
			return plan{}, err
		}
		data, err := json.Marshal(next)
		if err != nil {
			return plan{}, err
		}
		err = s.PutRecord(ctx, store.Record{Kind: activeKind, ID: "rules", Version: version + 1, Data: data})
		if errors.Is(err, kangma.Conflict) {
			continue
		}
		if err == nil {
			s.swap(ctx, rulesEpoch, func(j *judgement) { j.rules = catalogue })
		}
		return next, err
	}
	return plan{}, kangma.E(kangma.Unavailable, "contended", "this document is being changed by many at once; try again")
}

// catalogue compiles a plan.
func (s *Service) catalogue(ctx context.Context, p plan) (*rules.Catalogue, error) {
	sets := make([]*rules.Set, 0, len(p.Spans))
	for _, sp := range p.Spans {
		set, err := s.ruleSet(ctx, sp.ID)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set.Between(sp.From, sp.To))
	}
	return rules.NewCatalogue(sets...)
}

// ruleSet compiles a kept rule set, once. The caller holds s.publish.
func (s *Service) ruleSet(ctx context.Context, id string) (*rules.Set, error) {
	if set, ok := s.compiled[id]; ok {
		return set, nil
	}
	rec, err := s.cfg.Records.Get(ctx, ruleKind, id)
	if err != nil {
		return nil, err
	}
	set, err := rules.Load(rec.ID, rec.Data)
	if err == nil {
		s.compiled[id] = set
	}
	return set, err
}

// InForce says which rules and areas speak now.
func (s *Service) InForce() (ref kangma.RuleSetRef, areaVersion string, at time.Time) {
	j := s.current.Load()
	at = s.cfg.Now()
	ref = j.set(at).Ref()
	if j.areas != nil {
		areaVersion = j.areas.Version()
	}
	return ref, strings.TrimSpace(areaVersion), at
}

// Rules gives the rule set in force now; nil: none.
func (s *Service) Rules() *rules.Set { return s.current.Load().set(s.cfg.Now()) }

// Areas gives the risk-area table in force; nil: none.
func (s *Service) Areas() *areas.Table { return s.current.Load().areas }

// set gives the rule set in force at a moment; nil: none.
func (j *judgement) set(at time.Time) *rules.Set {
	set, err := j.rules.InForce(at)
	if err != nil {
		return nil
	}
	return set
}

// NextActivation says when another rule set takes over; zero: none is planned.
func (s *Service) NextActivation() time.Time {
	now := s.cfg.Now()
	for _, set := range s.current.Load().rules.Sets() {
		if from, _ := set.Window(); from.After(now) {
			return from
		}
	}
	return time.Time{}
}

// Changed receives after every publication, on any node, of rules or areas: who looks for changed colours looks again.
func (s *Service) Changed() <-chan struct{} { return s.changed }

func (s *Service) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}
