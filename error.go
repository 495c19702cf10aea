package kangma

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of failure an Error is. The zero Kind is Internal, so a forgotten Kind reveals nothing.
type Kind uint8

// The kinds of failure. Only package api maps them to HTTP status codes, in one table.
const (
	Internal     Kind = iota // our fault; nothing of it may be shown
	Invalid                  // the request is wrong and will stay wrong
	Unauthorized             // who are you?
	Forbidden                // known, but not allowed
	NotFound                 // no such thing (or none that you may know of)
	Conflict                 // somebody else was first, or the state does not allow it
	TooLarge                 // over a stated bound
	TooMany                  // over a rate or a budget; see Error.RetryAfter
	Unavailable              // could not decide now; try again
)

var kindNames = [...]string{"internal", "invalid", "unauthorized", "forbidden", "not found", "conflict", "too large", "too many", "unavailable"}

// Error makes a Kind usable as a sentinel: errors.Is(err, kangma.NotFound).
func (k Kind) Error() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error is the one error type of Kangma. Public and Faults may be shown to the person who asked; Cause never.
type Error struct {
	Kind   Kind
	Code   string  // short stable name from a closed set, e.g. "id_checksum"; key of the translated texts
	Public string  // one English sentence with the remedy; no personal data
	Faults []Fault // every fault found, not only the first
	Cause  error   // for our own eyes

	RetryAfter int // seconds; set with TooMany and Unavailable
}

// Fault is one thing wrong with one place of the input.
type Fault struct {
	Where string `json:"where"` // JSON path, line:column or field name
	Code  string `json:"code"`
	What  string `json:"what"` // English; never repeats the value, which may be personal
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.Error())
	for _, s := range []string{e.Code, e.Public} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	for _, f := range e.Faults {
		fmt.Fprintf(&b, "; %s: %s", f.Where, f.What)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// Unwrap lets errors.Is find both the Kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// E makes an Error of a kind with a code and a public sentence.
func E(kind Kind, code, public string) *Error { return &Error{Kind: kind, Code: code, Public: public} }

// Because returns a copy of e with a private cause.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// KindOf finds the Kind of err; a foreign error is Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var k Kind
	if errors.As(err, &k) {
		return k
	}
	return Internal
}

// CodeOf finds the code of err; a foreign error has code "internal".
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Code != "" {
		return e.Code
	}
	return strings.ReplaceAll(KindOf(err).Error(), " ", "_")
}
