package wire

import (
	"time"

	k "github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// EncodeEvent gives the wire form of an event, its Data inside as they are.
func EncodeEvent(e k.Event) []byte { return encode(&e, 96+len(e.Data), event) }

// DecodeEvent reads what EncodeEvent wrote. It does not look into Data.
func DecodeEvent(b []byte) (k.Event, error) { return decode(b, event) }

func event(c *coder, e *k.Event) {
	idOf(c, 1, &e.ID)
	textOf(c, 2, &e.Kind)
	c.moment(3, &e.At)
	idOf(c, 4, &e.Person)
	c.bytes(5, &e.Data)
}

// PassageEvent makes the event of a passage; it has the passage's id and time.
func PassageEvent(p k.Passage) k.Event {
	return k.Event{ID: p.ID, Kind: k.EventPassage, At: p.At, Data: EncodePassage(p)}
}

// EvidenceEvent makes the event of one piece of evidence of one person; it has the evidence's id, and the time it was
// received (or else observed).
func EvidenceEvent(person k.PersonID, e k.Evidence) k.Event {
	at := e.Received
	if at.IsZero() {
		at = e.Observed
	}
	return k.Event{ID: e.ID, Kind: k.EventEvidence, At: at, Person: person, Data: EncodeEvidence(e)}
}

// PersonEvent makes the event that registers a person or changes their sealed identity, home or guardians. Of the
// dossier it keeps Person, Registered, Home, Sealed and Guardians: applying it replaces exactly these.
func PersonEvent(id k.EventID, at time.Time, d k.Dossier) k.Event {
	kept := k.Dossier{Person: d.Person, Registered: d.Registered, Home: d.Home, Sealed: d.Sealed, Guardians: d.Guardians}
	return k.Event{ID: id, Kind: k.EventPerson, At: at, Person: d.Person, Data: EncodeDossier(kept)}
}

// RecordEvent makes the event of one version of one record.
func RecordEvent(id k.EventID, at time.Time, r store.Record) k.Event {
	return k.Event{ID: id, Kind: k.EventRecord, At: at, Data: EncodeRecord(r)}
}

// AccessEvent makes the event of somebody looking at a person's data.
func AccessEvent(id k.EventID, at time.Time, person k.PersonID, a k.Access) k.Event {
	return k.Event{ID: id, Kind: k.EventAccess, At: at, Person: person, Data: EncodeAccess(a)}
}

// EraseEvent makes the event that destroys a person's data key; it has no Data.
func EraseEvent(id k.EventID, at time.Time, person k.PersonID) k.Event {
	return k.Event{ID: id, Kind: k.EventErase, At: at, Person: person}
}

// Payload is what an event's Data say; the field of the event's kind is set, for EventErase none.
type Payload struct {
	Person   *k.Dossier // Person, Registered, Home, Sealed and Guardians only
	Evidence *k.Evidence
	Passage  *k.Passage
	Record   *store.Record
	Access   *k.Access
}

// DecodePayload reads the Data of an event by its kind and checks that ids and person inside and outside agree. An
// unknown kind is an error like damaged bytes: skipping it silently would lose something acknowledged.
func DecodePayload(e k.Event) (p Payload, err error) {
	fits := false
	switch e.Kind {
	case k.EventPerson:
		p.Person, err = pointer(DecodeDossier(e.Data))
		fits = err == nil && p.Person.Person == e.Person && len(p.Person.Evidence) == 0 && p.Person.Version == 0
	case k.EventEvidence:
		p.Evidence, err = pointer(DecodeEvidence(e.Data))
		fits = err == nil && p.Evidence.ID == e.ID && !e.Person.IsZero()
	case k.EventPassage:
		p.Passage, err = pointer(DecodePassage(e.Data))
		fits = err == nil && p.Passage.ID == e.ID
	case k.EventRecord:
		p.Record, err = pointer(DecodeRecord(e.Data))
		fits = err == nil
	case k.EventAccess:
		p.Access, err = pointer(DecodeAccess(e.Data))
		fits = err == nil && !e.Person.IsZero()
	case k.EventErase:
		fits = len(e.Data) == 0 && !e.Person.IsZero()
	case k.EventLost:
		fits = len(e.Data) == 0 && e.ID.IsZero()
	}
	if err == nil && !fits {
		err = errDamaged
	}
	if err != nil {
		return Payload{}, err
	}
	return p, nil
}

func pointer[T any](v T, err error) (*T, error) { return &v, err }

// EncodeAccess gives the wire form of an access.
func EncodeAccess(a k.Access) []byte { return encode(&a, 96, access) }

// DecodeAccess reads what EncodeAccess wrote.
func DecodeAccess(b []byte) (k.Access, error) { return decode(b, access) }

func access(c *coder, a *k.Access) {
	c.text(1, &a.Account)
	c.text(2, &a.Organisation)
	c.text(3, &a.Role)
	c.text(4, &a.Purpose)
	c.text(5, &a.Case)
	c.texts(6, &a.Fields)
}
