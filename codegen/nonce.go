package codegen

import (
	"crypto/ecdsa"
	"crypto/sha256"

	"filippo.io/bigmod"
)

// ownSignatures recognises what was signed here, without verifying it: by memory, then by the nonce. The keys of its maps are the
// keyring's own pointers.
type ownSignatures struct {
	recent *Recent
	tags   map[*ecdsa.PublicKey][32]byte // keys of its hashes
	keys   map[*ecdsa.PublicKey]*ownKey
}

// made reports whether a canonical signature of a digest was certainly made here with the key.
func (o *ownSignatures) made(pub *ecdsa.PublicKey, digest *[32]byte, sig []byte) bool {
	if o == nil {
		return false
	}
	if o.recent != nil {
		if tags, ok := o.tags[pub]; ok && o.recent.has(&tags, digest, sig) {
			return true
		}
	}
	own := o.keys[pub]
	return own != nil && own.made(digest[:], sig)
}

// ownKey recognises the signatures that a private key made with the nonce of RFC 6979, for a twentieth of what a
// verification costs. An ECDSA signature (r, s) of the digest z holds s·k = z + r·d (mod n) for its nonce k and the private
// key d (FIPS 186-5, 6.4.1). Here k follows from d and z alone, so that the issuer can work it out again: who does not know d
// and k finds no other r and s that hold it. A signature with another nonce, as of a token, is not recognised; it takes the
// ordinary verification.
type ownKey struct {
	d   *bigmod.Nat
	raw [32]byte
}

var orderMod, _ = bigmod.NewModulus(orderRaw)

func newOwnKey(key *ecdsa.PrivateKey) (*ownKey, error) {
	raw, err := key.Bytes()
	if err != nil || len(raw) != 32 {
		return nil, errKeyType
	}
	d, err := bigmod.NewNat().SetBytes(raw, orderMod)
	if err != nil {
		return nil, errKeyType
	}
	return &ownKey{d: d, raw: [32]byte(raw)}, nil
}

// made reports whether the key made the canonical 64-byte signature of a SHA-256 digest. Its arithmetic takes the same
// time whatever the key and the signature are.
func (o *ownKey) made(digest, sig []byte) bool {
	z, err := bigmod.NewNat().SetOverflowingBytes(digest, orderMod)
	if err != nil {
		return false
	}
	r, err := bigmod.NewNat().SetBytes(sig[:32], orderMod)
	if err != nil {
		return false
	}
	s, err := bigmod.NewNat().SetBytes(sig[32:], orderMod)
	if err != nil {
		return false
	}
	nonce := rfc6979(o.raw[:], z.Bytes(orderMod))
	k, err := bigmod.NewNat().SetBytes(nonce[:], orderMod)
	if err != nil {
		return false // in 2^32 digests one has a second nonce; the ordinary verification knows it
	}
	left := s.Mul(k, orderMod)
	right := r.Mul(o.d, orderMod).Add(z, orderMod)
	if left.Equal(right) == 1 {
		return true
	}
	return left.Add(right, orderMod).IsZero() == 1 // the canonical form is n-s of what was signed
}

// rfc6979 gives the first candidate for the nonce of a signature with SHA-256 on P-256 (RFC 6979, 3.2, steps a to h) from
// the private key and the digest mod n, 32 octets each.
func rfc6979(key, digest []byte) [32]byte {
	var v, mac [32]byte
	for i := range v {
		v[i] = 1
	}
	var buf [97]byte
	for octet := range byte(2) {
		mac = hmac256(mac, append(append(append(append(buf[:0], v[:]...), octet), key...), digest...))
		v = hmac256(mac, v[:])
	}
	return hmac256(mac, v[:])
}

// hmac256 is HMAC with SHA-256 (RFC 2104) of at most 97 octets under a key of 32, on the stack.
func hmac256(key [32]byte, data []byte) [32]byte {
	var inner [64 + 97]byte
	var outer [64 + 32]byte
	for i := range 64 {
		inner[i], outer[i] = 0x36, 0x5c
	}
	for i, k := range key {
		inner[i] ^= k
		outer[i] ^= k
	}
	n := copy(inner[64:], data)
	sum := sha256.Sum256(inner[:64+n])
	copy(outer[64:], sum[:])
	return sha256.Sum256(outer[:])
}
