package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// step is what one event does to one person's dossier: it adds evidence, says who the person is, or erases.
type step struct {
	person   kangma.PersonID
	evidence *kangma.Evidence
	next     *kangma.Dossier // who the person is; makes somebody of nobody
	event    kangma.EventID  // of next
}

// on applies the step and reports whether it changed anything. Evidence about nobody, or about somebody erased since,
// goes with the person.
func (st step) on(d *kangma.Dossier) bool {
	switch {
	case st.next != nil:
		return setPerson(d, st.next, st.event)
	case d.Version == 0:
		return false
	case st.evidence != nil:
		return addEvidence(d, *st.evidence)
	}
	return erase(d)
}

// setPerson replaces who a person is, once for an event.
func setPerson(d, next *kangma.Dossier, event kangma.EventID) bool {
	if slices.Contains(d.Applied, event) {
		return false
	}
	d.Person, d.Registered, d.Home, d.Sealed, d.Guardians = next.Person, next.Registered, next.Home, next.Sealed, next.Guardians
	d.Applied = append(slices.Clip(d.Applied), event)
	return true
}

// stepOf gives what an event does to a dossier; false: nothing, it is of another kind.
func stepOf(e kangma.Event) (st step, ok bool, err error) {
	st.person = e.Person
	switch e.Kind {
	case kangma.EventEvidence:
		ev, err := wire.DecodeEvidence(e.Data)
		st.evidence = &ev
		return st, true, err
	case kangma.EventPerson:
		d, err := wire.DecodeDossier(e.Data)
		st.next, st.event = &d, e.ID
		return st, true, err
	case kangma.EventErase:
		return st, true, nil
	}
	return st, false, nil
}

// updateChunk is how many dossiers go in one update.
const updateChunk = 2000

// applySteps applies steps in order: each person is read once, unless the caller has them in known, and stored once. The
// caller's dossiers of these people are used up: their evidence may be moved in its place. Where somebody else changed a person meanwhile, that person's steps are applied one by one.
func (s *Service) applySteps(ctx context.Context, steps []step, known map[kangma.PersonID]kangma.Dossier) error {
	if len(steps) == 1 && known == nil {
		return s.applyStep(ctx, steps[0])
	}
	people, err := s.loadPeople(ctx, steps, known)
	if err != nil {
		return err
	}
	var order []kangma.PersonID
	for _, st := range steps {
		p := people[st.person]
		if !st.on(&p.d) {
			continue
		}
		if !p.changed {
			p.changed = true
			p.d.Version++
			order = append(order, st.person)
		}
	}
	for ids := range slices.Chunk(order, updateChunk) {
		changed := make([]kangma.Dossier, len(ids))
		for i, id := range ids {
			changed[i] = people[id].d
		}
		var lost *store.Lost
		if err := s.cfg.Dossiers.Update(ctx, store.Mark{}, changed...); !errors.As(err, &lost) {
			if err != nil {
				return err
			}
			continue
		}
		for _, st := range steps {
			if !slices.Contains(lost.People, st.person) {
				continue
			}
			if err := s.applyStep(ctx, st); err != nil {
				return err
			}
		}
	}
	return nil
}

// loaded is one person while steps are applied.
type loaded struct {
	d       kangma.Dossier
	changed bool
}

func (s *Service) loadPeople(ctx context.Context, steps []step, known map[kangma.PersonID]kangma.Dossier) (map[kangma.PersonID]*loaded, error) {
	people, room := make(map[kangma.PersonID]*loaded, len(steps)), make([]loaded, len(steps))
	var ask []kangma.PersonID
	for _, st := range steps {
		if people[st.person] != nil {
			continue
		}
		d, ok := known[st.person]
		if !ok {
			ask = append(ask, st.person)
		}
		room[0].d = d
		people[st.person], room = &room[0], room[1:]
	}
	got, err := store.GetMany(ctx, s.cfg.Dossiers, ask)
	if err != nil {
		return nil, err
	}
	for i, id := range ask {
		people[id].d = got[i]
	}
	return people, nil
}

// applyStep applies one step by compare-and-swap.
func (s *Service) applyStep(ctx context.Context, st step) error {
	for range casAttempts {
		d, err := s.cfg.Dossiers.Get(ctx, st.person)
		if err != nil && !errors.Is(err, kangma.NotFound) {
			return err
		}
		if !st.on(&d) {
			return nil
		}
		d.Version++
		if err = s.cfg.Dossiers.Update(ctx, store.Mark{}, d); !errors.Is(err, kangma.Conflict) {
			return err
		}
	}
	return kangma.E(kangma.Unavailable, "contended", "this person's record is being changed by many at once; try again")
}

// applyEvents applies entries in order, as far as people are concerned many at once. Everything of records and accesses is
// applied in its place, so that what an event relies on was there before it.
func (s *Service) applyEvents(ctx context.Context, entries []store.Entry) error {
	var steps []step
	flush := func() error {
		err := s.applySteps(ctx, steps, nil)
		steps = steps[:0]
		return err
	}
	for _, e := range entries {
		st, ok, err := stepOf(e.Event)
		if err != nil {
			return fmt.Errorf("position %d: %w", e.Position, err)
		}
		if ok && e.Event.Kind != kangma.EventErase {
			steps = append(steps, st)
			continue
		}
		if e.Event.Kind == kangma.EventPassage || e.Event.Kind == kangma.EventLost {
			continue
		}
		if err := flush(); err != nil {
			return fmt.Errorf("before position %d: %w", e.Position, err)
		}
		if err := s.applyEvent(ctx, e.Event); err != nil {
			return fmt.Errorf("position %d: %w", e.Position, err)
		}
	}
	return flush()
}
