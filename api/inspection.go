package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/registry"
)

type findEntryIn struct {
	Body struct {
		Gate  string `json:"gate" minLength:"1" maxLength:"64"`
		Pass  string `json:"pass,omitempty" maxLength:"200" doc:"the text read from the pass QR"`
		Plate string `json:"plate,omitempty" maxLength:"64" doc:"the plate as read; with a pass it must be that of the pass"`
	}
}

type foundEntryOut struct {
	Body struct {
		Entry   kangma.EventID `json:"entry"`
		Plate   string         `json:"plate" doc:"masked: compare it with the vehicle"`
		Coach   bool           `json:"coach,omitempty"`
		Origin  string         `json:"origin"`
		To      string         `json:"destination"`
		Arrival time.Time      `json:"arrival_at"`
		People  []postPerson   `json:"people" doc:"everybody in the vehicle"`
	}
}

// postPerson is one occupant as the post sees them.
type postPerson struct {
	Occupant   string            `json:"occupant"`
	MaskedName string            `json:"masked_name,omitempty"`
	IDTail     string            `json:"id_tail,omitempty"`
	Document   string            `json:"document,omitempty" doc:"type: 10, 14, 15, 16, 20, 34, 99"`
	Driver     bool              `json:"driver,omitempty"`
	Infant     bool              `json:"infant,omitempty"`
	Guardian   string            `json:"guardian,omitempty"`
	Registered bool              `json:"registered" doc:"false: read the document first (card, or document_seen)"`
	Told       bool              `json:"told"`
	Colour     *kangma.Colour    `json:"colour,omitempty"`
	Wire       string            `json:"wire,omitempty" doc:"colour as 00, 01, 10"`
	CannotTell kangma.CannotTell `json:"cannot_tell,omitempty"`
	Why        kangma.Text       `json:"why,omitzero" doc:"the reason of the colour"`
	Proposal   string            `json:"proposal" doc:"what the rules say before a temperature is taken: a decision, or as-guardian"`
	Rule       string            `json:"rule"`
	Seen       *seenView         `json:"decided,omitempty" doc:"the decision that stands"`
}

// seenView is one decision of a post.
type seenView struct {
	Event       kangma.EventID    `json:"event"`
	At          time.Time         `json:"at"`
	Occupant    string            `json:"occupant,omitempty"`
	MaskedName  string            `json:"masked_name,omitempty"`
	IDTail      string            `json:"id_tail,omitempty"`
	Infant      bool              `json:"infant,omitempty"`
	Told        bool              `json:"told"`
	Colour      *kangma.Colour    `json:"colour,omitempty"`
	Wire        string            `json:"wire,omitempty" doc:"colour as 00, 01, 10"`
	CannotTell  kangma.CannotTell `json:"cannot_tell,omitempty"`
	Decision    kangma.Decision   `json:"decision"`
	Reason      string            `json:"reason" doc:"the rule, or by_hand and why"`
	Why         kangma.Text       `json:"why"`
	Guidance    kangma.Text       `json:"guidance"`
	Temperature float64           `json:"temperature,omitempty" doc:"degrees Celsius"`
	Flags       []string          `json:"flags,omitempty"`
}

func (s *Server) findEntry(ctx context.Context, in *findEntryIn) (*foundEntryOut, error) {
	if in.Body.Pass == "" && in.Body.Plate == "" {
		return nil, kangma.E(kangma.Invalid, "no_vehicle", "give the text of the pass, or the plate")
	}
	post, err := s.postFor(ctx, in.Body.Gate)
	if err != nil {
		return nil, err
	}
	if err := s.spendScans(ctx, 1); err != nil {
		return nil, err
	}
	e, people, err := s.entries.Look(ctx, post, entry.Shown{Pass: in.Body.Pass, Plate: in.Body.Plate})
	if err != nil {
		return nil, unavailable(err)
	}
	out := &foundEntryOut{}
	b := &out.Body
	b.Entry, b.Plate, b.Coach, b.Arrival = e.ID, e.Masked, e.Coach, e.Arrival
	b.Origin, b.To = e.Origin.Division.String(), e.Destination.Division.String()
	b.People = viewPeople(people)
	return out, s.spendScans(ctx, len(people)-1)
}

