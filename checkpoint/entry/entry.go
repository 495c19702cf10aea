package entry

import (
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/seal"
)

// Entry is one vehicle on one journey, as kept in the records (kind "vehicle-entry").
type Entry struct {
	ID          kangma.EventID   `json:"id"`
	Driver      kangma.PersonID  `json:"driver"`
	Plate       string           `json:"plate"` // keyed hash
	Masked      string           `json:"masked"`
	PlateKind   PlateKind        `json:"plate_kind"`
	Coach       bool             `json:"coach,omitempty"`
	Trip        string           `json:"trip,omitempty"` // coaches: the code passengers join by
	Origin      kangma.Place     `json:"origin"`
	Destination kangma.Place     `json:"destination"`
	Arrival     time.Time        `json:"arrival"`
	Filed       time.Time        `json:"filed"`
	Secret      [passSecret]byte `json:"secret"`
	Occupants   []Occupant       `json:"occupants"`
	Gate        string           `json:"gate,omitempty"` // the post that inspected first; the entry is its own from then on
	Cancelled   time.Time        `json:"cancelled,omitzero"`
}

// Occupant is one person in a vehicle. Who came in by their own login, or by that of their guardian, is a Person; who was
// filed by the driver is sealed, and becomes a Person when an officer has seen the document. An infant without a document
// is neither, and goes with Guardian.
type Occupant struct {
	ID          string                `json:"id"` // "1", "2" … within the entry
	Person      kangma.PersonID       `json:"person,omitzero"`
	Handle      kangma.PersonID       `json:"handle,omitzero"` // binds Sealed to this place
	Sealed      kangma.SealedIdentity `json:"sealed,omitzero"`
	Document    string                `json:"document,omitempty"` // type, as filed
	Infant      bool                  `json:"infant,omitempty"`
	Guardian    string                `json:"guardian,omitempty"` // occupant who answers for an infant
	Driver      bool                  `json:"driver,omitempty"`
	Destination kangma.Place          `json:"destination,omitzero"` // zero: the entry's
	Firm        string                `json:"firm,omitempty"`
	Stays       []kangma.Division     `json:"stays,omitempty"` // declared, of the last 14 days
	Symptoms    bool                  `json:"symptoms,omitempty"`
	AtPost      bool                  `json:"at_post,omitempty"` // added by the officer
	Seen        []Seen                `json:"seen,omitempty"`    // what was decided, in order; the last one counts
}

// Seen is one decision about one occupant: all that the passage needs, so that a retry writes the same passage.
type Seen struct {
	Event       kangma.EventID  `json:"event"`
	At          time.Time       `json:"at"`
	Operator    string          `json:"operator"`
	Told        bool            `json:"told"`
	Colour      kangma.Colour   `json:"colour"`
	CannotTell  string          `json:"cannot_tell,omitempty"`
	Decision    kangma.Decision `json:"decision"`
	Reason      string          `json:"reason"` // rule id, or by_hand.REASON
	Why         kangma.Text     `json:"why"`
	Guidance    kangma.Text     `json:"guidance"`
	Temperature int             `json:"temperature,omitempty"`
	Verified    string          `json:"verified"`
	Rules       string          `json:"rules,omitempty"` // risk rules: first 16 digits of the digest
	Set         string          `json:"set"`             // post rules: id and first 16 digits of the digest
	Flags       []string        `json:"flags,omitempty"`
	Conflict    string          `json:"conflict,omitempty"` // made without a network against what the register says now
}

// Bounds of an entry.
const (
	MaxOccupants      = 20 // of a car, van or lorry
	MaxCoachOccupants = 80
	MaxStays          = 30
	maxSeen           = 10 // decisions about one occupant

	arrivalPast  = 10 * time.Minute // a clock may be off, and filling in the form takes time
	arrivalAhead = 72 * time.Hour
	passLife     = 24 * time.Hour // after the arrival that was filed
)

// Expires is when the pass is over.
func (e *Entry) Expires() time.Time { return e.Arrival.Add(passLife) }

// Pass gives what the driver's QR says.
func (e *Entry) Pass() Pass {
	return Pass{Entry: e.ID, Secret: e.Secret, Expires: e.Expires().Truncate(time.Second)}
}

// Limit is how many people may be in it.
func (e *Entry) Limit() int {
	if e.Coach {
		return MaxCoachOccupants
	}
	return MaxOccupants
}

