package codegen

import (
	"encoding/binary"
	"time"

	"github.com/kangma/kangma"
)

// The payload is a CWT with three claims: 1 (iss), the GB/T 2260 code of the issuer as text; 4 (exp), Unix seconds; and
// one claim of our own under the private-use label -65537, an array whose order and forms docs/code-format.md fixes:
//
//	[ state, life, sealed, negative, ? anchor, ? identity ]
//
// There is exactly one encoding of given claims, the deterministic one of RFC 8949 section 4.2, so the decoder compares
// instead of interpreting wherever it can.
const (
	sealedSize  = len(CodeID{}) + 4 + 16 // synthetic IV, nonce, encrypted person id
	headPayload = "\xa3\x01\x66"         // map of 3; iss: text of 6
	headExp     = "\x04\x1a"             // exp: 32-bit number
	headOurs    = "\x3a\x00\x01\x00\x00" // label -65537
	headSealed  = "\x58\x20"             // byte string of 32
	noColour    = 3                      // in the state of a paper code
	noTail      = "----"
	answering   = Specimen + 1 // in the state of a dynamic code that carries a gate's number, as the last byte of its nonce
	maxPayload  = 255
)

// appendPayload encodes normalised claims, with the sealed subject left zero except for the nonce, and returns where it
// begins.
func appendPayload(dst []byte, c *Claims) (out []byte, sealedAt int) {
	dst = append(dst, headPayload...)
	dst = append(dst, c.Region.String()...)
	dst = append(dst, headExp...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.Expires.Unix()))
	dst = append(dst, headOurs...)
	identity := c.MaskedName != "" || c.IDTail != ""
	fields := byte(4)
	if c.Kind == Credential {
		fields++
	}
	if identity {
		fields++
	}
	kind := c.Kind
	if kind == Dynamic && c.Challenge != 0 {
		kind = answering
	}
	dst = append(dst, 0x80|fields, byte(kind)<<2|colourBits(c))
	dst = appendUint(dst, 0, uint64(c.Slots()))
	dst = append(dst, headSealed...)
	sealedAt = len(dst)
	dst = append(dst, make([]byte, len(CodeID{}))...)
	dst = append(dst, c.Nonce[:]...)
	dst = append(dst, make([]byte, 16)...)
	if c.LatestNegative.IsZero() {
		dst = append(dst, 0xf6)
	} else {
		dst = appendUint(dst, 0, uint64(units(c.Issued)-units(c.LatestNegative)))
	}
	if c.Kind == Credential {
		dst = appendUint(dst, 2, uint64(len(c.Anchor)))
		dst = append(dst, c.Anchor[:]...)
	}
	if identity {
		tail := c.IDTail
		if tail == "" {
			tail = noTail
		}
		dst = appendUint(dst, 3, uint64(len(c.MaskedName)+len(tail)))
		dst = append(append(dst, c.MaskedName...), tail...)
	}
	return dst, sealedAt
}

func colourBits(c *Claims) byte {
	if c.Kind == Paper {
		return noColour
	}
	return byte(c.Colour)
}

