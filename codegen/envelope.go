package codegen

import (
	"strings"

	"github.com/kangma/kangma"
)

// A code's bytes are a COSE_Sign1 (RFC 9052 section 4.2), tagged 18: [protected {1: -7, 4: kid}, {}, payload, signature].
// A shown credential is a CBOR sequence (RFC 8742) of that and a byte string: the slot (2 bytes) and its link, or the answer to a gate's number: slot, veiled link, number (1 byte).
const (
	headEnvelope = "\xd2\x84"                 // tag 18, array of 4
	headKid      = "\x49\xa2\x01\x26\x04\x44" // byte string of 9: {1: -7 (ES256), 4: byte string of 4}
	headLater    = "\xa0\x58"                 // no unprotected header; payload of 24 to 255 bytes
	headSig      = "\x58\x40"                 // signature of 64 bytes
	headProof    = "\x4e"                     // byte string of 14
	headAnswer   = "\x4f"                     // byte string of 15
	proofSize    = 2 + len(Link{})
	answerSize   = proofSize + 1

	protectedAt = len(headEnvelope)
	protectedTo = len(headEnvelope) + len(headKid) + len(KeyID{})
	payloadAt   = protectedTo + len(headLater) + 1

	// MaxText is the longest text that is looked at: the capacity of a QR code of version 9 at level L.
	MaxText = 335
	maxRaw  = MaxText // more bytes than Base45 can hold in MaxText
)

// envelope is a code cut into its parts. It knows no claims: nothing in it has been verified.
type envelope struct {
	raw     []byte // the COSE_Sign1 without a proof
	key     KeyID
	payload []byte
	sig     []byte
	proof   []byte // proofSize or answerSize bytes; empty when there is none
}

func (e *envelope) protected() []byte { return e.raw[protectedAt:protectedTo] }

// cut splits the text of a code. The verdict is not_ours for a text that does not begin with the prefix, malformed for
// one that no issuer of ours can have made.
func cut(text string, buf *[maxRaw]byte) (envelope, kangma.CannotTell) {
	rest, ours := strings.CutPrefix(text, Prefix)
	if !ours {
		return envelope{}, kangma.TellNotOurs
	}
	if len(text) > MaxText {
		return envelope{}, kangma.TellMalformed
	}
	raw, err := DecodeBase45(buf[:0], rest)
	if err != nil {
		return envelope{}, kangma.TellMalformed
	}
	r := &cursor{b: raw}
	r.literal(headEnvelope)
	r.literal(headKid)
	kid := r.take(len(KeyID{}))
	r.literal(headLater)
	n := r.take(1)
	if r.bad || n[0] < 24 {
		return envelope{}, kangma.TellMalformed
	}
	e := envelope{key: KeyID(kid), payload: r.take(int(n[0]))}
	r.literal(headSig)
	e.sig = r.take(64)
	e.raw = raw[:len(raw)-len(r.b)]
	if len(r.b) > 0 {
		switch n := r.head(2); n {
		case uint64(proofSize), uint64(answerSize):
			e.proof = r.take(int(n))
		default:
			r.bad = true
		}
	}
	if r.bad || len(r.b) > 0 {
		return envelope{}, kangma.TellMalformed
	}
	return e, ""
}

// appendText gives the text of the code's bytes.
func appendText(raw []byte) string {
	text := make([]byte, 0, len(Prefix)+EncodedLen45(len(raw)))
	return string(AppendBase45(append(text, Prefix...), raw))
}

// appendToSign appends the Sig_structure of RFC 9052 section 4.4: ["Signature1", protected, external (none), payload].
func appendToSign(dst, protected, payload []byte) []byte {
	dst = append(dst, "\x84\x6aSignature1"...)
	dst = append(dst, protected...)
	dst = append(dst, 0x40)
	dst = appendUint(dst, 2, uint64(len(payload)))
	return append(dst, payload...)
}
