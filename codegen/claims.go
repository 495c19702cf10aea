package codegen

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/kangma/kangma"
)

// Prefix begins every code of ours.
const Prefix = "KM1:"

// Kind says what sort of code it is. The zero Kind is none and never valid.
type Kind uint8

// The kinds of code.
const (
	NoKind     Kind = iota
	Dynamic         // 动态码: made by the server, lives 60 to 90 s
	Credential      // 凭证: up to 24 h; shown with a holder proof that the phone adds each 30 s
	Paper           // 纸质码: months; carries no colour, a re-issue voids it
	Specimen        // 样码: for training; never passes
)

var kindNames = [...]string{"none", "dynamic", "credential", "paper", "specimen"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// MarshalText gives the name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the name of a kind.
func (k *Kind) UnmarshalText(b []byte) error {
	for i, n := range kindNames {
		if i > 0 && string(b) == n {
			*k = Kind(i)
			return nil
		}
	}
	return kangma.E(kangma.Invalid, "kind", "a code's kind is dynamic, credential, paper or specimen")
}

// Longest life of each kind. A code that claims more is malformed.
const (
	MaxDynamic    = 10 * time.Minute
	MaxCredential = 24 * time.Hour
	MaxPaper      = 400 * 24 * time.Hour
)

// SlotLength is the unit of a code's life and the time one holder proof is worth.
const SlotLength = 30 * time.Second

// MaxSlots is the number of slots of the longest credential.
const MaxSlots = int(MaxCredential / SlotLength)

// testUnit is the precision of the latest negative test: coarse, so that it links two codes of a person less well; 255
// of them are 85 hours, which covers the 24, 48 and 72 hours that gates ask for.
const (
	testUnit    = 20 * time.Minute
	maxTestAge  = 255
	maxNameSize = 11 // bytes; kangma.Name.Masked never gives more
)

// CodeID names one code: for credentials and paper it is what a status list or a re-issue voids. It is the synthetic
// IV of the sealed subject: unique, unguessable, and unrelated between two codes of one person.
type CodeID [12]byte

func (id CodeID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText gives lower-case hexadecimal digits.
func (id CodeID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what ParseCodeID reads.
func (id *CodeID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseCodeID(string(b))
	return err
}

// ParseCodeID reads 24 lower-case hexadecimal digits.
func ParseCodeID(s string) (CodeID, error) {
	var id CodeID
	if len(s) == 24 {
		if _, err := hex.Decode(id[:], []byte(s)); err == nil && id.String() == s {
			return id, nil
		}
	}
	return CodeID{}, kangma.E(kangma.Invalid, "code_id", "a code id is 24 lower-case hexadecimal digits")
}

// KeyID is the short name of a signing key: the first 4 bytes of the SHA-256 of its SubjectPublicKeyInfo (DER). Two keys
// may share one, so a verifier tries all that match.
type KeyID [4]byte

func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText gives lower-case hexadecimal digits.
func (id KeyID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads 8 lower-case hexadecimal digits.
func (id *KeyID) UnmarshalText(b []byte) error {
	var got KeyID
	if len(b) == 8 {
		if _, err := hex.Decode(got[:], b); err == nil && got.String() == string(b) {
			*id = got
			return nil
		}
	}
	return kangma.E(kangma.Invalid, "key_id", "a key id is 8 lower-case hexadecimal digits")
}

// KeyIDOf gives the KeyID of a P-256 public key. kangma.Invalid: not a P-256 key.
func KeyIDOf(pub *ecdsa.PublicKey) (KeyID, error) {
	if pub == nil || pub.Curve == nil || pub.Curve.Params().Name != "P-256" {
		return KeyID{}, errKeyType
	}
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return KeyID{}, errKeyType.Because(err)
	}
	sum := sha256.Sum256(spki)
	return KeyID(sum[:4]), nil
}

var errKeyType = kangma.E(kangma.Invalid, "key_type", "a signing key is an ECDSA key on the curve P-256")

// Claims is what a code says.
type Claims struct {
	Region  kangma.Division `json:"region"`  // issuer: province, city or county
	Issued  time.Time       `json:"issued"`  // whole seconds, UTC
	Expires time.Time       `json:"expires"` // Issued and a whole number of SlotLength
	Kind    Kind            `json:"kind"`
	Colour  kangma.Colour   `json:"colour"` // means nothing when Kind is Paper

	// LatestNegative is when the latest negative test was sampled, rounded down to 20 minutes; zero: none within 85 h.
	LatestNegative time.Time `json:"latest_negative,omitzero"`
	MaskedName     string    `json:"masked_name,omitempty"` // as kangma.Name.Masked gives it
	IDTail         string    `json:"id_tail,omitempty"`     // last four characters of the document number

	Nonce  [4]byte `json:"-"` // fresh; a credential's is drawn by the phone and salts its hash chain
	Anchor Link    `json:"-"` // end of a credential's hash chain; zero in other kinds

	// Challenge is the number of a gate that the code answers, MinChallenge to MaxChallenge; 0: none. A dynamic code is issued with
	// it; a phone adds it to a credential with Answer.
	Challenge int `json:"challenge,omitempty"`

	// Known only to the issuer (Issue, Opener.Open). Keyring.Verify leaves it zero.
	Person kangma.PersonID `json:"-"`

	// Set by the issuer and the readers, ignored by Issue.
	ID    CodeID `json:"id"`
	Key   KeyID  `json:"key"`
	Slot  int    `json:"slot"`  // of the holder proof
	Shown bool   `json:"shown"` // a holder proof was there (credentials only)
}

// Slots gives the life of the code in slots.
func (c *Claims) Slots() int { return int(c.Expires.Sub(c.Issued) / SlotLength) }

// SlotAt gives the slot of the code's life in which t lies; negative before it, Slots() or more after it.
func (c *Claims) SlotAt(t time.Time) int {
	d := t.Sub(c.Issued)
	if d < 0 {
		return int((d - SlotLength + 1) / SlotLength)
	}
	return int(d / SlotLength)
}

// NegativeWithin reports whether the code proves a negative test sampled within d before t.
func (c *Claims) NegativeWithin(d time.Duration, t time.Time) bool {
	return !c.LatestNegative.IsZero() && !c.LatestNegative.Before(t.Add(-d)) && !c.LatestNegative.After(t)
}

// maxLife gives the longest life of a kind in slots, 0 for no kind.
func (k Kind) maxSlots() int {
	switch k {
	case Dynamic:
		return int(MaxDynamic / SlotLength)
	case Credential:
		return MaxSlots
	case Paper, Specimen:
		return int(MaxPaper / SlotLength)
	}
	return 0
}

// normalise brings the claims to what the code can carry and reports what it cannot.
func (c *Claims) normalise() error {
	c.Issued = c.Issued.UTC().Truncate(time.Second)
	life := c.Expires.Sub(c.Issued).Truncate(SlotLength)
	c.Expires = c.Issued.Add(life)
	c.ID, c.Key, c.Slot, c.Shown = CodeID{}, KeyID{}, 0, false
	var faults []kangma.Fault
	fault := func(where, code, what string) {
		faults = append(faults, kangma.Fault{Where: where, Code: code, What: what})
	}
	if r := c.Region.Rank(); r == kangma.NoDivision || r == kangma.Street {
		fault("region", "division", "a code's region is a province, city or county")
	}
	if n := c.Kind.maxSlots(); n == 0 {
		fault("kind", "kind", "a code's kind is dynamic, credential, paper or specimen")
	} else if life < SlotLength || life > time.Duration(n)*SlotLength {
		fault("expires", "life", fmt.Sprintf("a %s code lives 30 s to %s", c.Kind, time.Duration(n)*SlotLength))
	}
	if u := c.Expires.Unix(); c.Issued.Unix() < 1<<16 || u >= 1<<32 {
		fault("issued", "time", "a code's times lie before the year 2106")
	}
	if c.Colour > kangma.Green {
		fault("colour", "colour", "a colour is red, yellow or green")
	}
	if c.Person.IsZero() {
		fault("person", "person", "a code needs a person")
	}
	if !validName(c.MaskedName) || c.IDTail != "" && !validTail(c.IDTail) {
		fault("masked_name", "masked_name", "a masked name has up to 11 bytes, a document tail four of 0-9 A-Z")
	}
	if (c.Kind == Credential) == (c.Anchor == Link{}) {
		fault("anchor", "anchor", "a credential, and nothing else, has the anchor of a hash chain")
	}
	if c.Challenge != 0 && (c.Kind != Dynamic || !ValidChallenge(c.Challenge)) {
		fault("challenge", "challenge", "a dynamic code, and nothing else, is issued with a gate's number, 10 to 99")
	}
	if faults != nil {
		return &kangma.Error{Kind: kangma.Invalid, Code: "claims", Public: "the code cannot carry this", Faults: faults}
	}
	if c.Kind == Paper {
		c.Colour = kangma.Red
	}
	c.LatestNegative = roundTest(c.LatestNegative, c.Issued)
	return nil
}

// roundTest gives what a code carries of a test time: 20-minute precision, nothing in the future, nothing too old.
func roundTest(test, issued time.Time) time.Time {
	if test.IsZero() || test.After(issued) {
		return time.Time{}
	}
	age := units(issued) - units(test)
	if age > maxTestAge {
		return time.Time{}
	}
	return fromUnits(units(issued) - age)
}

func units(t time.Time) int64     { return t.Unix() / int64(testUnit/time.Second) }
func fromUnits(n int64) time.Time { return time.Unix(n*int64(testUnit/time.Second), 0).UTC() }

func validName(s string) bool {
	if len(s) > maxNameSize || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return false
		}
	}
	return true
}

func validTail(s string) bool {
	if len(s) != 4 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
