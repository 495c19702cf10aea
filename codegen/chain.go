package codegen

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"time"

	"github.com/kangma/kangma"
)

// Link is one link of a credential's hash chain, or its anchor.
type Link [12]byte

// step hashes the link of a slot to the link of the slot before; that of slot 0 to the anchor:
//
//	SHA-256("KM1 holder", nonce (4), slot (2, big-endian), link (12)), cut to 12 bytes
//
// The nonce and the slot keep a search for one chain's link useless for every other chain and slot.
func step(nonce [4]byte, slot int, link Link) Link {
	return walk(nonce, slot, slot, link)
}

// walk takes the steps of slots from down to to.
func walk(nonce [4]byte, from, to int, link Link) Link {
	var in [28]byte
	copy(in[:], "KM1 holder")
	copy(in[10:], nonce[:])
	copy(in[16:], link[:])
	for slot := from; slot >= to; slot-- {
		binary.BigEndian.PutUint16(in[14:], uint16(slot))
		sum := sha256.Sum256(in[:])
		copy(in[16:], sum[:])
	}
	return Link(in[16:])
}

// checkProof verifies the holder proof of a genuine credential: that its slot is now (give or take the skew) and that
// its link hashes forward to the anchor.
func (c *Claims) checkProof(proof []byte, now time.Time, skew time.Duration) kangma.CannotTell {
	slot, ok := c.readProof(proof)
	if !ok {
		return kangma.TellMalformed
	}
	begin := c.Issued.Add(time.Duration(slot) * SlotLength)
	shown := Link(proof[2:])
	if c.Challenge != 0 {
		begin = begin.Add(-answerAhead * SlotLength)
		shown = veil(c.Nonce, slot, byte(c.Challenge), shown)
	}
	switch {
	case now.Before(begin.Add(-skew)):
		return kangma.TellNotYetValid
	case !now.Before(begin.Add(SlotLength + skew)):
		return kangma.TellExpired // a photo of a shown code
	}
	link := walk(c.Nonce, slot, 0, shown)
	if subtle.ConstantTimeCompare(link[:], c.Anchor[:]) != 1 {
		return kangma.TellForged
	}
	return ""
}

// readProof takes slot and challenge from a proof, without checking them against the anchor.
func (c *Claims) readProof(proof []byte) (slot int, ok bool) {
	slot = int(binary.BigEndian.Uint16(proof))
	c.Slot, c.Shown = slot, true
	if len(proof) == answerSize {
		c.Challenge = int(proof[proofSize])
		ok = slot >= answerAhead && ValidChallenge(c.Challenge)
		return slot, ok && slot < c.Slots()
	}
	return slot, slot < c.Slots()
}

// Chain holds the links of one credential on the phone that shows it. The seed and the links never leave it except one
// link a slot.
type Chain struct {
	Nonce  [4]byte
	Anchor Link
	links  []Link
}

// NewChain computes the chain of a secret seed for a number of slots (1 to MaxSlots). The phone sends Nonce and Anchor to
// the issuer. kangma.Invalid: number of slots.
func NewChain(seed [32]byte, nonce [4]byte, slots int) (*Chain, error) {
	if slots < 1 || slots > MaxSlots {
		return nil, kangma.E(kangma.Invalid, "slots", "a hash chain has 1 to 2880 slots")
	}
	sum := sha256.Sum256(append([]byte("KM1 holder seed"), seed[:]...))
	c := &Chain{Nonce: nonce, links: make([]Link, slots)}
	link := Link(sum[:])
	for i := slots - 1; i >= 0; i-- {
		c.links[i] = link
		link = step(nonce, i, link)
	}
	c.Anchor = link
	return c, nil
}

// Show adds the holder proof of a slot to a credential's text: what the phone draws as QR during that slot.
// kangma.Invalid: not a bare credential of this chain, or no such slot.
func Show(credential string, chain *Chain, slot int) (string, error) {
	raw, err := chain.bare(credential, slot, slot)
	if err != nil {
		return "", err
	}
	raw = append(raw, headProof...)
	raw = binary.BigEndian.AppendUint16(raw, uint16(slot))
	return appendText(append(raw, chain.links[slot][:]...)), nil
}

// bare gives the bytes of a stored credential of this chain that lives in two slots.
func (chain *Chain) bare(credential string, slot, last int) ([]byte, error) {
	var buf [maxRaw]byte
	e, tell := cut(credential, &buf)
	c := Claims{}
	if tell == "" {
		if _, ok := decodePayload(e.payload, &c); !ok {
			tell = kangma.TellMalformed
		}
	}
	switch {
	case tell != "" || c.Kind != Credential || len(e.proof) > 0:
		return nil, kangma.E(kangma.Invalid, "credential", "this is not a stored credential")
	case c.Anchor != chain.Anchor || c.Nonce != chain.Nonce || c.Slots() > len(chain.links):
		return nil, kangma.E(kangma.Invalid, "chain", "the credential was not issued for this secret")
	case slot < 0 || last >= c.Slots():
		return nil, kangma.E(kangma.Invalid, "slot", "the credential does not live in this slot")
	}
	return append(make([]byte, 0, maxRaw), e.raw...), nil
}
