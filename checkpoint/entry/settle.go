package entry

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/store/seal"
)

// Inspection is what a post did with a vehicle: all of its people or some of them, and again for who was referred.
type Inspection struct {
	Post   Post
	Entry  kangma.EventID
	Shown  Shown // may be empty where the entry was found by Look
	People []Inspected
}

// Inspected is one person at the post.
type Inspected struct {
	Event        kangma.EventID // made at the post (UUIDv7): a retry is the same passage
	Occupant     string         // who of the entry; "": somebody the driver did not file, with Card or Infant
	Card         *Card          // the document as confirmed: a filed person is corrected by it, a new one is taken in by it
	DocumentSeen bool           // the document is as filed
	Infant       bool           // a new infant without a document
	Guardian     string         // of a new infant
	Temperature  int            // tenths of °C; 0: not taken
	ByHand       *ByHand
	Made         *Made // the post had no network: what it decided then
}

// ByHand is an officer's own decision. It settles who the rules refer, and may always be stricter than the rules.
type ByHand struct {
	Decision kangma.Decision
	Reason   string // one of HandReasons
}

// HandReasons is the closed list of reasons for a decision by hand.
var HandReasons = []string{"document-checked", "test-seen", "measured-again", "medical", "order", "colleague-consulted"}

// Made is a decision that was made without a network.
type Made struct {
	Decision kangma.Decision
	Reason   string
}

// settled is one occupant with the decision of this inspection.
type settled struct {
	occupant Occupant
	seen     Seen
	person   kangma.PersonID
}

// Decided is what came of one person.
type Decided struct {
	Occupant   string
	MaskedName string
	IDTail     string
	Infant     bool
	Seen       Seen
}

const (
	lateAge   = 14 * 24 * time.Hour
	lateSkew  = 30 * time.Second
	retryFor  = 10 * time.Minute
	maxPeople = MaxCoachOccupants
)

var reasonShape = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// Inspect decides about people in a vehicle. The decisions are durable, one passage each, and in the receiving township's
// inbox before it answers; the same events again give the same answer and count once, however late they come. After an
// error nothing is acknowledged and the same request is sent again.
func (s *Service) Inspect(ctx context.Context, in Inspection) (*Entry, []Decided, error) {
	now := s.registry.Now().UTC()
	ids, err := in.check(now)
	if err != nil {
		return nil, nil, err
	}
	set, err := s.Rules(ctx)
	if err != nil {
		return nil, nil, err
	}
	e, _, err := s.get(ctx, in.Entry)
	if err != nil {
		return nil, nil, err
	}
	work := &work{s: s, in: in, set: set, now: now, ids: ids}
	if err := work.admit(ctx, e); err != nil {
		return nil, nil, err
	}
	e, err = s.change(ctx, in.Entry, func(e *Entry) (bool, error) { return work.settle(ctx, e) })
	if err != nil {
		return nil, nil, err
	}
	decided, err := s.keep(ctx, e, work.done, in.Post)
	return e, decided, err
}

// check bounds an inspection and reads its cards. The identities are by position of the person.
func (in Inspection) check(now time.Time) (map[int]seal.Identity, error) {
	if !slices.Contains(postKinds, in.Post.Gate.Kind) {
		return nil, errNotPost
	}
	var faults []kangma.Fault
	ids, events := map[int]seal.Identity{}, map[kangma.EventID]bool{}
	if len(in.People) == 0 || len(in.People) > maxPeople {
		faults = append(faults, kangma.Fault{Where: "people", Code: "people", What: "an inspection is of 1 to 80 people"})
	}
	for i, p := range in.People {
		where := at("people", i)
		bad := func(code, what string) {
			faults = append(faults, kangma.Fault{Where: where, Code: code, What: what})
		}
		if p.Event.Time().IsZero() || events[p.Event] {
			bad("event", "each person has an event of their own, a UUIDv7 made at the post")
		}
		events[p.Event] = true
		if p.Temperature != 0 && (p.Temperature < 300 || p.Temperature > 450) {
			bad("temperature", "a temperature is given in tenths of a degree, 300 to 450")
		}
		if p.Occupant == "" && (p.Card == nil) == !p.Infant {
			bad("new_person", "somebody whom the driver did not file has a card, or is an infant")
		}
		if p.ByHand != nil && (!slices.Contains(HandReasons, p.ByHand.Reason) || p.Made != nil) {
			bad("by_hand_reason", fmt.Sprintf("a decision by hand has a reason of the list: %v", HandReasons))
		}
		p.checkMade(now, bad)
		if p.Card != nil {
			id, more := p.Card.identity(where+".card", now)
			ids[i], faults = id, append(faults, more...)
		}
	}
	if len(faults) > 0 {
		return nil, faulty(faults)
	}
	return ids, nil
}

