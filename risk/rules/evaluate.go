package rules

import (
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/facts"
)

// Evaluate computes the assessment of one person at one moment. It is pure and total: it never fails and never panics.
// Without a set, a dossier or a person it could not tell; and without an area table it could not tell wherever a level
// would decide, unless something else already makes the person red. It does not ask whether the set is in force at
// in.At: Catalogue.InForce picks the set, and a back-test asks other sets on purpose.
func (s *Set) Evaluate(in Input) kangma.Assessment {
	out := kangma.Assessment{At: in.At, KnownAt: in.Known, Assignments: []kangma.Assignment{}}
	if s == nil {
		out.CannotTell = kangma.TellNoRules
		return out
	}
	out.Rules = s.ref
	if in.Areas != nil {
		out.Areas = in.Areas.Version()
	}
	if in.Dossier == nil || in.Dossier.Person.IsZero() {
		out.CannotTell = kangma.TellUnknownPerson
		return out
	}
	out.Person = in.Dossier.Person
	x := s.begin(in)
	s.run(x)
	s.assemble(x, &out)
	s.end(x)
	return out
}

// begin takes an env from the pool and fills it with the facts of one question, whose dossier is not nil.
func (s *Set) begin(in Input) *env {
	x := s.pool.Get().(*env)
	x.areas, x.known, x.past, x.apart, x.brief = in.Areas, in.Known, s.past, s.apart, false
	known := facts.Never
	if !in.Known.IsZero() {
		known = facts.ToMicros(in.Known)
	}
	x.f.Collect(in.Dossier, facts.ToMicros(in.At), known, s.cal)
	return x
}

// end gives it back.
func (s *Set) end(x *env) {
	x.release()
	s.pool.Put(x)
}

// release drops what belongs to one person. The pool itself is emptied by the garbage collector.
func (x *env) release() {
	x.f.Release()
	x.it, x.areas = nil, nil
	x.fired, x.items, x.notes, x.noAreas = x.fired[:0], x.items[:0], x.notes[:0], false
	x.grows = false
}

// run finds every rule that holds and when anything may change.
func (s *Set) run(x *env) {
	x.next = x.f.Ahead
	for i := range s.rules {
		r := &s.rules[i]
		if r.duty && x.brief {
			continue
		}
		if r.on == nil {
			x.it = nil
			if r.when(x) {
				s.fire(x, r, nil)
			}
			continue
		}
		for it := x.f.First(r.on.kind); it != nil; it = x.f.Next(it) {
			s.consider(x, r, it)
		}
	}
	if len(x.fired) > 1 && x.grows {
		x.reorder()
	}
}

// reorder notes when the order of equal colours may change: an assignment whose fact goes on ends later and later.
func (x *env) reorder() {
	for i := range x.fired {
		for j := range x.fired {
			f, o := &x.fired[i], &x.fired[j]
			if !f.grows || f.until > o.until || f.rule.colour != o.rule.colour || f.rule.duty != o.rule.duty || i == j {
				continue
			}
			if x.f.Cal.Rolling {
				x.changesAt(x.f.Now + max(o.until-f.until, 1))
			} else {
				x.changesAt(x.f.Cal.Start(x.f.Cal.Index(x.f.Now) + 1))
			}
		}
	}
}

// consider asks one rule about one item. What its condition says of the future counts only if the item is selected. A
// selection that has to look up an area comes after the condition, which is cheaper; every other comes first.
func (s *Set) consider(x *env, r *rule, it *facts.Item) {
	x.it = it
	if !r.on.area || it.IsJudged() {
		if r.on.match(x, it) && (r.when == nil || r.when(x)) {
			s.fire(x, r, it)
		}
		return
	}
	before := x.next
	x.next = facts.Never
	holds := r.when == nil || r.when(x)
	condition := x.next
	x.next = before
	if !holds && condition == facts.Never || !r.on.match(x, it) {
		return
	}
	x.next = min(x.next, condition)
	if holds {
		s.fire(x, r, it)
	}
}

// fire records that a rule holds for an item (nil: for the person), unless its time is over, has not come, or a green
// override took it back.
func (s *Set) fire(x *env, r *rule, it *facts.Item) {
	since, until := r.since(x), r.until(x)
	until = min(until, since+s.maxDays*86_400_000_000)
	if since > x.f.Now {
		x.changesAt(since)
		return
	}
	if until <= x.f.Now {
		return
	}
	x.changesAt(until)
	if r.clearable && x.f.Count(facts.Override) > 0 && x.cleared(it, since) {
		return
	}
	anchor := r.countsFrom(x)
	grows := x.goesOn(it)
	x.grows = x.grows || grows
	if n := len(x.fired); n > 0 && x.fired[n-1].rule == r {
		f := &x.fired[n-1]
		if until > f.until {
			f.anchor = anchor
		}
		f.since, f.until = min(f.since, since), max(f.until, until)
		f.grows = f.grows || grows
		f.items++
	} else {
		x.fired = append(x.fired, firing{rule: r, since: since, until: until, anchor: anchor, start: len(x.items), items: 1, grows: grows})
	}
	if x.brief {
		return
	}
	if it != nil {
		x.items = append(x.items, it)
	} else {
		x.cite(r)
	}
}

// goesOn reports whether a fact goes on; of a rule about the person, whether any stay does.
func (x *env) goesOn(it *facts.Item) bool {
	if it != nil {
		return it.Grows != 0
	}
	for it := x.f.First(facts.Stay); it != nil; it = x.f.Next(it) {
		if it.Grows != 0 {
			return true
		}
	}
	return false
}

// cite names the evidence of a rule that is about the person.
func (x *env) cite(r *rule) {
	f := &x.fired[len(x.fired)-1]
	f.items = 0
	if r.cites == nil {
		return
	}
	for it := x.f.First(r.cites.kind); it != nil; it = x.f.Next(it) {
		if r.cites.match(x, it) {
			x.items = append(x.items, it)
			f.items++
		}
	}
}

// clearing lists the reasons of green overrides that take back an assignment.
var clearing = []string{"released-early", "correction", "foreign-clearance", "appeal-granted"}

// cleared: a green override in force takes back what had been observed before it was given; a foreign clearance takes
// back foreign colours only.
func (x *env) cleared(it *facts.Item, since facts.Micros) bool {
	seen := since
	if it != nil {
		seen = facts.ToMicros(it.Ev.Observed)
	}
	for o := x.f.First(facts.Override); o != nil; o = x.f.Next(o) {
		v := o.Ev.Override
		if v.Colour != kangma.Green || !slices.Contains(clearing, v.Reason) || seen >= o.At {
			continue
		}
		if v.Reason == "foreign-clearance" && (it == nil || it.Kind != facts.ForeignCode) {
			continue
		}
		if active(x, o) {
			return true
		}
	}
	return false
}
