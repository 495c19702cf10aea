package entry

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/kangma/kangma"
)

var errDependent = kangma.E(kangma.Forbidden, "dependent", "you are not this person's guardian; name them by their document")

// seat puts the filed occupants into an entry; by is who filed them. In a driver's own filing the driver is in the vehicle
// even where the list forgot them. Everybody is there once, by document.
func (s *Service) seat(ctx context.Context, e *Entry, by kangma.PersonID, filed []Filed, driving bool, now time.Time) error {
	known, err := s.documentsOf(ctx, e)
	if err != nil {
		return err
	}
	var faults []kangma.Fault
	first, me := len(e.Occupants), ""
	for i, f := range filed {
		o, key, err := s.occupant(ctx, by, f, now)
		if err != nil {
			return err
		}
		if key != "" && known[key] {
			faults = append(faults, kangma.Fault{Where: at("occupants", i), Code: "occupant_twice", What: "this person is in the list already"})
		}
		known[key] = true
		o.ID = e.nextID()
		if o.Person == by {
			me, o.Driver = o.ID, driving
		}
		e.Occupants = append(e.Occupants, o)
	}
	if len(faults) > 0 {
		return faulty(faults)
	}
	if me == "" && driving {
		me = e.nextID()
		e.Occupants = append(e.Occupants, Occupant{ID: me, Person: by, Driver: true})
	}
	if len(e.Occupants) > e.Limit() {
		return faulty([]kangma.Fault{{Where: "occupants", Code: "occupants", What: "name everybody in the vehicle: 1 to 20, in a coach up to 80"}})
	}
	for i, f := range filed { // infants know their guardian now that everybody has a number
		if f.Infant {
			guardian := me
			if f.Guardian > 0 {
				guardian = strconv.Itoa(first + f.Guardian)
			}
			if guardian == "" {
				return faulty([]kangma.Fault{{Where: at("occupants", i), Code: "infant_guardian", What: "an infant travels with an adult of this vehicle: give their number in the list, from 1"}})
			}
			e.Occupants[first+i].Guardian = guardian
		}
	}
	return nil
}

// occupant makes one occupant of what was filed, and the key by which the same person is found twice.
func (s *Service) occupant(ctx context.Context, by kangma.PersonID, f Filed, now time.Time) (o Occupant, key string, err error) {
	o = Occupant{Infant: f.Infant, Destination: f.Destination, Firm: f.Firm, Stays: f.Stays, Symptoms: f.Symptoms}
	switch {
	case f.Infant:
		return o, "", nil
	case f.Self:
		o.Person = by
	case f.Identity == nil:
		if err := s.mayFile(ctx, by, f.Person, now); err != nil {
			return o, "", err
		}
		o.Person = f.Person
	default:
		return s.sealOccupant(ctx, by, f, o)
	}
	key, err = s.documentOf(ctx, o.Person)
	return o, key, err
}

// sealOccupant keeps somebody else's identity sealed. It never says whether they are registered: only the filer's own
// document is recognised.
func (s *Service) sealOccupant(ctx context.Context, by kangma.PersonID, f Filed, o Occupant) (Occupant, string, error) {
	sealer, id := s.registry.Sealer(), *f.Identity
	index := sealer.Document(id.DocType, id.Number)[0]
	key := string(index[:])
	own, err := s.documentOf(ctx, by)
	if err != nil {
		return o, "", err
	}
	if own == key {
		o.Person = by
		return o, key, nil
	}
	o.Document, o.Handle = id.DocType, kangma.NewPersonID()
	if o.Sealed, err = sealer.Seal(o.Handle, id, 1); err != nil {
		return o, "", err
	}
	o.Sealed.Indexes = nil // an entry is not where a person is looked up
	return o, key, nil
}

// mayFile lets a guardian file a dependent while the consent lasts.
func (s *Service) mayFile(ctx context.Context, by, person kangma.PersonID, now time.Time) error {
	if by == person {
		return nil
	}
	ok, err := s.mayAct(ctx, by, person, now)
	if err == nil && !ok {
		return errDependent
	}
	return err
}

// documentOf gives the key of a person's document.
func (s *Service) documentOf(ctx context.Context, person kangma.PersonID) (string, error) {
	d, err := s.registry.Dossier(ctx, person)
	if err != nil {
		return "", err
	}
	id, err := s.registry.Sealer().Open(person, d.Sealed)
	if err != nil {
		return "", err
	}
	index := s.registry.Sealer().Document(id.DocType, id.Number)[0]
	return string(index[:]), nil
}

// documentsOf gives the keys of everybody who is in an entry already.
func (s *Service) documentsOf(ctx context.Context, e *Entry) (map[string]bool, error) {
	known := map[string]bool{}
	for i := range e.Occupants {
		o := &e.Occupants[i]
		switch {
		case !o.Person.IsZero():
			key, err := s.documentOf(ctx, o.Person)
			if err != nil && !errors.Is(err, kangma.NotFound) { // erased since: nobody can be them again
				return nil, err
			}
			known[key] = err == nil
		case !o.Infant:
			id, err := s.registry.Sealer().Open(o.Handle, o.Sealed)
			if err != nil {
				return nil, err
			}
			index := s.registry.Sealer().Document(id.DocType, id.Number)[0]
			known[string(index[:])] = true
		}
	}
	return known, nil
}
