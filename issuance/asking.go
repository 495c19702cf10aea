package issuance

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/seal"
)

var zeroID codegen.CodeID

// Ask is a request to be somebody's guardian: who they are, as on their document.
type Ask struct {
	Identity seal.Identity // without a phone
	Home     kangma.Place
	Relation string
	Months   int // how long; 0: 12
}

func (a *Ask) check() error {
	if a.Months == 0 {
		a.Months = defaultMonths
	}
	if !slices.Contains(Relations, a.Relation) || a.Months < 1 || a.Months > maxMonths {
		return kangma.E(kangma.Invalid, "guardianship", "a guardian names the relation (child, elder, ward) and 1 to 36 months")
	}
	return nil
}

// AskFor records that a person wants to show another's codes. A child whom nobody has registered yet is registered and
// theirs at once; for everybody else somebody must consent: the dependent, a child's other guardian, or an official who
// sees both. The answer is the same whether or not anybody of that document is registered under that name, so that it
// tells a stranger nothing. kangma.TooMany: eight dependents.
func (s *Service) AskFor(ctx context.Context, guardian kangma.PersonID, a Ask) (Guardianship, error) {
	if err := a.check(); err != nil {
		return Guardianship{}, err
	}
	g, err := s.newGuardianship(ctx, guardian, a)
	if err != nil {
		return g, err
	}
	person, same, err := s.whoIs(ctx, a.Identity)
	if err != nil {
		return g, err
	}
	if same {
		g.Dependent = person
	}
	if person == guardian {
		return g, kangma.E(kangma.Invalid, "guardianship", "nobody is their own guardian")
	}
	if young := isChild(a.Identity, s.now()); person.IsZero() && young && a.Relation == "child" {
		if g.Dependent, _, err = s.registry.Register(ctx, registry.Registration{Identity: a.Identity, Home: a.Home}); err != nil {
			return g, unavailable(err)
		}
		return s.enforce(ctx, g, ConsentParent)
	}
	return g, s.putGuardianship(ctx, g)
}

// newGuardianship begins a request, waiting, for a person nobody is.
func (s *Service) newGuardianship(ctx context.Context, guardian kangma.PersonID, a Ask) (Guardianship, error) {
	now := s.now()
	mine, err := s.Dependents(ctx, guardian)
	if err != nil {
		return Guardianship{}, err
	}
	if len(mine) >= maxDependents {
		return Guardianship{}, kangma.E(kangma.TooMany, "too_many_dependents", "one person may show the codes of up to eight others")
	}
	var raw [12]byte
	rand.Read(raw[:])
	return Guardianship{
		ID: hex.EncodeToString(raw[:]), Guardian: guardian, Dependent: kangma.NewPersonID(), Relation: a.Relation,
		Status: Waiting, Asked: now, Until: now.Add(askFor), Months: a.Months,
	}, nil
}

// whoIs finds the person of a document and whether the name is theirs too. The zero PersonID: nobody.
func (s *Service) whoIs(ctx context.Context, id seal.Identity) (person kangma.PersonID, same bool, err error) {
	person, err = s.registry.ByDocument(ctx, id.DocType, id.Number)
	if errors.Is(err, kangma.NotFound) {
		return kangma.PersonID{}, false, nil
	}
	if err != nil {
		return person, false, unavailable(err)
	}
	d, err := s.registry.Dossier(ctx, person)
	if err != nil {
		return person, false, unavailable(err)
	}
	name, err := s.registry.Sealer().OpenName(person, d.Sealed)
	return person, err == nil && name == id.Name, err
}

// Assist puts a guardianship in force that an official has checked: both were there with their documents. A dependent
// without a phone who is not registered is registered. kangma.Conflict: the document is registered under another name.
func (s *Service) Assist(ctx context.Context, guardian kangma.PersonID, a Ask) (Guardianship, error) {
	if err := a.check(); err != nil {
		return Guardianship{}, err
	}
	g, err := s.newGuardianship(ctx, guardian, a)
	if err != nil {
		return g, err
	}
	person, same, err := s.whoIs(ctx, a.Identity)
	switch {
	case err != nil:
		return g, err
	case person == guardian:
		return g, kangma.E(kangma.Invalid, "guardianship", "nobody is their own guardian")
	case person.IsZero():
		if person, _, err = s.registry.Register(ctx, registry.Registration{Identity: a.Identity, Home: a.Home}); err != nil {
			return g, unavailable(err)
		}
	case !same:
		return g, kangma.E(kangma.Conflict, "other_name", "this document is registered under another name; compare it again")
	}
	g.Dependent = person
	return s.enforce(ctx, g, ConsentInPerson)
}

// isChild reports whether the document says that its holder is under age; other documents than ID cards say nothing.
func isChild(id seal.Identity, now time.Time) bool {
	grown, ok := adultFrom(id)
	return ok && now.Before(grown)
}

// adultFrom gives the eighteenth birthday, 00:00 in China, of an ID card.
func adultFrom(id seal.Identity) (time.Time, bool) {
	if id.DocType != kangma.DocResidentID {
		return time.Time{}, false
	}
	born, err := time.ParseInLocation("20060102", id.Number.Reveal()[6:14], china)
	return born.AddDate(adultAge, 0, 0), err == nil
}

var china = time.FixedZone("CST", 8*60*60)

func (s *Service) grownUp(ctx context.Context, person kangma.PersonID) (time.Time, bool, error) {
	d, err := s.registry.Dossier(ctx, person)
	if err != nil {
		return time.Time{}, false, unavailable(err)
	}
	id, err := s.registry.Sealer().Open(person, d.Sealed)
	if err != nil {
		return time.Time{}, false, err
	}
	grown, ok := adultFrom(id)
	return grown, ok, nil
}

func (s *Service) deleteRecord(ctx context.Context, kind, id string, version uint64) error {
	return unavailable(s.registry.PutRecord(ctx, store.Record{Kind: kind, ID: id, Version: version + 1, Deleted: true}))
}
