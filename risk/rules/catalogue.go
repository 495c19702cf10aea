package rules

import (
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// Catalogue is the rule sets of one place over time: at most one is in force at any moment. The zero Catalogue has none.
// It is immutable and safe for concurrent use.
type Catalogue struct{ sets []*Set } // by the beginning of their windows

// NewCatalogue orders sets by their windows. It refuses windows that overlap: then it would be anybody's guess which rules
// hold. The error is a kangma.Error of kind Conflict naming every overlap.
func NewCatalogue(sets ...*Set) (*Catalogue, error) {
	c := &Catalogue{sets: slices.Clone(sets)}
	e := kangma.E(kangma.Conflict, "rules_overlap", "two rule sets would be in force at once; give one of them an end before the other begins")
	if slices.Contains(sets, nil) {
		return nil, kangma.E(kangma.Invalid, "rules_nil", "a rule set is missing")
	}
	slices.SortStableFunc(c.sets, func(a, b *Set) int { return a.from.Compare(b.from) })
	for i, s := range c.sets {
		for _, later := range c.sets[i+1:] {
			if s.to.IsZero() || later.from.Before(s.to) {
				e.Faults = append(e.Faults, kangma.Fault{Where: later.ref.ID + " " + later.ref.Version, Code: "overlap",
					What: "in force from " + later.from.Format(time.RFC3339) + ", while " + s.ref.ID + " " + s.ref.Version + " still is"})
			}
		}
	}
	if len(e.Faults) > 0 {
		return nil, e
	}
	return c, nil
}

// InForce gives the set in force at a moment; kangma.NotFound where none is, and then nobody has a colour.
func (c *Catalogue) InForce(at time.Time) (*Set, error) {
	if c != nil {
		for _, s := range c.sets {
			if s.InForce(at) {
				return s, nil
			}
		}
	}
	return nil, kangma.E(kangma.NotFound, "no_rules", "no rule set is in force at that moment")
}

// Evaluate answers with the set in force at in.At; where none is, it could not tell.
func (c *Catalogue) Evaluate(in Input) kangma.Assessment {
	s, err := c.InForce(in.At)
	if err != nil {
		var none *Set
		a := none.Evaluate(in)
		for _, s := range c.Sets() {
			if s.from.After(in.At) {
				a.NextChange = s.from
				break
			}
		}
		return a
	}
	a := s.Evaluate(in)
	if !s.to.IsZero() && (a.NextChange.IsZero() || s.to.Before(a.NextChange)) {
		a.NextChange = s.to // other rules take over, or none
	}
	return a
}

// Sets lists the sets by the beginning of their windows.
func (c *Catalogue) Sets() []*Set {
	if c == nil {
		return nil
	}
	return slices.Clone(c.sets)
}
