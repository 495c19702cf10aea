package registry

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// PutRecord stores one version of a small document (compare-and-swap first, so that only winners are journaled), then
// makes it durable in the journal, then answers. kangma.Conflict: somebody else stored this version.
func (s *Service) PutRecord(ctx context.Context, rec store.Record) error {
	if err := s.cfg.Records.Put(ctx, rec); err != nil {
		return err
	}
	return s.JournalRecord(ctx, rec)
}

// Records gives the plain store for what needs no journal (sessions, one-time passwords).
func (s *Service) Records() store.Records { return s.cfg.Records }

// Journal gives the journal for what only the warehouse wants (passages).
func (s *Service) Journal() store.Journal { return s.cfg.Journal }

// GetDoc reads a record whose data is JSON into v and returns its version. kangma.NotFound: none (version 0, or that of
// the tombstone).
func GetDoc[T any](ctx context.Context, r store.Records, kind, id string) (v T, version uint64, err error) {
	rec, err := r.Get(ctx, kind, id)
	if err != nil {
		return v, rec.Version, err
	}
	if err := json.Unmarshal(rec.Data, &v); err != nil {
		return v, rec.Version, kangma.E(kangma.Internal, "damaged", "a stored document is damaged").Because(err)
	}
	return v, rec.Version, nil
}

// PutDoc stores v as JSON under the next version, journaled, whatever the version was before.
func (s *Service) PutDoc(ctx context.Context, kind, id string, v any, index map[string]string) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	for range casAttempts {
		old, err := s.cfg.Records.Get(ctx, kind, id)
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return err
		}
		err = s.PutRecord(ctx, store.Record{Kind: kind, ID: id, Version: old.Version + 1, Data: data, Index: index})
		if !errors.Is(err, kangma.Conflict) {
			return err
		}
	}
	return kangma.E(kangma.Unavailable, "contended", "this document is being changed by many at once; try again")
}
