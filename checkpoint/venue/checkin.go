package venue

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// CheckIn is one scan of a venue's code by a resident.
type CheckIn struct {
	Event      kangma.EventID // made by the phone (UUIDv7): a retry is the same check-in
	Venue      string
	Code       string // text of the venue's code
	Person     kangma.PersonID
	Companions []Companion
	Position   *Position
	Form       map[string]any
}

// Companion is somebody who comes along: a dependent, or somebody who shows their own code.
type Companion struct {
	Person kangma.PersonID
	Code   string
}

// Visit is what is kept of a check-in (kind "check-in", id the event). It knows people by their pseudonyms only, as the
// passages do.
type Visit struct {
	Event    kangma.EventID `json:"event"`
	Venue    string         `json:"venue"`
	At       time.Time      `json:"at"`
	Presence string         `json:"presence"` // verified, or why not
	People   []Visitor      `json:"people"`   // who scanned first
	Form     map[string]any `json:"form,omitempty"`
	Out      kangma.EventID `json:"out,omitzero"` // of the check-out
	OutAt    time.Time      `json:"out_at,omitzero"`
}

// Visitor is the verdict on one of them.
type Visitor struct {
	Event      kangma.EventID   `json:"event"`
	Pseudonym  kangma.Pseudonym `json:"pseudonym"`
	Told       bool             `json:"told"`
	Colour     kangma.Colour    `json:"colour"`
	CannotTell string           `json:"cannot_tell,omitempty"`
	Decision   kangma.Decision  `json:"decision"`
	Reason     string           `json:"reason"`
	Why        kangma.Text      `json:"why"`
	Guidance   kangma.Text      `json:"guidance"`
	Rules      string           `json:"rules,omitempty"`

	MaskedName string `json:"-"` // set in the answer to the check-in itself
	person     kangma.PersonID
}

// Presence says whether somebody was surely at the venue. Every other value than Verified is an unverified presence.
const (
	Verified    = "verified"
	StaleCode   = "stale_code"   // the screen's code is over: a photo
	VoidCode    = "void_code"    // a printed code that was replaced, or is over
	NoPosition  = "no_position"  // a geofence, and the phone did not say where it is
	OldPosition = "old_position" // measured more than two minutes ago
	Vague       = "vague"        // the position is too inexact to tell
	Elsewhere   = "elsewhere"    // outside the geofence
	TooFast     = "too_fast"     // was just seen where nobody can have come from
)

const (
	visitKind     = "check-in"
	maxCompanions = 8
	retryFor      = 10 * time.Minute
)

var (
	errOtherVenue   = kangma.E(kangma.Conflict, "other_venue", "this code is of another venue")
	errCompanion    = kangma.E(kangma.Forbidden, "companion", "you are not this companion's guardian; let them show their own code")
	errCompanionTwo = kangma.E(kangma.Invalid, "companion_twice", "a companion comes along once, and is somebody else than you")
	errCompanionBad = kangma.E(kangma.Invalid, "companion_code", "the companion's code cannot be read or is over; let them refresh it")
	errManyComing   = kangma.E(kangma.TooLarge, "companions", "at most 8 companions come along; the others scan themselves")
	errEventTaken   = kangma.E(kangma.Conflict, "event_taken", "this event id belongs to another check-in; draw a new one")
	errEventFuture  = kangma.E(kangma.Invalid, "event_future", "the event is in the future: the phone's clock is off")
)

