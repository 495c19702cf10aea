package wire

import (
	"bytes"
	"encoding/binary"
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
