package kangma

import "time"

// EventKind says what an Event changes.
type EventKind string

// The closed set of what a journal holds.
const (
	EventPerson   EventKind = "person"   // a person registered or their sealed identity changed
	EventEvidence EventKind = "evidence" // one Evidence of one Person
	EventPassage  EventKind = "passage"  // one Passage
	EventRecord   EventKind = "record"   // one version of one Record
	EventAccess   EventKind = "access"   // somebody looked at a person's data
	EventErase    EventKind = "erase"    // a person's data key is destroyed
	EventLost     EventKind = "lost"     // only read: what stood here was damaged and given up by a repair; it changes nothing
)

// Event is what a journal holds. Its ID is made by whoever observed it, so a retry is the same event: applying an event
// twice is the same as applying it once. Data never holds a name, number or phone in clear.
type Event struct {
	ID     EventID   `cbor:"1,keyasint"`
	Kind   EventKind `cbor:"2,keyasint"`
	At     time.Time `cbor:"3,keyasint"`
	Person PersonID  `cbor:"4,keyasint,omitzero"`  // zero where the kind has none
	Data   []byte    `cbor:"5,keyasint,omitempty"` // CBOR of the payload, see store/wire
}
