package entry

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"strings"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// PassPrefix begins the text of every pass.
const PassPrefix = "KMV:"

const (
	passVersion = 1
	passSecret  = 12
	passSize    = 1 + 16 + passSecret + 4
)

// Pass is what the QR of a vehicle entry says: which entry, a secret that only its driver was given, and until when. It
// carries no plate and no person, and no signature: the post asks the server, which compares the secret.
type Pass struct {
	Entry   kangma.EventID
	Secret  [passSecret]byte
	Expires time.Time
}

var errPass = kangma.E(kangma.Invalid, "pass", "this is not the QR code of a vehicle pass")

func newSecret() (s [passSecret]byte) {
	rand.Read(s[:]) // never fails: crypto/rand aborts the process instead
	return s
}

// String gives the text of the QR: version, entry (16 bytes), secret (12) and expiry (Unix seconds, 4) in Base45.
func (p Pass) String() string {
	b := append(make([]byte, 0, passSize), passVersion)
	b = append(append(b, p.Entry[:]...), p.Secret[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(p.Expires.Unix()))
	return string(codegen.AppendBase45([]byte(PassPrefix), b))
}

// ParsePass reads the text of a pass. Each pass has exactly one text. It proves nothing: only the server can compare the
// secret. kangma.Invalid: not a pass.
func ParsePass(text string) (p Pass, err error) {
	body, ok := strings.CutPrefix(text, PassPrefix)
	if !ok || len(body) != codegen.EncodedLen45(passSize) {
		return p, errPass
	}
	b, err := codegen.DecodeBase45(nil, body)
	if err != nil || len(b) != passSize || b[0] != passVersion {
		return p, errPass
	}
	copy(p.Entry[:], b[1:17])
	copy(p.Secret[:], b[17:17+passSecret])
	p.Expires = time.Unix(int64(binary.BigEndian.Uint32(b[passSize-4:])), 0).UTC()
	if p.Entry.IsZero() {
		return Pass{}, errPass
	}
	return p, nil
}

func (p Pass) fits(e *Entry) bool {
	return p.Entry == e.ID && subtle.ConstantTimeCompare(p.Secret[:], e.Secret[:]) == 1
}

// tripLetters are the characters of a trip code: no vowels, so that no words come out, and nothing that is misread.
const tripLetters = "23456789BCDFGHJKLMNPQRSTVWXZ"

// TripLength is the length of a trip code: 28^8 codes, about 38 bits. A guess also needs the plate.
const TripLength = 8

func newTripCode() string {
	var raw [TripLength]byte
	out := make([]byte, 0, TripLength)
	for len(out) < TripLength {
		rand.Read(raw[:])
		for _, c := range raw {
			if int(c) < 256/len(tripLetters)*len(tripLetters) && len(out) < TripLength { // without bias
				out = append(out, tripLetters[int(c)%len(tripLetters)])
			}
		}
	}
	return string(out)
}

var errTrip = kangma.E(kangma.NotFound, "trip_code", "there is no coach of this trip code and plate; read both again")

// ParseTripCode reads a trip code as typed: spaces and hyphens do not count. kangma.NotFound: no such code can be; it is
// told apart from a wrong one by nobody.
func ParseTripCode(s string) (string, error) {
	s = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(s))
	if len(s) != TripLength || strings.Trim(s, tripLetters) != "" {
		return "", errTrip
	}
	return s, nil
}
