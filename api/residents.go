package api

import (
	"context"
	"net/http"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store/seal"
)

type registerIn struct {
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"240" doc:"full name as on the document"`
		IDType   string `json:"id_type,omitempty" default:"10" doc:"10 resident ID card, 14, 15, 16, 20, 34, 99"`
		IDNumber string `json:"id_number" minLength:"5" maxLength:"20"`
		Phone    string `json:"phone" minLength:"6" maxLength:"20"`
		Home     string `json:"home,omitempty" maxLength:"9" doc:"division of residence, GB/T 2260, 6 or 9 digits"`
	}
}

type registerOut struct {
	Status int
	Body   struct {
		Person kangma.PersonID `json:"person"`
		Next   string          `json:"next"`
	}
}

func (s *Server) registerResident(ctx context.Context, in *registerIn) (*registerOut, error) {
	r, err := in.parse(s.auth.now())
	if err != nil {
		return nil, err
	}
	if err := s.limits.allow("register:"+s.auth.otpID(r.Identity.Phone), 10, time.Hour, s.auth.now()); err != nil {
		return nil, err
	}
	id, created, err := s.cfg.Registry.Register(ctx, r)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &registerOut{Status: http.StatusOK}
	if created {
		out.Status = http.StatusCreated
	}
	out.Body.Person, out.Body.Next = id, "POST /v1/sessions with the phone"
	return out, nil
}

// parse checks everything and reports every fault.
func (in *registerIn) parse(now time.Time) (r registry.Registration, err error) {
	var faults []kangma.Fault
	note := func(where string, err error) {
		if err != nil {
			faults = append(faults, faultOf(where, err))
		}
	}
	id := seal.Identity{DocType: in.Body.IDType}
	id.Name, err = kangma.NewName(in.Body.Name)
	note("body.name", err)
	id.Number, err = kangma.NewIDNumber(in.Body.IDType, in.Body.IDNumber, now)
	note("body.id_number", err)
	id.Phone, err = kangma.NewPhone(in.Body.Phone)
	note("body.phone", err)
	r.Identity = id
	if in.Body.Home != "" {
		r.Home.Division, err = knownDivision(in.Body.Home)
		note("body.home", err)
	}
	return r, invalid(faults)
}

type emptyIn struct{}

type meOut struct {
	Body struct {
		Person     kangma.PersonID `json:"person"`
		Name       string          `json:"name" doc:"masked"`
		IDNumber   string          `json:"id_number" doc:"masked"`
		Phone      string          `json:"phone" doc:"masked"`
		Home       kangma.Division `json:"home"`
		Registered time.Time       `json:"registered_at"`
	}
}

func (s *Server) me(ctx context.Context, _ *emptyIn) (*meOut, error) {
	d, err := s.cfg.Registry.Dossier(ctx, who(ctx).Person)
	if err != nil {
		return nil, unavailable(err)
	}
	id, err := s.cfg.Registry.Sealer().Open(d.Person, d.Sealed)
	if err != nil {
		return nil, err
	}
	out := &meOut{}
	out.Body.Person, out.Body.Name, out.Body.IDNumber, out.Body.Phone = d.Person, id.Name.Masked(), id.Number.Masked(), id.Phone.Masked()
	out.Body.Home, out.Body.Registered = d.Home.Division, d.Registered
	return out, nil
}
