package checkpoint

import (
	"context"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
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

// Standing knows which genuine codes were voided since: "" or kangma.TellRevoked. issuance.Service is one. An error means
// that the records could not be read.
type Standing interface {
	Standing(ctx context.Context, c *codegen.Claims, at time.Time) (kangma.CannotTell, error)
}

// Service answers scans. All methods may be called concurrently.
type Service struct {
	registry *registry.Service
	opener   Opener
	signers  *codegen.HealthCertKeys // of EU digital COVID certificates; nil: none are trusted
	standing Standing                // nil: no code is ever voided
	shared   *proofs                 // nil: one node
	queues   QueueKeys               // nil: no sealed passage can be opened
	shown    Shown
	where    Whereabouts
}

// Whereabouts is where this node has seen people lately.
func (s *Service) Whereabouts() *Whereabouts { return &s.where }

// PersonOf says whose good code a text is, for somebody who shows it to be counted with another. The code is not used up.
func (s *Service) PersonOf(ctx context.Context, text string, now time.Time) (kangma.PersonID, kangma.CannotTell, error) {
	c, bad := s.open(Scan{Code: text}, now)
	if bad != "" {
		return c.Person, bad, nil
	}
	bad, err := s.stands(ctx, &c, now)
	return c.Person, bad, err
}

// AskStanding has every code looked up that can be voided. Call it before the service is in use.
func (s *Service) AskStanding(st Standing) { s.standing = st }

// ShareProofs makes a holder proof one-time at all nodes that have the same state, not at this one alone. It travels with
// what a scan reads anyway. Call it before the service is in use.
func (s *Service) ShareProofs(m store.Moments) { s.shared = &proofs{m} }

// TrustForeign has EU digital COVID certificates verified against these signers. Call it before the service is in use.
func (s *Service) TrustForeign(keys *codegen.HealthCertKeys) { s.signers = keys }

// foreign says what an EU digital COVID certificate is: a foreign document without a colour here, if it is genuine and in
// time, or if nobody's signers are trusted, which leaves it to the officer; else what is wrong with it.
func (s *Service) foreign(text string, now time.Time) kangma.CannotTell {
	if s.signers == nil {
		if bad := codegen.Inspect(text).Problem; bad != "" {
			return bad
		}
		return kangma.TellForeign
	}
	if _, bad := s.signers.Verify(text, now); bad != "" {
		return bad
	}
	return kangma.TellForeign
}

// stands asks whether a genuine code was voided.
func (s *Service) stands(ctx context.Context, c *codegen.Claims, at time.Time) (kangma.CannotTell, error) {
	if s.standing == nil {
		return "", nil
	}
	return s.standing.Standing(ctx, c, at)
}

// New makes the service of one node.
func New(r *registry.Service, o Opener) *Service { return &Service{registry: r, opener: o} }

// Scan is one shown code at one gate.
type Scan struct {
	Event        kangma.EventID // made by the device that scanned; zero: made here (then a retry is another passage)
	Code         string
	Found        *Found // a person without a code to show, found by other means; Code is then not looked at
	Gate         Gate
	Operator     string // account id
	Organisation string // the operator's, for the access log
	Role         string
	Nameless     bool   // a machine asks: show no name, so that there is no access to log
	Direction    string // in, out or ""
	Temperature  int    // tenths of °C; 0: not taken
	Challenge    int    // the number that the gate showed this person; 0: none. Only a gate whose policy asks for it looks at it

	Waits func() // told when all is decided and only the disk is waited for; nil: nobody is
}

// Found is how staff found somebody who has no code to show: by the ID card they hold, or by digits read out loud.
type Found struct {
	Person kangma.PersonID
	Tell   kangma.CannotTell // why there is nobody: unknown_person, expired, malformed; "" with a person
	How    string            // id-card or short-code; of the passage

	Dossier *kangma.Dossier // where it was read to find them: it is not read again
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
	claims, bad := s.open(in, now)
	if bad == "" {
		bad = in.answered(in.Gate.Policy, &claims) // before it counts as shown: the person answers and is scanned again
	}
	if bad != "" {
		return s.keep(ctx, in, at, kangma.Assessment{CannotTell: bad}, nil, nil)
	}
	r := s.read(ctx, in, &claims, now)
	if r.err != nil {
		return kangma.Verdict{}, r.err
	}
	if r.bad != "" {
		return s.keep(ctx, in, at, kangma.Assessment{CannotTell: r.bad}, nil, nil)
	}
	a, d := r.assessment, r.dossier
	if in.Found != nil {
		return s.keep(ctx, in, at, a, d, nil)
	}
	replayed, flags := s.shown.note(&claims, in.Gate, in.Event, at)
	if r.replayed && !replayed {
		replayed, flags = true, append(flags, FlagReplay)
	}
	if replayed { // whose code it is stays known: staff compare the name with the person before them
		a = kangma.Assessment{CannotTell: kangma.TellReplayed, AsOf: a.AsOf}
	}
	v, err := s.keep(ctx, in, at, a, d, flags)
	switch {
	case err != nil:
		s.forget(ctx, &claims, in.Gate.ID, in.Event)
	case len(flags) == 0: // a code that may be a copy says nothing about where its owner is
		s.where.Note(claims.Person, in.Gate.District, at)
	}
	return v, err
}

// open says whose code was shown, or who was found without one, as far as the code itself tells.
func (s *Service) open(in Scan, now time.Time) (c codegen.Claims, bad kangma.CannotTell) {
	switch {
	case in.Found != nil:
		return codegen.Claims{Person: in.Found.Person}, in.Found.Tell
	case codegen.IsHealthCert(in.Code):
		return c, s.foreign(in.Code, now)
	}
	return s.opener.Open(in.Code, now)
}

// reading is what a scan learns from the state.
type reading struct {
	bad        kangma.CannotTell // the code was voided
	assessment kangma.Assessment
	dossier    *kangma.Dossier
	replayed   bool // the proof was shown at another node
	err        error
}

// read asks for all that a scan needs at once: whether the code stands, the person, and where proofs are shared whether this
// one is new, which uses it up. Where proofs cannot be asked for, what this node knows has to do.
func (s *Service) read(ctx context.Context, in Scan, c *codegen.Claims, now time.Time) (r reading) {
	if in.Found != nil && in.Found.Dossier != nil {
		r.assessment, r.dossier = s.registry.AssessFound(in.Found.Dossier, now)
		return r
	}
	stands := s.standing != nil && in.Found == nil && c.Kind != codegen.Dynamic
	shared := s.shared != nil && in.Found == nil && c.Shown
	if !stands && !shared {
		r.assessment, r.dossier, r.err = s.registry.AssessOrLast(ctx, c.Person, now)
		return r
	}
	return *s.readTogether(ctx, in, c, now, stands, shared)
}

func (s *Service) readTogether(ctx context.Context, in Scan, c *codegen.Claims, now time.Time, stands, shared bool) *reading {
	var r reading
	var standErr, proofErr error
	fs := make([]func(context.Context), 1, 3)
	fs[0] = func(ctx context.Context) {
		r.assessment, r.dossier, r.err = s.registry.AssessOrLast(ctx, c.Person, now)
	}
	if stands {
		fs = append(fs, func(ctx context.Context) { r.bad, standErr = s.standing.Standing(ctx, c, now) })
	}
	if shared {
		fs = append(fs, func(ctx context.Context) { r.replayed, proofErr = s.shared.note(ctx, c, in.Gate.ID, in.Event) })
	}
	s.registry.Together(ctx, fs...)
	if standErr != nil {
		r.err = standErr
	}
	if proofErr != nil {
		r.replayed = false
	} else if shared && r.err != nil && !r.replayed {
		s.shared.forget(ctx, c, in.Gate.ID, in.Event)
	}
	return &r
}

func (s *Service) forget(ctx context.Context, c *codegen.Claims, gate string, event kangma.EventID) {
	s.shown.forget(c, event)
	if s.shared != nil && c.Shown {
		s.shared.forget(ctx, c, gate, event)
	}
}

func (in Scan) check() error {
	switch {
	case in.Direction != "" && in.Direction != "in" && in.Direction != "out":
		return kangma.E(kangma.Invalid, "direction", "a direction is in or out")
	case in.Temperature != 0 && (in.Temperature < 300 || in.Temperature > 450):
		return kangma.E(kangma.Invalid, "temperature", "a temperature is given in tenths of a degree, 300 to 450")
	case in.Challenge != 0 && !codegen.ValidChallenge(in.Challenge):
		return codegen.ErrChallenge
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
	if !a.AsOf.IsZero() {
		flags = append(flags, FlagStale)
		if a.CannotTell != kangma.TellReplayed {
			a = in.Gate.Policy.fresh(a, now)
		}
	}
	facts := Facts{Assessment: a, At: now}
	if d != nil {
		facts = FactsOf(a, d, now)
	}
	facts.Temperature, facts.Direction = in.Temperature, in.Direction
	out := Decide(in.Gate.Policy, facts).asOf(a.AsOf)
	p := kangma.Passage{
		ID: in.Event, At: now, Gate: in.Gate.ID, GateKind: in.Gate.Kind, District: in.Gate.District,
		Operator: in.Operator, Told: a.Told, Colour: a.Colour, Decision: out.Decision, Reason: out.Reason,
		Verified: in.how(), Direction: in.Direction, Temperature: in.Temperature, Flags: flags,
	}
	if len(a.Rules.Digest) >= 16 {
		p.Rules = a.Rules.Digest[:16]
	}
	v := kangma.Verdict{
		Event: in.Event, At: now, Decision: out.Decision, Told: a.Told, Colour: a.Colour,
		Reason: out.Reason, Why: out.Why, Guidance: out.Guidance, Flags: flags, AsOf: a.AsOf,
	}
	if !a.Told {
		v.CannotTell = kangma.CannotTell(out.Reason)
	}
	var views []registry.View
	if d != nil {
		p.Person = s.registry.Sealer().Pseudonym(d.Person, now)
		if !in.Nameless {
			if shown, err := s.registry.Shown(d); err == nil {
				v.MaskedName, v.IDTail = shown.MaskedName, shown.IDTail
				views = append(views, in.view(d.Person, now))
			}
		}
	}
	if in.Waits != nil {
		in.Waits()
	}
	if err := s.registry.AppendPassage(ctx, p, views...); err != nil {
		return kangma.Verdict{}, err
	}
	return v, nil
}

// how says how the person was verified.
func (in Scan) how() string {
	if in.Found != nil {
		return in.Found.How
	}
	return "online"
}

// view is the access that a scan with a name is. The person reads it in their own list.
func (in Scan) view(person kangma.PersonID, at time.Time) registry.View {
	return registry.View{ID: ViewID(in.Event), At: at, Person: person, Access: kangma.Access{
		Account: in.Operator, Organisation: in.Organisation, Role: in.Role, Purpose: "checkpoint", Case: in.Gate.ID,
		Fields: []string{"masked_name", "id_tail"},
	}}
}

// ViewID is the event id of the access that belongs to a passage: another id, the same one for a retry.
func ViewID(passage kangma.EventID) kangma.EventID {
	for i := 10; i < len(passage); i++ {
		passage[i] = ^passage[i]
	}
	return passage
}
