package registry

import (
	"context"
	"errors"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// PutOnce stores the first version of a record that only one event makes, or finds it there. Either way the journal holds
// it when PutOnce returns: a retry after a crash or a full disk between store and journal writes the missing event.
func (s *Service) PutOnce(ctx context.Context, rec store.Record) error {
	rec.Version = 1
	err := s.PutRecord(ctx, rec)
	if !errors.Is(err, kangma.Conflict) {
		return err
	}
	kept, err := s.cfg.Records.Get(ctx, rec.Kind, rec.ID)
	if errors.Is(err, kangma.NotFound) {
		return nil // deleted since: it was there
	}
	if err != nil {
		return err
	}
	return s.JournalRecord(ctx, kept)
}

// JournalRecord writes a stored version to the journal (again): applying it twice changes nothing.
func (s *Service) JournalRecord(ctx context.Context, rec store.Record) error {
	now := s.cfg.Now().UTC()
	last, err := s.cfg.Journal.Append(ctx, wire.RecordEvent(kangma.NewEventID(now), now, rec))
	if err != nil {
		return err
	}
	s.applied.mark(last, 1)
	return nil
}
