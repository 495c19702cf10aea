package codegen

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ECDSA has two signatures for each one, s and n-s. Ours is the one with s in the lower half, so that a code has one
// text; verifiers refuse the other.
var (
	order    = elliptic.P256().Params().N
	orderRaw = order.FillBytes(make([]byte, 32))
	halfRaw  = new(big.Int).Rsh(order, 1).FillBytes(make([]byte, 32))
	zeroHalf [32]byte
)

// canonical reports whether a signature of 64 bytes has r in 1..n-1 and s in 1..n/2.
func canonical(sig []byte) bool {
	r, s := sig[:32], sig[32:]
	return !bytes.Equal(r, zeroHalf[:]) && !bytes.Equal(s, zeroHalf[:]) &&
		bytes.Compare(r, orderRaw) < 0 && bytes.Compare(s, halfRaw) <= 0
}

// fromDER appends the canonical 64-byte form of an ECDSA-Sig-Value (RFC 3279) to dst.
func fromDER(dst, der []byte) ([]byte, bool) {
	var inner cryptobyte.String
	var r, s []byte
	in := cryptobyte.String(der)
	if !in.ReadASN1(&inner, asn1.SEQUENCE) || !in.Empty() ||
		!inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) || !inner.Empty() || len(r) > 32 || len(s) > 32 {
		return nil, false
	}
	var fixed [64]byte
	copy(fixed[32-len(r):], r)
	copy(fixed[64-len(s):], s)
	if bytes.Compare(fixed[32:], halfRaw) > 0 {
		low := new(big.Int).SetBytes(fixed[32:])
		low.Sub(order, low).FillBytes(fixed[32:])
	}
	return append(dst, fixed[:]...), canonical(fixed[:])
}

// verifySig checks a canonical 64-byte signature of a SHA-256 digest.
func verifySig(pub *ecdsa.PublicKey, digest, sig []byte) bool {
	var der [72]byte
	return ecdsa.VerifyASN1(pub, digest, appendDER(der[:0], sig))
}

// verifyRawSig checks a signature of r and s, each as long as the curve's order, on any curve.
func verifyRawSig(pub *ecdsa.PublicKey, digest, sig []byte) bool {
	n := (pub.Curve.Params().N.BitLen() + 7) / 8
	if len(sig) != 2*n {
		return false
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[:n]))
		b.AddASN1BigInt(new(big.Int).SetBytes(sig[n:]))
	})
	der, err := b.Bytes()
	return err == nil && ecdsa.VerifyASN1(pub, digest, der)
}

// appendDER writes a 64-byte signature as an ECDSA-Sig-Value.
func appendDER(dst, sig []byte) []byte {
	at := len(dst)
	dst = append(dst, 0x30, 0)
	dst = appendInteger(dst, sig[:32])
	dst = appendInteger(dst, sig[32:])
	dst[at+1] = byte(len(dst) - at - 2)
	return dst
}

func appendInteger(dst, n []byte) []byte {
	n = bytes.TrimLeft(n, "\x00")
	if len(n) == 0 || n[0] >= 0x80 {
		dst = append(dst, 0x02, byte(len(n)+1), 0)
	} else {
		dst = append(dst, 0x02, byte(len(n)))
	}
	return append(dst, n...)
}
