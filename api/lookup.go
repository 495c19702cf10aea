package api

import (
	"context"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
)

// How the passage of somebody without a code was verified.
const (
	byShortCode = "short-code"
	byIDCard    = checkpoint.FoundByCard
)

// documentIn is an ID card that staff hold in their hand.
type documentIn struct {
	Type   string `json:"type,omitempty" maxLength:"2" doc:"left out: 10, the resident ID card"`
	Number string `json:"number" minLength:"5" maxLength:"20"`
	Name   string `json:"name" minLength:"1" maxLength:"240" doc:"as on the card: a number alone finds nobody"`
}

var errOneOf = kangma.E(kangma.Invalid, "scan_what", "a scan has one of code, short_code and document")

// Before a scan is decided it must be known who scans where, and who stands there if no code is shown. Tries to find
// somebody are limited twice: for the account, so that a stolen login cannot go through numbers, and for the document, so that
// nobody is watched by their number.
//
// What can be asked at the same time is (docs/stores-servers.md, round trips): people are looked for while it is being asked
// who wants to know. Nothing is said, and no budget of anybody's is touched, before that is clear.

// admitted is who scans where.
type admitted struct {
	p     Principal
	event kangma.EventID
	gate  checkpoint.Gate
}

// login finds out who asks. hint is the account that this will be, where the token names it.
type login struct {
	hint string
	find func(context.Context) (Principal, error)
}

const (
	missesAllowed  = 20 // digits or documents that fit nobody, of one account in ten minutes
	missWindow     = 10 * time.Minute
	lookupsAllowed = 30 // of one person by their document, at all gates, in an hour
)

// come finds all of it out.
func (s *Server) come(ctx context.Context, in *scanIn, by login) (admitted, *checkpoint.Found, error) {
	b := &in.Body
	switch {
	case b.ShortCode != "" && b.Code == "" && b.Document == nil:
		return s.comeByDigits(ctx, in, by)
	case b.Document != nil && b.Code == "" && b.ShortCode == "":
		return s.comeByDocument(ctx, in, by)
	}
	a, err := s.admit(ctx, in, by, false)
	if err == nil && (b.Code == "" || b.ShortCode != "" || b.Document != nil) {
		err = errOneOf
	}
	return a, nil, err
}

// admit finds out who scans and whether they may, at this gate, now. missing asks whether they may still miss.
func (s *Server) admit(ctx context.Context, in *scanIn, by login, missing bool) (a admitted, err error) {
	var missErr error
	asked := missing && by.hint != ""
	gate, gateErr := (*checkpoint.Gate)(nil), error(nil)
	if s.cfg.Registry.Moments() == nil {
		if a.p, err = by.find(ctx); err == nil {
			gate, gateErr = s.readGate(ctx, in.Body.Gate)
		}
		asked = false
	} else {
		r := s.readAdmission(ctx, in.Body.Gate, by, asked)
		a.p, err, gate, gateErr, missErr = r.p, r.err, r.gate, r.gateErr, r.missErr
	}
	if err == nil {
		a.event, err = s.eventID(in.Body.Event, in.Key)
	}
	if err == nil {
		a.gate, err = allowedGate(a.p, in.Body.Gate, gate, gateErr)
	}
	if err == nil {
		err = s.spendScansOf(&a.p, 1)
	}
	if err != nil || !missing {
		return a, err
	}
	if !asked || by.hint != a.p.Account.Name {
		missErr = s.missBudget(ctx, a.p.Account.Name)
	}
	return a, missErr
}

// admission is what admit reads.
type admission struct {
	p                     Principal
	gate                  *checkpoint.Gate
	err, gateErr, missErr error
}

func (s *Server) readAdmission(ctx context.Context, gate string, by login, missing bool) *admission {
	r := &admission{}
	fs := make([]func(context.Context), 2, 3)
	fs[0] = func(ctx context.Context) { r.p, r.err = by.find(ctx) }
	fs[1] = func(ctx context.Context) { r.gate, r.gateErr = s.readGate(ctx, gate) }
	if missing {
		fs = append(fs, func(ctx context.Context) { r.missErr = s.missBudget(ctx, by.hint) })
	}
	s.cfg.Registry.Together(ctx, fs...)
	return r
}

