package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// LastKnown is a node's copy of a state that it shares with others, for the time when that does not answer
// (store/replica). It is asked only where an answer says how old it is, never before a change.
type LastKnown interface {
	// LastDossier gives a person as last known, and a time of which that is at least as new. kangma.NotFound: nobody of
	// that id was known then. kangma.Unavailable: nothing is known of anybody near.
	LastDossier(ctx context.Context, id kangma.PersonID) (kangma.Dossier, time.Time, error)
	// LastRecord gives a record as last known. kangma.NotFound: there was none.
	LastRecord(ctx context.Context, kind, id string) (store.Record, error)
	// LastList lists records as last known.
	LastList(ctx context.Context, q store.RecordQuery) ([]store.Record, string, error)
}

// away says that the state does not answer and that something is known of it.
func (s *Service) away(ctx context.Context, err error) bool {
	return err != nil && s.cfg.LastKnown != nil && ctx.Err() == nil && kangma.KindOf(err) == kangma.Unavailable
}

// AssessOrLast is Assess, and while the state does not answer what was last known of the person, with AsOf set: whoever
// asks decides whether that is too old. Somebody who was not known then may have come since: that could not be told.
// What this node itself took in and could not yet apply counts.
func (s *Service) AssessOrLast(ctx context.Context, id kangma.PersonID, at time.Time) (kangma.Assessment, *kangma.Dossier, error) {
	d, err := s.cfg.Dossiers.Get(ctx, id)
	if !s.away(ctx, err) {
		return s.assessRead(d, err, id, at)
	}
	last, asOf, lastErr := s.cfg.LastKnown.LastDossier(ctx, id)
	if errors.Is(lastErr, kangma.NotFound) {
		return kangma.Assessment{Person: id, At: at, AsOf: asOf, CannotTell: kangma.TellStaleGate}, nil, nil
	}
	if lastErr != nil {
		return s.assessRead(d, err, id, at)
	}
	for _, e := range s.pending.of(id) {
		addEvidence(&last, e)
	}
	a := s.evaluate(&last, id, at, time.Time{})
	a.AsOf = asOf
	if len(last.Sealed.DataKey) == 0 { // erased
		return a, nil, nil
	}
	return a, &last, nil
}

// LastDoc reads a record whose data is JSON, and while the state does not answer as it was last known; old says so.
func LastDoc[T any](ctx context.Context, s *Service, kind, id string) (v T, old bool, err error) {
	v, _, err = GetDoc[T](ctx, s.cfg.Records, kind, id)
	if !s.away(ctx, err) {
		return v, false, err
	}
	rec, err := s.cfg.LastKnown.LastRecord(ctx, kind, id)
	if err == nil {
		err = json.Unmarshal(rec.Data, &v)
	}
	return v, true, err
}

// beginWithout starts while the state does not answer: with the mark, the rules and the areas last known. The applier
// heals from the mark when the state is back, and what was published meanwhile is followed then.
func (s *Service) beginWithout(ctx context.Context) error {
	shared := s.cfg.Records
	s.cfg.Records = lastRecords{s.cfg.LastKnown}
	defer func() { s.cfg.Records = shared }()
	mark, err := s.mark(ctx)
	if err != nil {
		return fmt.Errorf("registry: the applied mark last known: %w", err)
	}
	s.applied = newTracker(mark)
	s.noted.Store(uint64(mark))
	if err := s.recallPending(ctx, mark); err != nil {
		return fmt.Errorf("registry: read the journal: %w", err)
	}
	if err := s.Reload(ctx); err != nil {
		return fmt.Errorf("registry: rules and areas last known: %w", err)
	}
	clear(s.epochs)
	s.log.Warn("the state store does not answer; this node goes on with what it last knew of it")
	return nil
}

// lastRecords are the records last known, to read only.
type lastRecords struct{ last LastKnown }

func (r lastRecords) Get(ctx context.Context, kind, id string) (store.Record, error) {
	return r.last.LastRecord(ctx, kind, id)
}

func (r lastRecords) List(ctx context.Context, q store.RecordQuery) ([]store.Record, string, error) {
	return r.last.LastList(ctx, q)
}

func (lastRecords) Put(context.Context, store.Record) error {
	return kangma.E(kangma.Unavailable, "store", "the records cannot be changed now; try again")
}
