package rules

import (
	"sync"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas"
	"github.com/kangma/kangma/risk/facts"
)

// Areas is what the engine asks of the risk-area table. Implementations must be safe for concurrent use and pure: the
// same question always has the same answer.
type Areas interface {
	// LevelAt gives the highest level that any part of [from, to] at the place overlapped, by what was published at
	// known or before; a zero known means everything published counts.
	LevelAt(place kangma.Place, from, to, known time.Time) areas.Hit
	// Version names the state of the table.
	Version() string
}

// Input is one question: what is the colour of this person at At, by what was known at Known?
type Input struct {
	Dossier *kangma.Dossier
	Areas   Areas     // nil: no table; then whatever depends on a level cannot be told
	At      time.Time // the moment the answer speaks of
	Known   time.Time // evidence and area lists received later do not count; zero: everything counts
}

// Set is a compiled rule set. It is immutable and safe for concurrent use.
type Set struct {
	ref      kangma.RuleSetRef
	title    kangma.Text
	from, to time.Time // in force [from, to); zero: unbounded
	weakness kangma.Text
	sources  []string
	cal      *facts.Calendar
	past     bool // areas: then; see env.lookup
	apart    bool // unclear_stays: apart; see env.level
	maxDays  int64
	rules    []rule
	pool     *sync.Pool
}

// rule is one compiled rule.
type rule struct {
	id, label, source        string
	colour                   kangma.Colour
	duty                     bool
	clearable                bool
	on                       *selector // nil: about the person, not about one piece of evidence
	when                     func(*env) bool
	since, until, countsFrom func(*env) facts.Micros
	progress                 *facts.Schedule
	cites                    *selector // evidence to name when on is nil
	reason, guidance, clears kangma.Text
	what                     kangma.Text // of the progress
	texts                    ruleTexts
	meanings                 ruleTexts // the same, each in one way of writing
}

// ruleTexts keeps the expressions as written, for people.
type ruleTexts struct{ on, when, since, until, progress string }

// Ref says exactly which rules these are.
func (s *Set) Ref() kangma.RuleSetRef {
	if s == nil {
		return kangma.RuleSetRef{}
	}
	return s.ref
}

// Title is the name of the set for people.
func (s *Set) Title() kangma.Text { return s.title }

// Weakness says what of the set rests on a weak source or on a choice of ours. Empty: nothing.
func (s *Set) Weakness() kangma.Text { return s.weakness }

// Sources lists where the rules were published.
func (s *Set) Sources() []string { return append([]string(nil), s.sources...) }

// Window gives the interval [from, to) the set is meant for; a zero time is unbounded.
func (s *Set) Window() (from, to time.Time) { return s.from, s.to }

// Zone is the time zone whose midnights part the days of this set.
func (s *Set) Zone() *time.Location { return s.cal.Zone }

// InForce reports whether at lies in the window of the set.
func (s *Set) InForce(at time.Time) bool {
	return s != nil && !at.Before(s.from) && (s.to.IsZero() || at.Before(s.to))
}

// RuleIDs lists the rules in the order of the file.
func (s *Set) RuleIDs() []string {
	ids := make([]string, 0, len(s.rules))
	for i := range s.rules {
		ids = append(ids, s.rules[i].id)
	}
	return ids
}
