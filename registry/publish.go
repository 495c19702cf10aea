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
	ruleKind   = "rule-set"  // id: set id; data: the YAML as published
	activeKind = "active"    // id "rules": data is the id of the rule set in force
	areaKind   = "area-list" // id: hour and digest; data: the official list, gzip
	maxList    = 64 << 20    // bytes of one unpacked list
)

// PublishRules checks a rule file, keeps it and puts it in force. The old set stays in force after any error.
func (s *Service) PublishRules(ctx context.Context, name string, yaml []byte) (kangma.RuleSetRef, error) {
	s.publish.Lock()
	defer s.publish.Unlock()
	set, err := rules.Load(name, yaml)
	if err != nil {
		return kangma.RuleSetRef{}, err
	}
	ref := set.Ref()
	if err := s.putNext(ctx, ruleKind, ref.ID, yaml, nil); err != nil {
		return ref, err
	}
	if err := s.putNext(ctx, activeKind, "rules", []byte(ref.ID), nil); err != nil {
		return ref, err
	}
	s.swap(func(j *judgement) { j.rules = set })
	return ref, nil
}

// PublishAreas checks official risk-area lists (plain or gzip), oldest first, keeps them and puts them in force together.
// A list that is there already is no change. After an error nothing is kept and the old table stays in force.
func (s *Service) PublishAreas(ctx context.Context, lists ...[]byte) ([]*areas.List, error) {
	s.publish.Lock()
	defer s.publish.Unlock()
	parsed := make([]*areas.List, len(lists))
	for i, raw := range lists {
		var err error
		if parsed[i], err = areas.ParseList(bytes.NewReader(raw)); err != nil {
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
	s.swap(func(j *judgement) { j.areas = table })
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
	id := l.At.UTC().Format("2006010215") + "-" + l.Digest()[:16]
	err = s.PutRecord(ctx, store.Record{Kind: areaKind, ID: id, Version: 1, Data: packed})
	if errors.Is(err, kangma.Conflict) { // it is there already
		return nil
	}
	return err
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
	active, err := s.cfg.Records.Get(ctx, activeKind, "rules")
	if errors.Is(err, kangma.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rec, err := s.cfg.Records.Get(ctx, ruleKind, string(active.Data))
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
			list, err := areas.ParseList(bytes.NewReader(r.Data))
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

func (s *Service) swap(f func(*judgement)) {
	next := *s.current.Load()
	f(&next)
	s.current.Store(&next)
}

// putNext stores raw data under the next version of a record.
func (s *Service) putNext(ctx context.Context, kind, id string, data []byte, index map[string]string) error {
	old, err := s.cfg.Records.Get(ctx, kind, id)
	if err != nil && !errors.Is(err, kangma.NotFound) {
		return err
	}
	if err == nil && bytes.Equal(old.Data, data) {
		return nil
	}
	return s.PutRecord(ctx, store.Record{Kind: kind, ID: id, Version: old.Version + 1, Data: data, Index: index})
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
