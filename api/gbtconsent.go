package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Whoever knows a name and a number must not learn a colour by them (domain.md 2.3, 他人代查). So another system applies
// first, the person reads whose application it is and gives the one-time password away or not, and the password is good
// for this application and service alone: not to log in.

// application is kept under its id (kind "gbt-apply") for ten minutes.
type application struct {
	Person  kangma.PersonID `json:"person,omitzero"` // zero: nobody; answered alike
	Service string          `json:"service"`
	Feed    string          `json:"feed"`
	Hash    []byte          `json:"hash"`
	Tries   int             `json:"tries"`
	Expires time.Time       `json:"expires"`
}

const applyKind = "gbt-apply"

// gbtPerson is the identity fields of the requests: 姓名, 证件类型, 证件号码.
type gbtPerson struct{ Name, CardType, CardID string }

// gbtFind finds the person whose document and name both fit. The zero PersonID: nobody.
func (s *Server) gbtFind(ctx context.Context, p *gbtPerson) (kangma.PersonID, *kangma.Dossier, error) {
	if p.CardType == "" {
		p.CardType = kangma.DocResidentID
	}
	number, err := kangma.NewIDNumber(p.CardType, p.CardID, s.auth.now())
	if err != nil {
		return kangma.PersonID{}, nil, invalid([]kangma.Fault{faultOf("body.cardId", err)})
	}
	name, err := kangma.NewName(p.Name)
	if err != nil {
		return kangma.PersonID{}, nil, invalid([]kangma.Fault{faultOf("body.name", err)})
	}
	person, err := s.cfg.Registry.ByDocument(ctx, p.CardType, number)
	if errors.Is(err, kangma.NotFound) {
		return kangma.PersonID{}, nil, nil
	}
	if err != nil {
		return person, nil, unavailable(err)
	}
	d, err := s.cfg.Registry.Dossier(ctx, person)
	if err != nil {
		return person, nil, unavailable(err)
	}
	has, err := s.cfg.Registry.Sealer().OpenName(person, d.Sealed)
	if err != nil {
		return person, nil, unavailable(err)
	}
	if has != name {
		return kangma.PersonID{}, nil, nil
	}
	return person, &d, nil
}

type gbtApplyIn struct {
	Body struct {
		Name     string `json:"name" minLength:"1" maxLength:"240" doc:"姓名"`
		CardType string `json:"cardType,omitempty" maxLength:"2" doc:"证件类型; left out: 10"`
		CardID   string `json:"cardId" minLength:"5" maxLength:"20" doc:"证件号码"`
		Service  string `json:"service" enum:"query,make" doc:"what for"`
	}
}

type gbtApplyOut struct {
	Body struct {
		Code    string    `json:"code"`
		ApplyID string    `json:"applyId" doc:"goes with the one-time password that the person was sent"`
		Until   time.Time `json:"expires_at"`
	}
}

// gbtApply answers the same whether or not there is such a person.
func (s *Server) gbtApply(ctx context.Context, in *gbtApplyIn) (*gbtApplyOut, error) {
	who, now := who(ctx).Account, s.auth.now()
	if err := s.limits.allow("gbt-apply:"+who.Name, 600, time.Hour, now); err != nil {
		return nil, err
	}
	person, d, err := s.gbtFind(ctx, &gbtPerson{in.Body.Name, in.Body.CardType, in.Body.CardID})
	if err != nil {
		return nil, err
	}
	var raw [16]byte
	rand.Read(raw[:])
	id, otp := hex.EncodeToString(raw[:]), sixDigits()
	app := application{Person: person, Service: in.Body.Service, Feed: who.Feed, Hash: s.applyHash(id, otp), Expires: now.Add(otpLife)}
	data, err := json.Marshal(app)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Registry.Records().Put(ctx, store.Record{Kind: applyKind, ID: id, Version: 1, Data: data}); err != nil {
		return nil, unavailable(err)
	}
	if d != nil {
		if err := s.sendConsent(ctx, d, otp); err != nil {
			return nil, err
		}
	}
	out := &gbtApplyOut{}
	out.Body.Code, out.Body.ApplyID, out.Body.Until = gbtOK, id, app.Expires
	return out, nil
}

// sendConsent sends the password to the person's own phone; one without a phone cannot consent this way.
func (s *Server) sendConsent(ctx context.Context, d *kangma.Dossier, otp string) error {
	id, err := s.cfg.Registry.Sealer().Open(d.Person, d.Sealed)
	if err != nil || id.Phone == (kangma.Phone{}) {
		return nil
	}
	if err := s.limits.allow("gbt-otp:"+d.Person.String(), 5, time.Hour, s.auth.now()); err != nil {
		return nil // no flood of messages; and no answer by which to tell
	}
	if err := s.cfg.SendOTP(ctx, id.Phone, otp); err != nil {
		return kangma.E(kangma.Unavailable, "otp_send", "the one-time password could not be sent; try again").Because(err)
	}
	return nil
}

func sixDigits() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // never: crypto/rand aborts the process instead
	}
	return fmt.Sprintf("%06d", n)
}

func (s *Server) applyHash(id, otp string) []byte {
	m := hmac.New(sha256.New, s.auth.secret[:])
	fmt.Fprintf(m, "gbt-apply\x00%s\x00%s", id, otp)
	return m.Sum(nil)
}

// consented spends an application: it gives the person once, to the system that applied, for the service it named.
func (s *Server) consented(ctx context.Context, applyID, otp, service string) (kangma.PersonID, error) {
	app, version, err := registry.GetDoc[application](ctx, s.cfg.Registry.Records(), applyKind, applyID)
	if errors.Is(err, kangma.NotFound) {
		return kangma.PersonID{}, errWrongOTP
	}
	if err != nil {
		return kangma.PersonID{}, unavailable(err)
	}
	good := subtle.ConstantTimeCompare(app.Hash, s.applyHash(applyID, otp)) == 1 && app.Tries < otpTries && s.auth.now().Before(app.Expires) &&
		!app.Person.IsZero() && app.Service == service && app.Feed == who(ctx).Account.Feed
	next := store.Record{Kind: applyKind, ID: applyID, Version: version + 1, Deleted: good}
	if !good {
		app.Tries++
		if next.Data, err = json.Marshal(app); err != nil {
			return kangma.PersonID{}, err
		}
	}
	if err := s.cfg.Registry.Records().Put(ctx, next); err != nil || !good {
		return kangma.PersonID{}, errWrongOTP
	}
	return app.Person, s.noteConsent(ctx, app.Person, service)
}

// noteConsent writes into the person's list that another system used their consent.
func (s *Server) noteConsent(ctx context.Context, person kangma.PersonID, service string) error {
	acc, now := who(ctx).Account, s.auth.now().UTC()
	return s.cfg.Registry.AppendPassages(ctx, nil, []registry.View{{ID: kangma.NewEventID(now), At: now, Person: person, Access: kangma.Access{
		Account: acc.Name, Organisation: acc.Organisation, Role: string(acc.Role), Purpose: "consent", Fields: []string{service},
	}}})
}
