package entry

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/risk/facts"
	"github.com/kangma/kangma/store"
)

// Post is where and by whom a vehicle is inspected.
type Post struct {
	Gate         checkpoint.Gate
	Operator     string // account
	Organisation string
	Role         string
}

// postKinds are the kinds of gate that inspect vehicles.
var postKinds = []string{"highway", "border", "community"}

var (
	errNotPost    = kangma.E(kangma.Invalid, "not_a_post", "vehicles are inspected at highway, border and community gates")
	errOtherPost  = kangma.E(kangma.Forbidden, "other_post", "another post is inspecting this vehicle; the driver files again for a second post")
	errOtherPass  = kangma.E(kangma.Conflict, "other_vehicle", "this pass is of another vehicle; compare the plate")
	errForgedPass = kangma.E(kangma.Forbidden, "pass_forged", "this pass was not given out here; look the vehicle up by its plate")
)

// Shown is what the vehicle showed: a pass, a plate, or both. What is given must fit the entry.
type Shown struct {
	Pass  string
	Plate string
}

// Look finds the entry of a vehicle before a post and shows everybody in it with their colours and what the rules would
// decide now, without deciding anything. Each name shown is an access that the person sees. kangma.NotFound: nothing was
// filed for it.
func (s *Service) Look(ctx context.Context, post Post, shown Shown) (*Entry, []Person, error) {
	if !slices.Contains(postKinds, post.Gate.Kind) {
		return nil, nil, errNotPost
	}
	now := s.registry.Now().UTC()
	e, err := s.find(ctx, shown, now)
	if err != nil {
		return nil, nil, err
	}
	if err := s.usable(e, post, shown, now); err != nil {
		return nil, nil, err
	}
	people, err := s.people(ctx, e, post, now)
	if err != nil {
		return nil, nil, err
	}
	var views []registry.View
	for _, p := range people {
		if p.MaskedName != "" && !p.person.IsZero() {
			views = append(views, post.view(kangma.NewEventID(now), now, p.person))
		}
	}
	return e, people, s.registry.AppendPassages(ctx, nil, views)
}

func (p Post) view(id kangma.EventID, at time.Time, person kangma.PersonID) registry.View {
	return registry.View{ID: id, At: at, Person: person, Access: kangma.Access{
		Account: p.Operator, Organisation: p.Organisation, Role: p.Role, Purpose: "vehicle-post", Case: p.Gate.ID,
		Fields: []string{"masked_name", "id_tail"},
	}}
}

// find finds the entry of a pass or, without one, the newest open entry of a plate.
func (s *Service) find(ctx context.Context, shown Shown, now time.Time) (*Entry, error) {
	if shown.Pass != "" {
		pass, err := ParsePass(shown.Pass)
		if err != nil {
			return nil, err
		}
		e, _, err := s.get(ctx, pass.Entry)
		return e, err
	}
	plate, err := ParsePlate(shown.Plate)
	if err != nil {
		return nil, err
	}
	hash := s.registry.Sealer().Plate(plate.Reveal())
	var found *Entry
	for day := -1; day <= int(arrivalAhead/(24*time.Hour))+1; day++ { // days of arrival that an open entry may have
		recs, _, err := s.registry.Records().List(ctx, store.RecordQuery{Kind: entryKind, Index: plateIdx, Value: plateDay(hash, now.AddDate(0, 0, day)), Limit: 100})
		if err != nil {
			return nil, err
		}
		for _, rec := range recs {
			e, err := decodeEntry(rec)
			if err != nil {
				return nil, err
			}
			if now.Before(e.Expires()) && (found == nil || found.Filed.Before(e.Filed)) {
				found = e
			}
		}
	}
	if found == nil {
		return nil, errNoEntry
	}
	return found, nil
}

// usable says whether this post may inspect this vehicle at a moment with what it showed.
func (s *Service) usable(e *Entry, post Post, shown Shown, at time.Time) error {
	if shown.Pass != "" {
		pass, err := ParsePass(shown.Pass)
		if err != nil {
			return err
		}
		if pass.Entry != e.ID {
			return errOtherPass
		}
		if !pass.fits(e) {
			return errForgedPass
		}
	}
	if shown.Plate != "" {
		plate, err := ParsePlate(shown.Plate)
		if err != nil {
			return err
		}
		if s.registry.Sealer().Plate(plate.Reveal()) != e.Plate {
			return errOtherPass
		}
	}
	switch {
	case !e.Cancelled.IsZero():
		return errCancelled
	case !at.Before(e.Expires()):
		return errExpired
	case e.Gate != "" && e.Gate != post.Gate.ID:
		return errOtherPost
	}
	return nil
}

// Person is one occupant as the post sees them.
type Person struct {
	Occupant   string
	MaskedName string
	IDTail     string
	Document   string // type, as registered or filed
	Infant     bool
	Guardian   string
	Driver     bool
	Registered bool // a person here; else the officer looks at the document first
	Assessment kangma.Assessment
	Proposal   Outcome // what the rules say without a temperature; of no use once Seen
	Seen       *Seen

	person kangma.PersonID
}

