package checkpoint

import (
	"sync"
	"time"

	"github.com/kangma/kangma"
)

// Whereabouts remembers for a short while where each person was surely seen, at this node and, as far as they have told (Service.
// ShareShown), at the others, so that a presence sooner than anybody travels is noticed. It holds nothing on disk and forgets the
// oldest first. The zero Whereabouts is ready. It may be used concurrently.
type Whereabouts struct {
	mu   sync.Mutex
	seen aging[kangma.PersonID, sighting]

	alias  aliases // nil: one node
	others aging[kangma.Pseudonym, sighting]
	said   []seenLine // what to tell them, oldest first
}

type sighting struct {
	place kangma.Division
	at    time.Time
}

// TooFast reports whether the person was seen elsewhere so lately that they cannot be here.
func (w *Whereabouts) TooFast(person kangma.PersonID, place kangma.Division, at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, ok := w.seen.get(person, at, shownLife)
	if other, known := w.elsewhere(person, at); known && (!ok || other.at.After(before.at)) {
		before, ok = other, true
	}
	return ok && before.place != place && at.Sub(before.at).Abs() < leastTravel(before.place, place)
}

// Note keeps where a person was seen. What was seen earlier does not move them back.
func (w *Whereabouts) Note(person kangma.PersonID, place kangma.Division, at time.Time) {
	if person.IsZero() || place.Rank() == kangma.NoDivision {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if before, ok := w.seen.get(person, at, shownLife); !ok || !at.Before(before.at) {
		w.seen.put(person, sighting{place, at}, at, shownLife)
		w.tells(person, sighting{place, at})
	}
}
