package store

import (
	"strings"
	"unicode/utf8"

	"github.com/kangma/kangma"
)

// Bounds of a Record.
const (
	MaxRecordData = 16 << 20
	MaxRecordID   = 200 // bytes
)

// Validate says whether a record may be stored: kangma.Invalid, kangma.TooLarge or nil. It does not look at Version.
func (r Record) Validate() error {
	var f faults
	f.add(!validKind(r.Kind), "kind", "a kind is 1 to 40 lower-case letters, digits and '-'")
	f.add(r.ID == "" || len(r.ID) > MaxRecordID || !utf8.ValidString(r.ID), "id", "an id is 1 to 200 bytes of UTF-8")
	for name, value := range r.Index {
		f.add(name == "" || len(name) > 40 || !utf8.ValidString(name) || len(value) > MaxRecordID || !utf8.ValidString(value),
			"index", "an index has a name of 1 to 40 bytes and a value of up to 200 bytes, both UTF-8")
	}
	if len(r.Data) > MaxRecordData {
		return kangma.E(kangma.TooLarge, "record_size", "a record holds at most 16 MiB")
	}
	return f.err("record", "this cannot be kept as a record")
}

// Validate says whether a list is asked for: kangma.Invalid or nil. It does not look at After.
func (q RecordQuery) Validate() error {
	var f faults
	f.add(!validKind(q.Kind), "kind", "a kind is 1 to 40 lower-case letters, digits and '-'")
	f.add(q.Limit < 1 || q.Limit > 1000, "limit", "a limit is 1 to 1000")
	return f.err("record_query", "this is not a list of records")
}

func validKind(s string) bool {
	bad := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, bad)
}
