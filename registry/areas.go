package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/store"
)

const (
	areaKind = "area-list" // id: hour and digest; data: the official list, gzip
	maxList  = 64 << 20    // bytes of one unpacked list
)

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
	for _, l := range parsed {
		s.lists[areaListID(l)] = true
	}
	s.swap(ctx, areasEpoch, func(j *judgement) { j.areas = table })
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

// loadAreas brings the table in force up to what the records hold: newer lists are added to it; where a list was taken
// back, or one came late, it is built again. The caller holds s.publish.
func (s *Service) loadAreas(ctx context.Context) (*areas.Table, error) {
	held, fresh := map[string][]byte{}, []*areas.List(nil)
	q := store.RecordQuery{Kind: areaKind, Limit: 100}
	for more := true; more; more = q.After != "" {
		recs, next, err := s.cfg.Records.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			held[r.ID] = r.Data
			if s.lists[r.ID] {
				continue
			}
			list, err := parseList(r.Data)
			if err != nil {
				return nil, err
			}
			fresh = append(fresh, list)
		}
		q.After = next
	}
	table, err := s.join(held, fresh)
	if err != nil {
		return nil, err
	}
	s.lists = map[string]bool{}
	for id := range held {
		s.lists[id] = true
	}
	return table, nil
}

// join adds fresh lists to the table in force, or builds all of them anew.
func (s *Service) join(held map[string][]byte, fresh []*areas.List) (*areas.Table, error) {
	byTime := func(a, b *areas.List) int { return a.At.Compare(b.At) }
	slices.SortFunc(fresh, byTime)
	same := true // nothing that is in the table was taken back
	for id := range s.lists {
		_, there := held[id]
		same = same && there
	}
	if same && len(s.lists) > 0 {
		if table, err := s.extend(fresh); err == nil {
			return table, nil
		}
	}
	if len(held) == 0 {
		return nil, nil
	}
	all := fresh
	if len(fresh) < len(held) {
		all = nil
		for _, raw := range held {
			list, err := parseList(raw)
			if err != nil {
				return nil, err
			}
			all = append(all, list)
		}
		slices.SortFunc(all, byTime)
	}
	return areas.Build(all...)
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
	s.swap(ctx, areasEpoch, func(j *judgement) { j.areas = table })
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
