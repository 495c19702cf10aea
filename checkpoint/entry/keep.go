package entry

import (
	"context"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/inbox"
	"github.com/kangma/kangma/registry"
)

// keep makes the passages durable, tells the townships, and says what was decided.
func (s *Service) keep(ctx context.Context, e *Entry, done []settled, post Post) ([]Decided, error) {
	passages := make([]kangma.Passage, len(done))
	decided := make([]Decided, len(done))
	var views []registry.View
	for i, d := range done {
		passages[i] = s.passage(e, d, post)
		name, number, err := s.nameOf(ctx, d)
		if err != nil {
			return nil, err
		}
		decided[i] = Decided{Occupant: d.occupant.ID, MaskedName: name.Masked(), IDTail: number.Tail(), Infant: d.occupant.Infant, Seen: d.seen}
		if !d.person.IsZero() && name != (kangma.Name{}) {
			views = append(views, post.view(checkpoint.ViewID(d.seen.Event), d.seen.At, d.person))
		}
		if g := e.Find(d.occupant.Guardian); d.occupant.Infant && g != nil {
			done[i].person = g.Person // whom the township calls
		}
	}
	if err := s.registry.AppendPassages(ctx, passages, views); err != nil {
		return nil, err
	}
	return decided, inbox.Put(ctx, s.registry, append(arrivals(e, done, post), conflicts(done, post)...)...)
}

func (s *Service) passage(e *Entry, d settled, post Post) kangma.Passage {
	p := kangma.Passage{
		ID: d.seen.Event, At: d.seen.At, Gate: post.Gate.ID, GateKind: post.Gate.Kind, District: post.Gate.District, Operator: d.seen.Operator,
		Told: d.seen.Told, Colour: d.seen.Colour, Decision: d.seen.Decision, Reason: d.seen.Reason, Verified: d.seen.Verified, Direction: "in",
		Temperature: d.seen.Temperature, Vehicle: e.Plate, Rules: d.seen.Rules, Flags: d.seen.Flags,
	}
	if !d.person.IsZero() {
		p.Person = s.registry.Sealer().Pseudonym(d.person, d.seen.At)
	}
	return p
}

func (s *Service) nameOf(ctx context.Context, d settled) (name kangma.Name, number kangma.IDNumber, err error) {
	handle, sealed := d.occupant.Handle, d.occupant.Sealed
	if !d.person.IsZero() {
		dossier, err := s.registry.Dossier(ctx, d.person)
		if err != nil {
			return name, number, err
		}
		handle, sealed = d.person, dossier.Sealed
	}
	if sealed.IsZero() {
		return name, number, nil
	}
	id, err := s.registry.Sealer().Open(handle, sealed)
	return id.Name, id.Number, err
}

// arrivals are the inbox items of who is released or sent home, for the township that receives them.
func arrivals(e *Entry, done []settled, post Post) (items []inbox.Item) {
	for _, d := range done {
		if d.seen.Decision != kangma.Pass && d.seen.Decision != kangma.HomeIsolate {
			continue
		}
		to := e.Destination
		if d.occupant.Destination.Division != 0 {
			to = d.occupant.Destination
		}
		guidance := d.seen.Guidance
		items = append(items, inbox.Item{Kind: inbox.Arrival, Event: d.seen.Event, At: d.seen.At, Gate: post.Gate.ID, District: to.Division, Operator: d.seen.Operator,
			Reason: d.seen.Reason, Person: d.person, Decision: d.seen.Decision.String(), Entry: e.ID.String(), Infant: d.occupant.Infant, Community: to.Community, Guidance: &guidance})
	}
	return items
}

// conflicts are the inbox items of who was let through without a network against what the register says.
func conflicts(done []settled, post Post) (items []inbox.Item) {
	for _, d := range done {
		if d.seen.Conflict != "" {
			id := checkpoint.ViewID(d.seen.Event)
			id[15] ^= 1 // neither the passage's id nor its view's
			items = append(items, inbox.Item{Kind: inbox.OfflineConflict, Event: id, At: d.seen.At, Gate: post.Gate.ID, District: post.Gate.District,
				Operator: d.seen.Operator, Reason: d.seen.Conflict, Person: d.person})
		}
	}
	return items
}
