package rules

import (
	"bytes"
	"slices"

	"github.com/kangma/kangma"
)

// WhatIf evaluates a person as if more evidence had been received. The dossier is not touched. Evidence without an ID is
// given one that collides with nothing; evidence that carries the ID of a piece already there is a repetition of it.
func (s *Set) WhatIf(in Input, extra ...kangma.Evidence) kangma.Assessment {
	if in.Dossier == nil || len(extra) == 0 {
		return s.Evaluate(in)
	}
	d := *in.Dossier
	d.Evidence = slices.Concat(in.Dossier.Evidence, extra)
	for i := range d.Evidence[len(in.Dossier.Evidence):] {
		e := &d.Evidence[len(in.Dossier.Evidence)+i]
		if e.ID.IsZero() { // the version bits of a UUIDv7 are never all ones, so this cannot be a real event
			for j := range e.ID {
				e.ID[j] = 0xff
			}
			e.ID[14], e.ID[15] = byte(i>>8), byte(i)
		}
	}
	slices.SortStableFunc(d.Evidence, func(a, b kangma.Evidence) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	in.Dossier = &d
	return s.Evaluate(in)
}
