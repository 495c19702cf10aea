package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/store/seal"
)

type occupantIn struct {
	Self        bool     `json:"self,omitempty" doc:"I am this occupant"`
	Person      string   `json:"person,omitempty" maxLength:"36" doc:"a dependent of whom I am the guardian"`
	Name        string   `json:"name,omitempty" maxLength:"240" doc:"somebody else, with id_number; kept sealed until a post has seen the document"`
	IDType      string   `json:"id_type,omitempty" maxLength:"2" default:"10" doc:"10 resident ID card, 14 Hong Kong and Macao, 15 and 16 Taiwan, 20 passport, 34 foreign permanent resident, 99 other"`
	IDNumber    string   `json:"id_number,omitempty" maxLength:"20"`
	Phone       string   `json:"phone,omitempty" maxLength:"20"`
	Infant      bool     `json:"infant,omitempty" doc:"without a document; decided as the guardian"`
	Guardian    int      `json:"guardian,omitempty" minimum:"0" maximum:"80" doc:"of an infant: number of the adult in this list, from 1; left out: me"`
	Destination string   `json:"destination,omitempty" maxLength:"9" doc:"where it differs from the vehicle's"`
	Community   string   `json:"community,omitempty" maxLength:"100"`
	Firm        string   `json:"firm,omitempty" maxLength:"18" doc:"unified social credit code of the firm they travel for"`
	Stays       []string `json:"stays,omitempty" maxItems:"30" doc:"divisions of the last 14 days"`
	Symptoms    []string `json:"symptoms,omitempty" maxItems:"12" doc:"none when well"`
}

type fileEntryIn struct {
	Key  string `header:"Idempotency-Key" doc:"event id, if the body has none"`
	Body struct {
		ID          string       `json:"id,omitempty" maxLength:"36" doc:"UUIDv7 made by the phone: the entry's id, so that a retry is the same entry"`
		Plate       string       `json:"plate" maxLength:"64" doc:"licence plate of GA 36"`
		Coach       bool         `json:"coach,omitempty" doc:"passengers join by the trip code that this gives"`
		Origin      string       `json:"origin" maxLength:"9" doc:"division of GB/T 2260, at least a city"`
		Destination string       `json:"destination" maxLength:"9" doc:"division, at least a county; with the street or town its township is told"`
		Community   string       `json:"community,omitempty" maxLength:"100" doc:"where to in the destination"`
		Arrival     time.Time    `json:"arrival_at" doc:"at the post, within 72 hours"`
		Occupants   []occupantIn `json:"occupants" maxItems:"200" doc:"everybody in the vehicle: 1 to 20, in a coach up to 80 (the driver is added where they forgot themselves)"`
	}
}

// residentEntry is an entry as those in it see it.
type residentEntry struct {
	ID          kangma.EventID  `json:"id"`
	Masked      string          `json:"plate" doc:"masked"`
	Kind        entry.PlateKind `json:"plate_kind"`
	Coach       bool            `json:"coach,omitempty"`
	TripCode    string          `json:"trip_code,omitempty" doc:"the driver reads it to the passengers"`
	Pass        string          `json:"pass,omitempty" doc:"text of the QR that the post scans"`
	Expires     time.Time       `json:"expires_at"`
	Arrival     time.Time       `json:"arrival_at"`
	Origin      kangma.Division `json:"origin"`
	Destination kangma.Division `json:"destination"`
	Status      string          `json:"status" enum:"filed,inspected,cancelled,expired"`
	People      int             `json:"people"`
	Occupants   []residentSeat  `json:"occupants" doc:"the driver sees everybody, a passenger themselves"`
}

type residentSeat struct {
	ID         string           `json:"id"`
	MaskedName string           `json:"masked_name,omitempty"`
	Self       bool             `json:"self,omitempty"`
	Infant     bool             `json:"infant,omitempty"`
	Inspected  bool             `json:"inspected"`
	Decision   *kangma.Decision `json:"decision,omitempty" doc:"one's own only"`
	Why        kangma.Text      `json:"why,omitzero"`
	Guidance   kangma.Text      `json:"guidance,omitzero"`
}

type entryOut struct {
	Status int
	Body   residentEntry
}

