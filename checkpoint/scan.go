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

// Service answers scans. All methods may be called concurrently.
type Service struct {
	registry *registry.Service
	opener   Opener
}

// New makes the service of one node.
func New(r *registry.Service, o Opener) *Service { return &Service{registry: r, opener: o} }

// Scan is one shown code at one gate.
type Scan struct {
	Event       kangma.EventID // made by the device that scanned; zero: made here (then a retry is another passage)
	Code        string
	Gate        Gate
	Operator    string // account id
	Direction   string // in, out or ""
	Temperature int    // tenths of °C; 0: not taken
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
		return s.keep(ctx, in, at, kangma.Assessment{CannotTell: bad}, nil)
	}
	a, d, err := s.registry.Assess(ctx, claims.Person, now)
	if err != nil {
		return kangma.Verdict{}, err
	}
	return s.keep(ctx, in, at, a, d)
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
func (s *Service) keep(ctx context.Context, in Scan, now time.Time, a kangma.Assessment, d *kangma.Dossier) (kangma.Verdict, error) {
	facts := Facts{Assessment: a, Temperature: in.Temperature, At: now}
	if d != nil {
		facts.LatestNegative = registry.LatestNegative(d)
	}
	out := Decide(in.Gate.Policy, facts)
	p := kangma.Passage{
		ID: in.Event, At: now, Gate: in.Gate.ID, GateKind: in.Gate.Kind, District: in.Gate.District,
		Operator: in.Operator, Told: a.Told, Colour: a.Colour, Decision: out.Decision, Reason: out.Reason,
		Verified: "online", Direction: in.Direction, Temperature: in.Temperature,
	}
	if len(a.Rules.Digest) >= 16 {
		p.Rules = a.Rules.Digest[:16]
	}
	v := kangma.Verdict{
		Event: in.Event, At: now, Decision: out.Decision, Told: a.Told, Colour: a.Colour,
		Reason: out.Reason, Why: out.Why, Guidance: out.Guidance,
	}
	if !a.Told {
		v.CannotTell = kangma.CannotTell(out.Reason)
	}
	if d != nil {
		p.Person = s.registry.Sealer().Pseudonym(d.Person, now)
		if id, err := s.registry.Sealer().Open(d.Person, d.Sealed); err == nil {
			v.MaskedName, v.IDTail = id.Name.Masked(), id.Number.Tail()
		}
	}
	if err := s.registry.AppendPassage(ctx, p); err != nil {
		return kangma.Verdict{}, err
	}
	return v, nil
}
