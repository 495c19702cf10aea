package rules

import "time"

// Between gives the same rules in force from from to to at most: the window of the file is narrowed, never widened. A zero
// time does not narrow. It is how a later rule set ends an earlier one; what is left may be no time at all.
func (s *Set) Between(from, to time.Time) *Set {
	out := *s
	if from.After(out.from) {
		out.from = from
	}
	if !to.IsZero() && (out.to.IsZero() || to.Before(out.to)) {
		out.to = to
	}
	return &out
}
