package registry

import (
	"context"
	"slices"
	"sync"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// pending is the evidence that this node's journal holds and that could not be applied because the state does not answer,
// so that a positive test that came here meanwhile counts at this node's gates. It is bounded: beyond that, a person's
// colour is as old as it says.
type pending struct {
	mu sync.Mutex
	n  int
	by map[kangma.PersonID][]kangma.Evidence
}

const maxPending = 200_000

func (p *pending) add(person kangma.PersonID, e kangma.Evidence) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.by == nil {
		p.by = map[kangma.PersonID][]kangma.Evidence{}
	}
	there := slices.ContainsFunc(p.by[person], func(o kangma.Evidence) bool { return o.ID == e.ID })
	if p.n < maxPending && !there {
		p.by[person] = append(p.by[person], e)
		p.n++
	}
}

func (p *pending) of(person kangma.PersonID) []kangma.Evidence {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.by[person])
}

// clear forgets all: it is applied.
func (p *pending) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.by, p.n = nil, 0
}

// recallPending reads from the journal what is not applied.
func (s *Service) recallPending(ctx context.Context, after store.Position) error {
	for n := 0; n < maxPending; {
		entries, err := s.cfg.Journal.After(ctx, after, healChunk)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			if e.Event.Kind != kangma.EventEvidence {
				continue
			}
			ev, err := wire.DecodeEvidence(e.Event.Data)
			if err != nil {
				return err
			}
			s.pending.add(e.Event.Person, ev)
			n++
		}
		after = entries[len(entries)-1].Position
	}
	return nil
}
