package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

type scanIn struct {
	Key   string `header:"Idempotency-Key" doc:"event id, if the body has none"`
	Brief bool   `query:"brief" doc:"for machines: an answer under 300 bytes, without name and words"`
	Body  struct {
		Code        string      `json:"code,omitempty" maxLength:"4096" doc:"the text read from the QR"`
		ShortCode   string      `json:"short_code,omitempty" maxLength:"16" doc:"instead: eight digits that the person says"`
		Document    *documentIn `json:"document,omitempty" doc:"instead: the ID card of somebody without a phone"`
		Gate        string      `json:"gate" minLength:"1" maxLength:"64"`
		Event       string      `json:"event,omitempty" maxLength:"36" doc:"UUIDv7 made by the device; a retry with the same id is the same passage"`
		Direction   string      `json:"direction,omitempty" enum:"in,out"`
		Temperature float64     `json:"temperature,omitempty" doc:"degrees Celsius; leave it out if not taken"`
		Challenge   int         `json:"challenge,omitempty" minimum:"10" maximum:"99" doc:"the number that the gate showed this person, where its policy asks for one; draw another after each code that carries a number"`
	}

	waits func() // for checkpoint.Scan
}

// verdictView is a verdict with the colour only where one was told.
type verdictView struct {
	Event      kangma.EventID    `json:"event"`
	At         time.Time         `json:"at,omitzero"`
	Decision   kangma.Decision   `json:"decision"`
	Told       bool              `json:"told"`
	Colour     *kangma.Colour    `json:"colour,omitempty"`
	Wire       string            `json:"wire,omitempty" doc:"colour as 00, 01, 10"`
	CannotTell kangma.CannotTell `json:"cannot_tell,omitempty"`
	Reason     string            `json:"reason"`
	Why        kangma.Text       `json:"why,omitzero"`
	Guidance   kangma.Text       `json:"guidance,omitzero"`
	MaskedName string            `json:"masked_name,omitempty"`
	IDTail     string            `json:"id_tail,omitempty"`
	Flags      []string          `json:"flags,omitempty"`
	AsOf       time.Time         `json:"as_of,omitzero" doc:"the register did not answer: from this server's copy, at least as new as this"`
}

type scanOut struct{ Body verdictView }

func (s *Server) scan(ctx context.Context, in *scanIn) (*scanOut, error) {
	v, err := s.scanned(ctx, in)
	if err != nil {
		return nil, err
	}
	return &scanOut{Body: v}, nil
}

// scanned answers a scan by the principal of ctx.
func (s *Server) scanned(ctx context.Context, in *scanIn) (out verdictView, err error) {
	return s.scanBy(ctx, in, login{find: func(ctx context.Context) (Principal, error) { return who(ctx), nil }})
}

// scanBy answers a scan of whoever logs in so.
func (s *Server) scanBy(ctx context.Context, in *scanIn, by login) (out verdictView, err error) {
	a, found, err := s.come(ctx, in, by)
	if err != nil {
		return out, err
	}
	acc := a.p.Account
	v, err := s.cfg.Checkpoint.Scan(ctx, checkpoint.Scan{
		Event: a.event, Code: in.Body.Code, Found: found, Gate: a.gate, Nameless: in.Brief,
		Operator: acc.Name, Organisation: acc.Organisation, Role: string(acc.Role),
		Direction: in.Body.Direction, Temperature: int(in.Body.Temperature*10 + 0.5), Challenge: in.Body.Challenge,
		Waits: in.waits,
	})
	if err != nil {
		return out, err
	}
	out = viewVerdict(v)
	if in.Brief {
		out.At, out.Why, out.Guidance = time.Time{}, kangma.Text{}, kangma.Text{}
	}
	return out, nil
}

func viewVerdict(v kangma.Verdict) verdictView {
	out := verdictView{
		Event: v.Event, At: v.At, Decision: v.Decision, Told: v.Told, CannotTell: v.CannotTell, Reason: v.Reason,
		Why: v.Why, Guidance: v.Guidance, MaskedName: v.MaskedName, IDTail: v.IDTail, Flags: v.Flags, AsOf: v.AsOf,
	}
	if v.Told {
		out.Colour, out.Wire = &v.Colour, v.Colour.Wire()
	}
	return out
}

const gateKind = "gate"

var errNoGate = kangma.E(kangma.NotFound, "no_gate", "there is no such gate")

// gateFor reads a gate this account may use.
func (s *Server) gateFor(ctx context.Context, id string) (checkpoint.Gate, error) {
	p := who(ctx)
	if p.Role == GateStaff && !slices.Contains(p.Account.Gates, id) {
		return checkpoint.Gate{}, errScope
	}
	g, err := s.readGate(ctx, id)
	return allowedGate(p, id, g, err)
}

func (s *Server) readGate(ctx context.Context, id string) (*checkpoint.Gate, error) {
	return registry.ReadDoc[checkpoint.Gate](ctx, s.cfg.Registry.Records(), gateKind, id)
}

// allowedGate is what came of reading a gate, for whom it is for.
func allowedGate(p Principal, id string, g *checkpoint.Gate, err error) (checkpoint.Gate, error) {
	switch {
	case p.Role == GateStaff && !slices.Contains(p.Account.Gates, id):
		return checkpoint.Gate{}, errScope
	case errors.Is(err, kangma.NotFound):
		return checkpoint.Gate{}, errNoGate
	case err != nil:
		return checkpoint.Gate{}, unavailable(err)
	case p.Role == Official && !inScope(p, g.District):
		return checkpoint.Gate{}, errScope
	}
	return *g, nil
}