func (p Inspected) checkMade(now time.Time, bad func(code, what string)) {
	when := p.Event.Time()
	switch {
	case p.Made == nil:
	case !reasonShape.MatchString(p.Made.Reason) || p.Made.Decision > kangma.Pass:
		bad("made", "a decision made without a network has a reason code of letters, digits and _.-")
	case when.After(now.Add(lateSkew)):
		bad("offline_future", "the passage is in the future: the device's clock is off")
	case now.Sub(when) > lateAge:
		bad("offline_old", "the passage is older than 14 days")
	}
}

// work is one inspection on its way through the compare-and-swap.
type work struct {
	s      *Service
	in     Inspection
	set    *Set
	now    time.Time
	ids    map[int]seal.Identity
	people map[int]kangma.PersonID // whom a document has made known, by position
	done   []settled
}

// admit checks the vehicle and takes in who showed a document. It is done before the entry changes, and doing it again
// gives the same people.
func (w *work) admit(ctx context.Context, e *Entry) error {
	if w.retried(e) {
		return nil
	}
	if err := w.s.usable(e, w.in.Post, w.in.Shown, w.moment()); err != nil {
		return err
	}
	w.people = map[int]kangma.PersonID{}
	for i, p := range w.in.People {
		id, has := w.ids[i]
		if !has && p.DocumentSeen {
			o := e.Find(p.Occupant)
			if o == nil || o.Infant || !o.Person.IsZero() {
				continue // there is nothing to take in
			}
			var err error
			if id, err = w.s.registry.Sealer().Open(o.Handle, o.Sealed); err != nil {
				return err
			}
			has = true
		}
		if !has {
			continue
		}
		home := kangma.Place{}
		if p.Card != nil {
			home.Division = p.Card.Home
		}
		person, _, err := w.s.registry.EnterByDocument(ctx, id, home)
		if err != nil {
			return err
		}
		w.people[i] = person
	}
	return nil
}

// retried reports whether every event is known: then nothing is checked or decided again.
func (w *work) retried(e *Entry) bool {
	for _, p := range w.in.People {
		if o, _ := seenBy(e, p.Event); o == nil {
			return false
		}
	}
	return true
}

// moment is when the vehicle stood at the post: now, or when a post without a network decided about the first.
func (w *work) moment() time.Time {
	when := w.now
	for _, p := range w.in.People {
		if p.Made != nil && p.Event.Time().Before(when) {
			when = p.Event.Time()
		}
	}
	return when
}

func seenBy(e *Entry, event kangma.EventID) (*Occupant, *Seen) {
	for i := range e.Occupants {
		if seen := e.Occupants[i].by(event); seen != nil {
			return &e.Occupants[i], seen
		}
	}
	return nil, nil
}

// settle decides about everybody on the entry as it is stored, adults before infants.
func (w *work) settle(ctx context.Context, e *Entry) (changed bool, err error) {
	w.done = make([]settled, len(w.in.People))
	if !w.retried(e) {
		if err := w.s.usable(e, w.in.Post, w.in.Shown, w.moment()); err != nil {
			return false, err
		}
		e.Gate = w.in.Post.Gate.ID
	}
	where := make([]int, len(w.in.People)) // of each person among the occupants
	for i, p := range w.in.People {
		if where[i], err = w.occupant(e, i, p); err != nil {
			return false, err
		}
		if slices.Contains(where[:i], where[i]) {
			return false, w.fault(i, "occupant_twice", "this person is in the list already")
		}
	}
	if len(e.Occupants) > e.Limit() {
		return false, faulty([]kangma.Fault{{Where: "people", Code: "occupants", What: "name everybody in the vehicle: 1 to 20, in a coach up to 80"}})
	}
	for _, infants := range []bool{false, true} {
		for i, p := range w.in.People {
			o := &e.Occupants[where[i]]
			if o.Infant != infants {
				continue
			}
			seen := o.by(p.Event)
			if seen == nil {
				changed = true
				if seen, err = w.decide(ctx, e, o, i, p); err != nil {
					return false, err
				}
			}
			w.done[i] = settled{occupant: *o, seen: *seen, person: o.Person}
		}
	}
	return changed, nil
}

