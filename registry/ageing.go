package registry

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Records about what people did do not stay longer than they are needed. Each room says when its kinds are over; the Ager
// deletes them a bounded number at a time, so that it never stands in the way of a gate. A deletion is journaled like every
// other version: a rebuild does not bring a record back.

// AgeRule says when the records of one kind are over.
type AgeRule struct {
	Kind string
	// Over reports whether the record goes.
	Over func(rec store.Record, now time.Time) bool
	// Young, when set, reports that this record and all after it (in order of id, which is that of time for event ids) are too
	// young to be over: the search ends there.
	Young func(rec store.Record, now time.Time) bool
	// Plain records are not in the journal (see the rooms); their deletion is not either.
	Plain bool
}

// YoungByEvent is Young for kinds whose id is an event id and that are kept for at least keep.
func YoungByEvent(keep time.Duration) func(store.Record, time.Time) bool {
	return func(rec store.Record, now time.Time) bool {
		id, err := kangma.ParseEventID(rec.ID)
		return err == nil && now.Sub(id.Time()) < keep
	}
}

// Ager deletes what is over. It may be used concurrently.
type Ager struct {
	s     *Service
	rules []AgeRule

	mu      sync.Mutex
	after   map[string]string
	deleted map[string]uint64
}

// agePage is how many records are read at once.
const agePage = 200

// NewAger makes the job of one node: these kinds, and the registry's own claims.
func (s *Service) NewAger(rules ...AgeRule) *Ager {
	rules = append(rules, s.claimAgeing())
	return &Ager{s: s, rules: rules, after: map[string]string{}, deleted: map[string]uint64{}}
}

// Deleted gives how many records of each kind this node has deleted.
func (a *Ager) Deleted() map[string]uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := map[string]uint64{}
	for _, r := range a.rules {
		out[r.Kind] = a.deleted[r.Kind]
	}
	return out
}

// Run looks at up to most records of each kind and deletes those that are over; the next run goes on from there. It reports
// whether anything is left to look at in this round. What another node has changed or deleted meanwhile is left to it.
func (a *Ager) Run(ctx context.Context, most int) (more bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.rules {
		left, err := a.age(ctx, r, most)
		if err != nil {
			return more, err
		}
		more = more || left
	}
	return more, nil
}

func (a *Ager) age(ctx context.Context, r AgeRule, most int) (more bool, err error) {
	now := a.s.cfg.Now()
	for seen := 0; seen < most; {
		recs, next, err := a.s.cfg.Records.List(ctx, store.RecordQuery{Kind: r.Kind, After: a.after[r.Kind], Limit: min(agePage, most-seen)})
		if err != nil {
			return false, err
		}
		for _, rec := range recs {
			if r.Young != nil && r.Young(rec, now) {
				a.after[r.Kind] = ""
				return false, nil
			}
			if !r.Over(rec, now) {
				continue
			}
			if err := a.remove(ctx, r, rec); err != nil {
				return false, err
			}
		}
		seen += len(recs)
		if a.after[r.Kind] = next; next == "" {
			return false, nil
		}
	}
	return true, nil
}

func (a *Ager) remove(ctx context.Context, r AgeRule, rec store.Record) error {
	gone := store.Record{Kind: rec.Kind, ID: rec.ID, Version: rec.Version + 1, Deleted: true}
	put := a.s.PutRecord
	if r.Plain {
		put = a.s.cfg.Records.Put
	}
	err := put(ctx, gone)
	if errors.Is(err, kangma.Conflict) {
		return nil
	}
	if err == nil {
		a.deleted[r.Kind]++
	}
	return err
}
