package registry

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
)

// Draft is a rule set on its way: type-checked when it is saved, then tried on its cases, then back-tested over everyone
// stored, then put before two persons of different organisations. Record kind "rule-draft".
type Draft struct {
	ID           string            `json:"id"`
	Rules        kangma.RuleSetRef `json:"rules"`
	From         time.Time         `json:"in_force_from,omitzero"`
	To           time.Time         `json:"in_force_to,omitzero"`
	By           Actor             `json:"by"`
	At           time.Time         `json:"at"`
	Cases        bool              `json:"cases"` // a case file was given
	Expectations int               `json:"expectations"`
	Failed       []string          `json:"failed"`             // expectations that did not hold
	Backtest     string            `json:"backtest,omitempty"` // of exactly these rules
	Held         string            `json:"approval,omitempty"` // what waits for the second person

	YAML     []byte `json:"yaml"`
	CaseFile []byte `json:"case_file,omitempty"`
}

const draftKind = "rule-draft"

// ReadDraft reads a draft. kangma.NotFound: there is none.
func (s *Service) ReadDraft(ctx context.Context, id string) (Draft, error) {
	d, _, err := GetDoc[Draft](ctx, s.cfg.Records, draftKind, id)
	if errors.Is(err, kangma.NotFound) {
		return d, kangma.E(kangma.NotFound, "no_draft", "there is no such draft")
	}
	return d, err
}

// SaveDraft checks rules and, where given, their cases, and keeps the draft in place of the one before. A file with faults
// is refused with all of them; cases that fail are kept and named, and keep the draft from being published. nil leaves a
// part as it is.
func (s *Service) SaveDraft(ctx context.Context, by Actor, id string, yaml, cases []byte) (Draft, error) {
	return s.changeDraft(ctx, id, func(d *Draft) error {
		if yaml != nil {
			d.YAML = yaml
		}
		if cases != nil {
			d.CaseFile = cases
		}
		return d.check(by, s.cfg.Now().UTC())
	})
}

// check type-checks the rules and runs the cases.
func (d *Draft) check(by Actor, now time.Time) error {
	if len(d.YAML) == 0 {
		return kangma.E(kangma.Invalid, "no_rules_yet", "send the rule file before its cases")
	}
	set, err := rules.Load(d.ID, d.YAML)
	if err != nil {
		return err
	}
	if set.Ref() != d.Rules {
		d.Backtest = "" // it was of other rules
	}
	d.Rules, d.By, d.At, d.Held = set.Ref(), by, now, ""
	d.From, d.To = set.Window()
	d.Cases, d.Expectations, d.Failed = len(d.CaseFile) > 0, 0, []string{}
	if !d.Cases {
		return nil
	}
	cases, err := rules.LoadCases(d.ID, d.CaseFile, set.Zone())
	if err != nil {
		return err
	}
	failed, n := cases.Run(set)
	for _, f := range failed[:min(len(failed), 100)] {
		d.Failed = append(d.Failed, f.String())
	}
	d.Expectations = n
	return nil
}

// BacktestDraft begins a back-test of a draft over everyone stored.
func (s *Service) BacktestDraft(ctx context.Context, by Actor, id string, req BacktestRequest) (Backtest, error) {
	d, err := s.ReadDraft(ctx, id)
	if err != nil {
		return Backtest{}, err
	}
	req.Name, req.YAML = id, d.YAML
	b, err := s.StartBacktest(ctx, by, req)
	if err != nil {
		return b, err
	}
	_, err = s.changeDraft(ctx, id, func(d *Draft) error {
		if d.Rules == b.New {
			d.Backtest = b.ID
		}
		return nil
	})
	return b, err
}

// PublishDraft puts a draft before a second person of another organisation (approvals), whatever it would change. It must
// have cases, all of which hold, and a back-test that is done. Released, it takes over when its window begins.
func (s *Service) PublishDraft(ctx context.Context, by Actor, id string, supersede bool) (*Held, error) {
	d, err := s.ReadDraft(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx, d); err != nil {
		return nil, err
	}
	set, err := s.loadRulesFile(id, d.YAML)
	if err != nil {
		return nil, err
	}
	old, next, err := s.tryRules(ctx, set, supersede)
	if err != nil {
		return nil, err
	}
	v, err := s.blast(ctx, old, next, 0)
	if err != nil {
		return nil, err
	}
	held, err := s.hold(ctx, Held{What: "rules", Name: id, Supersede: supersede, From: d.From, Verdict: v, Requested: by}, d.YAML)
	if err != nil {
		return nil, err
	}
	_, err = s.changeDraft(ctx, id, func(d *Draft) error { d.Held = held.ID; return nil })
	return held, err
}

// ready says what a draft still lacks.
func (s *Service) ready(ctx context.Context, d Draft) error {
	e := kangma.E(kangma.Conflict, "draft_not_ready", "the draft has not passed every step yet")
	lack := func(where, code, what string) {
		e.Faults = append(e.Faults, kangma.Fault{Where: where, Code: code, What: what})
	}
	if d.Expectations == 0 {
		lack("cases", "draft_no_cases", "a case file with expectations")
	}
	if len(d.Failed) > 0 {
		lack("cases", "draft_cases_fail", "every expectation holds")
	}
	var b Backtest
	if d.Backtest != "" {
		var err error
		if b, err = s.ReadBacktest(ctx, d.Backtest); err != nil && !errors.Is(err, kangma.NotFound) {
			return err
		}
	}
	if b.Status != "done" || b.New != d.Rules {
		lack("backtest", "draft_no_backtest", "a finished back-test of exactly these rules")
	}
	if len(e.Faults) > 0 {
		return e
	}
	return nil
}

// changeDraft changes a draft by compare-and-swap.
func (s *Service) changeDraft(ctx context.Context, id string, f func(*Draft) error) (Draft, error) {
	for range casAttempts {
		d, version, err := GetDoc[Draft](ctx, s.cfg.Records, draftKind, id)
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return d, err
		}
		d.ID = id
		if err := f(&d); err != nil {
			return d, err
		}
		data, err := json.Marshal(d)
		if err != nil {
			return d, err
		}
		err = s.PutRecord(ctx, store.Record{Kind: draftKind, ID: id, Version: version + 1, Data: data})
		if !errors.Is(err, kangma.Conflict) {
			return d, err
		}
	}
	return Draft{}, kangma.E(kangma.Unavailable, "contended", "this document is being changed by many at once; try again")
}
