package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/venue"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

type venueIn struct {
	ID string `path:"id" maxLength:"64"`
}

type putVenueIn struct {
	ChangeParams
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Name         kangma.Text        `json:"name"`
		Kind         string             `json:"kind" enum:"mall,market,restaurant,hotel,transport,scenic,forest,school,hospital,pharmacy,worksite,office,other"`
		District     string             `json:"district" maxLength:"9"`
		Organisation string             `json:"organisation,omitempty" maxLength:"200" doc:"whose accounts show and print the code; left out: mine"`
		Mode         string             `json:"mode" enum:"screen,printed" doc:"screen: changes every 30 s; printed: counts inside the geofence only"`
		Centre       *venue.Coordinates `json:"centre,omitempty" doc:"of the geofence, WGS 84 degrees"`
		Radius       int                `json:"radius,omitempty" doc:"metres, 20 to 5000"`
		Positioned   bool               `json:"positioned,omitempty" doc:"a screen whose scans need a position too"`
		Policy       *checkpoint.Policy `json:"policy,omitempty" doc:"left out: green passes, others turn back"`
		Form         []venue.FormField  `json:"form,omitempty" maxItems:"20" doc:"what a scenario asks besides"`
		CheckOut     bool               `json:"check_out,omitempty" doc:"the page asks for a check-out"`
		Closed       bool               `json:"closed,omitempty"`
	}
}

type venueOut struct{ Body venue.Venue }

type putVenueOut struct {
	Status int
	Body   struct {
		venue.Venue
		Held *registry.Held `json:"held,omitempty" doc:"another person must release what it would decide by: POST /v1/approvals/{id}"`
	}
}

func (s *Server) putVenue(ctx context.Context, in *putVenueIn) (*putVenueOut, error) {
	p := who(ctx)
	d, err := knownDivision(in.Body.District)
	if err != nil {
		return nil, invalid([]kangma.Fault{faultOf("body.district", err)})
	}
	v := venue.Venue{ID: in.ID, Name: in.Body.Name, Kind: in.Body.Kind, District: d, Organisation: in.Body.Organisation, Mode: in.Body.Mode, Centre: in.Body.Centre,
		Radius: in.Body.Radius, Positioned: in.Body.Positioned, Policy: checkpoint.DefaultPolicy("venue"), Form: in.Body.Form, CheckOut: in.Body.CheckOut, Closed: in.Body.Closed}
	if v.Organisation == "" {
		v.Organisation = p.Account.Organisation
	}
	if in.Body.Policy != nil {
		v.Policy = *in.Body.Policy
	}
	if err := s.mayOwn(ctx, v); err != nil {
		return nil, err
	}
	v, held, err := s.keepVenue(ctx, v, in.ChangeParams)
	out := &putVenueOut{Status: heldStatus(held)}
	out.Body.Venue, out.Body.Held = v, held
	return out, err
}

// mayOwn lets officials make venues in their divisions, and a venue's own organisation where it was given divisions to.
func (s *Server) mayOwn(ctx context.Context, v venue.Venue) error {
	p := who(ctx)
	old, err := s.venues.Get(ctx, v.ID)
	if err == nil {
		if err := mayRun(p, old); err != nil {
			return err
		}
	} else if kangma.KindOf(err) != kangma.NotFound {
		return unavailable(err)
	}
	if p.Role == GateStaff && (v.Organisation != p.Account.Organisation || len(p.Account.Divisions) == 0) || !inScope(p, v.District) {
		return errScope
	}
	return nil
}

// mayRun lets officials of the division and accounts of the venue's organisation show and print its code.
func mayRun(p Principal, v venue.Venue) error {
	if p.Role == GateStaff && v.Organisation != p.Account.Organisation || p.Role == Official && !inScope(p, v.District) {
		return errScope
	}
	return nil
}

// ownVenue reads a venue that this account runs.
func (s *Server) ownVenue(ctx context.Context, id string) (venue.Venue, error) {
	v, err := s.venues.Get(ctx, id)
	if err != nil {
		return v, unavailable(err)
	}
	return v, mayRun(who(ctx), v)
}

type listVenuesIn struct {
	After string `query:"after" maxLength:"300"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"500"`
}

type listVenuesOut struct {
	Body struct {
		Venues []venue.Venue `json:"venues"`
		Next   string        `json:"next,omitempty"`
	}
}

func (s *Server) listVenues(ctx context.Context, in *listVenuesIn) (*listVenuesOut, error) {
	p, organisation := who(ctx), ""
	if p.Role == GateStaff {
		organisation = p.Account.Organisation
	}
	all, next, err := s.venues.List(ctx, organisation, in.After, in.Limit)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &listVenuesOut{}
	out.Body.Next = next
	out.Body.Venues = slices.DeleteFunc(append([]venue.Venue{}, all...), func(v venue.Venue) bool { return mayRun(p, v) != nil })
	return out, nil
}

