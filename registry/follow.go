package registry

import (
	"context"
	"errors"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// swap puts a changed judgement in force here and tells the other nodes.
func (s *Service) swap(ctx context.Context, f func(*judgement)) {
	next := *s.current.Load()
	f(&next)
	s.current.Store(&next)
	s.wake()
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
