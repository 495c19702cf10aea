package registry

import (
	"context"
	"errors"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/seal"
	"github.com/kangma/kangma/store/wire"
)

// Registration is what a resident gives once.
type Registration struct {
	Identity seal.Identity
	Home     kangma.Place
}

// ErrRegistered says that the document or phone already belongs to somebody else's registration.
var ErrRegistered = kangma.E(kangma.Conflict, "already_registered", "this document or phone is already registered; log in with the registered phone")

// Register takes a person in. The same registration again (document and phone) gives the same person and created=false;
// a document or phone that belongs to another registration is ErrRegistered. A registration without a phone is that of
// somebody whom others look after; when they come with the same name and a phone of their own, it becomes theirs.
func (s *Service) Register(ctx context.Context, r Registration) (id kangma.PersonID, created bool, err error) {
	began := s.cfg.Now()
	byDoc := s.cfg.Sealer.Document(r.Identity.DocType, r.Identity.Number)
	id, err = s.claim(ctx, byDoc, kangma.NewPersonID())
	if err != nil {
		return id, false, err
	}
	var byPhone []kangma.BlindIndex
	if r.Identity.Phone != (kangma.Phone{}) {
		byPhone = s.cfg.Sealer.Phone(r.Identity.Phone)
		owner, err := s.claim(ctx, byPhone, id)
		if err != nil {
			return kangma.PersonID{}, false, err
		}
		if owner != id {
			return kangma.PersonID{}, false, ErrRegistered
		}
	}
	if d, err := s.cfg.Dossiers.Get(ctx, id); err == nil && !d.Sealed.IsZero() {
		return s.sameRegistration(ctx, d, r.Identity, byPhone)
	} else if err != nil && !errors.Is(err, kangma.NotFound) {
		return kangma.PersonID{}, false, err
	}
	if s.cfg.Now().Sub(began) > claimLife/2 { // the claims may be gone before the person is there
		return kangma.PersonID{}, false, errClaimsOld
	}
	return id, true, s.enter(ctx, id, r)
}

// sameRegistration answers a repeated registration: the same person when the phone is theirs, or when they had none and
// the name is theirs; else a conflict.
func (s *Service) sameRegistration(ctx context.Context, d kangma.Dossier, given seal.Identity, byPhone []kangma.BlindIndex) (kangma.PersonID, bool, error) {
	if owner, err := s.lookup(ctx, byPhone); err == nil && owner == d.Person {
		return d.Person, false, nil
	}
	had, err := s.cfg.Sealer.Open(d.Person, d.Sealed)
	if err != nil || had.Phone != (kangma.Phone{}) || had.Name != given.Name {
		if byPhone != nil {
			err = s.unclaim(ctx, byPhone) // nobody's again
		}
		return kangma.PersonID{}, false, errors.Join(ErrRegistered, err)
	}
	if byPhone == nil {
		return d.Person, false, nil
	}
	return d.Person, false, s.giveIdentity(ctx, d, given)
}

// giveIdentity seals a person's identity anew.
func (s *Service) giveIdentity(ctx context.Context, d kangma.Dossier, id seal.Identity) error {
	sealed, err := s.cfg.Sealer.Seal(d.Person, id, d.Sealed.Revision+1)
	if err != nil {
		return err
	}
	next := kangma.Dossier{Person: d.Person, Registered: d.Registered, Home: d.Home, Sealed: sealed, Guardians: d.Guardians}
	return s.keepPerson(ctx, next)
}

func (s *Service) enter(ctx context.Context, id kangma.PersonID, r Registration) error {
	sealed, err := s.cfg.Sealer.Seal(id, r.Identity, 1)
	if err != nil {
		return err
	}
	d := kangma.Dossier{Person: id, Registered: s.cfg.Now().UTC(), Home: r.Home, Sealed: sealed}
	if err := s.keepPerson(ctx, d); err != nil {
		return err
	}
	if err := s.unclaim(ctx, sealed.Indexes); err != nil { // the dossier says it now; a claim that stays does no harm
		s.log.Warn("a claim is left behind", "err", err)
	}
	return nil
}

// keepPerson makes who a person is durable, then puts it in force.
func (s *Service) keepPerson(ctx context.Context, d kangma.Dossier) error {
	now := s.cfg.Now().UTC()
	e := wire.PersonEvent(kangma.NewEventID(now), now, d)
	last, err := s.cfg.Journal.Append(ctx, e)
	if err != nil {
		return err
	}
	if err := s.applyStep(ctx, step{person: e.Person, next: &d, event: e.ID}); err != nil {
		return kangma.E(kangma.Unavailable, "not_applied", "kept, but not yet in force; try again").Because(err)
	}
	s.applied.mark(last, 1)
	return nil
}

// ByPhone finds the person of a phone. kangma.NotFound: none.
func (s *Service) ByPhone(ctx context.Context, phone kangma.Phone) (kangma.PersonID, error) {
	return s.lookup(ctx, s.cfg.Sealer.Phone(phone))
}

// lookup finds a person by one value under each index key in use.
func (s *Service) lookup(ctx context.Context, indexes []kangma.BlindIndex) (kangma.PersonID, error) {
	for _, index := range indexes {
		id, err := s.cfg.Dossiers.Lookup(ctx, index)
		if !errors.Is(err, kangma.NotFound) {
			return id, err
		}
	}
	return kangma.PersonID{}, kangma.NotFound
}

// ByDocument finds the person of a document. kangma.NotFound: none.
func (s *Service) ByDocument(ctx context.Context, docType string, number kangma.IDNumber) (kangma.PersonID, error) {
	return s.lookup(ctx, s.cfg.Sealer.Document(docType, number))
}

// Dossier reads one dossier. kangma.NotFound: none.
func (s *Service) Dossier(ctx context.Context, id kangma.PersonID) (kangma.Dossier, error) {
	return s.cfg.Dossiers.Get(ctx, id)
}

// Erase destroys a person's data key, identity and evidence, in the journal first.
func (s *Service) Erase(ctx context.Context, id kangma.PersonID) error {
	now := s.cfg.Now().UTC()
	d, err := s.cfg.Dossiers.Get(ctx, id)
	if err != nil {
		return err
	}
	for _, f := range s.onErase {
		if err := f(ctx, id); err != nil {
			return err
		}
	}
	e := kangma.Event{ID: kangma.NewEventID(now), Kind: kangma.EventErase, At: now, Person: id}
	last, err := s.cfg.Journal.Append(ctx, e)
	if err != nil {
		return err
	}
	if err := s.applyEvent(ctx, e); err != nil {
		return err
	}
	s.applied.mark(last, 1)
	return s.unclaim(ctx, d.Sealed.Indexes)
}
