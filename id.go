package kangma

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// PersonID names one person inside Kangma. It is 128 random bits (UUID version 4): it says nothing about the person and
// not even when they registered. The zero PersonID names nobody.
type PersonID [16]byte

// EventID names one event, given by whoever observed it (UUID version 7, RFC 9562), so that a retry is the same event.
// The zero EventID is not valid in anything stored.
type EventID [16]byte

// NewPersonID draws a fresh PersonID.
func NewPersonID() PersonID {
	var id PersonID
	rand.Read(id[:]) // never fails: crypto/rand aborts the process instead
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// NewEventID draws an EventID whose first 48 bits are at, in Unix milliseconds.
func NewEventID(at time.Time) EventID {
	var id EventID
	rand.Read(id[:])
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}

// ParsePersonID reads the canonical lower-case text form (8-4-4-4-12 hexadecimal digits).
func ParsePersonID(s string) (PersonID, error) {
	b, err := parseUUID(s)
	return PersonID(b), err
}

// ParseEventID reads the canonical lower-case text form (8-4-4-4-12 hexadecimal digits).
func ParseEventID(s string) (EventID, error) {
	b, err := parseUUID(s)
	return EventID(b), err
}

// IsZero reports whether the id names nobody.
func (id PersonID) IsZero() bool { return id == PersonID{} }

// IsZero reports whether the id names nothing.
func (id EventID) IsZero() bool { return id == EventID{} }

func (id PersonID) String() string { return formatUUID(id) }
func (id EventID) String() string  { return formatUUID(id) }

// MarshalText gives the canonical text form.
func (id PersonID) MarshalText() ([]byte, error) { return []byte(formatUUID(id)), nil }

// MarshalText gives the canonical text form.
func (id EventID) MarshalText() ([]byte, error) { return []byte(formatUUID(id)), nil }

// UnmarshalText accepts the canonical text form only.
func (id *PersonID) UnmarshalText(b []byte) (err error) {
	*id, err = ParsePersonID(string(b))
	return err
}

// UnmarshalText accepts the canonical text form only.
func (id *EventID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseEventID(string(b))
	return err
}

func formatUUID(b [16]byte) string {
	var out [36]byte
	hex.Encode(out[:], b[:4])
	hex.Encode(out[9:], b[4:6])
	hex.Encode(out[14:], b[6:8])
	hex.Encode(out[19:], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

func parseUUID(s string) (b [16]byte, err error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return b, errBadID
	}
	n := 0
	for i := 0; i < len(s); i++ {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		c := s[i]
		switch { // upper case would be a second text of one id
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			return [16]byte{}, errBadID
		}
		b[n/2] = b[n/2]<<4 | c
		n++
	}
	return b, nil
}

var errBadID = &Error{Kind: Invalid, Code: "bad_id", Public: "an id is 8-4-4-4-12 lower-case hexadecimal digits"}

// Time gives the moment in the first 48 bits of a version 7 id, to the millisecond; zero for other versions.
func (id EventID) Time() time.Time {
	if id[6]>>4 != 7 {
		return time.Time{}
	}
	var ms int64
	for i := range 6 {
		ms = ms<<8 | int64(id[i])
	}
	return time.UnixMilli(ms).UTC()
}
