package registry

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// Together runs functions so that what they read from a shared state at the same time is one exchange with it; with an
// embedded state they run one after the other. None may hold a lock while it asks the state, or start a goroutine that goes
// on with its context.
func (s *Service) Together(ctx context.Context, fs ...func(context.Context)) {
	if s.cfg.Shared != nil {
		s.cfg.Shared.Together(ctx, fs...)
		return
	}
	for _, f := range fs {
		f(ctx)
	}
}

// Moments are the small facts that nodes share for minutes; nil: this node is alone with its state.
func (s *Service) Moments() store.Moments {
	if s.cfg.Shared == nil {
		return nil
	}
	return s.cfg.Shared
}

// FindByDocument is ByDocument that gives the dossier. kangma.NotFound: none.
func (s *Service) FindByDocument(ctx context.Context, docType string, number kangma.IDNumber) (kangma.Dossier, error) {
	return s.find(ctx, s.cfg.Sealer.Document(docType, number), nil)
}

// FindByPhone is ByPhone. guess is told whose it seems to be, before that is certain (store.Shared).
func (s *Service) FindByPhone(ctx context.Context, phone kangma.Phone, guess func(kangma.PersonID)) (kangma.PersonID, error) {
	d, err := s.find(ctx, s.cfg.Sealer.Phone(phone), guess)
	return d.Person, err
}

func (s *Service) find(ctx context.Context, indexes []kangma.BlindIndex, guess func(kangma.PersonID)) (d kangma.Dossier, err error) {
	if s.cfg.Shared == nil {
		id, err := s.lookup(ctx, indexes)
		if err != nil {
			return d, err
		}
		if guess != nil {
			guess(id)
		}
		return s.cfg.Dossiers.Get(ctx, id)
	}
	for _, index := range indexes {
		if d, err = s.cfg.Shared.Find(ctx, index, guess); !errors.Is(err, kangma.NotFound) {
			return d, err
		}
	}
	return d, kangma.NotFound
}

// AssessFound assesses a dossier that was read a moment ago.
func (s *Service) AssessFound(d *kangma.Dossier, at time.Time) (kangma.Assessment, *kangma.Dossier) {
	a, d, _ := s.assessRead(*d, nil, d.Person, at)
	return a, d
}

// DocumentKey names a document for budgets that nodes share: its blind index under the newest key.
func (s *Service) DocumentKey(docType string, number kangma.IDNumber) string {
	return hex.EncodeToString(s.cfg.Sealer.Document(docType, number)[0][:])
}