func viewPeople(people []entry.Person) []postPerson {
	out := make([]postPerson, len(people))
	for i, p := range people {
		a := p.Assessment
		v := postPerson{Occupant: p.Occupant, MaskedName: p.MaskedName, IDTail: p.IDTail, Document: p.Document, Driver: p.Driver, Infant: p.Infant,
			Guardian: p.Guardian, Registered: p.Registered, Told: a.Told, Proposal: p.Proposal.Decision.String(), Rule: p.Proposal.Rule}
		if p.Proposal.AsGuardian {
			v.Proposal = "as-guardian"
		}
		if a.Told {
			v.Colour, v.Wire = &people[i].Assessment.Colour, a.Colour.Wire()
		} else {
			v.CannotTell = kangma.CannotTell(a.ReasonCode())
		}
		if len(a.Assignments) > 0 {
			v.Why = a.Assignments[0].Reason
		}
		if p.Seen != nil {
			seen := viewSeen(*p.Seen)
			v.Seen = &seen
		}
		out[i] = v
	}
	return out
}

func viewSeen(s entry.Seen) seenView {
	v := seenView{Event: s.Event, At: s.At, Told: s.Told, Decision: s.Decision, Reason: s.Reason, Why: s.Why, Guidance: s.Guidance,
		Temperature: float64(s.Temperature) / 10, Flags: s.Flags, CannotTell: kangma.CannotTell(s.CannotTell)}
	if s.Told {
		v.Colour, v.Wire = &s.Colour, s.Colour.Wire()
	}
	return v
}

type inspectIn struct {
	ID   string `path:"id" maxLength:"36"`
	Key  string `header:"Idempotency-Key" doc:"for people without an event of their own: a retry with the same key is the same inspection"`
	Body struct {
		Gate   string        `json:"gate" minLength:"1" maxLength:"64"`
		Pass   string        `json:"pass,omitempty" maxLength:"200" doc:"the text read from the pass QR"`
		Plate  string        `json:"plate,omitempty" maxLength:"64" doc:"the plate as read"`
		People []inspectedIn `json:"people" maxItems:"200"`
	}
}

type inspectedIn struct {
	Event        string  `json:"event,omitempty" maxLength:"36" doc:"UUIDv7 made at the post; a retry with the same id is the same passage"`
	Occupant     string  `json:"occupant,omitempty" maxLength:"8" doc:"who of the entry; left out: somebody whom the driver did not file"`
	Card         *cardIn `json:"card,omitempty" doc:"the document: typed in, or a draft of POST /v1/ocr/id-card that the officer corrected"`
	DocumentSeen bool    `json:"document_seen,omitempty" doc:"the document is as the driver filed it: who is not registered becomes a person"`
	Infant       bool    `json:"infant,omitempty" doc:"an infant whom the driver did not file"`
	Guardian     string  `json:"guardian,omitempty" maxLength:"8" doc:"occupant who answers for that infant"`
	Temperature  float64 `json:"temperature,omitempty" doc:"degrees Celsius; leave it out if not taken"`
	ByHand       *handIn `json:"by_hand,omitempty" doc:"settles who the rules refer, or is stricter than them"`
	Made         *madeIn `json:"made,omitempty" doc:"decided without a network, at the time of the event"`
}

type cardIn struct {
	Type      string `json:"type,omitempty" maxLength:"2" default:"10"`
	Number    string `json:"number" maxLength:"20"`
	Name      string `json:"name" maxLength:"240"`
	Sex       string `json:"sex,omitempty" maxLength:"12"`
	Nation    string `json:"nation,omitempty" maxLength:"40"`
	Birth     string `json:"birth,omitempty" maxLength:"10" doc:"2006-01-02"`
	Address   string `json:"address,omitempty" maxLength:"600" doc:"not kept; home says where they live"`
	Home      string `json:"home,omitempty" maxLength:"9" doc:"division of residence"`
	Confirmed bool   `json:"confirmed" doc:"the officer has compared every field with the document, and the picture with the person"`
}

