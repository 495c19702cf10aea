package feeds

import (
	"slices"
	"time"
	"unicode/utf8"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/areas/divisions"
)

// MaxAhead is how far a provider's clock may run ahead of ours.
const MaxAhead = 5 * time.Minute

// Codes of faults. They are stable: a provider's software may act on them.
const (
	Required        = "required"
	Unexpected      = "unexpected"       // set where it must be empty
	UnknownValue    = "unknown_value"    // not of the closed set
	UnknownDivision = "unknown_division" // no such division in GB/T 2260 or the street table
	OutOfRange      = "out_of_range"
	TooLong         = "too_long"
	BadText         = "bad_text" // not UTF-8, or control characters
	BadShape        = "bad_shape"
	Future          = "future"           // dated more than MaxAhead after now
	BeforeRetention = "before_retention" // older than what is kept
	BadOrder        = "bad_order"        // ends before it begins, reported before it happened, …
	Same            = "same"             // two things that must differ are the same
)

// firstVaccine is the start of emergency use in China; doses are not bound by retention, since rules count them for years.
var firstVaccine = time.Date(2020, 7, 1, 0, 0, 0, 0, time.UTC)

// check gathers the faults of one piece of evidence.
type check struct {
	now, latest time.Time
	oldest      time.Time // zero: nothing is too old
	faults      []kangma.Fault
}

func (c *check) fault(where, code, what string) {
	c.faults = append(c.faults, kangma.Fault{Where: where, Code: code, What: what})
}

// Validate gives everything that is wrong with one piece of evidence at now, nil when it can stand. A time more than
// MaxAhead after now is refused, and so is what had ended before now-retention (retention 0 bounds nothing). Faults name
// the JSON path and never repeat a value. It does not know the person or other evidence.
func Validate(ev *kangma.Evidence, now time.Time, retention time.Duration) []kangma.Fault {
	c := &check{now: now, latest: now.Add(MaxAhead)}
	if retention > 0 {
		c.oldest = now.Add(-retention)
	}
	if ev.ID.IsZero() {
		c.fault("id", Required, "an event id (UUID version 7) given by whoever observed it, so that a retry is the same event")
	}
	c.text("source", ev.Source, 100)
	if ev.Source == "" {
		c.fault("source", Required, "who says so")
	}
	c.text("batch", ev.Batch, 100)
	if !ev.Replaces.IsZero() && ev.Replaces == ev.ID {
		c.fault("replaces", Same, "a correction replaces another event, not itself")
	}
	c.clocks(ev)
	c.payload(ev)
	return c.faults
}

// clocks checks the three clocks against each other and against now.
func (c *check) clocks(ev *kangma.Evidence) {
	if ev.Observed.IsZero() {
		c.fault("observed_at", Required, "when it happened")
		return
	}
	c.notFuture("observed_at", ev.Observed)
	switch ev.Kind {
	case kangma.KindStay, kangma.KindManagement, kangma.KindWithdrawal: // their own times say how old they are
	case kangma.KindVaccination:
		if ev.Observed.Before(firstVaccine) {
			c.fault("observed_at", OutOfRange, "no vaccine was in use before July 2020")
		}
	default:
		c.notTooOld("observed_at", ev.Observed)
	}
	if !ev.Reported.IsZero() {
		c.notFuture("reported_at", ev.Reported)
		if ev.Reported.Add(MaxAhead).Before(ev.Observed) {
			c.fault("reported_at", BadOrder, "it was reported before it happened")
		}
	}
	if !ev.Received.IsZero() {
		c.notFuture("received_at", ev.Received)
	}
}

func (c *check) notFuture(where string, t time.Time) {
	if t.After(c.latest) {
		c.fault(where, Future, "the time lies in the future; check the clock it was taken from")
	}
}

func (c *check) notTooOld(where string, t time.Time) {
	if t.Before(c.oldest) {
		c.fault(where, BeforeRetention, "it is older than what is kept")
	}
}

// span checks a half-open interval whose end may be open.
func (c *check) span(where string, from, to time.Time, fromName, toName string) {
	if from.IsZero() {
		c.fault(where+"."+fromName, Required, "when it began")
		return
	}
	c.notFuture(where+"."+fromName, from)
	if !to.IsZero() && !to.After(from) {
		c.fault(where+"."+toName, BadOrder, "it ends after it begins")
	}
}

func (c *check) oneOf(where, v string, set []string, required bool) {
	if v == "" {
		if required {
			c.fault(where, Required, "one of the closed set")
		}
		return
	}
	if !slices.Contains(set, v) {
		c.fault(where, UnknownValue, "not one of the closed set")
	}
}

// text checks a free text: at most limit characters, valid UTF-8, no control characters.
func (c *check) text(where, s string, limit int) {
	switch {
	case s == "":
	case !utf8.ValidString(s):
		c.fault(where, BadText, "the text is not UTF-8")
	case utf8.RuneCountInString(s) > limit:
		c.fault(where, TooLong, "the text is too long")
	default:
		for _, r := range s {
			if r < ' ' || r == 0x7f {
				c.fault(where, BadText, "the text has control characters")
				return
			}
		}
	}
}

func (c *check) division(where string, d kangma.Division, required bool) {
	switch {
	case d == 0:
		if required {
			c.fault(where, Required, "a division code of 6 digits, or 9 with the street")
		}
	case !divisions.Exists(d):
		c.fault(where, UnknownDivision, "no such division; take the current code of GB/T 2260")
	}
}

func (c *check) place(where string, p kangma.Place, required bool) {
	c.division(where+".division", p.Division, required || p.Zone != "" || p.Community != "")
	c.text(where+".zone", p.Zone, 60)
	c.text(where+".community", p.Community, 200)
}

func (c *check) tenths(where string, t int) {
	if t < 300 || t > 450 {
		c.fault(where, OutOfRange, "tenths of a degree Celsius from 300 to 450")
	}
}
