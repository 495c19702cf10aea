package issuance

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
)

// Guardianship lets one person show the codes of another: a child's or an elder's. It needs consent and ends by itself.
type Guardianship struct {
	ID        string          `json:"id"`
	Guardian  kangma.PersonID `json:"guardian"`
	Dependent kangma.PersonID `json:"dependent"`
	Relation  string          `json:"relation"` // child, elder, ward
	Status    GuardianStatus  `json:"status"`
	Asked     time.Time       `json:"asked_at"`
	From      time.Time       `json:"from,omitzero"` // of the consent
	Until     time.Time       `json:"until"`         // of the request, once there is consent of the guardianship
	Months    int             `json:"months"`        // asked for
	Consent   string          `json:"consent,omitempty"`
}

// GuardianStatus is the stage of a guardianship. Only accepted lets anybody show a code.
type GuardianStatus string

// The stages.
const (
	Waiting  GuardianStatus = "waiting" // for the consent of the dependent, or of the child's other guardian
	Accepted GuardianStatus = "accepted"
	Refused  GuardianStatus = "refused"
	Ended    GuardianStatus = "ended" // by one of the two, or by an official
)

// How consent was given.
const (
	ConsentSelf     = "self"      // the dependent, in their own login
	ConsentGuardian = "guardian"  // another guardian of the child
	ConsentParent   = "parent"    // who registered the child, which had no guardian
	ConsentInPerson = "in-person" // an official saw both with their documents
)

const (
	guardianKind  = "guardianship"
	maxDependents = 8 // domain.md 2.1: 海南 allows eight
	askFor        = 14 * 24 * time.Hour
	adultAge      = 18
	maxMonths     = 36
	defaultMonths = 12
)

// Relations is the closed set of them.
var Relations = []string{"child", "elder", "ward"}

// InForce reports whether the guardian may show the dependent's codes at a moment.
func (g *Guardianship) InForce(at time.Time) bool {
	return g.Status == Accepted && !at.Before(g.From) && at.Before(g.Until)
}

// open reports whether the guardianship is in force or may still come to be.
func (g *Guardianship) open(at time.Time) bool {
	return at.Before(g.Until) && (g.Status == Waiting || g.Status == Accepted)
}

// Dependents lists whom a person may show, or has asked to, newest first; Guardians who may show this person's codes, or
// asks to.
func (s *Service) Dependents(ctx context.Context, guardian kangma.PersonID) ([]Guardianship, error) {
	return s.openBy(ctx, "guardian", guardian)
}

// Guardians lists who may show a person's codes, or asks to, newest first.
func (s *Service) Guardians(ctx context.Context, dependent kangma.PersonID) ([]Guardianship, error) {
	return s.openBy(ctx, "dependent", dependent)
}

func (s *Service) openBy(ctx context.Context, index string, person kangma.PersonID) (out []Guardianship, err error) {
	now := s.now()
	err = s.eachBy(ctx, guardianKind, index, person.String(), func(_ string, data []byte, _ uint64) error {
		var g Guardianship
		if err := json.Unmarshal(data, &g); err != nil {
			return damaged(err)
		}
		if g.open(now) {
			out = append(out, g)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b Guardianship) int { return b.Asked.Compare(a.Asked) })
	return out, err
}

// ErrNotGuardian says that a person is not, or no longer, the guardian.
var ErrNotGuardian = kangma.E(kangma.Forbidden, "not_guardian", "you may not show this person's codes, or no longer")

// MayShow finds the guardianship by which one person shows another's codes now, else ErrNotGuardian.
func (s *Service) MayShow(ctx context.Context, guardian, dependent kangma.PersonID) (Guardianship, error) {
	all, err := s.Dependents(ctx, guardian)
	if err != nil {
		return Guardianship{}, err
	}
	now := s.now()
	i := slices.IndexFunc(all, func(g Guardianship) bool { return g.Dependent == dependent && g.InForce(now) })
	if i < 0 {
		return Guardianship{}, ErrNotGuardian
	}
	return all[i], nil
}

// put stores a guardianship at its version.
func (s *Service) putGuardianship(ctx context.Context, g Guardianship) error {
	return unavailable(s.registry.PutDoc(ctx, guardianKind, g.ID, g, map[string]string{
		"guardian": g.Guardian.String(), "dependent": g.Dependent.String(),
	}))
}

var errNoGuardianship = kangma.E(kangma.NotFound, "no_guardianship", "there is no such request or guardianship")

// guardianship reads one that is open.
func (s *Service) guardianship(ctx context.Context, id string) (Guardianship, error) {
	g, _, err := registry.GetDoc[Guardianship](ctx, s.registry.Records(), guardianKind, id)
	if errors.Is(err, kangma.NotFound) || err == nil && !g.open(s.now()) {
		return g, errNoGuardianship
	}
	return g, unavailable(err)
}

// Decide answers a request: by is the dependent, or for a child another guardian in force. What nobody answers lapses
// after 14 days. kangma.NotFound: no such request of theirs.
func (s *Service) Decide(ctx context.Context, id string, by kangma.PersonID, accept bool) (Guardianship, error) {
	g, err := s.guardianship(ctx, id)
	if err != nil {
		return g, err
	}
	consent := ConsentSelf
	if by != g.Dependent {
		if _, err := s.MayShow(ctx, by, g.Dependent); err != nil || g.Relation != "child" || by == g.Guardian {
			return g, errNoGuardianship
		}
		consent = ConsentGuardian
	}
	if g.Status != Waiting {
		return g, errNoGuardianship
	}
	if !accept {
		g.Status = Refused
		return g, s.putGuardianship(ctx, g)
	}
	return s.enforce(ctx, g, consent)
}

// enforce puts a guardianship in force from now for the months asked for; a child's ends with childhood.
func (s *Service) enforce(ctx context.Context, g Guardianship, consent string) (Guardianship, error) {
	now := s.now()
	g.Status, g.Consent, g.From, g.Until = Accepted, consent, now, now.AddDate(0, g.Months, 0)
	if grown, ok, err := s.grownUp(ctx, g.Dependent); err != nil {
		return g, err
	} else if ok && g.Relation == "child" && grown.Before(g.Until) {
		g.Until = grown
	}
	if !now.Before(g.Until) {
		return g, kangma.E(kangma.Conflict, "grown_up", "this person is of age: they give consent themselves")
	}
	return g, s.putGuardianship(ctx, g)
}

// EndGuardianship ends a guardianship or takes a request back; by is one of the two. Paper codes and credentials drawn
// meanwhile are voided: the guardian may hold them.
func (s *Service) EndGuardianship(ctx context.Context, id string, by kangma.PersonID) error {
	g, err := s.guardianship(ctx, id)
	if err != nil {
		return err
	}
	if by != g.Guardian && by != g.Dependent {
		return errNoGuardianship
	}
	was := g.Status
	g.Status = Ended
	if err := s.putGuardianship(ctx, g); err != nil || was != Accepted {
		return err
	}
	_, err = s.Void(ctx, g.Dependent, zeroID, VoidEnded)
	return err
}

// forgetGuardianships lets go of those of an erased person.
func (s *Service) forgetGuardianships(ctx context.Context, person kangma.PersonID) error {
	for _, index := range []string{"guardian", "dependent"} {
		err := s.eachBy(ctx, guardianKind, index, person.String(), func(id string, _ []byte, version uint64) error {
			return s.deleteRecord(ctx, guardianKind, id, version)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
