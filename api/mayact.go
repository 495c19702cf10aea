package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// mayAct says whether somebody is the guardian of another, with consent that lasts.
func (s *Server) mayAct(ctx context.Context, guardian, dependent kangma.PersonID, at time.Time) (bool, error) {
	d, err := s.cfg.Registry.Dossier(ctx, dependent)
	if errors.Is(err, kangma.NotFound) {
		return false, nil
	}
	return slices.ContainsFunc(d.Guardians, func(g kangma.Guardianship) bool {
		return g.Guardian == guardian && g.Accepted && !at.Before(g.From) && at.Before(g.Until)
	}), err
}