// Find gives the occupant of an id, or nil.
func (e *Entry) Find(id string) *Occupant {
	i := slices.IndexFunc(e.Occupants, func(o Occupant) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return &e.Occupants[i]
}

// Has reports whether a person came in by their own login or their guardian's.
func (e *Entry) Has(person kangma.PersonID) bool {
	return !person.IsZero() && slices.ContainsFunc(e.Occupants, func(o Occupant) bool { return o.Person == person && !o.AtPost })
}

// Last is the decision that counts, or nil.
func (o *Occupant) Last() *Seen {
	if len(o.Seen) == 0 {
		return nil
	}
	return &o.Seen[len(o.Seen)-1]
}

// decided reports whether nothing is left to decide: who was referred may be looked at again.
func (o *Occupant) decided() bool { return len(o.Seen) > 0 && o.Last().Decision != kangma.Refer }

func (o *Occupant) by(event kangma.EventID) *Seen {
	i := slices.IndexFunc(o.Seen, func(s Seen) bool { return s.Event == event })
	if i < 0 {
		return nil
	}
	return &o.Seen[i]
}

const (
	entryKind = "vehicle-entry"
	ownerIdx  = "owner"
	plateIdx  = "plate" // keyed hash and the day of arrival
	tripIdx   = "trip"
)

// beijing is the zone of days in indexes; a post and its server are on one day.
var beijing = time.FixedZone("CST", 8*60*60)

func plateDay(hash string, day time.Time) string {
	return hash + "/" + day.In(beijing).Format(time.DateOnly)
}

func (e *Entry) index() map[string]string {
	ix := map[string]string{ownerIdx: e.Driver.String()}
	if e.Cancelled.IsZero() {
		ix[plateIdx] = plateDay(e.Plate, e.Arrival)
		if e.Trip != "" {
			ix[tripIdx] = e.Trip
		}
	}
	return ix
}

func (e *Entry) record(version uint64, data []byte) store.Record {
	return store.Record{Kind: entryKind, ID: e.ID.String(), Version: version, Data: data, Index: e.index()}
}

// Filing is what a driver says before they arrive.
type Filing struct {
	ID          kangma.EventID // made by the device, so that a retry is the same entry
	Driver      kangma.PersonID
	Plate       Plate
	Coach       bool
	Origin      kangma.Place
	Destination kangma.Place
	Arrival     time.Time
	Occupants   []Filed
}

// Filed is one occupant as filed: oneself, a dependent, somebody by document, or an infant.
type Filed struct {
	Self        bool
	Person      kangma.PersonID // a dependent of whom the filer is the guardian
	Identity    *seal.Identity  // somebody else: name, document, perhaps a phone
	Infant      bool
	Guardian    int // of an infant: which of the filed ones answers, from 1; 0: the filer
	Destination kangma.Place
	Firm        string // unified social credit code of the firm they travel for
	Stays       []kangma.Division
	Symptoms    bool
}

var (
	errNoEntry    = kangma.E(kangma.NotFound, "no_entry", "there is no such vehicle entry")
	errEntryTaken = kangma.E(kangma.Conflict, "entry_taken", "this id belongs to another vehicle entry; draw a new one")
	errCancelled  = kangma.E(kangma.Conflict, "entry_cancelled", "this vehicle entry was cancelled")
	errExpired    = kangma.E(kangma.Conflict, "pass_expired", "this pass is over; the driver files again")
	errInspected  = kangma.E(kangma.Conflict, "entry_inspected", "a post has inspected this vehicle already; file a new entry")
)

// check bounds what does not need the register. where is the JSON path of the filing.
func (f *Filing) check(now time.Time) []kangma.Fault {
	var faults []kangma.Fault
	bad := func(where, code, what string) {
		faults = append(faults, kangma.Fault{Where: where, Code: code, What: what})
	}
	if f.Origin.Division.Rank() < kangma.City {
		bad("origin", "origin", "the origin is at least a city, as a GB/T 2260 code")
	}
	if f.Destination.Division.Rank() < kangma.County {
		bad("destination", "destination", "the destination is at least a county, better the street or town, so that its township is told")
	}
	switch {
	case f.Arrival.Before(now.Add(-arrivalPast)):
		bad("arrival_at", "arrival_past", "the arrival is in the past; file before you arrive")
	case f.Arrival.After(now.Add(arrivalAhead)):
		bad("arrival_at", "arrival_far", "the arrival is more than 72 hours ahead; file closer to the day")
	}
	if f.Plate.Kind() == Trailer {
		bad("plate", "plate_trailer", "give the plate of the towing vehicle, not of the trailer")
	}
	limit := (&Entry{Coach: f.Coach}).Limit()
	if len(f.Occupants) == 0 || len(f.Occupants) > limit {
		bad("occupants", "occupants", "name everybody in the vehicle: 1 to 20, in a coach up to 80")
	}
	return append(faults, checkOccupants(f.Occupants)...)
}

func checkOccupants(filed []Filed) []kangma.Fault {
	var faults []kangma.Fault
	for i, o := range filed {
		bad := func(code, what string) {
			faults = append(faults, kangma.Fault{Where: at("occupants", i), Code: code, What: what})
		}
		ways := 0
		for _, way := range []bool{o.Self, !o.Person.IsZero(), o.Identity != nil, o.Infant} {
			if way {
				ways++
			}
		}
		if ways != 1 {
			bad("occupant", "an occupant is oneself, a dependent, somebody by name and document, or an infant")
		}
		if o.Infant && (o.Guardian < 0 || o.Guardian > len(filed) || o.Guardian > 0 && filed[o.Guardian-1].Infant) {
			bad("infant_guardian", "an infant travels with an adult of this vehicle: give their number in the list, from 1")
		}
		if len(o.Stays) > MaxStays {
			bad("stays", "at most 30 places of the last 14 days")
		}
		if o.Firm != "" && !ValidFirm(o.Firm) {
			bad("firm", "a firm is its unified social credit code of 18 characters (GB 32100); read it again")
		}
	}
	return faults
}