type handIn struct {
	Decision string `json:"decision" enum:"pass,home-isolate,central-isolate,turn-back,refer"`
	Reason   string `json:"reason" enum:"document-checked,test-seen,measured-again,medical,order,colleague-consulted"`
}

type madeIn struct {
	Decision string `json:"decision" enum:"pass,home-isolate,central-isolate,turn-back,refer"`
	Reason   string `json:"reason" minLength:"1" maxLength:"64"`
}

type inspectOut struct {
	Body struct {
		Entry   kangma.EventID `json:"entry"`
		Decided []seenView     `json:"decided" doc:"one for each person, in the order sent; each is one passage"`
		Waiting []string       `json:"waiting" doc:"occupants about whom nothing is decided yet, or who were referred"`
	}
}

func (s *Server) inspectEntry(ctx context.Context, in *inspectIn) (*inspectOut, error) {
	id, err := kangma.ParseEventID(in.ID)
	if err != nil {
		return nil, err
	}
	people, err := s.readPeople(in)
	if err != nil {
		return nil, err
	}
	post, err := s.postFor(ctx, in.Body.Gate)
	if err != nil {
		return nil, err
	}
	if err := s.spendScans(ctx, len(people)); err != nil {
		return nil, err
	}
	e, done, err := s.entries.Inspect(ctx, entry.Inspection{Post: post, Entry: id, Shown: entry.Shown{Pass: in.Body.Pass, Plate: in.Body.Plate}, People: people})
	if err != nil {
		return nil, inBody(unavailable(err))
	}
	out := &inspectOut{}
	out.Body.Entry, out.Body.Decided, out.Body.Waiting = e.ID, make([]seenView, len(done)), []string{}
	for i, d := range done {
		v := viewSeen(d.Seen)
		v.Occupant, v.MaskedName, v.IDTail, v.Infant = d.Occupant, d.MaskedName, d.IDTail, d.Infant
		out.Body.Decided[i] = v
	}
	for i := range e.Occupants {
		if last := e.Occupants[i].Last(); last == nil || last.Decision == kangma.Refer {
			out.Body.Waiting = append(out.Body.Waiting, e.Occupants[i].ID)
		}
	}
	return out, nil
}

// postFor is the post of an account at a gate it may use.
func (s *Server) postFor(ctx context.Context, gate string) (entry.Post, error) {
	g, err := s.gateFor(ctx, gate)
	acc := who(ctx).Account
	return entry.Post{Gate: g, Operator: acc.Name, Organisation: acc.Organisation, Role: string(acc.Role)}, err
}

func (s *Server) readPeople(in *inspectIn) ([]entry.Inspected, error) {
	var g faultGatherer
	out := make([]entry.Inspected, len(in.Body.People))
	for i, p := range in.Body.People {
		where := "body." + pathAt("people", i)
		event, err := s.personEvent(p.Event, in.Key, i)
		g.note(where+".event", err)
		q := entry.Inspected{Event: event, Occupant: p.Occupant, DocumentSeen: p.DocumentSeen, Infant: p.Infant, Guardian: p.Guardian}
		q.Temperature, err = tenths(p.Temperature)
		g.note(where+".temperature", err)
		if p.Card != nil {
			c := entry.Card{Type: p.Card.Type, Number: p.Card.Number, Name: p.Card.Name, Sex: p.Card.Sex, Nation: p.Card.Nation, Birth: p.Card.Birth,
				Address: p.Card.Address, Confirmed: p.Card.Confirmed}
			if p.Card.Home != "" {
				c.Home = g.division(where+".card.home", p.Card.Home)
			}
			q.Card = &c
		}
		if p.ByHand != nil {
			q.ByHand = &entry.ByHand{Reason: p.ByHand.Reason}
			g.note(where+".by_hand", q.ByHand.Decision.UnmarshalText([]byte(p.ByHand.Decision)))
		}
		if p.Made != nil {
			q.Made = &entry.Made{Reason: p.Made.Reason}
			g.note(where+".made", q.Made.Decision.UnmarshalText([]byte(p.Made.Decision)))
		}
		out[i] = q
	}
	return out, invalid(g.faults)
}

