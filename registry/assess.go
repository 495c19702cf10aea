package registry

import (
	"context"
	"errors"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/facts"
	"github.com/kangma/kangma/risk/rules"
)

// judgement is the rules and the risk areas in force, replaced as a whole: publishing either recolours everyone at
// once, because colours are computed when they are read.
type judgement struct {
	rules *rules.Catalogue // what was, is and will be in force
	areas *areas.Table
}

// Assess says what the rules say of a person at a moment. An unknown person or no rules in force is an Assessment that
// could not tell, not an error; an error means the store could not answer.
func (s *Service) Assess(ctx context.Context, id kangma.PersonID, at time.Time) (kangma.Assessment, *kangma.Dossier, error) {
	d, err := s.cfg.Dossiers.Get(ctx, id)
	return s.assessRead(d, err, id, at)
}

// assessRead assesses what a store answered.
func (s *Service) assessRead(d kangma.Dossier, err error, id kangma.PersonID, at time.Time) (kangma.Assessment, *kangma.Dossier, error) {
	if errors.Is(err, kangma.NotFound) {
		return s.evaluate(nil, id, at, time.Time{}), nil, nil
	}
	if err != nil {
		return kangma.Assessment{Person: id, At: at}, nil, kangma.E(kangma.Unavailable, "store", "the record cannot be read now; try again").Because(err)
	}
	return s.evaluate(&d, id, at, time.Time{}), &d, nil
}

// Evaluate assesses a dossier the caller has, with what was known at a time (zero: everything).
func (s *Service) Evaluate(d *kangma.Dossier, at, known time.Time) kangma.Assessment {
	return s.evaluate(d, d.Person, at, known)
}

func (s *Service) evaluate(d *kangma.Dossier, id kangma.PersonID, at, known time.Time) kangma.Assessment {
	if d != nil && len(d.Sealed.DataKey) == 0 {
		d = nil // erased: nobody of that id any more
	}
	a := s.current.Load().assess(d, at, known)
	a.Person = id
	return a
}

// WhatIf assesses a person as if more evidence had come. Nothing is kept.
func (s *Service) WhatIf(ctx context.Context, id kangma.PersonID, at time.Time, extra ...kangma.Evidence) (kangma.Assessment, error) {
	d, err := s.cfg.Dossiers.Get(ctx, id)
	if errors.Is(err, kangma.NotFound) || err == nil && len(d.Sealed.DataKey) == 0 {
		return s.evaluate(nil, id, at, time.Time{}), nil
	}
	if err != nil {
		return kangma.Assessment{Person: id, At: at}, kangma.E(kangma.Unavailable, "store", "the record cannot be read now; try again").Because(err)
	}
	j := s.current.Load()
	in := rules.Input{Dossier: &d, At: at}
	if j.areas != nil {
		in.Areas = j.areas
	}
	return j.set(at).WhatIf(in, extra...), nil
}

// LatestNegative gives when the latest negative test that still stands in a dossier was sampled (zero: none), for gates that ask 24, 48
// or 72 hours.
func LatestNegative(d *kangma.Dossier) time.Time { return LatestNegativeOf(facts.Standing(d.Evidence)) }

// LatestNegativeOf is LatestNegative for who has the standing evidence (facts.Standing).
func LatestNegativeOf(standing []*kangma.Evidence) (latest time.Time) {
	for _, e := range standing {
		if e.Kind == kangma.KindTest && e.Test != nil && e.Test.Method == "pcr" && e.Test.Result == "negative" && e.Observed.After(latest) {
			latest = e.Observed
		}
	}
	return latest
}
