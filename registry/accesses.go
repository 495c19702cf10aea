package registry

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// View is one access to a person's data with its own event id, which a retry repeats.
type View struct {
	ID     kangma.EventID  `json:"id"`
	At     time.Time       `json:"at"`
	Person kangma.PersonID `json:"-"`
	kangma.Access
}

const (
	accessKind  = "access" // id: the person; data: their views, newest last
	maxAccesses = 200      // kept for a person; older ones are in the journal only
)

// AppendPassage makes a passage durable together with the views of personal data that came with it: one append, one
// fsync. A passage changes no dossier; the views reach the person's list soon after (Accesses), from the journal, so
// that a scan does not wait for it.
func (s *Service) AppendPassage(ctx context.Context, p kangma.Passage, views ...View) error {
	return s.AppendPassages(ctx, []kangma.Passage{p}, views)
}

// AppendPassages is AppendPassage for many passages in one append.
func (s *Service) AppendPassages(ctx context.Context, ps []kangma.Passage, views []View) error {
	if len(ps)+len(views) == 0 {
		return nil
	}
	events := make([]kangma.Event, 0, len(ps)+len(views))
	for _, p := range ps {
		events = append(events, wire.PassageEvent(p))
	}
	for _, v := range views {
		events = append(events, wire.AccessEvent(v.ID, v.At, v.Person, v.Access))
	}
	last, err := s.cfg.Journal.Append(ctx, events...)
	if err != nil {
		return kangma.E(kangma.Unavailable, "journal", "the passage could not be kept; keep the barrier shut and try again").Because(err)
	}
	s.applied.mark(last-store.Position(len(views)), len(ps)) // the views are the applier's work
	return nil
}

// Accesses lists who saw this person's data, newest first, at most the latest 200. A view is in it about a second after
// it was made.
func (s *Service) Accesses(ctx context.Context, id kangma.PersonID) ([]View, error) {
	views, _, err := GetDoc[[]View](ctx, s.cfg.Records, accessKind, id.String())
	if errors.Is(err, kangma.NotFound) {
		return nil, nil
	}
	slices.Reverse(views)
	return views, err
}

// applyAccess adds a view to the person's list, once by its id.
func (s *Service) applyAccess(ctx context.Context, e kangma.Event) error {
	a, err := wire.DecodeAccess(e.Data)
	if err != nil {
		return err
	}
	return s.changeAccesses(ctx, e.Person, func(views []View) []View {
		at, found := slices.BinarySearchFunc(views, e.ID, func(v View, id kangma.EventID) int { return slices.Compare(v.ID[:], id[:]) })
		if found {
			return views
		}
		views = slices.Insert(views, at, View{ID: e.ID, At: e.At, Access: a})
		return views[max(0, len(views)-maxAccesses):]
	})
}

// changeAccesses replaces the list by compare-and-swap where f changed its length or head; nil deletes it. It is
// derived from the journal, so it is not journaled again.
func (s *Service) changeAccesses(ctx context.Context, id kangma.PersonID, f func([]View) []View) error {
	for range casAttempts {
		old, version, err := GetDoc[[]View](ctx, s.cfg.Records, accessKind, id.String())
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return err
		}
		next := f(slices.Clone(old))
		if slices.EqualFunc(old, next, func(a, b View) bool { return a.ID == b.ID }) {
			return nil
		}
		rec := store.Record{Kind: accessKind, ID: id.String(), Version: version + 1, Deleted: next == nil}
		if next != nil {
			if rec.Data, err = json.Marshal(next); err != nil {
				return err
			}
		}
		if err = s.cfg.Records.Put(ctx, rec); !errors.Is(err, kangma.Conflict) {
			return err
		}
	}
	return kangma.E(kangma.Unavailable, "contended", "this record is being changed by many at once; try again")
}