// personEvent gives the event of the i-th person: their own, or one that follows from the request's key.
func (s *Server) personEvent(text, key string, i int) (kangma.EventID, error) {
	id, err := s.eventID(text, key)
	if err != nil || text != "" || key == "" {
		return id, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", id, i))
	copy(id[10:], sum[:])
	return id, nil
}

// tenths reads a temperature in degrees; 0 is none taken.
func tenths(degrees float64) (int, error) {
	if degrees != 0 && !(degrees >= 30 && degrees <= 45) {
		return 0, kangma.E(kangma.Invalid, "temperature", "a temperature is given in degrees Celsius, 30.0 to 45.0")
	}
	return int(math.Round(degrees * 10)), nil
}

func pathAt(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// plainText reports whether a text is short and without control characters.
func plainText(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

type vehicleRulesIn struct {
	ChangeParams
	RawBody []byte `contentType:"application/yaml" doc:"the rule file; see docs/vehicle-entry.md"`
}

type vehicleRulesOut struct {
	Status int
	Body   struct {
		Held *registry.Held `json:"held,omitempty" doc:"another person must release them: POST /v1/approvals/{id}"`

		ID      string      `json:"id"`
		Version string      `json:"version"`
		Digest  string      `json:"digest"`
		Title   kangma.Text `json:"title"`
		Rules   int         `json:"rules"`
	}
}

func viewVehicleRules(set *entry.Set) *vehicleRulesOut {
	out := &vehicleRulesOut{Status: http.StatusOK}
	out.Body.ID, out.Body.Version, out.Body.Digest, out.Body.Title, out.Body.Rules = set.ID, set.Version, set.Digest(), set.Title, len(set.Rules)
	return out
}

func (s *Server) putVehicleRules(ctx context.Context, in *vehicleRulesIn) (*vehicleRulesOut, error) {
	file := bytes.Clone(in.RawBody)
	set, err := entry.LoadRules(file)
	if err != nil {
		return nil, err
	}
	held, err := s.propose(ctx, rulesChange, set.ID+" "+set.Version, in.ChangeParams, file)
	out := viewVehicleRules(set)
	out.Status, out.Body.Held = heldStatus(held), held
	return out, err
}

func (s *Server) vehicleRules(ctx context.Context, _ *emptyIn) (*vehicleRulesOut, error) {
	set, err := s.entries.Rules(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return viewVehicleRules(set), nil
}

type putFirmIn struct {
	ChangeParams
	ID   string `path:"id" maxLength:"18" doc:"unified social credit code"`
	Body struct {
		Name     string    `json:"name" maxLength:"400"`
		Division string    `json:"division" maxLength:"9" doc:"the division that lists it"`
		From     time.Time `json:"from,omitzero" doc:"default: now"`
		Until    time.Time `json:"until"`
	}
}

type firmOut struct {
	Status int
	Body   struct {
		entry.Firm
		Held *registry.Held `json:"held,omitempty" doc:"another person must release it: POST /v1/approvals/{id}"`
	}
}

func (s *Server) putFirm(ctx context.Context, in *putFirmIn) (*firmOut, error) {
	d, err := knownDivision(in.Body.Division)
	if err != nil {
		return nil, invalid([]kangma.Fault{faultOf("body.division", err)})
	}
	if !inScope(who(ctx), d) {
		return nil, errScope
	}
	f := entry.Firm{ID: in.ID, Name: in.Body.Name, Division: d, From: in.Body.From, Until: in.Body.Until}
	if f.From.IsZero() {
		f.From = s.auth.now().UTC()
	}
	if err := f.Check(); err != nil {
		return nil, inBody(err)
	}
	held, err := s.proposeDoc(ctx, firmChange, f.ID, in.ChangeParams, f)
	out := &firmOut{Status: heldStatus(held)}
	out.Body.Firm, out.Body.Held = f, held
	return out, err
}
