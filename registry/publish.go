package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/rules"
	"github.com/kangma/kangma/store"
)

const (
	ruleKind   = "rule-set"  // id: set id @ digest; data: the YAML as published; never changed
	activeKind = "active"    // id "rules": which rule set is in force, and those before it
	areaKind   = "area-list" // id: hour and digest; data: the official list, gzip
	maxList    = 64 << 20    // bytes of one unpacked list
	maxHistory = 50          // how many rule sets back a roll-back may go
)

// active says which rule set is in force. The ids are those of rule-set records.
type active struct {
	Current string   `json:"current"`
	Before  []string `json:"before,omitempty"` // newest last
}

// PublishRules checks a rule file, keeps it and puts it in force at once. The old set stays in force after any error.
// It asks nobody: what may change many people goes through ProposeRules.
func (s *Service) PublishRules(ctx context.Context, name string, yaml []byte) (kangma.RuleSetRef, error) {
	s.publish.Lock()
	defer s.publish.Unlock()
	set, err := s.loadCurrent(name, yaml)
	if err != nil {
		return kangma.RuleSetRef{}, err
	}
	return set.Ref(), s.enforce(ctx, set, yaml)
}

// loadCurrent loads a rule file whose window holds now: one that is over or yet to come would leave everybody without a
// colour.
func (s *Service) loadCurrent(name string, yaml []byte) (*rules.Set, error) {
	set, err := rules.Load(name, yaml)
	if err != nil {
		return nil, err
	}
	if !set.InForce(s.cfg.Now()) {
		return nil, kangma.E(kangma.Invalid, "not_in_force", "the file's in_force window does not hold now; change the window, or publish when its time has come")
	}
	return set, nil
}

// enforce keeps a checked rule set and puts it in force.
func (s *Service) enforce(ctx context.Context, set *rules.Set, yaml []byte) error {
	id := set.Ref().ID + "@" + set.Ref().Digest[:16]
	err := s.PutRecord(ctx, store.Record{Kind: ruleKind, ID: id, Version: 1, Data: yaml})
	if err != nil && !errors.Is(err, kangma.Conflict) { // a conflict: it was published before
		return err
	}
	now, _, err := GetDoc[active](ctx, s.cfg.Records, activeKind, "rules")
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return err
	}
	if now.Current != id {
		next := active{Current: id, Before: now.Before}
		if now.Current != "" {
			next.Before = append(next.Before, now.Current)
		}
		next.Before = next.Before[max(0, len(next.Before)-maxHistory):]
		if err := s.PutDoc(ctx, activeKind, "rules", next, nil); err != nil {
			return err
		}
	}
	s.swap(ctx, func(j *judgement) { j.rules = set })
	return nil
}

// RollBackRules puts the rule set before the one in force back, exactly as it was.
func (s *Service) RollBackRules(ctx context.Context) (kangma.RuleSetRef, error) {
	s.publish.Lock()
	defer s.publish.Unlock()
	now, _, err := GetDoc[active](ctx, s.cfg.Records, activeKind, "rules")
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return kangma.RuleSetRef{}, err
	}
	if len(now.Before) == 0 {
		return kangma.RuleSetRef{}, kangma.E(kangma.Conflict, "no_earlier_rules", "no rule set was in force before this one")
	}
	last := len(now.Before) - 1
	set, err := s.loadRuleSet(ctx, now.Before[last])
	if err != nil {
		return kangma.RuleSetRef{}, err
	}
	if err := s.PutDoc(ctx, activeKind, "rules", active{Current: now.Before[last], Before: now.Before[:last]}, nil); err != nil {
		return kangma.RuleSetRef{}, err
	}
	s.swap(ctx, func(j *judgement) { j.rules = set })
	return set.Ref(), nil
}

// PublishAreas checks official risk-area lists (plain or gzip), oldest first, keeps them and puts them in force together.
// A list that is there already is no change. After an error nothing is kept and the old table stays in force.
func (s *Service) PublishAreas(ctx context.Context, lists ...[]byte) ([]*areas.List, error) {
	s.publish.Lock()
	defer s.publish.Unlock()
	parsed := make([]*areas.List, len(lists))
	for i, raw := range lists {
		var err error
		if parsed[i], err = parseList(raw); err != nil {
			return nil, err
		}
	}
	table, err := s.extend(parsed)
	if err != nil {
		return nil, err
	}
	for i, raw := range lists {
		if err := s.keepList(ctx, parsed[i], raw); err != nil {
			return nil, err
		}
	}
	s.swap(ctx, func(j *judgement) { j.areas = table })
	return parsed, nil
}

// extend gives the table in force with lists added; without one yet, a whole history is built at once.
func (s *Service) extend(lists []*areas.List) (*areas.Table, error) {
	table := s.current.Load().areas
	if table == nil {
		return areas.Build(lists...)
	}
	for _, l := range lists {
		var err error
		if table, err = table.With(l); err != nil {
			return nil, err
		}
	}
	return table, nil
}

