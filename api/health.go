package api

import (
	"context"
	"net/http"
)

type healthOut struct {
	Status int
	Body   struct {
		Status string            `json:"status" enum:"ok,degraded"`
		Parts  map[string]string `json:"parts,omitempty"`
	}
}

func (s *Server) healthz(context.Context, *emptyIn) (*healthOut, error) {
	out := &healthOut{Status: http.StatusOK}
	out.Body.Status = "ok"
	return out, nil
}

// readyz says part by part what works. A missing part means degraded, not down: scans go on without analytics.
func (s *Server) readyz(ctx context.Context, _ *emptyIn) (*healthOut, error) {
	out := &healthOut{Status: http.StatusOK}
	out.Body.Status = "ok"
	if s.cfg.Ready == nil {
		return out, nil
	}
	out.Body.Parts = s.cfg.Ready(ctx)
	for part, state := range out.Body.Parts {
		if state == "ok" {
			continue
		}
		out.Body.Status = "degraded"
		if part == "journal" || part == "state" {
			out.Status = http.StatusServiceUnavailable
		}
	}
	return out, nil
}
