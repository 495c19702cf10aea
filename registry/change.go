package registry

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// A change of what gates, venues and vehicle posts decide by is nobody's alone: it is drafted by one person with a reason,
// released by another person of another organisation (Decide), and takes effect at a time both have seen. Draft and release
// are in the journal, with both accounts. The registry does not know what a gate is: who does carries the change out.

// Change is a draft.
type Change struct {
	What   string    // as given to Carry: gate-policy, venue-policy, vehicle-rules, firm
	Name   string    // of what is changed
	Reason string    // 1 to 200 characters, for the second person and the record; no personal data
	From   time.Time // when it takes effect; zero, or past when it is released: at the release
	Data   []byte    // what the carrier reads
}

// Carrier puts a released change into force. It is called again after a crash, with the same data.
type Carrier func(ctx context.Context, name string, data []byte) error

const scheduledStatus = "scheduled" // released; takes effect at Held.From

var (
	errReason   = kangma.E(kangma.Invalid, "change_reason", "say in up to 200 characters why this is changed")
	errFarAhead = kangma.E(kangma.Invalid, "change_from", "a change takes effect within 90 days")
)

// Carry says who carries out changes of a kind. Call it before the service is in use.
func (s *Service) Carry(what string, f Carrier) {
	if s.carriers == nil {
		s.carriers = map[string]Carrier{}
	}
	s.carriers[what] = f
}

// Propose keeps a draft, durably, until Decide. The caller has checked Data. kangma.Invalid: no reason, or too far ahead.
func (s *Service) Propose(ctx context.Context, by Actor, c Change) (*Held, error) {
	if n := utf8.RuneCountInString(c.Reason); n < 1 || n > 200 || !utf8.ValidString(c.Reason) {
		return nil, errReason
	}
	now := s.cfg.Now()
	if c.From.Sub(now) > 90*24*time.Hour {
		return nil, errFarAhead
	}
	if s.carriers[c.What] == nil {
		return nil, fmt.Errorf("registry: nobody carries out %q", c.What)
	}
	h, err := s.hold(ctx, Held{What: c.What, Name: c.Name, Reason: c.Reason, From: c.From.UTC(), Requested: by}, c.Data)
	if err == nil {
		s.log.Info("a change waits for a second person", "what", h.What, "name", h.Name, "by", by.Account, "organisation", by.Organisation, "id", h.ID)
	}
	return h, err
}

// waits reports whether a released change takes effect later.
func (s *Service) waits(h Held) bool {
	return s.carriers[h.What] != nil && h.From.After(s.cfg.Now())
}

// CarryScheduled puts the released changes into force whose time has come. Call it every few seconds, on every node: who is
// late finds it done.
func (s *Service) CarryScheduled(ctx context.Context) (carried int, err error) {
	for after := ""; ; {
		recs, next, err := s.cfg.Records.List(ctx, store.RecordQuery{Kind: heldKind, Index: "status", Value: scheduledStatus, After: after, Limit: 100})
		if err != nil {
			return carried, err
		}
		for _, rec := range recs {
			h, version, err := GetDoc[Held](ctx, s.cfg.Records, heldKind, rec.ID)
			if err != nil || h.Status != scheduledStatus || s.waits(h) {
				continue
			}
			if err := s.carryOut(ctx, h); err != nil {
				return carried, err
			}
			h.Status = "released"
			if err := s.keepHeld(ctx, h, version); err != nil && !errors.Is(err, kangma.Conflict) {
				return carried, err
			}
			carried++
		}
		if after = next; next == "" {
			return carried, nil
		}
	}
}
