package codegen

import (
	"bytes"
	"crypto/ecdsa"
	"math/big"
	"sync"

	"filippo.io/nistec"
)

// keyTable verifies the signatures of one public key faster than a verification that has never met the key: it holds the
// multiples of the key's point by every digit of every hexadecimal place of a scalar, so that u2·Q is a sum of at most 64
// of them (the fixed-base windowing method: Brickell, Gordon, McCurley and Wilson, 1992) instead of 256 doublings and the
// additions between them. The points and the formulas are those of filippo.io/nistec, the form of the standard library's
// own package that others may import. Everything here is public, so its time may depend on its values. docs/adr/0016
type keyTable struct {
	digits [64][15]nistec.P256Point // digits[i][d-1] = d·16^i·Q
}

// newKeyTable computes the table of a P-256 key; nil where the key is not a point of the curve. It takes 90 KiB and about
// as long as four verifications.
func newKeyTable(pub *ecdsa.PublicKey) *keyTable {
	raw, err := pub.Bytes()
	if err != nil {
		return nil
	}
	unit, err := nistec.NewP256Point().SetBytes(raw)
	if err != nil {
		return nil
	}
	t := new(keyTable)
	for i := range t.digits {
		t.digits[i][0].Set(unit)
		for d := 1; d < 15; d++ {
			t.digits[i][d].Add(&t.digits[i][d-1], unit)
		}
		unit.Add(&t.digits[i][14], unit) // 16 units
	}
	return t
}

// tableScratch is what one verification needs beside the table.
type tableScratch struct {
	s, w, u    big.Int
	u1, u2     [32]byte
	sum, other nistec.P256Point
}

var tableScratches = sync.Pool{New: func() any { return new(tableScratch) }}

// verify checks a canonical 64-byte signature of a SHA-256 digest (FIPS 186-5, 6.4.2).
func (t *keyTable) verify(digest, sig []byte) bool {
	m := tableScratches.Get().(*tableScratch)
	defer tableScratches.Put(m)
	if m.w.ModInverse(m.s.SetBytes(sig[32:]), order) == nil {
		return false
	}
	m.times(&m.u1, digest)
	m.times(&m.u2, sig[:32])
	if _, err := m.sum.ScalarBaseMult(m.u1[:]); err != nil {
		return false
	}
	for i := range t.digits {
		b := m.u2[31-i/2] >> (4 * (i % 2)) & 15
		if b != 0 {
			m.sum.Add(&m.sum, &t.digits[i][b-1])
		}
	}
	x, err := m.sum.BytesX()
	if err != nil { // the point at infinity
		return false
	}
	if bytes.Compare(x, orderRaw) >= 0 {
		m.u.SetBytes(x)
		m.u.Sub(&m.u, order).FillBytes(x)
	}
	return bytes.Equal(x, sig[:32])
}

// times sets out to n·w modulo the order.
func (m *tableScratch) times(out *[32]byte, n []byte) {
	m.u.SetBytes(n)
	m.s.Mul(&m.u, &m.w)
	m.u.Mod(&m.s, order).FillBytes(out[:])
}