func (s *Server) fileEntry(ctx context.Context, in *fileEntryIn) (*entryOut, error) {
	id, err := s.eventID(in.Body.ID, in.Key)
	if err != nil {
		return nil, err
	}
	f := entry.Filing{ID: id, Driver: who(ctx).Person, Coach: in.Body.Coach, Arrival: in.Body.Arrival}
	var g faultGatherer
	f.Plate, err = entry.ParsePlate(in.Body.Plate)
	g.note("body.plate", err)
	f.Origin.Division = g.division("body.origin", in.Body.Origin)
	f.Destination.Division = g.division("body.destination", in.Body.Destination)
	f.Destination.Community = g.community("body.community", in.Body.Community)
	f.Occupants = g.occupants(in.Body.Occupants, s.auth.now())
	if err := invalid(g.faults); err != nil {
		return nil, err
	}
	if err := s.limits.allow("file:"+f.Driver.String(), 60, time.Hour, s.auth.now()); err != nil {
		return nil, err
	}
	e, err := s.entries.File(ctx, f)
	if err != nil {
		return nil, inBody(unavailable(err))
	}
	return s.entryAnswer(ctx, http.StatusCreated, e)
}

// inBody says that the faults of a room are of the request's body.
func inBody(err error) error {
	var e *kangma.Error
	if !errors.As(err, &e) || len(e.Faults) == 0 {
		return err
	}
	c := *e
	c.Faults = slices.Clone(e.Faults)
	for i := range c.Faults {
		c.Faults[i].Where = "body." + c.Faults[i].Where
	}
	return &c
}

// faultGatherer reads fields and gathers what is wrong with them.
type faultGatherer struct{ faults []kangma.Fault }

func (g *faultGatherer) note(where string, err error) {
	if err != nil {
		g.faults = append(g.faults, faultOf(where, err))
	}
}

func (g *faultGatherer) division(where, text string) kangma.Division {
	d, err := knownDivision(text)
	g.note(where, err)
	return d
}

func (g *faultGatherer) community(where, text string) string {
	if text != "" && !plainText(text, 100) {
		g.note(where, kangma.E(kangma.Invalid, "text", "a text has at most 100 characters and no control characters"))
	}
	return text
}

// symptoms is the closed set of declarations.
var symptoms = []string{"fever", "cough", "fatigue", "throat", "breath", "taste", "nausea", "diarrhoea", "conjunctivitis", "chest", "headache", "muscle"}

func (g *faultGatherer) occupants(in []occupantIn, now time.Time) []entry.Filed {
	out := make([]entry.Filed, len(in))
	for i, o := range in {
		where := "body." + pathAt("occupants", i)
		f := entry.Filed{Self: o.Self, Infant: o.Infant, Guardian: o.Guardian, Firm: o.Firm, Symptoms: len(o.Symptoms) > 0}
		var err error
		if o.Person != "" {
			f.Person, err = kangma.ParsePersonID(o.Person)
			g.note(where+".person", err)
		}
		if o.IDNumber != "" || o.Name != "" && !o.Infant {
			f.Identity = g.identity(where, o, now)
		}
		if o.Destination != "" {
			f.Destination = kangma.Place{Division: g.division(where+".destination", o.Destination), Community: g.community(where+".community", o.Community)}
		}
		for _, text := range o.Stays {
			f.Stays = append(f.Stays, g.division(where+".stays", text))
		}
		if slices.ContainsFunc(o.Symptoms, func(s string) bool { return !slices.Contains(symptoms, s) }) {
			g.note(where+".symptoms", kangma.E(kangma.Invalid, "symptoms", "symptoms are of the list of POST /v1/me/declarations"))
		}
		out[i] = f
	}
	return out
}

func (g *faultGatherer) identity(where string, o occupantIn, now time.Time) *seal.Identity {
	id := &seal.Identity{DocType: o.IDType}
	if id.DocType == "" {
		id.DocType = kangma.DocResidentID
	}
	var err error
	id.Name, err = kangma.NewName(o.Name)
	g.note(where+".name", err)
	id.Number, err = kangma.NewIDNumber(id.DocType, o.IDNumber, now)
	g.note(where+".id_number", err)
	if o.Phone != "" {
		id.Phone, err = kangma.NewPhone(o.Phone)
		g.note(where+".phone", err)
	}
	return id
}

type joinTripIn struct {
	Body struct {
		TripCode  string       `json:"trip_code" maxLength:"20" doc:"the coach's trip code, as the driver reads it out"`
		Plate     string       `json:"plate" maxLength:"64" doc:"the coach's plate"`
		Occupants []occupantIn `json:"occupants,omitempty" maxItems:"200" doc:"left out: only me"`
	}
}

