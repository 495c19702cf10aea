package checkpoint

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/inbox"
	"github.com/kangma/kangma/checkpoint/queue"
	"github.com/kangma/kangma/registry"
)

const (
	offlineAge = 14 * 24 * time.Hour
	syncSkew   = 30 * time.Second
)

// Made is a passage as a gate without a network made it, with the code that was shown.
type Made struct {
	Sealed  *queue.Sealed // says the rest; nil: it came in plain
	Err     error         // it could not even be read: refused for this passage alone
	Code    string
	Passage kangma.Passage // ID (its time is the passage's), Told, Colour, Decision, Reason, Direction, Temperature, Flags
}

// Taken says what became of one passage.
type Taken struct {
	Event    kangma.EventID
	Err      error // nil: kept, and counted once however often it comes
	Conflict bool  // it let pass whom it should not have; officials read of it
}

// Sync takes passages made without a network at one gate, in any order and however often: one durable append for all
// that are good, then the reports of conflicts, then the answer. by gives operator, organisation and role. After an
// error nothing is acknowledged and the same passages are sent again.
func (s *Service) Sync(ctx context.Context, g Gate, by Scan, made []Made) ([]Taken, error) {
	now := s.registry.Now().UTC()
	by.Gate = g
	taken := make([]Taken, len(made))
	var ps []kangma.Passage
	var views []registry.View
	var conflicts []inbox.Item
	for i, m := range made {
		m, refused, err := s.inPlain(g, m, now)
		if err != nil {
			return nil, err
		}
		taken[i] = Taken{Event: m.Passage.ID, Err: refused}
		if refused != nil {
			continue
		}
		p, person, named, reason, err := s.settle(ctx, g, by, m)
		if err != nil {
			return nil, err
		}
		if named {
			v := by
			v.Event = p.ID
			views = append(views, v.view(person, p.At))
		}
		if reason != "" {
			taken[i].Conflict = true
			conflicts = append(conflicts, inbox.Item{Kind: inbox.OfflineConflict, Event: p.ID, At: p.At, Gate: g.ID, District: g.District,
				Operator: by.Operator, Reason: reason, Person: person})
		}
		ps = append(ps, p)
	}
	if err := s.registry.AppendPassages(ctx, ps, views); err != nil {
		return nil, err
	}
	return taken, inbox.Put(ctx, s.registry, conflicts...)
}

// inPlain gives a passage in plain and says why it is refused for good. An error: it cannot be read now.
func (s *Service) inPlain(g Gate, m Made, now time.Time) (plain Made, refused, err error) {
	if m.Err == nil && m.Sealed != nil {
		return s.unseal(g, m.Sealed, now)
	}
	if m.Err != nil {
		return m, m.Err, nil
	}
	return m, m.check(now), nil
}

// settle completes a passage with what only the server knows. reason is not empty where it conflicts.
func (s *Service) settle(ctx context.Context, g Gate, by Scan, m Made) (p kangma.Passage, person kangma.PersonID, named bool, reason string, err error) {
	p = m.Passage
	p.At, p.Gate, p.GateKind, p.District, p.Operator = p.ID.Time(), g.ID, g.Kind, g.District, by.Operator
	p.Verified, p.Person, p.Rules, p.Vehicle = "offline", kangma.Pseudonym{}, "", ""
	p.Flags = []string{FlagOffline}
	for _, f := range []string{FlagStale, FlagReplay, FlagTravel} {
		if slices.Contains(m.Passage.Flags, f) {
			p.Flags = append(p.Flags, f)
		}
	}
	claims, bad := s.opener.Open(m.Code, p.At)
	if late, ok := s.opener.(LateOpener); ok && bad == kangma.TellUnknownKey {
		claims, bad = late.OpenLate(m.Code, p.At)
	}
	if bad == "" {
		if bad, err = s.stands(ctx, &claims, p.At); err != nil {
			return p, person, false, "", err
		}
	}
	switch {
	case bad == kangma.TellUnknownKey: // a key retired meanwhile: the server cannot say more than the gate
	case bad != "":
		reason = string(bad)
	default:
		a, d, err := s.registry.Assess(ctx, claims.Person, p.At)
		if err != nil {
			return p, person, false, "", err
		}
		if d != nil {
			person, named = d.Person, claims.MaskedName != ""
			p.Person = s.registry.Sealer().Pseudonym(d.Person, p.At)
		}
		if a.Told && a.Colour == kangma.Red {
			reason = a.ReasonCode()
		}
	}
	if p.Decision != kangma.Pass {
		reason = ""
	}
	if reason != "" {
		p.Flags = append(p.Flags, FlagConflict)
	}
	return p, person, named, reason, nil
}

var reasonShape = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// check bounds what a device may claim.
func (m Made) check(now time.Time) error {
	p := m.Passage
	in := Scan{Code: m.Code, Direction: p.Direction, Temperature: p.Temperature}
	switch {
	case m.Code == "" || !reasonShape.MatchString(p.Reason) || p.Decision > kangma.Pass || p.Colour > kangma.Green:
		return errItem
	case !p.Told && p.Decision == kangma.Pass:
		return kangma.E(kangma.Invalid, "offline_item", "nobody passes without a colour")
	}
	if err := inTime(p.ID, now); err != nil {
		return err
	}
	return in.check()
}
