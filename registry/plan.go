package registry

import (
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
)

// plan says which rule set is in force when: in the past what really was, from now on what will be. It is the record
// "active"/"rules". At most one set is in force at any moment.
type plan struct {
	Spans  []span   `json:"spans"`  // in order of time, none overlapping
	Before []change `json:"before"` // newest last: what roll-backs go back to

	// Current is the set in force at the last change, for those who only ask whether there is one.
	Current string `json:"current"`
}

// span is one rule set in force in [From, To). A zero time is unbounded.
type span struct {
	ID       string    `json:"id"` // of the rule-set record
	From     time.Time `json:"from,omitzero"`
	To       time.Time `json:"to,omitzero"`
	By       Actor     `json:"by,omitzero"`
	Released bool      `json:"released,omitempty"` // by two persons: the breaker has nothing more to say
	Checked  time.Time `json:"checked,omitzero"`   // when the breaker was asked again shortly before From
}

// change remembers what was to come before a publication.
type change struct {
	At    time.Time `json:"at"`
	Spans []span    `json:"spans"` // those that were in force at At or later
}

const (
	maxHistory = 50                   // how many publications a roll-back may go back
	keepSpans  = 400 * 24 * time.Hour // how long what was in force once is remembered
)

func (s span) holds(at time.Time) bool {
	return !at.Before(s.From) && (s.To.IsZero() || at.Before(s.To))
}

// overlaps reports whether the span meets [from, to).
func (s span) overlaps(from, to time.Time) bool {
	return (s.To.IsZero() || from.Before(s.To)) && (to.IsZero() || s.From.Before(to))
}

// at gives the span in force at a moment.
func (p plan) at(at time.Time) (span, bool) {
	for _, s := range p.Spans {
		if s.holds(at) {
			return s, true
		}
	}
	return span{}, false
}

// setOf gives the id of the rule set of a rule-set record.
func setOf(record string) string {
	id, _, _ := strings.Cut(record, "@")
	return id
}

// with adds a span, from now on at the earliest where another set speaks already. The set in force before it ends when it
// begins if it is open-ended, an earlier version of the same set, or supersede says so. Everything else would be two sets
// in force at once: kangma.Conflict with every set that is in the way. changed is false where the span is there already.
func (p plan) with(next span, now time.Time, supersede bool) (out plan, changed bool, err error) {
	begin := next.From
	for _, s := range p.Spans { // the past is as it was; before it, a set speaks for the time of its window
		if s.From.Before(now) && next.From.Before(now) {
			begin = now
		}
	}
	next.From = begin
	if there, ok := p.at(begin); ok && there.ID == next.ID && there.To.Equal(next.To) {
		return p, false, nil
	}
	e := kangma.E(kangma.Conflict, "rules_overlap", "two rule sets would be in force at once; give one of them an end before the other begins, or publish with supersede")
	for _, s := range p.Spans {
		switch {
		case !s.overlaps(begin, next.To):
			out.Spans = append(out.Spans, s)
		case (s.From.Before(begin) || !s.From.After(now)) && (s.To.IsZero() || setOf(s.ID) == setOf(next.ID) || supersede):
			s.To = begin
			out.Spans = append(out.Spans, s)
		case supersede: // begins with or after the new one
		default:
			e.Faults = append(e.Faults, kangma.Fault{Where: s.ID, Code: "overlap", What: "in force " + s.window() + ", the new one " + next.window()})
		}
	}
	if len(e.Faults) > 0 {
		return p, false, e
	}
	out.Spans = append(out.Spans, next)
	slices.SortStableFunc(out.Spans, func(a, b span) int { return a.From.Compare(b.From) })
	out.Before = append(slices.Clone(p.Before), change{At: now, Spans: p.from(now)})
	return out.trim(now), true, nil
}

func (s span) window() string {
	text := "from the beginning"
	if !s.From.IsZero() {
		text = "from " + s.From.Format(time.RFC3339)
	}
	if !s.To.IsZero() {
		text += " to " + s.To.Format(time.RFC3339)
	}
	return text
}

// from gives what is in force at a moment or later.
func (p plan) from(at time.Time) (spans []span) {
	for _, s := range p.Spans {
		if s.To.IsZero() || s.To.After(at) {
			spans = append(spans, s)
		}
	}
	return spans
}

// back undoes the last publication: from now on exactly what was to be in force before it, the past as it was. ok is false
// when nothing was published before, or when nothing would be in force where something is.
func (p plan) back(now time.Time) (out plan, ok bool) {
	if len(p.Before) == 0 {
		return p, false
	}
	for _, s := range p.Spans {
		if s.From.Before(now) {
			if s.To.IsZero() || s.To.After(now) {
				s.To = now
			}
			out.Spans = append(out.Spans, s)
		}
	}
	last := p.Before[len(p.Before)-1]
	for _, s := range last.Spans {
		if !s.To.IsZero() && !s.To.After(now) {
			continue
		}
		n := len(out.Spans)
		if n > 0 && out.Spans[n-1].ID == s.ID && s.From.Before(now) { // it never stopped
			out.Spans[n-1].To = s.To
			continue
		}
		if s.From.Before(now) {
			s.From = now
		}
		out.Spans = append(out.Spans, s)
	}
	out.Before = slices.Clone(p.Before[:len(p.Before)-1])
	_, was := p.at(now)
	if _, is := out.at(now); was && !is {
		return p, false
	}
	return out.trim(now), true
}

// without takes a span that is still to come out, and lets the set before it go on as it would have.
func (p plan) without(id string, from, now time.Time) (plan, bool) {
	at := slices.IndexFunc(p.Spans, func(s span) bool { return s.ID == id && s.From.Equal(from) && s.From.After(now) })
	if at < 0 {
		return p, false
	}
	out := plan{Spans: slices.Delete(slices.Clone(p.Spans), at, at+1)}
	out.Before = append(slices.Clone(p.Before), change{At: now, Spans: p.from(now)})
	if at > 0 && out.Spans[at-1].To.Equal(from) { // it was ended for this one: give it back what it had
		for _, b := range slices.Backward(p.Before) {
			i := slices.IndexFunc(b.Spans, func(s span) bool { return s.ID == out.Spans[at-1].ID && s.From.Equal(out.Spans[at-1].From) })
			if i >= 0 && !b.Spans[i].To.Equal(from) {
				out.Spans[at-1].To = b.Spans[i].To
				break
			}
		}
	}
	return out.trim(now), true
}

// trim forgets what is long over and says what is in force now.
func (p plan) trim(now time.Time) plan {
	p.Spans = slices.DeleteFunc(slices.Clone(p.Spans), func(s span) bool {
		return !s.To.IsZero() && (s.To.Before(now.Add(-keepSpans)) || !s.From.Before(s.To))
	})
	p.Before = p.Before[max(0, len(p.Before)-maxHistory):]
	p.Current = ""
	if s, ok := p.at(now); ok {
		p.Current = s.ID
	}
	return p
}