// occupant finds whom a person at the post is among the occupants, adding who was not filed.
func (w *work) occupant(e *Entry, i int, p Inspected) (int, error) {
	person := w.people[i]
	known := slices.IndexFunc(e.Occupants, func(o Occupant) bool { return o.by(p.Event) != nil })
	if known >= 0 {
		return known, nil
	}
	same := slices.IndexFunc(e.Occupants, func(o Occupant) bool { return !person.IsZero() && o.Person == person })
	if p.Occupant != "" {
		k := slices.IndexFunc(e.Occupants, func(o Occupant) bool { return o.ID == p.Occupant })
		switch {
		case k < 0:
			return 0, w.fault(i, "occupant_unknown", "there is no such occupant in this entry")
		case same >= 0 && same != k:
			return 0, w.fault(i, "occupant_twice", "this person is in the list already")
		case !person.IsZero() && !e.Occupants[k].Person.IsZero() && e.Occupants[k].Person != person:
			return 0, w.fault(i, "other_person", "this occupant came by their own login and is somebody else; add the card's holder as a new person")
		case !person.IsZero() && e.Occupants[k].Person.IsZero():
			o := &e.Occupants[k]
			o.Person, o.Sealed, o.Handle, o.Infant = person, kangma.SealedIdentity{}, kangma.PersonID{}, false
		}
		return k, nil
	}
	if same >= 0 {
		return same, nil
	}
	o := Occupant{ID: e.nextID(), Person: person, Infant: p.Infant, Guardian: p.Guardian, AtPost: true}
	if g := e.Find(p.Guardian); p.Infant && (g == nil || g.Infant) {
		return 0, w.fault(i, "infant_guardian", "an infant travels with an adult of this vehicle")
	}
	e.Occupants = append(e.Occupants, o)
	return len(e.Occupants) - 1, nil
}

func (w *work) fault(i int, code, what string) error {
	return faulty([]kangma.Fault{{Where: at("people", i), Code: code, What: what}})
}

// decide makes the decision about one occupant and notes it on the entry.
func (w *work) decide(ctx context.Context, e *Entry, o *Occupant, i int, p Inspected) (*Seen, error) {
	switch {
	case o.decided():
		return nil, kangma.E(kangma.Conflict, "already_decided", "a decision about this person stands; only who was referred is inspected again")
	case len(o.Seen) >= maxSeen:
		return nil, kangma.E(kangma.TooMany, "inspections", "this person was inspected ten times; refer them to the clinic")
	}
	seen := Seen{Event: p.Event, At: w.now, Operator: w.in.Post.Operator, Temperature: p.Temperature, Verified: "online", Set: w.set.ID + "@" + w.set.Digest()[:16]}
	if t := p.Event.Time(); p.Made != nil || !t.After(w.now) && w.now.Sub(t) <= retryFor {
		seen.At = t
	}
	k, err := w.s.know(ctx, e, o, w.in.Post.Gate, seen.At)
	if err != nil {
		return nil, err
	}
	if o.Person.IsZero() && !k.person.IsZero() {
		o.Person, o.Sealed, o.Handle = k.person, kangma.SealedIdentity{}, kangma.PersonID{} // filed by document and registered here
	}
	if _, card := w.people[i]; card || o.AtPost {
		seen.Verified = "id-card"
	}
	k.facts.Temperature = p.Temperature
	a := k.facts.Assessment
	seen.Told, seen.Colour = a.Told, a.Colour
	if !a.Told {
		seen.CannotTell = a.ReasonCode()
	}
	if len(a.Rules.Digest) >= 16 {
		seen.Rules = a.Rules.Digest[:16]
	}
	out := w.outcome(e, o, k.facts)
	if p.ByHand != nil {
		if out.Decision != kangma.Refer && p.ByHand.Decision >= out.Decision {
			return nil, w.fault(i, "by_hand", "by hand you may settle who is referred, and be stricter than the rules, not milder")
		}
		out.Decision, out.Rule = p.ByHand.Decision, "by_hand."+p.ByHand.Reason
	}
	if p.Made != nil {
		seen.Verified, seen.Flags = "offline", []string{checkpoint.FlagOffline}
		out.Decision, out.Rule = p.Made.Decision, p.Made.Reason
		if out.Decision >= kangma.HomeIsolate && a.Told && a.Colour == kangma.Red {
			seen.Conflict, seen.Flags = a.ReasonCode(), append(seen.Flags, checkpoint.FlagConflict)
		}
	}
	seen.Decision, seen.Reason, seen.Why, seen.Guidance = out.Decision, out.Rule, out.Reason, out.Guidance
	o.Seen = append(o.Seen, seen)
	return o.Last(), nil
}

// outcome is what the rules say, with infants as their guardian.
func (w *work) outcome(e *Entry, o *Occupant, f Facts) Outcome {
	out := w.set.Decide(f)
	if !out.AsGuardian {
		return out
	}
	g := e.Find(o.Guardian)
	if g == nil || g.Last() == nil {
		return Outcome{Decision: kangma.Refer, Rule: "guardian_first",
			Reason:   kangma.Text{Zh: "监护人尚未查验", En: "The guardian has not been inspected yet"},
			Guidance: kangma.Text{Zh: "请先查验监护人", En: "Inspect the guardian first"}}
	}
	out.Decision = g.Last().Decision
	return out
}