type publicVenueOut struct {
	Body struct {
		ID       string            `json:"id"`
		Name     kangma.Text       `json:"name"`
		Kind     string            `json:"kind"`
		District kangma.Division   `json:"district"`
		Mode     string            `json:"mode"`
		Position bool              `json:"position" doc:"a scan needs the phone's position"`
		Form     []venue.FormField `json:"form"`
		CheckOut bool              `json:"check_out"`
		Closed   bool              `json:"closed"`
	}
}

// venuePage is what a phone needs to scan: the form, and whether to ask for the position.
func (s *Server) venuePage(ctx context.Context, in *venueIn) (*publicVenueOut, error) {
	v, err := s.venues.Get(ctx, in.ID)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &publicVenueOut{}
	b := &out.Body
	b.ID, b.Name, b.Kind, b.District, b.Mode, b.Closed = v.ID, v.Name, v.Kind, v.District, v.Mode, v.Closed
	b.Position, b.CheckOut, b.Form = v.Mode == venue.Printed || v.Positioned, v.CheckOut, append([]venue.FormField{}, v.Form...)
	return out, nil
}

type venueCodeOut struct {
	Body struct {
		Code    string    `json:"code" doc:"the text of the QR"`
		Expires time.Time `json:"expires_at"`
		Refresh time.Time `json:"refresh_at,omitzero" doc:"when the screen asks again"`
	}
}

