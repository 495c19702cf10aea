package api

import (
	"bytes"
	"context"
	"time"

	"github.com/kangma/kangma"
)

type rulesIn struct {
	ID      string `path:"id" maxLength:"64"`
	RawBody []byte `contentType:"application/yaml" doc:"the rule file"`
}

type rulesOut struct{ Body kangma.RuleSetRef }

func (s *Server) publishRules(ctx context.Context, in *rulesIn) (*rulesOut, error) {
	ref, err := s.cfg.Registry.PublishRules(ctx, in.ID, bytes.Clone(in.RawBody))
	if err != nil {
		return nil, unavailable(err)
	}
	return &rulesOut{Body: ref}, nil
}

type inForceOut struct {
	Body struct {
		Rules *kangma.RuleSetRef `json:"rules" doc:"null: none, so no colour can be told"`
		Areas string             `json:"areas,omitempty" doc:"version of the risk-area table"`
		At    time.Time          `json:"at"`
	}
}

func (s *Server) rulesInForce(_ context.Context, _ *emptyIn) (*inForceOut, error) {
	out := &inForceOut{}
	ref, version, at := s.cfg.Registry.InForce()
	if ref.ID != "" {
		out.Body.Rules = &ref
	}
	out.Body.Areas, out.Body.At = version, at
	return out, nil
}