func (s *Server) comeByDigits(ctx context.Context, in *scanIn, by login) (a admitted, _ *checkpoint.Found, err error) {
	var refused error
	found := &checkpoint.Found{How: byShortCode}
	s.cfg.Registry.Together(ctx,
		func(ctx context.Context) { a, refused = s.admit(ctx, in, by, true) },
		func(ctx context.Context) { err = s.readDigits(ctx, in.Body.ShortCode, found) })
	if refused != nil {
		return a, nil, refused
	}
	if err == nil && found.Tell == kangma.TellUnknownPerson {
		s.miss(ctx, a.p.Account.Name)
	}
	return a, found, err
}

func (s *Server) readDigits(ctx context.Context, typed string, found *checkpoint.Found) error {
	is, err := s.issuer()
	if err != nil {
		return err
	}
	if found.Person, found.Tell, err = is.ByShortCode(ctx, typed); err != nil || found.Tell != "" {
		return err
	}
	if d, err := s.cfg.Registry.Dossier(ctx, found.Person); err == nil { // else the scan finds out
		found.Dossier = &d
	}
	return nil
}

func (s *Server) comeByDocument(ctx context.Context, in *scanIn, by login) (a admitted, _ *checkpoint.Found, err error) {
	kind, number, name, err := s.documentOf(in.Body.Document)
	if err != nil {
		if a, refused := s.admit(ctx, in, by, false); refused != nil {
			return a, nil, refused
		}
		return a, nil, err
	}
	var refused error
	var d kangma.Dossier
	s.cfg.Registry.Together(ctx,
		func(ctx context.Context) {
			if a, refused = s.admit(ctx, in, by, true); refused == nil {
				refused = s.spendTry(ctx, "looked-up:"+s.cfg.Registry.DocumentKey(kind, number), lookupsAllowed, time.Hour)
			}
		},
		func(ctx context.Context) { d, err = s.cfg.Registry.FindByDocument(ctx, kind, number) })
	if refused != nil {
		return a, nil, refused
	}
	found := &checkpoint.Found{Tell: kangma.TellUnknownPerson, How: byIDCard}
	switch {
	case errors.Is(err, kangma.NotFound):
		s.missLater(ctx, a.p.Account.Name)
		return a, found, nil
	case err != nil:
		return a, nil, unavailable(err)
	}
	has, err := s.cfg.Registry.Sealer().OpenName(d.Person, d.Sealed)
	if err != nil {
		return a, nil, unavailable(err)
	}
	if has != name { // the same answer as for a number that nobody has
		s.missLater(ctx, a.p.Account.Name)
		return a, found, nil
	}
	return a, &checkpoint.Found{Person: d.Person, How: byIDCard, Dossier: &d}, nil
}

func (s *Server) documentOf(in *documentIn) (kind string, number kangma.IDNumber, name kangma.Name, err error) {
	if kind = in.Type; kind == "" {
		kind = kangma.DocResidentID
	}
	if number, err = kangma.NewIDNumber(kind, in.Number, s.auth.now()); err != nil {
		return kind, number, name, invalid([]kangma.Fault{faultOf("body.document.number", err)})
	}
	if name, err = kangma.NewName(in.Name); err != nil {
		return kind, number, name, invalid([]kangma.Fault{faultOf("body.document.name", err)})
	}
	return kind, number, name, nil
}

// missBudget refuses an account that has missed too often; miss spends one.
func (s *Server) missBudget(ctx context.Context, account string) error {
	return s.triesLeft(ctx, "miss:"+account, missesAllowed, missWindow)
}

func (s *Server) miss(ctx context.Context, account string) {
	_ = s.spendTry(ctx, "miss:"+account, missesAllowed, missWindow) // refused the next time
}

// missLater is miss of which nobody waits for the other nodes' budget: this node's own is spent at once.
func (s *Server) missLater(ctx context.Context, account string) {
	if s.cfg.Registry.Moments() == nil {
		s.miss(ctx, account)
		return
	}
	now, key := s.auth.now(), "miss:"+account
	if s.limits.allow(key, missesAllowed, missWindow, now) == nil {
		ctx = context.WithoutCancel(ctx)
		go func() { _ = s.spendSharedTry(ctx, key, missesAllowed, missWindow, now) }() // bounded by the budget, and by the store's time
	}
}
