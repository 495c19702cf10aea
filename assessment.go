package kangma

import (
	"encoding/json"
	"time"
)

// Assessment is what the rules say of one person at one moment. It is computed when it is read and never stored as the
// truth. The zero Assessment could not tell.
type Assessment struct {
	Person  PersonID  `json:"person"`
	At      time.Time `json:"at"`                // the moment it speaks of
	KnownAt time.Time `json:"known_at,omitzero"` // what was received later did not count; zero: everything counted
	AsOf    time.Time `json:"as_of,omitzero"`    // the state store did not answer: from a copy at least as new as this; zero: from the store itself

	Told       bool       `json:"told"` // false: there is no colour, see CannotTell
	CannotTell CannotTell `json:"cannot_tell,omitempty"`
	Colour     Colour     `json:"colour,omitempty"` // worst of the assignments in force; means nothing when !Told
	Label      string     `json:"label,omitempty"`  // the region's own word where it differs, e.g. orange

	Assignments []Assignment `json:"assignments"`          // every one in force, worst first; empty when green
	Duties      []Assignment `json:"duties,omitempty"`     // no colour, but something to do (e.g. 2 tests in 3 days)
	NextChange  time.Time    `json:"next_change,omitzero"` // when the answer changes by itself; zero: it does not

	Rules RuleSetRef `json:"rules"`
	Areas string     `json:"areas,omitempty"` // version of the risk-area table
}

// RuleSetRef says exactly which rules spoke.
type RuleSetRef struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Digest  string `json:"digest"` // hex SHA-256 of the rule file
}

// Assignment is one rule's colour for one person with everything they may ask about it.
type Assignment struct {
	Rule     string        `json:"rule"`
	Colour   Colour        `json:"colour"`
	Label    string        `json:"label,omitempty"`
	Since    time.Time     `json:"since"`
	Until    time.Time     `json:"until"` // every assignment expires
	Reason   Text          `json:"reason"`
	Guidance Text          `json:"guidance"`
	Clears   Text          `json:"clears"`             // what ends it before Until, in words
	Progress *Progress     `json:"progress,omitempty"` // how far that is
	Evidence []EvidenceRef `json:"evidence"`
	Notes    []Text        `json:"notes,omitempty"`  // e.g. how a stay known only by county was judged
	Source   string        `json:"source,omitempty"` // the published rule it comes from
}

// Progress counts what was done of what clears an assignment.
type Progress struct {
	Have int       `json:"have"`
	Need int       `json:"need"`
	Next time.Time `json:"next,omitzero"` // when the next step is due
	What Text      `json:"what"`
}

// EvidenceRef names a piece of evidence without repeating it.
type EvidenceRef struct {
	ID       EventID      `json:"id"`
	Kind     EvidenceKind `json:"kind"`
	Source   string       `json:"source"`
	Observed time.Time    `json:"observed_at"`
	Received time.Time    `json:"received_at,omitzero"`
}

// ReasonCode is the short machine name of why: the rule of the worst assignment, "ok", or the CannotTell.
func (a Assessment) ReasonCode() string {
	switch {
	case !a.Told && a.CannotTell == "":
		return string(TellNoRules)
	case !a.Told:
		return string(a.CannotTell)
	case len(a.Assignments) > 0:
		return a.Assignments[0].Rule
	}
	return "ok"
}

// MarshalJSON leaves the colour out where none was told, so that nobody reads the zero value as a verdict.
func (a Assessment) MarshalJSON() ([]byte, error) {
	type plain Assessment
	return json.Marshal(struct {
		plain
		Colour *Colour `json:"colour,omitempty"`
	}{plain(a), told(a.Told, &a.Colour)})
}

func told(ok bool, c *Colour) *Colour {
	if !ok {
		return nil
	}
	return c
}
