package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/checkpoint/venue"
	"github.com/kangma/kangma/registry"
)

// What gates, venues and vehicle posts decide by is changed by two persons: a PUT that would change it answers 202 with the
// draft, and POST /v1/approvals/{id} by a person of another organisation puts it in force.
const (
	gateChange  = "gate-policy"
	venueChange = "venue-policy"
	rulesChange = "vehicle-rules"
	firmChange  = "firm"
)

// ChangeParams is what every change of them says besides.
type ChangeParams struct {
	Reason string `query:"reason" maxLength:"800" doc:"why, in up to 200 characters: the second person reads it, and it is kept; needed where somebody else must release the change"`
	From   string `query:"effective" maxLength:"40" doc:"when it takes effect (RFC 3339); left out: when it is released"`
}

// carriers are wired once, before the server serves.
func (s *Server) carriers() {
	r := s.cfg.Registry
	r.Carry(gateChange, func(ctx context.Context, _ string, data []byte) error {
		var g checkpoint.Gate
		if err := json.Unmarshal(data, &g); err != nil {
			return err
		}
		return r.PutDoc(ctx, gateKind, g.ID, g, nil)
	})
	r.Carry(venueChange, func(ctx context.Context, _ string, data []byte) error {
		var v venue.Venue
		if err := json.Unmarshal(data, &v); err != nil {
			return err
		}
		_, err := s.venues.Put(ctx, v)
		return err
	})
	r.Carry(rulesChange, func(ctx context.Context, _ string, data []byte) error {
		_, err := s.entries.PublishRules(ctx, data)
		return err
	})
	r.Carry(firmChange, func(ctx context.Context, _ string, data []byte) error {
		var f entry.Firm
		if err := json.Unmarshal(data, &f); err != nil {
			return err
		}
		return s.entries.PutFirm(ctx, f)
	})
}

// propose keeps a change for the second person.
func (s *Server) propose(ctx context.Context, what, name string, in ChangeParams, data []byte) (*registry.Held, error) {
	c := registry.Change{What: what, Name: name, Reason: in.Reason, Data: data}
	if in.From != "" {
		at, err := time.Parse(time.RFC3339, in.From)
		if err != nil {
			return nil, invalid([]kangma.Fault{{Where: "query.effective", Code: "time", What: "a time of RFC 3339"}})
		}
		c.From = at
	}
	h, err := s.cfg.Registry.Propose(ctx, actor(ctx), c)
	return h, unavailable(err)
}

// proposeDoc is propose for what is kept as JSON.
func (s *Server) proposeDoc(ctx context.Context, what, name string, in ChangeParams, v any) (*registry.Held, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.propose(ctx, what, name, in, data)
}

// heldStatus is 202 for what waits.
func heldStatus(h *registry.Held) int {
	if h != nil {
		return http.StatusAccepted
	}
	return http.StatusOK
}

// gateDecides is what of a gate two persons change; its name is anybody's who may.
type gateDecides struct {
	Kind     string
	District kangma.Division
	Policy   checkpoint.Policy
}

// usual reports whether a policy is the one that comes with a kind of gate, with or without a number to answer. Nobody decides
// anything by using it, so one person may open such a gate or venue; the first ones of a new installation are made so.
func usual(kind string, p checkpoint.Policy) bool {
	p.Challenge = false
	return sameJSON(p, checkpoint.DefaultPolicy(kind))
}

// keepGate stores a gate that is new with the usual policy or is only renamed, and holds what would change what it decides by.
func (s *Server) keepGate(ctx context.Context, g checkpoint.Gate, in ChangeParams) (*registry.Held, error) {
	old, _, err := registry.GetDoc[checkpoint.Gate](ctx, s.cfg.Registry.Records(), gateKind, g.ID)
	switch {
	case errors.Is(err, kangma.NotFound) && usual(g.Kind, g.Policy):
	case errors.Is(err, kangma.NotFound):
		return s.proposeDoc(ctx, gateChange, g.ID, in, g)
	case err != nil:
		return nil, unavailable(err)
	case !inScope(who(ctx), old.District):
		return nil, errScope
	case !sameJSON(gateDecides{old.Kind, old.District, old.Policy}, gateDecides{g.Kind, g.District, g.Policy}):
		return s.proposeDoc(ctx, gateChange, g.ID, in, g)
	}
	return nil, unavailable(s.cfg.Registry.PutDoc(ctx, gateKind, g.ID, g, nil))
}

// keepVenue is keepGate for a venue: what two persons change is its policy and what makes a presence verified.
func (s *Server) keepVenue(ctx context.Context, v venue.Venue, in ChangeParams) (venue.Venue, *registry.Held, error) {
	if err := v.Check(); err != nil {
		return v, nil, inBody(err)
	}
	old, err := s.venues.Get(ctx, v.ID)
	if err != nil && kangma.KindOf(err) != kangma.NotFound {
		return v, nil, unavailable(err)
	}
	decides := func(v venue.Venue) any {
		return []any{v.District, v.Mode, v.Centre, v.Radius, v.Positioned, v.Policy}
	}
	if err == nil && !sameJSON(decides(old), decides(v)) || err != nil && !usual("venue", v.Policy) {
		v.Serial = old.Serial
		h, err := s.proposeDoc(ctx, venueChange, v.ID, in, v)
		return v, h, err
	}
	v, err = s.venues.Put(ctx, v)
	return v, nil, inBody(unavailable(err))
}

func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
