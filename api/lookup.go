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

// found finds who stands at the gate without a code to show; nil when a code was shown. Tries are limited twice: for the
// account, so that a stolen login cannot go through numbers, and for the person, so that nobody is watched by their number.
func (s *Server) found(ctx context.Context, in *scanIn) (*checkpoint.Found, error) {
	b := &in.Body
	ways := 0
	for _, given := range []bool{b.Code != "", b.ShortCode != "", b.Document != nil} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1:
		return nil, errOneOf
	case b.ShortCode != "":
		return s.foundByDigits(ctx, b.ShortCode)
	case b.Document != nil:
		return s.foundByDocument(ctx, b.Document)
	}
	return nil, nil
}

const (
	missesAllowed  = 20 // digits or documents that fit nobody, of one account in ten minutes
	missWindow     = 10 * time.Minute
	lookupsAllowed = 30 // of one person by their document, at all gates, in an hour
)

func (s *Server) foundByDigits(ctx context.Context, typed string) (*checkpoint.Found, error) {
	is, err := s.issuer()
	if err != nil {
		return nil, err
	}
	if err := s.missBudget(ctx); err != nil {
		return nil, err
	}
	person, tell, err := is.ByShortCode(ctx, typed)
	if err != nil {
		return nil, err
	}
	if tell == kangma.TellUnknownPerson {
		s.miss(ctx)
	}
	return &checkpoint.Found{Person: person, Tell: tell, How: byShortCode}, nil
}

func (s *Server) foundByDocument(ctx context.Context, in *documentIn) (*checkpoint.Found, error) {
	if in.Type == "" {
		in.Type = kangma.DocResidentID
	}
	number, err := kangma.NewIDNumber(in.Type, in.Number, s.auth.now())
	if err != nil {
		return nil, invalid([]kangma.Fault{faultOf("body.document.number", err)})
	}
	name, err := kangma.NewName(in.Name)
	if err != nil {
		return nil, invalid([]kangma.Fault{faultOf("body.document.name", err)})
	}
	if err := s.missBudget(ctx); err != nil {
		return nil, err
	}
	nobody := &checkpoint.Found{Tell: kangma.TellUnknownPerson, How: byIDCard}
	person, err := s.cfg.Registry.ByDocument(ctx, in.Type, number)
	if errors.Is(err, kangma.NotFound) {
		s.miss(ctx)
		return nobody, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	if err := s.spendTry(ctx, "looked-up:"+person.String(), lookupsAllowed, time.Hour); err != nil {
		return nil, err
	}
	d, err := s.cfg.Registry.Dossier(ctx, person)
	if err != nil {
		return nil, unavailable(err)
	}
	has, err := s.cfg.Registry.Sealer().OpenName(person, d.Sealed)
	if err != nil {
		return nil, unavailable(err)
	}
	if has != name { // the same answer as for a number that nobody has
		s.miss(ctx)
		return nobody, nil
	}
	return &checkpoint.Found{Person: person, How: byIDCard}, nil
}

// missBudget refuses an account that has missed too often; miss spends one.
func (s *Server) missBudget(ctx context.Context) error {
	return s.triesLeft(ctx, "miss:"+who(ctx).Account.Name, missesAllowed, missWindow)
}

func (s *Server) miss(ctx context.Context) {
	_ = s.spendTry(ctx, "miss:"+who(ctx).Account.Name, missesAllowed, missWindow) // refused the next time
}