// inScope reports whether a division lies in the account's divisions; an account without any sees all.
func inScope(p Principal, d kangma.Division) bool {
	return len(p.Account.Divisions) == 0 || slices.ContainsFunc(p.Account.Divisions, func(s kangma.Division) bool { return s.Contains(d) })
}

type gatesOut struct {
	Body struct {
		Gates []checkpoint.Gate `json:"gates"`
	}
}

func (s *Server) listGates(ctx context.Context, _ *emptyIn) (*gatesOut, error) {
	p := who(ctx)
	out := &gatesOut{}
	out.Body.Gates = []checkpoint.Gate{}
	err := eachDoc(ctx, s.cfg.Registry.Records(), gateKind, func(g checkpoint.Gate) {
		if p.Role == GateStaff && !slices.Contains(p.Account.Gates, g.ID) || !inScope(p, g.District) {
			return
		}
		out.Body.Gates = append(out.Body.Gates, g)
	})
	return out, unavailable(err)
}

type putGateIn struct {
	ChangeParams
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name     kangma.Text        `json:"name"`
		Kind     string             `json:"kind" enum:"community,metro,venue,hospital,school,highway,border"`
		District string             `json:"district" maxLength:"9"`
		Policy   *checkpoint.Policy `json:"policy,omitempty" doc:"left out: the usual policy of this kind"`
	}
}

type gateOut struct {
	Status int
	Body   struct {
		checkpoint.Gate
		Held *registry.Held `json:"held,omitempty" doc:"another person must release what it would decide by: POST /v1/approvals/{id}"`
	}
}

func (s *Server) putGate(ctx context.Context, in *putGateIn) (*gateOut, error) {
	d, err := knownDivision(in.Body.District)
	if err != nil {
		return nil, invalid([]kangma.Fault{faultOf("body.district", err)})
	}
	if !inScope(who(ctx), d) {
		return nil, errScope
	}
	g := checkpoint.Gate{ID: in.ID, Name: in.Body.Name, Kind: in.Body.Kind, District: d, Policy: checkpoint.DefaultPolicy(in.Body.Kind)}
	if in.Body.Policy != nil {
		g.Policy = *in.Body.Policy
	}
	if err := g.Check(); err != nil {
		return nil, err
	}
	held, err := s.keepGate(ctx, g, in.ChangeParams)
	out := &gateOut{Status: heldStatus(held)}
	out.Body.Gate, out.Body.Held = g, held
	return out, err
}

type passagesOut struct {
	Body struct {
		Passages []passageView `json:"passages" doc:"newest first"`
	}
}

type passageView struct {
	Event       kangma.EventID  `json:"event"`
	At          time.Time       `json:"at"`
	Gate        string          `json:"gate"`
	District    kangma.Division `json:"district"`
	Told        bool            `json:"told"`
	Colour      *kangma.Colour  `json:"colour,omitempty"`
	Decision    kangma.Decision `json:"decision"`
	Reason      string          `json:"reason"`
	Direction   string          `json:"direction,omitempty"`
	Temperature float64         `json:"temperature,omitempty" doc:"degrees Celsius"`
}

func viewPassages(ps []kangma.Passage) *passagesOut {
	out := &passagesOut{}
	out.Body.Passages = make([]passageView, len(ps))
	for i, p := range ps {
		out.Body.Passages[i] = passageView{
			Event: p.ID, At: p.At, Gate: p.Gate, District: p.District, Told: p.Told, Decision: p.Decision,
			Reason: p.Reason, Direction: p.Direction, Temperature: float64(p.Temperature) / 10,
		}
		if p.Told {
			out.Body.Passages[i].Colour = &ps[i].Colour
		}
	}
	return out
}

type gatePassagesIn struct {
	ID    string `path:"id" maxLength:"64"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"10000"`
}

func (s *Server) gatePassages(ctx context.Context, in *gatePassagesIn) (*passagesOut, error) {
	if _, err := s.gateFor(ctx, in.ID); err != nil {
		return nil, err
	}
	now := s.auth.now()
	ps, err := s.cfg.Warehouse.Passages(ctx, store.PassageQuery{Gates: []string{in.ID}, Since: now.Add(-24 * time.Hour), Until: now.Add(time.Minute), Limit: in.Limit})
	if err != nil {
		return nil, unavailable(err)
	}
	return viewPassages(ps), nil
}

type myPassagesIn struct {
	Limit int `query:"limit" default:"100" minimum:"1" maximum:"500"`
}

const passageRetention = 14 * 24 * time.Hour

func (s *Server) myPassages(ctx context.Context, in *myPassagesIn) (*passagesOut, error) {
	return s.passagesOf(ctx, who(ctx).Person, in.Limit)
}

func (s *Server) passagesOf(ctx context.Context, person kangma.PersonID, limit int) (*passagesOut, error) {
	now := s.auth.now()
	since := now.Add(-passageRetention)
	ps, err := s.cfg.Warehouse.Passages(ctx, store.PassageQuery{
		Person: s.cfg.Registry.Sealer().Pseudonyms(person, since, now.Add(time.Minute)), Since: since, Until: now.Add(time.Minute), Limit: limit,
	})
	if err != nil {
		return nil, unavailable(err)
	}
	return viewPassages(ps), nil
}
