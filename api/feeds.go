package api

import (
	"bytes"
	"context"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/feeds"
)

type declareIn struct {
	Key  string `header:"Idempotency-Key" doc:"event id, if the body has none"`
	Body struct {
		ID          string   `json:"id,omitempty" maxLength:"36" doc:"event id (UUIDv7) made by the phone"`
		Symptoms    []string `json:"symptoms,omitempty" maxItems:"12" doc:"none when well"`
		Temperature float64  `json:"temperature,omitempty" doc:"degrees Celsius; leave it out if not measured"`
		Contact     string   `json:"contact,omitempty" enum:"yes,no,unsure" doc:"contact with a patient in the last 14 days"`
		Visited     []string `json:"visited,omitempty" maxItems:"20" doc:"divisions visited in the last 14 days"`
		CheckIn     bool     `json:"check_in,omitempty" doc:"a daily check-in"`
	}
}

type acceptedOut struct {
	Status int
	Body   struct {
		ID kangma.EventID `json:"id"`
	}
}

func (s *Server) declare(ctx context.Context, in *declareIn) (*acceptedOut, error) {
	d := kangma.Declaration{Symptoms: in.Body.Symptoms, Temperature: int(in.Body.Temperature*10 + 0.5), Contact: in.Body.Contact, CheckIn: in.Body.CheckIn}
	var faults []kangma.Fault
	for _, text := range in.Body.Visited {
		v, err := knownDivision(text)
		if err != nil {
			faults = append(faults, faultOf("body.visited", err))
		}
		d.Visited = append(d.Visited, kangma.Place{Division: v})
	}
	if err := invalid(faults); err != nil {
		return nil, err
	}
	return s.submitOwn(ctx, in.Body.ID, in.Key, kangma.Evidence{Kind: kangma.KindDeclaration, Observed: s.auth.now().UTC(), Declaration: &d})
}

type tripIn struct {
	Key  string `header:"Idempotency-Key" doc:"event id, if the body has none"`
	Body struct {
		ID       string    `json:"id,omitempty" maxLength:"36" doc:"event id (UUIDv7) made by the phone"`
		Mode     string    `json:"mode" enum:"train,flight,ship,coach,metro,taxi,car"`
		Number   string    `json:"number,omitempty" maxLength:"20"`
		Departed time.Time `json:"departed"`
		Arrived  time.Time `json:"arrived,omitzero"`
		From     string    `json:"from" maxLength:"9" doc:"division"`
		To       string    `json:"to" maxLength:"9" doc:"division"`
		Carriage string    `json:"carriage,omitempty" maxLength:"10"`
		Seat     string    `json:"seat,omitempty" maxLength:"10"`
	}
}

func (s *Server) declareTrip(ctx context.Context, in *tripIn) (*acceptedOut, error) {
	b := in.Body
	var faults []kangma.Fault
	from, err := knownDivision(b.From)
	if err != nil {
		faults = append(faults, faultOf("body.from", err))
	}
	to, err := knownDivision(b.To)
	if err != nil {
		faults = append(faults, faultOf("body.to", err))
	}
	if err := invalid(faults); err != nil {
		return nil, err
	}
	return s.submitOwn(ctx, b.ID, in.Key, kangma.Evidence{Kind: kangma.KindTrip, Observed: b.Departed.UTC(), Trip: &kangma.Trip{
		Mode: b.Mode, Number: b.Number, Departed: b.Departed.UTC(), Arrived: b.Arrived.UTC(), From: kangma.Place{Division: from},
		To: kangma.Place{Division: to}, Carriage: b.Carriage, Seat: b.Seat,
	}})
}

// submitOwn takes evidence a resident gives about themselves.
func (s *Server) submitOwn(ctx context.Context, id, key string, ev kangma.Evidence) (_ *acceptedOut, err error) {
	if ev.ID, err = s.eventID(id, key); err != nil {
		return nil, err
	}
	ev.Source = "self"
	if err := invalid(feeds.Validate(&ev, s.auth.now(), s.cfg.Registry.Retention())); err != nil {
		return nil, err
	}
	if err := s.cfg.Registry.Submit(ctx, registry.Item{Person: who(ctx).Person, Evidence: ev}); err != nil {
		return nil, unavailable(err)
	}
	out := &acceptedOut{Status: 202}
	out.Body.ID = ev.ID
	return out, nil
}

type areasIn struct {
	Day     string `query:"day" format:"date" doc:"the day the list is for (China); one of another day is refused. Default: any"`
	RawBody []byte `contentType:"application/octet-stream" doc:"the official list, JSON, plain or gzip"`
}

func (s *Server) publishAreas(ctx context.Context, in *areasIn) (*changeOut, error) {
	var day time.Time
	if in.Day != "" {
		var err error
		if day, err = time.ParseInLocation(time.DateOnly, in.Day, time.FixedZone("CST", 8*3600)); err != nil {
			return nil, invalid([]kangma.Fault{{Where: "query.day", Code: "bad_shape", What: "a day, YYYY-MM-DD"}})
		}
	}
	list, held, err := s.cfg.Registry.ProposeAreas(ctx, actor(ctx), day, bytes.Clone(in.RawBody))
	if err != nil {
		return nil, unavailable(err)
	}
	out := change(held)
	out.Body.Areas = areas.NewSummary()
	out.Body.Areas.Add("body", list)
	return out, nil
}