// appendUint appends a CBOR head of the major type in its shortest form (RFC 8949 section 4.2.1).
func appendUint(dst []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n < 1<<8:
		return append(dst, major|24, byte(n))
	case n < 1<<16:
		return append(dst, major|25, byte(n>>8), byte(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}

// cursor reads canonical CBOR from the front of b. After the first fault bad stays true and every read gives zero.
type cursor struct {
	b   []byte
	bad bool
}

func (r *cursor) literal(s string) {
	if r.bad || len(r.b) < len(s) || string(r.b[:len(s)]) != s {
		r.bad = true
		return
	}
	r.b = r.b[len(s):]
}

func (r *cursor) take(n int) []byte {
	if r.bad || n < 0 || len(r.b) < n {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// head reads a head of the major type with an argument of at most 32 bits in its shortest form.
func (r *cursor) head(major byte) uint64 {
	h := r.take(1)
	if r.bad || h[0]>>5 != major {
		r.bad = true
		return 0
	}
	switch n := h[0] & 31; {
	case n < 24:
		return uint64(n)
	case n == 24:
		return r.argument(1, 24)
	case n == 25:
		return r.argument(2, 1<<8)
	case n == 26:
		return r.argument(4, 1<<16)
	}
	r.bad = true
	return 0
}

func (r *cursor) argument(size int, least uint64) (n uint64) {
	for _, b := range r.take(size) {
		n = n<<8 | uint64(b)
	}
	if n < least {
		r.bad = true
	}
	return n
}

// decodePayload reads what appendPayload wrote and nothing else. sealedAt is where the sealed subject begins.
func decodePayload(payload []byte, c *Claims) (sealedAt int, ok bool) {
	r := &cursor{b: payload}
	r.literal(headPayload)
	region := r.take(6)
	r.literal(headExp)
	exp := r.take(4)
	r.literal(headOurs)
	fields := r.head(4)
	state := r.head(0)
	life := r.head(0)
	r.literal(headSealed)
	sealedAt = len(payload) - len(r.b)
	sealed := r.take(sealedSize)
	if r.bad || state > uint64(answering)<<2|noColour { // before it is cut to a byte: 1030 is not 6
		return 0, false
	}
	if c.Region, ok = regionOf(region); !ok {
		return 0, false
	}
	if c.Kind = Kind(state >> 2); c.Kind == answering {
		c.Kind, c.Challenge = Dynamic, int(sealed[sealedSize-17])
		if !ValidChallenge(c.Challenge) {
			return 0, false
		}
	}
	if !c.setColour(byte(state & 3)) {
		return 0, false
	}
	if life < 1 || life > uint64(c.Kind.maxSlots()) {
		return 0, false
	}
	at := int64(binary.BigEndian.Uint32(exp))
	c.Expires = time.Unix(at, 0).UTC()
	c.Issued = c.Expires.Add(-time.Duration(life) * SlotLength)
	if c.Issued.Unix() < 1<<16 {
		return 0, false
	}
	c.ID, c.Nonce = CodeID(sealed), [4]byte(sealed[len(CodeID{}):])
	want := c.decodeRest(r)
	return sealedAt, !r.bad && len(r.b) == 0 && fields == want
}

// decodeRest reads what follows the sealed subject and returns how many fields the array must have had.
func (c *Claims) decodeRest(r *cursor) (fields uint64) {
	fields = 4
	if len(r.b) > 0 && r.b[0] == 0xf6 {
		r.take(1)
	} else if age := r.head(0); age > maxTestAge {
		r.bad = true
	} else {
		c.LatestNegative = fromUnits(units(c.Issued) - int64(age))
	}
	if c.Kind == Credential {
		fields++
		if r.head(2) != uint64(len(c.Anchor)) {
			r.bad = true
		}
		copy(c.Anchor[:], r.take(len(c.Anchor)))
		r.bad = r.bad || c.Anchor == Link{}
	}
	if len(r.b) > 0 {
		fields++
		n := r.head(3)
		if n > maxNameSize+4 {
			r.bad = true
		}
		c.decodeIdentity(r, r.take(int(n)))
	}
	return fields
}

func (c *Claims) decodeIdentity(r *cursor, b []byte) {
	if len(b) < 4 {
		r.bad = true
		return
	}
	c.MaskedName, c.IDTail = string(b[:len(b)-4]), string(b[len(b)-4:])
	if c.IDTail == noTail {
		c.IDTail = ""
	}
	// Neither name nor tail would be a second text of the code without the field.
	if !validName(c.MaskedName) || c.IDTail != "" && !validTail(c.IDTail) || c.MaskedName == "" && c.IDTail == "" {
		r.bad = true
	}
}

// setColour sets the colour from the two low bits of the state. A paper code has none: its Colour stays Red, which can
// only deny.
func (c *Claims) setColour(bits byte) bool {
	if c.Kind == Paper {
		return bits == noColour
	}
	c.Colour = kangma.Colour(bits)
	return c.Colour <= kangma.Green
}

func regionOf(b []byte) (kangma.Division, bool) {
	n := uint32(0)
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + uint32(d-'0')
	}
	d := kangma.Division(n * 1000)
	return d, d.Rank() != kangma.NoDivision
}
