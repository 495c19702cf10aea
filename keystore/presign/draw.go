package presign

import (
	"crypto/elliptic"
	"crypto/rand"

	"filippo.io/bigmod"
	"filippo.io/nistec"
)

var (
	order, _ = bigmod.NewModulus(orderRaw[:])
	orderRaw = [32]byte(elliptic.P256().Params().N.FillBytes(make([]byte, 32)))
	lessTwo  = func() [32]byte { n := orderRaw; n[31] -= 2; return n }() // the order ends in 0x51
	half     = shifted(orderRaw)
)

// shifted gives half of n, rounded down.
func shifted(n [32]byte) (h [32]byte) {
	carry := byte(0)
	for i, b := range n {
		h[i] = b>>1 | carry
		carry = b << 7
	}
	return h
}

// draw fills out with fresh pairs. The inverses take one inversion together (Montgomery's trick). All arithmetic on secrets
// takes the same time whatever they are.
func draw(out []pair) {
	k := make([]*bigmod.Nat, len(out))
	upTo := make([]*bigmod.Nat, len(out)) // products of k[0] to k[i]
	for i := range out {
		k[i] = drawOne(&out[i])
		upTo[i] = times(k[i], nil)
		if i > 0 {
			upTo[i].Mul(upTo[i-1], order)
		}
	}
	last := len(out) - 1
	inverse := bigmod.NewNat().Exp(upTo[last], lessTwo[:], order) // Fermat
	for i := last; i >= 0; i-- {
		own := times(inverse, nil)
		if i > 0 {
			own = times(inverse, upTo[i-1])
			inverse.Mul(k[i], order)
		}
		raw := own.Bytes(order)
		copy(out[i][32:], raw)
		clear(raw)
		erase(own)
	}
	erase(k...)
	erase(upTo...)
	erase(inverse)
}

// drawOne draws a nonce by rejection (FIPS 186-5, A.3.2), with its r.
func drawOne(out *pair) *bigmod.Nat {
	var raw [32]byte
	defer clear(raw[:])
	for {
		rand.Read(raw[:]) // never fails: crypto/rand aborts the process instead
		k, err := bigmod.NewNat().SetBytes(raw[:], order)
		if err != nil || k.IsZero() == 1 {
			continue
		}
		var point nistec.P256Point
		if _, err := point.ScalarBaseMult(raw[:]); err != nil {
			continue
		}
		x, err := point.BytesX()
		if err != nil {
			continue
		}
		r, err := bigmod.NewNat().SetOverflowingBytes(x, order)
		if err != nil || r.IsZero() == 1 {
			continue
		}
		copy(out[:32], r.Bytes(order))
		return k
	}
}

// times gives a·b in a number of its own; b nil: a.
func times(a, b *bigmod.Nat) *bigmod.Nat {
	product := bigmod.NewNat().ExpandFor(order)
	copy(product.Bits(), a.Bits())
	if b != nil {
		product.Mul(b, order)
	}
	return product
}

func erase(all ...*bigmod.Nat) {
	for _, n := range all {
		clear(n.Bits())
	}
}