// CheckIn takes a scan, gives the venue's verdict on everybody, and is durable before it answers. A presence that is not
// verified is no error: the colour is told, nobody is let in by it, and it is kept where nothing that raises a risk looks.
// kangma.Invalid, kangma.Forbidden: not a code of ours, bad input; nothing is kept.
func (s *Service) CheckIn(ctx context.Context, in CheckIn) (*Visit, Venue, error) {
	now := s.registry.Now().UTC()
	v, claims, err := s.venueOf(ctx, in, now)
	if err != nil {
		return nil, v, err
	}
	people, err := s.everybody(ctx, in, now)
	if err != nil {
		return nil, v, err
	}
	visit := &Visit{Event: in.Event, Venue: v.ID, At: moment(in.Event, now), Form: in.Form}
	if kept, err := s.visit(ctx, in.Event); err == nil {
		return s.again(ctx, kept, v, people)
	} else if !errors.Is(err, kangma.NotFound) {
		return nil, v, err
	}
	visit.Presence = s.presence(in, v, claims, people, visit.At, now)
	for i, person := range people {
		k, err := s.judge(ctx, v, visit, person, i)
		if err != nil {
			return nil, v, err
		}
		visit.People = append(visit.People, k)
	}
	data, err := json.Marshal(visit)
	if err != nil {
		return nil, v, err
	}
	if err := s.registry.PutOnce(ctx, store.Record{Kind: visitKind, ID: in.Event.String(), Data: data}); err != nil {
		return nil, v, err
	}
	kept, err := s.visit(ctx, in.Event) // somebody may have been first with this id
	if err != nil {
		return nil, v, err
	}
	if visit.Presence == Verified {
		for _, person := range people {
			s.scans.Whereabouts().Note(person, v.District, visit.At)
		}
	}
	return s.again(ctx, kept, v, people)
}

// venueOf verifies the code and reads its venue, and checks all that needs no person.
func (s *Service) venueOf(ctx context.Context, in CheckIn, now time.Time) (Venue, Claims, error) {
	if s.keys == nil {
		return Venue{}, Claims{}, errNoKeys
	}
	_, keys, err := s.keys.VenueKeys(now)
	if err != nil {
		return Venue{}, Claims{}, err
	}
	claims, err := Open(in.Code, keys)
	if err != nil {
		return Venue{}, claims, err
	}
	v, err := s.Get(ctx, in.Venue)
	switch {
	case err != nil:
	case claims.Venue != v.ID:
		err = errOtherVenue
	case v.Closed:
		err = errClosed
	case in.Event.Time().IsZero():
		err = kangma.E(kangma.Invalid, "bad_id", "an id is 8-4-4-4-12 lower-case hexadecimal digits")
	case in.Event.Time().After(now.Add(screenSkew)):
		err = errEventFuture
	case in.Position != nil && in.Position.check(now) != nil:
		err = in.Position.check(now)
	}
	if err != nil {
		return v, claims, err
	}
	if faults := checkAnswers(v.Form, in.Form); len(faults) > 0 {
		return v, claims, &kangma.Error{Kind: kangma.Invalid, Code: faults[0].Code, Public: faults[0].What, Faults: faults}
	}
	return v, claims, nil
}

// everybody finds who comes: who scanned, then the companions.
func (s *Service) everybody(ctx context.Context, in CheckIn, now time.Time) ([]kangma.PersonID, error) {
	if len(in.Companions) > maxCompanions {
		return nil, errManyComing
	}
	people := []kangma.PersonID{in.Person}
	for _, c := range in.Companions {
		person := c.Person
		if c.Code != "" {
			found, bad, err := s.scans.PersonOf(ctx, c.Code, now)
			if err != nil {
				return nil, err
			}
			if bad != "" || found.IsZero() {
				return nil, errCompanionBad
			}
			person = found
		} else if ok, err := s.mayAct(ctx, in.Person, person, now); err != nil || !ok {
			if err != nil {
				return nil, err
			}
			return nil, errCompanion
		}
		if slices.Contains(people, person) {
			return nil, errCompanionTwo
		}
		people = append(people, person)
	}
	return people, nil
}

// presence says whether they are surely there. What cannot be told is not verified.
func (s *Service) presence(in CheckIn, v Venue, c Claims, people []kangma.PersonID, at, now time.Time) string {
	over := now.After(c.Expires.Add(screenSkew)) || now.Before(c.Issued.Add(-screenSkew))
	fenced := v.Centre != nil && (v.Mode == Printed || v.Positioned || in.Position != nil)
	switch {
	case v.Mode == Screen && (c.Serial != 0 || over || c.Expires.Sub(c.Issued) > ScreenLife):
		return StaleCode
	case v.Mode == Printed && (c.Serial != v.Serial || over):
		return VoidCode
	case fenced && in.Position == nil:
		return NoPosition
	case fenced && now.Sub(in.Position.At) > positionLife:
		return OldPosition
	case fenced && in.Position.Accuracy > maxAccuracy:
		return Vague
	case fenced && !in.Position.inside(*v.Centre, v.Radius):
		return Elsewhere
	case s.scans.Whereabouts().TooFast(people[0], v.District, at):
		return TooFast
	}
	return Verified
}