// venueCode is what the venue's screen shows, or prints.
func (s *Server) venueCode(ctx context.Context, in *venueIn) (*venueCodeOut, error) {
	text, c, reload, err := s.signVenue(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &venueCodeOut{}
	out.Body.Code, out.Body.Expires, out.Body.Refresh = text, c.Expires, reload
	return out, nil
}

func (s *Server) signVenue(ctx context.Context, id string) (text string, c venue.Claims, reload time.Time, err error) {
	v, err := s.ownVenue(ctx, id)
	if err != nil {
		return "", c, reload, err
	}
	if v.Mode == venue.Screen {
		text, c, reload, err = s.venues.ScreenCode(v)
	} else {
		text, c, err = s.venues.PrintedCode(v)
	}
	return text, c, reload, unavailable(err)
}

func (s *Server) venueCodeSVG(ctx context.Context, in *venueIn) (*pictureOut, error) {
	text, _, _, err := s.signVenue(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	img, err := codegen.SVG(text, codegen.Look{})
	return &pictureOut{ContentType: "image/svg+xml", Body: img}, err
}

// posterZone is the zone of dates on posters.
var posterZone = time.FixedZone("CST", 8*60*60)

func (s *Server) venuePoster(ctx context.Context, in *venueIn) (*pictureOut, error) {
	v, err := s.ownVenue(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	text, c, err := s.venues.PrintedCode(v)
	if err != nil {
		return nil, unavailable(err)
	}
	img, err := venue.Poster(v, text, c, posterZone)
	return &pictureOut{ContentType: "image/svg+xml", Body: img}, err
}

func (s *Server) reprintVenue(ctx context.Context, in *venueIn) (*venueOut, error) {
	if _, err := s.ownVenue(ctx, in.ID); err != nil {
		return nil, err
	}
	v, err := s.venues.Reprint(ctx, in.ID)
	return &venueOut{Body: v}, unavailable(err)
}

type venuePassagesIn struct {
	ID    string `path:"id" maxLength:"64"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

// venuePassages lists verified visits, without names; unverified ones are nobody's business at the venue.
func (s *Server) venuePassages(ctx context.Context, in *venuePassagesIn) (*passagesOut, error) {
	v, err := s.ownVenue(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	now := s.auth.now()
	ps, err := s.cfg.Warehouse.Passages(ctx, store.PassageQuery{Gates: []string{venue.GateOf(v.ID, true)}, Since: now.Add(-24 * time.Hour), Until: now.Add(time.Minute), Limit: in.Limit})
	if err != nil {
		return nil, unavailable(err)
	}
	return viewPassages(ps), nil
}

type checkInIn struct {
	ID   string `path:"id" maxLength:"64"`
	Key  string `header:"Idempotency-Key" doc:"event id, if the body has none"`
	Body struct {
		Event      string         `json:"event,omitempty" maxLength:"36" doc:"UUIDv7 made by the phone; a retry with the same id is the same check-in"`
		Code       string         `json:"code" minLength:"1" maxLength:"400" doc:"the text read from the venue's QR"`
		Position   *positionIn    `json:"position,omitempty" doc:"printed codes count with it only"`
		Companions []companionIn  `json:"companions,omitempty" maxItems:"50"`
		Form       map[string]any `json:"form,omitempty" doc:"answers by field id"`
	}
}

type positionIn struct {
	Lat      float64   `json:"lat"`
	Lon      float64   `json:"lon"`
	Accuracy float64   `json:"accuracy" doc:"metres"`
	At       time.Time `json:"at" doc:"when it was measured"`
}

type companionIn struct {
	Person string `json:"person,omitempty" maxLength:"36" doc:"a dependent of mine"`
	Code   string `json:"code,omitempty" maxLength:"4096" doc:"or the text of the code that they show"`
}

type visitOut struct {
	Status int
	Body   struct {
		CheckIn  kangma.EventID `json:"check_in" doc:"by which to check out"`
		Venue    string         `json:"venue"`
		Name     kangma.Text    `json:"name"`
		At       time.Time      `json:"at"`
		Verified bool           `json:"verified" doc:"false: a scan from elsewhere, or of an old code; it is no visit and changes nobody's colour"`
		Presence string         `json:"presence" doc:"verified, or why not"`
		CheckOut bool           `json:"check_out,omitempty" doc:"the venue asks for a check-out"`
		Out      time.Time      `json:"checked_out_at,omitzero"`
		People   []visitorView  `json:"people" doc:"me first, then my companions"`
	}
}

type visitorView struct {
	Event      kangma.EventID    `json:"event"`
	MaskedName string            `json:"masked_name,omitempty"`
	Told       bool              `json:"told"`
	Colour     *kangma.Colour    `json:"colour,omitempty"`
	Wire       string            `json:"wire,omitempty" doc:"colour as 00, 01, 10"`
	CannotTell kangma.CannotTell `json:"cannot_tell,omitempty"`
	Decision   kangma.Decision   `json:"decision"`
	Reason     string            `json:"reason"`
	Why        kangma.Text       `json:"why"`
	Guidance   kangma.Text       `json:"guidance"`
}

func (s *Server) checkIn(ctx context.Context, in *checkInIn) (*visitOut, error) {
	event, err := s.eventID(in.Body.Event, in.Key)
	if err != nil {
		return nil, err
	}
	me := who(ctx).Person
	c := venue.CheckIn{Event: event, Venue: in.ID, Code: in.Body.Code, Person: me, Form: in.Body.Form}
	if p := in.Body.Position; p != nil {
		c.Position = &venue.Position{Coordinates: venue.Coordinates{Lat: p.Lat, Lon: p.Lon}, Accuracy: p.Accuracy, At: p.At}
	}
	for i, x := range in.Body.Companions {
		companion := venue.Companion{Code: x.Code}
		if x.Person != "" {
			companion.Person, err = kangma.ParsePersonID(x.Person)
		}
		if err == nil && (x.Person == "") == (x.Code == "") {
			err = kangma.E(kangma.Invalid, "companion_code", "the companion's code cannot be read or is over; let them refresh it")
		}
		if err != nil {
			return nil, invalid([]kangma.Fault{faultOf("body."+pathAt("companions", i), err)})
		}
		c.Companions = append(c.Companions, companion)
	}
	if err := s.limits.allow("check-in:"+me.String(), 120, time.Hour, s.auth.now()); err != nil {
		return nil, err
	}
	visit, v, err := s.venues.CheckIn(ctx, c)
	if err != nil {
		return nil, inBody(unavailable(err))
	}
	out := viewVisit(visit, v)
	out.Status = http.StatusCreated
	return out, nil
}

func viewVisit(visit *venue.Visit, v venue.Venue) *visitOut {
	out := &visitOut{Status: http.StatusOK}
	b := &out.Body
	b.CheckIn, b.Venue, b.Name, b.At, b.Presence, b.Verified = visit.Event, v.ID, v.Name, visit.At, visit.Presence, visit.Presence == venue.Verified
	b.CheckOut, b.Out, b.People = v.CheckOut, visit.OutAt, make([]visitorView, len(visit.People))
	for i, p := range visit.People {
		x := visitorView{Event: p.Event, MaskedName: p.MaskedName, Told: p.Told, CannotTell: kangma.CannotTell(p.CannotTell), Decision: p.Decision, Reason: p.Reason,
			Why: p.Why, Guidance: p.Guidance}
		if p.Told {
			x.Colour, x.Wire = &visit.People[i].Colour, p.Colour.Wire()
		}
		b.People[i] = x
	}
	return out
}

type checkOutIn struct {
	ID   string `path:"id" maxLength:"64"`
	Key  string `header:"Idempotency-Key" doc:"event id, if the body has none"`
	Body struct {
		CheckIn string `json:"check_in" maxLength:"36" doc:"the check-in that ends"`
		Event   string `json:"event,omitempty" maxLength:"36" doc:"UUIDv7 made by the phone"`
	}
}

func (s *Server) checkOut(ctx context.Context, in *checkOutIn) (*visitOut, error) {
	event, err := s.eventID(in.Body.Event, in.Key)
	if err != nil {
		return nil, err
	}
	checkIn, err := kangma.ParseEventID(in.Body.CheckIn)
	if err != nil {
		return nil, err
	}
	visit, err := s.venues.CheckOut(ctx, in.ID, checkIn, event, who(ctx).Person)
	if err != nil {
		return nil, unavailable(err)
	}
	v, err := s.venues.Get(ctx, in.ID)
	return viewVisit(visit, v), unavailable(err)
}
