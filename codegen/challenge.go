package codegen

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"github.com/kangma/kangma"
)

// A gate at a high-risk post shows a number of two digits that the next code must carry (docs/code-format.md section 4), so that
// a picture taken before the number was drawn is worth nothing there.

// The numbers that a gate draws: two digits, the first of them no zero.
const (
	MinChallenge = 10
	MaxChallenge = 99
)

// answerAhead is how many slots ahead of the current one the link in an answer is. Two clocks may differ by the skew (30 s), so
// no plain show that a phone has made when the answer is still good can hold that link: begin-of-slot - 30 s at the earliest,
// where the answer is good until begin - 3 slots + 1 slot + 30 s = begin - 30 s.
const answerAhead = 3

// ErrChallenge refuses a number that no gate shows.
var ErrChallenge error = kangma.E(kangma.Invalid, "challenge", "a gate's number is 10 to 99")

// ValidChallenge reports whether a gate may have drawn the number.
func ValidChallenge(n int) bool { return n >= MinChallenge && n <= MaxChallenge }

// NewChallenge draws a number, each of the 90 alike.
func NewChallenge() int {
	const many = MaxChallenge - MinChallenge + 1
	var b [1]byte
	for {
		rand.Read(b[:]) // never fails: crypto/rand aborts the process instead
		if n := int(b[0]); n < 256/many*many {
			return MinChallenge + n%many
		}
	}
}

// ParseChallenge reads two digits as a person types them. ErrChallenge: anything else.
func ParseChallenge(s string) (int, error) {
	if n, err := strconv.Atoi(s); err == nil && len(s) == 2 && ValidChallenge(n) {
		return n, nil
	}
	return 0, ErrChallenge
}

// veil hides or uncovers the link of an answer: XOR with the first 12 bytes of
//
//	SHA-256("KM1 answer", nonce (4), slot (2, big-endian), challenge (1))
//
// so that the number cannot be changed and the rest left as it is.
func veil(nonce [4]byte, slot int, challenge byte, link Link) Link {
	in := append(make([]byte, 0, 17), "KM1 answer"...)
	in = append(in, nonce[:]...)
	in = binary.BigEndian.AppendUint16(in, uint16(slot))
	sum := sha256.Sum256(append(in, challenge))
	for i := range link {
		link[i] ^= sum[i]
	}
	return link
}

// Answer shows a credential during a slot with the number of a gate: the proof holds the link of the third slot from there. The
// phone should show another credential afterwards, because gates take the links before that one as used. The errors are those of
// Show, and ErrChallenge; the last three slots have no answer (kangma.Invalid, slot).
func Answer(credential string, chain *Chain, slot, challenge int) (string, error) {
	if !ValidChallenge(challenge) {
		return "", ErrChallenge
	}
	raw, err := chain.bare(credential, slot, slot+answerAhead)
	if err != nil {
		return "", err
	}
	slot += answerAhead
	link := veil(chain.Nonce, slot, byte(challenge), chain.links[slot])
	raw = append(raw, headAnswer...)
	raw = binary.BigEndian.AppendUint16(raw, uint16(slot))
	return appendText(append(append(raw, link[:]...), byte(challenge))), nil
}
