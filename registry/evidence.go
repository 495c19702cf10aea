package registry

import (
	"context"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/wire"
)

// Item is one piece of evidence with whom it is about.
type Item struct {
	Person   kangma.PersonID
	Evidence kangma.Evidence
}

// Submit takes evidence in: one durable append for all of it, then each dossier, then the answer. The evidence must be
// valid (risk/feeds) and carry its ids; Received is set here. What was there already changes nothing. After an error
// nothing is acknowledged and the same ids may be sent again.
func (s *Service) Submit(ctx context.Context, items ...Item) error {
	return s.submit(ctx, items, nil)
}

func (s *Service) submit(ctx context.Context, items []Item, known map[kangma.PersonID]kangma.Dossier) error {
	if len(items) == 0 {
		return nil
	}
	now := s.cfg.Now().UTC()
	events := make([]kangma.Event, len(items))
	for i := range items {
		if items[i].Evidence.ID.IsZero() || items[i].Person.IsZero() {
			return kangma.E(kangma.Invalid, "bad_id", "evidence needs an event id and a person")
		}
		items[i].Evidence.Received = now
		events[i] = wire.EvidenceEvent(items[i].Person, items[i].Evidence)
	}
	s.taking.Add(1)
	defer s.taking.Add(-1)
	last, err := s.cfg.Journal.Append(ctx, events...)
	if err != nil {
		return err
	}
	if err := s.applyItems(ctx, items, known); err != nil {
		if s.cfg.LastKnown != nil {
			for _, it := range items {
				s.pending.add(it.Person, it.Evidence)
			}
		}
		s.failed.Store(true)
		// durable and acknowledged to nobody: the applier heals it, the sender may retry
		return kangma.E(kangma.Unavailable, "not_applied", "kept, but not yet in force; try again").Because(err)
	}
	s.applied.mark(last, len(items))
	return nil
}

// applyItems brings items into their dossiers: all of a person's at once, and everybody's in one update. known are dossiers
// the caller has read already; those of the items' people are used up.
func (s *Service) applyItems(ctx context.Context, items []Item, known map[kangma.PersonID]kangma.Dossier) error {
	steps := make([]step, len(items))
	for i := range items {
		steps[i] = step{person: items[i].Person, evidence: &items[i].Evidence}
	}
	return s.applySteps(ctx, steps, known)
}
