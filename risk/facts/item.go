package facts

import (
	"time"

	"github.com/kangma/kangma"
)

// Kind sorts items by what rules select. It differs from kangma.EvidenceKind where one piece of evidence yields several
// items: a trip also says that its start was visited, a declaration may name places and a temperature.
type Kind uint8

// The kinds of items.
const (
	Stay Kind = iota
	Trip
	Entry
	Clinic
	Test
	Vaccination
	Contact
	Management
	Declaration
	Temperature
	ForeignCode
	Override
	Kinds // how many there are
)

// Item is one fact about a person that a rule can select. Ev is never nil in an item that Collect made.
type Item struct {
	Ev    *kangma.Evidence
	Place *kangma.Place // Stay only: where
	// At is the anchor that days are counted from: the last moment of a stay, the sampling of a test, the last exposure
	// of a contact, the beginning of a measure, otherwise when it was observed. It is never after Facts.Now.
	At    Micros
	From  Micros // beginning; At where the item is a moment
	Until Micros // end of a stay, measure or override; Never where none is known
	Grows Micros // a stay that goes on: the moment its At stops moving; 0: At is final
	Days  int64  // whole days from At to Facts.Now, by the calendar
	Tenth int32  // Temperature only: tenths of a degree Celsius
	next  int32  // next item of the kind, -1: none
	note  int32  // what Judge was given
	Kind  Kind

	judged bool // level and note are set
	level  kangma.Level
}

// Active reports whether a measure or override is in force at now: half-open [From, Until).
func (it *Item) Active(now Micros) bool { return it.From <= now && now < it.Until }

// received is when we came to know of the evidence. Evidence that never passed a feed counts from when it was reported,
// or observed.
func received(e *kangma.Evidence) time.Time {
	switch {
	case !e.Received.IsZero():
		return e.Received
	case !e.Reported.IsZero():
		return e.Reported
	}
	return e.Observed
}

// Judge sets the risk level of a stay, so that it is looked up once. note is whatever the caller keeps a note for people
// by: how the level was found where the place is known less closely than the listed area; 0: there is none.
func (it *Item) Judge(l kangma.Level, note int32) { it.level, it.note, it.judged = l, note, true }

// Judged gives the level set by Judge and whether one was set.
func (it *Item) Judged() (kangma.Level, bool) { return it.level, it.judged }

// IsJudged reports whether Judge was called.
func (it *Item) IsJudged() bool { return it.judged }

// Note gives the note set by Judge.
func (it *Item) Note() int32 { return it.note }
