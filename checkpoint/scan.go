package checkpoint

import (
	"context"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/registry"
)

// Opener opens a shown code online and says whose it is; "" means it is good. codegen.Opener is one.
type Opener interface {
	Open(text string, now time.Time) (codegen.Claims, kangma.CannotTell)
}

// LateOpener is a further power of an Opener: to open what was shown up to 14 days ago, whatever became of its signing key
// since. The sealed subject proves the issuer without it. Without this power such an upload is kept without its person.
type LateOpener interface {
	OpenLate(text string, at time.Time) (codegen.Claims, kangma.CannotTell)
}

// Service answers scans. All methods may be called concurrently.
type Service struct {
	registry *registry.Service
	opener   Opener
	shown    Shown
}

// New makes the service of one node.
func New(r *registry.Service, o Opener) *Service { return &Service{registry: r, opener: o} }

// Scan is one shown code at one gate.
type Scan struct {
	Event        kangma.EventID // made by the device that scanned; zero: made here (then a retry is another passage)
	Code         string
	Gate         Gate
	Operator     string // account id
	Organisation string // the operator's, for the access log
	Role         string
	Nameless     bool   // a machine asks: show no name, so that there is no access to log
	Direction    string // in, out or ""
	Temperature  int    // tenths of °C; 0: not taken
}

// Scan verifies the code, assesses the person live, decides, and answers once the passage is durable. A bad code is a
// verdict; an error (kangma.Unavailable) means that nothing was decided and the barrier stays shut.
func (s *Service) Scan(ctx context.Context, in Scan) (kangma.Verdict, error) {
	now := s.registry.Now().UTC()
	if err := in.check(); err != nil {
		return kangma.Verdict{}, err
	}
	if in.Event.IsZero() {
		in.Event = kangma.NewEventID(now)
	}
	at := momentOf(in.Event, now)
	claims, bad := s.opener.Open(in.Code, now)
	if bad != "" {
		return s.keep(ctx, in, at, kangma.Assessment{CannotTell: bad}, nil, nil)
	}
	a, d, err := s.registry.Assess(ctx, claims.Person, now)
	if err != nil {
		return kangma.Verdict{}, err
	}
	replayed, flags := s.shown.note(&claims, in.Gate, in.Event, at)
	if replayed { // whose code it is stays known: staff compare the name with the person before them
		a = kangma.Assessment{CannotTell: kangma.TellReplayed}
	}
	v, err := s.keep(ctx, in, at, a, d, flags)
	if err != nil {
		s.shown.forget(&claims, in.Event)
	}
	return v, err
}

func (in Scan) check() error {
	switch {
	case in.Direction != "" && in.Direction != "in" && in.Direction != "out":
		return kangma.E(kangma.Invalid, "direction", "a direction is in or out")
	case in.Temperature != 0 && (in.Temperature < 300 || in.Temperature > 450):
		return kangma.E(kangma.Invalid, "temperature", "a temperature is given in tenths of a degree, 300 to 450")
	case len(in.Code) > maxCode:
		return kangma.E(kangma.TooLarge, "code", "a code has at most 4096 characters")
	}
	return nil
}

const (
	maxCode  = 4096
	retryFor = 10 * time.Minute
)

// momentOf gives the moment of the event's own id where that is recent, so that a retry is the same passage of the same
// day; a device whose clock is off gets ours.
func momentOf(id kangma.EventID, now time.Time) time.Time {
	if t := id.Time(); !t.After(now) && now.Sub(t) <= retryFor {
		return t
	}
	return now
}

// keep decides, makes the passage durable and answers.
func (s *Service) keep(ctx context.Context, in Scan, now time.Time, a kangma.Assessment, d *kangma.Dossier, flags []string) (kangma.Verdict, error) {
	facts := Facts{Assessment: a, Temperature: in.Temperature, At: now}
	if d != nil {
		facts.LatestNegative = registry.LatestNegative(d)
	}
	out := Decide(in.Gate.Policy, facts)
	p := kangma.Passage{
		ID: in.Event, At: now, Gate: in.Gate.ID, GateKind: in.Gate.Kind, District: in.Gate.District,
		Operator: in.Operator, Told: a.Told, Colour: a.Colour, Decision: out.Decision, Reason: out.Reason,
		Verified: "online", Direction: in.Direction, Temperature: in.Temperature, Flags: flags,
	}
	if len(a.Rules.Digest) >= 16 {
		p.Rules = a.Rules.Digest[:16]
	}
	v := kangma.Verdict{
		Event: in.Event, At: now, Decision: out.Decision, Told: a.Told, Colour: a.Colour,
		Reason: out.Reason, Why: out.Why, Guidance: out.Guidance, Flags: flags,
	}
	if !a.Told {
		v.CannotTell = kangma.CannotTell(out.Reason)
	}
	var views []registry.View
	if d != nil {
		p.Person = s.registry.Sealer().Pseudonym(d.Person, now)
		if id, err := s.registry.Sealer().Open(d.Person, d.Sealed); err == nil && !in.Nameless {
			v.MaskedName, v.IDTail = id.Name.Masked(), id.Number.Tail()
			views = append(views, in.view(d.Person, now))
		}
	}
	if err := s.registry.AppendPassage(ctx, p, views...); err != nil {
		return kangma.Verdict{}, err
	}
	return v, nil
}

// view is the access that a scan with a name is. The person reads it in their own list.
func (in Scan) view(person kangma.PersonID, at time.Time) registry.View {
	return registry.View{ID: viewID(in.Event), At: at, Person: person, Access: kangma.Access{
		Account: in.Operator, Organisation: in.Organisation, Role: in.Role, Purpose: "checkpoint", Case: in.Gate.ID,
		Fields: []string{"masked_name", "id_tail"},
	}}
}

// viewID is the event id of the access that belongs to a passage: another id, the same one for a retry.
func viewID(passage kangma.EventID) kangma.EventID {
	for i := 10; i < len(passage); i++ {
		passage[i] = ^passage[i]
	}
	return passage
}
