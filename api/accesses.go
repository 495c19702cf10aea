package api

import (
	"context"
	"time"

	"github.com/kangma/kangma"
)

const (
	defaultScanBudget = 2000
	deviceBudget      = 10 // times that of a person: a turnstile opens every few seconds all day
)

// spendScans takes n scans from the account's hourly budget. It bounds what a stolen login can learn by scanning.
func (s *Server) spendScans(ctx context.Context, n int) error {
	p := who(ctx)
	return s.spendScansOf(&p, n)
}

func (s *Server) spendScansOf(p *Principal, n int) error {
	budget := s.cfg.ScanBudget
	if p.Device {
		budget *= deviceBudget
	}
	for range n {
		if err := s.limits.allowOf("scan:", p.Account.Name, budget, time.Hour, s.auth.now()); err != nil {
			return err
		}
	}
	return nil
}

type accessesOut struct {
	Body struct {
		Accesses []accessView `json:"accesses" doc:"newest first, the latest 200"`
	}
}

type accessView struct {
	ID kangma.EventID `json:"id"`
	At time.Time      `json:"at"`
	kangma.Access
}

// myAccesses lists who saw the resident's name. A scan is in it about a second later.
func (s *Server) myAccesses(ctx context.Context, _ *emptyIn) (*accessesOut, error) {
	return s.accessesOf(ctx, who(ctx).Person)
}

func (s *Server) accessesOf(ctx context.Context, person kangma.PersonID) (*accessesOut, error) {
	views, err := s.cfg.Registry.Accesses(ctx, person)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &accessesOut{}
	out.Body.Accesses = make([]accessView, len(views))
	for i, v := range views {
		out.Body.Accesses[i] = accessView{v.ID, v.At, v.Access}
	}
	return out, nil
}
