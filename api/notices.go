package api

import (
	"context"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

type noticesIn struct {
	Since time.Time `query:"since" doc:"only what is newer; default: all that is kept, at most 50"`
}

type noticesOut struct {
	Body struct {
		Notices []registry.Notice `json:"notices" doc:"newest first"`
	}
}

// myNotices lists how the resident's colour changed, with rule and reason. The phone asks for it; nothing is pushed.
func (s *Server) myNotices(ctx context.Context, in *noticesIn) (*noticesOut, error) {
	all, err := s.cfg.Registry.Notices(ctx, who(ctx).Person)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &noticesOut{}
	out.Body.Notices = []registry.Notice{}
	for _, n := range all {
		if n.At.After(in.Since) {
			out.Body.Notices = append(out.Body.Notices, n)
		}
	}
	return out, nil
}

type transitionsIn struct {
	Since      time.Time `query:"since" doc:"default: 24 hours ago"`
	Until      time.Time `query:"until" doc:"default: now; at most 92 days after since"`
	District   string    `query:"district" maxLength:"9" doc:"with everything inside it"`
	ByDistrict bool      `query:"by_district" doc:"split by county of residence"`
}

type transitionsOut struct {
	Body struct {
		Since    time.Time                  `json:"since"`
		Until    time.Time                  `json:"until"`
		Rows     []registry.TransitionCount `json:"rows" doc:"by hour (UTC) in which the search found them"`
		Withheld int                        `json:"withheld" doc:"rows of fewer than 10 people, and those they could be computed from"`
		Sweep    time.Time                  `json:"swept_at,omitzero" doc:"what changed later is not counted yet"`
	}
}

// transitions counts who changed colour, never who.
func (s *Server) transitions(ctx context.Context, in *transitionsIn) (*transitionsOut, error) {
	out := &transitionsOut{}
	b := &out.Body
	b.Since, b.Until = in.Since, in.Until
	if b.Until.IsZero() {
		b.Until = s.auth.now().Add(time.Second)
	}
	if b.Since.IsZero() {
		b.Since = b.Until.Add(-24 * time.Hour)
	}
	districts := who(ctx).Account.Divisions
	if in.District != "" {
		d, err := knownDivision(in.District)
		if err != nil {
			return nil, err
		}
		if !inScope(who(ctx), d) {
			return nil, errScope
		}
		districts = []kangma.Division{d}
	}
	rows, withheld, err := s.cfg.Registry.Transitions(ctx, b.Since, b.Until, in.ByDistrict, districts...)
	if err != nil {
		return nil, unavailable(err)
	}
	st, err := s.cfg.Registry.SweepStatus(ctx)
	b.Rows, b.Withheld, b.Sweep = append([]registry.TransitionCount{}, rows...), withheld, st.Since
	return out, unavailable(err)
}
