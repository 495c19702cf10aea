package checkpoint

import (
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// Flags of passages and verdicts: what a person should look at. They do not change the decision by themselves.
const (
	FlagReplay   = "replay"   // a holder proof was shown a second time
	FlagTravel   = "travel"   // the same code was at another gate a moment ago, sooner than anybody travels
	FlagOffline  = "offline"  // decided without a network
	FlagStale    = "stale"    // decided on data older than they should be
	FlagConflict = "conflict" // the gate let pass whom the register has red at that moment

	FlagUnverified = "unverified" // a venue scan from elsewhere or of an old code: no presence
)

// Least time between two gates, by how much of the division code they share. They are set low on purpose, as a fast
// train makes them: a false alarm costs trust, and a copied code turns up at the same hour, not a minute sooner.
const (
	travelCounty   = 20 * time.Second // two doors of one station
	travelCity     = 5 * time.Minute
	travelProvince = 20 * time.Minute
	travelCountry  = 45 * time.Minute
)

const (
	shownLife = travelCountry   // how long a showing is remembered
	proofLife = 2 * time.Minute // a slot of 30 s, and the clocks' difference on both sides, twice
	// answerLife is longer: the link in an answer is of the third slot ahead, and proves each slot until that one is over.
	answerLife = 4 * time.Minute
	maxShown   = 1 << 18 // remembered of each kind at most, about 40 MB with all of them
)

// leastTravel gives the least time from one gate's division to another's.
func leastTravel(a, b kangma.Division) time.Duration {
	if a.Rank() == kangma.NoDivision || b.Rank() == kangma.NoDivision {
		return 0
	}
	const county, city, province = 1_000, 100_000, 10_000_000 // digits of a division's nine
	switch {
	case a/county == b/county || a.Contains(b) || b.Contains(a): // a gate may be known by its city only
		return travelCounty
	case a/city == b/city:
		return travelCity
	case a/province == b/province:
		return travelProvince
	}
	return travelCountry
}

// showing is where and when a code was seen last.
type showing struct {
	event kangma.EventID
	gate  string
	place kangma.Division
	at    time.Time
	hash  uint32 // of the gate: what other nodes say of it
	slot  int    // of an answer
}

type proofKey struct {
	code codegen.CodeID
	slot int
}

// Shown remembers the codes that were shown at one node (or one device without a network) for a short while, in
// bounded memory: under a flood the oldest are forgotten first, so it raises fewer flags, never wrong ones. The zero
// Shown is ready. It may be used concurrently.
type Shown struct {
	mu      sync.Mutex
	codes   aging[codegen.CodeID, showing]
	proofs  aging[proofKey, showing]
	answers aging[codegen.CodeID, showing] // a link proves its own slot and, to who knows how, those before it

	tell bool      // to the other nodes
	said []sighted // what to tell them, oldest first
}

// note records a good code at a gate and reports what is odd about it. The same event at the same gate is a retry and
// never odd.
func (s *Shown) note(c *codegen.Claims, g Gate, event kangma.EventID, at time.Time) (replayed bool, flags []string) {
	now := showing{event, g.ID, g.District, at, hashOf(g.ID), c.Slot}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Shown {
		key := proofKey{c.ID, c.Slot}
		before, ok := s.proofs.get(key, at, proofLife)
		answer, used := s.answers.get(c.ID, at, answerLife)
		switch {
		case ok && before.same(now): // a retry
		case ok || used && c.Slot <= answer.slot:
			replayed, flags = true, append(flags, FlagReplay)
		default:
			s.proofs.put(key, now, at, proofLife)
			if c.Challenge != 0 {
				s.answers.put(c.ID, now, at, answerLife)
			}
		}
	}
	before, ok := s.codes.get(c.ID, at, shownLife)
	if ok && before.hash != now.hash && at.Sub(before.at).Abs() < leastTravel(before.place, now.place) {
		flags = append(flags, FlagTravel)
	}
	if !ok || !at.Before(before.at) { // a late upload does not move a code back
		s.codes.put(c.ID, now, at, shownLife)
	}
	if s.tell && len(s.said) < 2*maxGossip {
		s.said = append(s.said, sighted{c.ID, g.District, at, now.hash})
	}
	return replayed, flags
}

// forget takes a proof back whose passage could not be kept: the same person is scanned again.
func (s *Shown) forget(c *codegen.Claims, event kangma.EventID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := proofKey{c.ID, c.Slot}
	for _, m := range []map[proofKey]showing{s.proofs.young, s.proofs.old} {
		if m[key].event == event {
			delete(m, key)
		}
	}
	for _, m := range []map[codegen.CodeID]showing{s.answers.young, s.answers.old} {
		if m[c.ID].event == event {
			delete(m, c.ID)
		}
	}
}

func (s showing) same(o showing) bool { return s.event == o.event && s.gate == o.gate }

// aging is a map in two generations: what is younger than life is found, what is older than two lives is gone, and
// there are never more than maxShown.
type aging[K comparable, V any] struct {
	young, old map[K]V
	since      time.Time // of the young
}

func (a *aging[K, V]) turn(now time.Time, life time.Duration) {
	switch age := now.Sub(a.since); {
	case a.young == nil || age >= 2*life:
		a.young, a.old, a.since = map[K]V{}, nil, now
	case age >= life || len(a.young) >= maxShown/2:
		a.young, a.old, a.since = map[K]V{}, a.young, now
	}
}

func (a *aging[K, V]) get(k K, now time.Time, life time.Duration) (v V, ok bool) {
	a.turn(now, life)
	if v, ok = a.young[k]; !ok {
		v, ok = a.old[k]
	}
	return v, ok
}

func (a *aging[K, V]) put(k K, v V, now time.Time, life time.Duration) {
	a.turn(now, life)
	a.young[k] = v
}
