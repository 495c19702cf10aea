package registry

import (
	"context"
	"errors"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
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
	last, err := s.cfg.Journal.Append(ctx, events...)
	if err != nil {
		return err
	}
	if err := s.applyItems(ctx, items); err != nil {
		if s.cfg.LastKnown != nil {
			for _, it := range items {
				s.pending.add(it.Person, it.Evidence)
			}
		}
		// durable and acknowledged to nobody: the applier heals it, the sender may retry
		return kangma.E(kangma.Unavailable, "not_applied", "kept, but not yet in force; try again").Because(err)
	}
	s.applied.mark(last, len(items))
	return nil
}

// applyItems brings items into their dossiers: all of a person's at once, and everybody's in one update.
func (s *Service) applyItems(ctx context.Context, items []Item) error {
	if len(items) == 1 {
		return s.applyItem(ctx, items[0])
	}
	groups := map[kangma.PersonID][]Item{}
	var changed []kangma.Dossier
	for _, group := range byPerson(items) {
		d, err := s.cfg.Dossiers.Get(ctx, group[0].Person)
		if errors.Is(err, kangma.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		news := false
		for _, it := range group {
			news = addEvidence(&d, it.Evidence) || news
		}
		if news {
			d.Version++
			changed = append(changed, d)
			groups[d.Person] = group
		}
	}
	if len(changed) == 0 {
		return nil
	}
	var lost *store.Lost
	if err := s.cfg.Dossiers.Update(ctx, store.Mark{}, changed...); !errors.As(err, &lost) {
		return err
	}
	for _, person := range lost.People { // somebody else changed them meanwhile
		for _, it := range groups[person] {
			if err := s.applyItem(ctx, it); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) applyItem(ctx context.Context, it Item) error {
	_, err := s.change(ctx, it.Person, func(d *kangma.Dossier) bool { return addEvidence(d, it.Evidence) })
	if errors.Is(err, kangma.NotFound) {
		return nil
	}
	return err
}