func (s *Service) keepList(ctx context.Context, l *areas.List, raw []byte) error {
	packed, err := pack(raw)
	if err != nil {
		return err
	}
	old, err := s.cfg.Records.Get(ctx, areaKind, areaListID(l))
	if !errors.Is(err, kangma.NotFound) {
		return err // it is there already, or the store failed
	}
	return s.PutRecord(ctx, store.Record{Kind: areaKind, ID: areaListID(l), Version: old.Version + 1, Data: packed})
}

// Reload reads the rules and areas in force from the records: at start, and when another node published.
func (s *Service) Reload(ctx context.Context) error {
	s.publish.Lock()
	defer s.publish.Unlock()
	set, err := s.loadRules(ctx)
	if err != nil {
		return err
	}
	table, err := s.loadAreas(ctx)
	if err != nil {
		return err
	}
	s.current.Store(&judgement{rules: set, areas: table})
	return nil
}

func (s *Service) loadRules(ctx context.Context) (*rules.Set, error) {
	now, _, err := GetDoc[active](ctx, s.cfg.Records, activeKind, "rules")
	if errors.Is(err, kangma.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.loadRuleSet(ctx, now.Current)
}

func (s *Service) loadRuleSet(ctx context.Context, id string) (*rules.Set, error) {
	rec, err := s.cfg.Records.Get(ctx, ruleKind, id)
	if err != nil {
		return nil, err
	}
	return rules.Load(rec.ID, rec.Data)
}

func (s *Service) loadAreas(ctx context.Context) (*areas.Table, error) {
	var lists []*areas.List
	for after := ""; ; {
		recs, next, err := s.cfg.Records.List(ctx, store.RecordQuery{Kind: areaKind, After: after, Limit: 100})
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			list, err := parseList(r.Data)
			if err != nil {
				return nil, err
			}
			lists = append(lists, list)
		}
		if after = next; next == "" {
			break
		}
	}
	if len(lists) == 0 {
		return nil, nil
	}
	slices.SortFunc(lists, func(a, b *areas.List) int { return a.At.Compare(b.At) })
	return areas.Build(lists...)
}

// swap puts a changed judgement in force here and tells the other nodes.
func (s *Service) swap(ctx context.Context, f func(*judgement)) {
	next := *s.current.Load()
	f(&next)
	s.current.Store(&next)
	for range casAttempts {
		old, err := s.cfg.Records.Get(ctx, epochKind, "rules-and-areas")
		if err != nil && !errors.Is(err, kangma.NotFound) {
			break
		}
		err = s.cfg.Records.Put(ctx, store.Record{Kind: epochKind, ID: "rules-and-areas", Version: old.Version + 1})
		if err == nil {
			s.epoch.Store(old.Version + 1)
			return
		}
		if !errors.Is(err, kangma.Conflict) {
			break
		}
	}
	s.log.Error("what was published here is in force, but other nodes were not told; publish it again")
}

// epochKind is a record whose version rises with every publication on any node.
const epochKind = "epoch"

// follow takes up what another node published.
func (s *Service) follow(ctx context.Context) error {
	rec, err := s.cfg.Records.Get(ctx, epochKind, "rules-and-areas")
	if errors.Is(err, kangma.NotFound) || err == nil && rec.Version == s.epoch.Load() {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.Reload(ctx); err != nil {
		return err
	}
	s.epoch.Store(rec.Version)
	return nil
}

// WithdrawAreas takes a list back, by the id PublishAreas kept it under, and builds the table from the others: exactly
// what would be in force had it never come.
func (s *Service) WithdrawAreas(ctx context.Context, id string) error {
	s.publish.Lock()
	defer s.publish.Unlock()
	rec, err := s.cfg.Records.Get(ctx, areaKind, id)
	if err != nil {
		return err
	}
	if err := s.PutRecord(ctx, store.Record{Kind: areaKind, ID: id, Version: rec.Version + 1, Deleted: true}); err != nil {
		return err
	}
	table, err := s.loadAreas(ctx)
	if err != nil {
		return err
	}
	s.swap(ctx, func(j *judgement) { j.areas = table })
	return nil
}

func parseList(raw []byte) (*areas.List, error) { return areas.ParseList(bytes.NewReader(raw)) }

// areaListID is what a list is kept under: its hour and the beginning of its digest.
func areaListID(l *areas.List) string {
	return l.At.UTC().Format("2006010215") + "-" + l.Digest()[:16]
}

func pack(list []byte) ([]byte, error) {
	if bytes.HasPrefix(list, []byte{0x1f, 0x8b}) {
		return list, nil
	}
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if _, err := io.Copy(w, io.LimitReader(bytes.NewReader(list), maxList)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil { // before Bytes: Close writes the end
		return nil, err
	}
	return b.Bytes(), nil
}

// InForce says which rules and areas speak now.
func (s *Service) InForce() (ref kangma.RuleSetRef, areaVersion string, at time.Time) {
	j := s.current.Load()
	if j.rules != nil {
		ref = j.rules.Ref()
	}
	if j.areas != nil {
		areaVersion = j.areas.Version()
	}
	return ref, strings.TrimSpace(areaVersion), s.cfg.Now()
}

// Rules gives the rule set in force; nil: none.
func (s *Service) Rules() *rules.Set { return s.current.Load().rules }

// Areas gives the risk-area table in force; nil: none.
func (s *Service) Areas() *areas.Table { return s.current.Load().areas }