func (s *Server) joinTrip(ctx context.Context, in *joinTripIn) (*entryOut, error) {
	me, now := who(ctx).Person, s.auth.now()
	var g faultGatherer
	plate, err := entry.ParsePlate(in.Body.Plate)
	g.note("body.plate", err)
	filed := []entry.Filed{{Self: true}}
	if len(in.Body.Occupants) > 0 {
		filed = g.occupants(in.Body.Occupants, now)
	}
	if err := invalid(g.faults); err != nil {
		return nil, err
	}
	if err := s.limits.allow("trip:"+me.String(), 10, time.Hour, now); err != nil { // or codes would be guessed
		return nil, err
	}
	e, err := s.entries.Join(ctx, in.Body.TripCode, plate, me, filed)
	if err != nil {
		return nil, inBody(unavailable(err))
	}
	return s.entryAnswer(ctx, http.StatusOK, e)
}

type myEntriesIn struct {
	Limit int `query:"limit" default:"20" minimum:"1" maximum:"100"`
}

type myEntriesOut struct {
	Body struct {
		Entries []residentEntry `json:"entries" doc:"newest first"`
	}
}

func (s *Server) myEntries(ctx context.Context, in *myEntriesIn) (*myEntriesOut, error) {
	all, err := s.entries.Of(ctx, who(ctx).Person, in.Limit)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &myEntriesOut{}
	out.Body.Entries = make([]residentEntry, len(all))
	for i, e := range all {
		if out.Body.Entries[i], err = s.viewEntry(ctx, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type entryIn struct {
	ID string `path:"id" maxLength:"36"`
}

func (s *Server) myEntry(ctx context.Context, in *entryIn) (*entryOut, error) {
	e, err := s.ownEntry(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return s.entryAnswer(ctx, http.StatusOK, e)
}

func (s *Server) ownEntry(ctx context.Context, text string) (*entry.Entry, error) {
	id, err := kangma.ParseEventID(text)
	if err != nil {
		return nil, err
	}
	e, err := s.entries.Get(ctx, id, who(ctx).Person)
	return e, unavailable(err)
}

func (s *Server) cancelEntry(ctx context.Context, in *entryIn) (*entryOut, error) {
	id, err := kangma.ParseEventID(in.ID)
	if err != nil {
		return nil, err
	}
	e, err := s.entries.Cancel(ctx, id, who(ctx).Person)
	if err != nil {
		return nil, unavailable(err)
	}
	return s.entryAnswer(ctx, http.StatusOK, e)
}

func (s *Server) entryPassSVG(ctx context.Context, in *entryIn) (*pictureOut, error) {
	e, err := s.ownEntry(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	img, err := codegen.SVG(e.Pass().String(), codegen.Look{Level: codegen.LevelQ})
	return &pictureOut{ContentType: "image/svg+xml", Body: img}, err
}

func (s *Server) entryAnswer(ctx context.Context, status int, e *entry.Entry) (*entryOut, error) {
	v, err := s.viewEntry(ctx, e)
	return &entryOut{Status: status, Body: v}, err
}

// viewEntry shows an entry to somebody in it: the driver sees who is in the vehicle, everybody only their own decision.
func (s *Server) viewEntry(ctx context.Context, e *entry.Entry) (residentEntry, error) {
	me := who(ctx).Person
	v := residentEntry{ID: e.ID, Masked: e.Masked, Kind: e.PlateKind, Coach: e.Coach, Expires: e.Expires(), Arrival: e.Arrival,
		Origin: e.Origin.Division, Destination: e.Destination.Division, Status: "filed", People: len(e.Occupants), Occupants: []residentSeat{}}
	switch {
	case !e.Cancelled.IsZero():
		v.Status = "cancelled"
	case e.Gate != "":
		v.Status = "inspected"
	case !s.auth.now().Before(e.Expires()):
		v.Status = "expired"
	}
	if v.Status == "filed" || v.Status == "inspected" {
		v.Pass = e.Pass().String()
		if e.Driver == me {
			v.TripCode = e.Trip
		}
	}
	for i := range e.Occupants {
		o := &e.Occupants[i]
		if e.Driver != me && o.Person != me {
			continue
		}
		seat := residentSeat{ID: o.ID, Self: o.Person == me, Infant: o.Infant, Inspected: len(o.Seen) > 0}
		name, err := s.seatName(ctx, o)
		if err != nil {
			return v, err
		}
		seat.MaskedName = name.Masked()
		if last := o.Last(); last != nil && seat.Self {
			seat.Decision, seat.Why, seat.Guidance = &last.Decision, last.Why, last.Guidance
		}
		v.Occupants = append(v.Occupants, seat)
	}
	return v, nil
}

func (s *Server) seatName(ctx context.Context, o *entry.Occupant) (kangma.Name, error) {
	if o.Person.IsZero() {
		if o.Sealed.IsZero() {
			return kangma.Name{}, nil
		}
		return s.cfg.Registry.Sealer().OpenName(o.Handle, o.Sealed)
	}
	id, _, err := s.identityOf(ctx, o.Person)
	return id.Name, err
}