// people assesses everybody in an entry at a moment.
func (s *Service) people(ctx context.Context, e *Entry, post Post, now time.Time) ([]Person, error) {
	set, err := s.Rules(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Person, len(e.Occupants))
	for i := range e.Occupants {
		o := &e.Occupants[i]
		k, err := s.know(ctx, e, o, post.Gate, now)
		if err != nil {
			return nil, err
		}
		all[i] = Person{Occupant: o.ID, MaskedName: k.name.Masked(), IDTail: k.number.Tail(), Document: k.facts.Document, Infant: o.Infant, Guardian: o.Guardian,
			Driver: o.Driver, Registered: !k.person.IsZero(), Assessment: k.facts.Assessment, Proposal: set.Decide(k.facts), Seen: o.Last(), person: k.person}
	}
	return all, nil
}

// known is what is known of an occupant at a moment.
type known struct {
	person kangma.PersonID // zero: not registered
	name   kangma.Name
	number kangma.IDNumber
	facts  Facts
}

// know finds who an occupant is, as far as anybody knows, and gathers the facts about them.
func (s *Service) know(ctx context.Context, e *Entry, o *Occupant, g checkpoint.Gate, now time.Time) (k known, err error) {
	k.facts = Facts{At: now, Post: g.District, Infant: o.Infant, Symptoms: o.Symptoms, Document: o.Document,
		Origin: e.Origin.Division, Destination: e.Destination.Division, Stays: slices.Clone(o.Stays)}
	if o.Destination.Division != 0 {
		k.facts.Destination = o.Destination.Division
	}
	since := now.Add(-stayWindow)
	k.facts.Level = s.registry.AreaLevel(e.Origin, since, now)
	for _, d := range o.Stays {
		k.facts.Level = max(k.facts.Level, s.registry.AreaLevel(kangma.Place{Division: d}, since, now))
	}
	if k.facts.Firm, err = s.listed(ctx, o.Firm, now); err != nil {
		return k, err
	}
	k.person = o.Person
	if k.person.IsZero() && !o.Infant {
		if err := s.recognise(ctx, o, &k); err != nil {
			return k, err
		}
	}
	if k.person.IsZero() {
		k.facts.Assessment = kangma.Assessment{At: now, CannotTell: kangma.TellUnknownPerson}
		return k, nil
	}
	return k, s.fill(ctx, &k, now)
}

const stayWindow = 14 * 24 * time.Hour

// recognise looks for the registered person of a document as filed.
func (s *Service) recognise(ctx context.Context, o *Occupant, k *known) error {
	id, err := s.registry.Sealer().Open(o.Handle, o.Sealed)
	if err != nil {
		return err
	}
	k.name, k.number = id.Name, id.Number
	person, err := s.registry.ByDocument(ctx, id.DocType, id.Number)
	if errors.Is(err, kangma.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	d, err := s.registry.Dossier(ctx, person)
	if err == nil {
		var name kangma.Name
		if name, err = s.registry.Sealer().OpenName(person, d.Sealed); err == nil && name == id.Name {
			k.person = person // under another name it is for the officer to look
		}
	}
	if errors.Is(err, kangma.NotFound) {
		return nil
	}
	return err
}

// fill adds what the dossier says.
func (s *Service) fill(ctx context.Context, k *known, now time.Time) error {
	a, d, err := s.registry.Assess(ctx, k.person, now)
	if err != nil {
		return err
	}
	k.facts.Assessment = a
	if d == nil {
		return nil
	}
	k.facts.LatestNegative, k.facts.Residence = registry.LatestNegative(d), d.Home.Division
	for _, ev := range facts.Standing(d.Evidence) {
		switch {
		case ev.Stay != nil && (ev.Stay.To.IsZero() || ev.Stay.To.After(now.Add(-stayWindow))):
			k.facts.Stays = append(k.facts.Stays, ev.Stay.Place.Division)
		case ev.Trip != nil && ev.Trip.Departed.After(now.Add(-stayWindow)):
			k.facts.Stays = append(k.facts.Stays, ev.Trip.From.Division, ev.Trip.To.Division)
		case ev.Vaccination != nil:
			k.facts.Doses = max(k.facts.Doses, ev.Vaccination.Dose)
		}
	}
	id, err := s.registry.Sealer().Open(d.Person, d.Sealed)
	if errors.Is(err, kangma.NotFound) {
		return nil // erased: nothing to show
	}
	if err != nil {
		return err
	}
	k.name, k.number, k.facts.Document = id.Name, id.Number, id.DocType
	if id.DocType == kangma.DocResidentID {
		k.facts.Household, _ = kangma.ParseDivision(id.Number.Reveal()[:6]) // where the number was given out; GB 11643
	}
	return nil
}
