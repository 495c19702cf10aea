package venue

import (
	"crypto"
	"crypto/ecdsa"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// Prefix begins the text of every venue code.
const Prefix = "KML:"

// TypeCode is the content type that is signed with a venue code, so that no other document is taken for one.
const TypeCode = "application/vnd.kangma.venue"

// Lives of codes.
const (
	ScreenLife   = 60 * time.Second // of a code on a screen; the next one is due after half of it
	screenReload = 30 * time.Second
	screenSkew   = 30 * time.Second     // between the screen, the phone and us
	printedLife  = 364 * 24 * time.Hour // below keystore.MaxPrinted
	maxLife      = 400 * 24 * time.Hour // of a code that claims more nothing is believed
	maxCodeText  = 400
)

// Claims is what a venue code says.
type Claims struct {
	Venue   string
	Issued  time.Time
	Expires time.Time
	Serial  uint32 // of a printed code; 0: on a screen
}

// claimsCBOR is the payload: CWT claims sub, exp, iat and cti (RFC 8392).
type claimsCBOR struct {
	Venue   string `cbor:"2,keyasint"`
	Expires int64  `cbor:"4,keyasint"`
	Issued  int64  `cbor:"6,keyasint"`
	Serial  uint32 `cbor:"7,keyasint,omitempty"`
}

var (
	codeEnc = func() cbor.EncMode {
		m, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			panic(err) // constant options: fails at every start or never
		}
		return m
	}()
	codeDec = func() cbor.DecMode {
		m, err := cbor.DecOptions{
			DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, MaxNestedLevels: 4,
			ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, TagsMd: cbor.TagsForbidden,
		}.DecMode()
		if err != nil {
			panic(err) // constant options: fails at every start or never
		}
		return m
	}()
)

var (
	errNotVenue = kangma.E(kangma.Invalid, "not_venue_code", "this is not a venue code of ours; do not follow it, and tell the venue")
	errForged   = kangma.E(kangma.Forbidden, "venue_code_forged", "this venue code was not given out here; do not follow it, and tell the venue")
)

// Sign makes the text of a venue code: a COSE_Sign1 (ES256) over CWT claims in Base45. The errors are those of
// codegen.SignDocument.
func Sign(key crypto.Signer, c Claims) (string, error) {
	payload, err := codeEnc.Marshal(claimsCBOR{c.Venue, c.Expires.Unix(), c.Issued.Unix(), c.Serial})
	if err != nil {
		return "", err
	}
	raw, err := codegen.SignDocument(key, TypeCode, payload)
	if err != nil {
		return "", err
	}
	return string(codegen.AppendBase45([]byte(Prefix), raw)), nil
}

// Open verifies a venue code by the keys of our venues; it does not look at its time. kangma.Invalid: not a venue code.
// kangma.Forbidden: of a key that is not ours, or changed.
func Open(text string, keys []*ecdsa.PublicKey) (Claims, error) {
	raw, err := unpack(text)
	if err != nil {
		return Claims{}, err
	}
	payload, err := codegen.VerifyDocument(raw, TypeCode, keys)
	switch kangma.KindOf(err) {
	case kangma.Forbidden:
		return Claims{}, errForged.Because(err)
	default:
		if err != nil {
			return Claims{}, errNotVenue.Because(err)
		}
	}
	return decodeClaims(payload)
}

func unpack(text string) ([]byte, error) {
	body, ok := strings.CutPrefix(text, Prefix)
	if !ok || len(text) > maxCodeText {
		return nil, errNotVenue
	}
	raw, err := codegen.DecodeBase45(nil, body)
	if err != nil {
		return nil, errNotVenue
	}
	return raw, nil
}

func decodeClaims(payload []byte) (Claims, error) {
	var body claimsCBOR
	if err := codeDec.Unmarshal(payload, &body); err != nil {
		return Claims{}, errNotVenue.Because(err)
	}
	c := Claims{Venue: body.Venue, Issued: time.Unix(body.Issued, 0).UTC(), Expires: time.Unix(body.Expires, 0).UTC(), Serial: body.Serial}
	if life := c.Expires.Sub(c.Issued); !venueID.MatchString(c.Venue) || body.Issued < 0 || life <= 0 || life > maxLife {
		return Claims{}, errNotVenue
	}
	return c, nil
}

// Inspect reads a venue code without verifying it, for people who want to know what it says. ok is false where it is none.
func Inspect(text string) (c Claims, ok bool) {
	raw, err := unpack(text)
	if err != nil || len(raw) < 2 || raw[0] != 0xd2 {
		return c, false
	}
	var msg struct {
		_           struct{} `cbor:",toarray"`
		Protected   []byte
		Unprotected map[int]cbor.RawMessage
		Payload     []byte
		Signature   []byte
	}
	if codeDec.Unmarshal(raw[1:], &msg) != nil {
		return c, false
	}
	c, err = decodeClaims(msg.Payload)
	return c, err == nil
}
