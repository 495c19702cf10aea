package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/areas"
)

type rulesIn struct {
	ID        string `path:"id" maxLength:"64"`
	Supersede bool   `query:"supersede" doc:"end whatever is in the way; otherwise only what is open-ended or an earlier version of the same set"`
	RawBody   []byte `contentType:"application/yaml" doc:"the rule file"`
}

// changeOut answers a change that may be held: 200 when it is in force, 202 when a second person must release it.
type changeOut struct {
	Status int
	Body   struct {
		InForce bool               `json:"in_force"`
		From    time.Time          `json:"from,omitzero" doc:"rules: when they take over, or took over"`
		To      time.Time          `json:"to,omitzero"`
		State   string             `json:"state,omitempty" doc:"rules: in_force, scheduled or held"`
		Rules   *kangma.RuleSetRef `json:"rules,omitempty"`
		Areas   *areas.Summary     `json:"areas,omitempty"`
		Held    *registry.Held     `json:"held,omitempty" doc:"too many people would change colour: POST /v1/approvals/{id} by a person of another organisation"`
	}
}

func change(held *registry.Held) *changeOut {
	out := &changeOut{Status: http.StatusOK}
	out.Body.InForce, out.Body.Held = held == nil, held
	if held != nil {
		out.Status = http.StatusAccepted
	}
	return out
}

func actor(ctx context.Context) registry.Actor {
	a := who(ctx).Account
	return registry.Actor{Account: a.Name, Organisation: a.Organisation}
}

func (s *Server) publishRules(ctx context.Context, in *rulesIn) (*changeOut, error) {
	done, held, err := s.cfg.Registry.ProposeRules(ctx, actor(ctx), registry.Publication{Name: in.ID, YAML: bytes.Clone(in.RawBody), Supersede: in.Supersede})
	if err != nil {
		return nil, unavailable(err)
	}
	out := change(held)
	b := &out.Body
	b.Rules, b.From, b.To, b.State, b.InForce = &done.Rules, done.From, done.To, done.State, done.State == "in_force"
	return out, nil
}

type plannedOut struct {
	Body struct {
		RuleSets []registry.Published `json:"rule_sets" doc:"what was, is and will be in force, in order of time"`
	}
}

func (s *Server) plannedRules(ctx context.Context, _ *emptyIn) (*plannedOut, error) {
	all, err := s.cfg.Registry.Planned(ctx)
	out := &plannedOut{}
	out.Body.RuleSets = append([]registry.Published{}, all...)
	return out, unavailable(err)
}

func (s *Server) rollBackRules(ctx context.Context, _ *emptyIn) (*changeOut, error) {
	ref, err := s.cfg.Registry.RollBackRules(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	out := change(nil)
	out.Body.Rules = &ref
	return out, nil
}

type heldOut struct {
	Body struct {
		Held []registry.Held `json:"held" doc:"oldest first, decided ones too"`
	}
}

func (s *Server) listHeld(ctx context.Context, _ *emptyIn) (*heldOut, error) {
	all, err := s.cfg.Registry.ListHeld(ctx)
	out := &heldOut{}
	out.Body.Held = append([]registry.Held{}, all...)
	return out, unavailable(err)
}

type decideIn struct {
	ID   string `path:"id" maxLength:"36"`
	Body struct {
		Release bool `json:"release" doc:"false refuses the change for good"`
	}
}

type decideOut struct{ Body registry.Held }

func (s *Server) decide(ctx context.Context, in *decideIn) (*decideOut, error) {
	h, err := s.cfg.Registry.Decide(ctx, in.ID, actor(ctx), in.Body.Release)
	return &decideOut{Body: h}, unavailable(err)
}

type sweepOut struct {
	Body struct {
		Progress float64             `json:"progress" doc:"share of people done, 0 to 1; 1: no sweep is under way"`
		State    registry.SweepState `json:"state"`
	}
}

func (s *Server) sweepStatus(ctx context.Context, _ *emptyIn) (*sweepOut, error) {
	st, err := s.cfg.Registry.SweepStatus(ctx)
	out := &sweepOut{}
	out.Body.Progress, out.Body.State = st.Progress(), st
	return out, unavailable(err)
}

type withdrawIn struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Server) withdrawAreas(ctx context.Context, in *withdrawIn) (*noContent, error) {
	err := s.cfg.Registry.WithdrawAreas(ctx, in.ID)
	if errors.Is(err, kangma.NotFound) {
		err = kangma.E(kangma.NotFound, "not_found", "there is no such list")
	}
	return &noContent{Status: http.StatusNoContent}, unavailable(err)
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
