package wire

import (
	"bytes"
	"encoding/binary"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
)

// The head of a dossier is what stands before its guardians and evidence: who it is, the version, when registered, the home
// and the sealed identity with its blind indexes.

// personEnd is where the mask of a packed dossier stands.
const personEnd = 1 + 16

// headMask are the bits of registered, home and sealed.
const headMask = 2 | 4 | 8

// DossierVersionOf reads the version number of a dossier in its present wire form without reading the rest. ok is false
// for older forms and for what is no dossier.
func DossierVersionOf(raw []byte) (version uint64, ok bool) {
	_, version, _, ok = headOf(raw)
	return version, ok
}

// headOf gives the mask, the version and what follows it.
func headOf(raw []byte) (mask byte, version uint64, rest []byte, ok bool) {
	if len(raw) <= personEnd || raw[0] != DossierVersion || raw[personEnd] >= 0x80 {
		return 0, 0, nil, false
	}
	mask, rest = raw[personEnd], raw[personEnd+1:]
	if mask&1 == 0 {
		return mask, 0, rest, true
	}
	version, n := binary.Uvarint(rest)
	if n <= 0 {
		return 0, 0, nil, false
	}
	return mask, version, rest[n:], true
}

// SameHead reports whether two dossiers of one person in wire form differ in nothing but the version up to the end of
// the sealed identity, so that they have the same indexes. head is where next's head ends (EncodeDossierHead). False may also
// mean that it cannot be told: one of them is in an older form.
func SameHead(old, next []byte, head int) bool {
	was, _, before, ok1 := headOf(old)
	is, _, after, ok2 := headOf(next)
	n := head - (len(next) - len(after))
	return ok1 && ok2 && was&headMask == is&headMask && n >= 0 && n <= len(before) && bytes.Equal(old[1:personEnd], next[1:personEnd]) &&
		bytes.Equal(before[:n], after[:n])
}

// PackedHead reads of a dossier in its present wire form whose it is, its version and its blind indexes, without reading guardians
// and evidence. ok is false for older forms and for what is no dossier as far as it was read.
func PackedHead(raw []byte) (p store.Packed, indexes []kangma.BlindIndex, ok bool) {
	if len(raw) > MaxBytes || len(raw) <= personEnd || raw[0] != DossierVersion {
		return p, nil, false
	}
	var d kangma.Dossier
	r := packers.Get().(*packer)
	defer r.release()
	r.writing, r.b, r.doc = false, raw[1:], string(raw)
	if r.dossierHead(&d); r.err != nil {
		return p, nil, false
	}
	return store.Packed{Person: d.Person, Version: d.Version, Data: raw}, d.Sealed.Indexes, true
}

// WithoutVersion gives what EncodeDossier would have given with the version 0. ok is false for older forms.
func WithoutVersion(raw []byte) (out []byte, ok bool) {
	mask, _, rest, ok := headOf(raw)
	if !ok || mask&1 == 0 {
		return raw, ok
	}
	out = append(make([]byte, 0, len(raw)), raw[:personEnd]...)
	return append(append(out, mask&^1), rest...), true
}

// IsPresent reports whether raw begins as the present wire form of this person's dossier does.
func IsPresent(raw []byte, id kangma.PersonID) bool {
	return len(raw) > personEnd && raw[0] == DossierVersion && bytes.Equal(raw[1:personEnd], id[:])
}