// judge gives the venue's verdict on one person. Nobody is let in by an unverified presence.
func (s *Service) judge(ctx context.Context, v Venue, visit *Visit, person kangma.PersonID, i int) (k Visitor, err error) {
	a, d, err := s.registry.Assess(ctx, person, visit.At)
	if err != nil {
		return k, err
	}
	facts := checkpoint.FactsOf(a, d, visit.At)
	facts.Direction = "in"
	out := checkpoint.Decide(v.Policy, facts)
	if visit.Presence != Verified {
		t := unverified[visit.Presence]
		out = checkpoint.Outcome{Decision: kangma.Refer, Reason: "unverified_" + visit.Presence, Why: t[0], Guidance: t[1]}
	}
	k = Visitor{Event: personEvent(visit.Event, i), Pseudonym: s.registry.Sealer().Pseudonym(person, visit.At), Told: a.Told, Colour: a.Colour,
		Decision: out.Decision, Reason: out.Reason, Why: out.Why, Guidance: out.Guidance}
	if !a.Told {
		k.CannotTell = a.ReasonCode()
	}
	if len(a.Rules.Digest) >= 16 {
		k.Rules = a.Rules.Digest[:16]
	}
	return k, nil
}

// personEvent is the event of the i-th of a check-in: the same for a retry.
func personEvent(event kangma.EventID, i int) kangma.EventID {
	if i > 0 {
		sum := sha256.Sum256(append(event[:], byte(i)))
		copy(event[10:], sum[:])
	}
	return event
}

// moment is the time of the event's own id where that is recent, so that a retry is the same passage.
func moment(id kangma.EventID, now time.Time) time.Time {
	if t := id.Time(); !t.After(now) && now.Sub(t) <= retryFor {
		return t
	}
	return now
}

// again writes the passages of a kept visit, each once by its id, and gives the answer, with the names of the people.
func (s *Service) again(ctx context.Context, visit *Visit, v Venue, people []kangma.PersonID) (*Visit, Venue, error) {
	if visit.Venue != v.ID || len(visit.People) != len(people) {
		return nil, v, errEventTaken
	}
	for i := range people {
		if visit.People[i].Pseudonym != s.registry.Sealer().Pseudonym(people[i], visit.At) {
			return nil, v, errEventTaken // another resident's, or with other companions
		}
	}
	var passages []kangma.Passage
	var views []registry.View
	for i := range visit.People {
		k := &visit.People[i]
		k.person = people[i]
		passages = append(passages, passageOf(v, visit, k))
		name, err := s.name(ctx, people[i])
		if err != nil {
			return nil, v, err
		}
		k.MaskedName = name.Masked()
		if i > 0 {
			views = append(views, registry.View{ID: checkpoint.ViewID(k.Event), At: visit.At, Person: people[i], Access: kangma.Access{
				Account: "companion", Role: "resident", Purpose: "venue", Case: v.ID, Fields: []string{"masked_name", "colour"}}})
		}
	}
	return visit, v, s.registry.AppendPassages(ctx, passages, views)
}

func (s *Service) name(ctx context.Context, person kangma.PersonID) (kangma.Name, error) {
	d, err := s.registry.Dossier(ctx, person)
	if errors.Is(err, kangma.NotFound) {
		return kangma.Name{}, nil
	}
	if err != nil {
		return kangma.Name{}, err
	}
	name, err := s.registry.Sealer().OpenName(person, d.Sealed)
	if errors.Is(err, kangma.NotFound) {
		return kangma.Name{}, nil
	}
	return name, err
}

// passageOf is one person's passage. An unverified presence has neither the venue's gate nor its district.
func passageOf(v Venue, visit *Visit, k *Visitor) kangma.Passage {
	p := kangma.Passage{
		ID: k.Event, At: visit.At, Gate: GateOf(v.ID, visit.Presence == Verified), GateKind: "venue", District: v.District, Person: k.Pseudonym, Told: k.Told,
		Colour: k.Colour, Decision: k.Decision, Reason: k.Reason, Verified: "venue-code", Direction: "in", Rules: k.Rules,
	}
	if visit.Presence != Verified {
		p.GateKind, p.District, p.Direction, p.Flags = checkpoint.FlagUnverified, 0, "", []string{checkpoint.FlagUnverified}
	}
	return p
}
