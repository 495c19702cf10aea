package api

import (
	"context"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/issuance"
)

// mayAct says whether somebody is the guardian of another now, with consent that lasts.
func (s *Server) mayAct(ctx context.Context, guardian, dependent kangma.PersonID, _ time.Time) (bool, error) {
	if s.cfg.Issuance == nil {
		return false, nil
	}
	_, err := s.cfg.Issuance.MayShow(ctx, guardian, dependent)
	if errors.Is(err, issuance.ErrNotGuardian) {
		return false, nil
	}
	return err == nil, err
}
