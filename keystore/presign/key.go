package presign

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"

	"filippo.io/bigmod"

	"github.com/kangma/kangma"
)

// Key signs with the nonces of a stock. It may be used concurrently.
type Key struct {
	d     *bigmod.Nat
	stock *Stock
}

// NewKey joins a private key and a stock. kangma.Invalid: not a P-256 key.
func NewKey(private *ecdsa.PrivateKey, stock *Stock) (*Key, error) {
	wrong := kangma.E(kangma.Invalid, "key_type", "a signing key is an ECDSA key on the curve P-256")
	if private == nil || stock == nil || private.Curve != elliptic.P256() {
		return nil, wrong
	}
	raw, err := private.Bytes()
	if err != nil {
		return nil, wrong.Because(err)
	}
	defer clear(raw)
	d, err := bigmod.NewNat().SetBytes(raw, order)
	if err != nil || d.IsZero() == 1 {
		return nil, wrong
	}
	return &Key{d: d, stock: stock}, nil
}

// AppendSign appends the signature of a SHA-256 digest to dst: r and s, 32 octets each, s in the lower half of the order.
// False: the stock is closed, or the digest is not 32 octets long. It takes the same time whatever the key and the nonce are.
func (k *Key) AppendSign(dst, digest []byte) ([]byte, bool) {
	if len(digest) != 32 {
		return dst, false
	}
	var p pair
	defer clear(p[:])
	for k.stock.take(&p) {
		if s, ok := k.s(&p, digest); ok {
			return append(append(dst, p[:32]...), s[:]...), true
		}
	}
	return dst, false
}

// s computes k⁻¹·(z + r·d), or n less that. False: it is zero, so that this nonce is none for this digest.
func (k *Key) s(p *pair, digest []byte) (raw [32]byte, ok bool) {
	s, err := bigmod.NewNat().SetBytes(p[:32], order)
	if err != nil {
		return raw, false
	}
	z, err := bigmod.NewNat().SetOverflowingBytes(digest, order)
	if err != nil {
		return raw, false
	}
	inverse, err := bigmod.NewNat().SetBytes(p[32:], order)
	if err != nil {
		return raw, false
	}
	s.Mul(k.d, order).Add(z, order).Mul(inverse, order)
	erase(inverse)
	raw = [32]byte(s.Bytes(order))
	if s.IsZero() == 1 {
		return raw, false
	}
	if bytes.Compare(raw[:], half[:]) > 0 { // of what is published anyhow
		raw = [32]byte(z.ExpandFor(order).Sub(z, order).Sub(s, order).Bytes(order))
	}
	return raw, true
}
