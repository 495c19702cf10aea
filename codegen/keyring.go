package codegen

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
)

// KeyState is the stage of a signing key's life. The zero KeyState is Retired: nothing is accepted by oversight.
type KeyState uint8

// A key goes through these states in the order Published, Active, VerifyOnly, Retired.
const (
	Retired    KeyState = iota // codes are refused
	Published                  // on the trust list, does not sign yet (so that late gates know it in time)
	Active                     // signs
	VerifyOnly                 // signs no more; its codes are still alive
)

var stateNames = [...]string{"retired", "published", "active", "verify-only"}

func (s KeyState) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText gives the name.
func (s KeyState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the name.
func (s *KeyState) UnmarshalText(b []byte) error {
	for i, n := range stateNames {
		if string(b) == n {
			*s = KeyState(i)
			return nil
		}
	}
	return kangma.E(kangma.Invalid, "key_state", "a key is published, active, verify-only or retired")
}

// VerifyKey is one trusted public key: for the codes of one region and its parts, issued within [From, Until).
type VerifyKey struct {
	Public *ecdsa.PublicKey
	Region kangma.Division
	From   time.Time
	Until  time.Time
	State  KeyState
}

// Keyring verifies codes without a network and without learning the person. It is immutable and may be used
// concurrently; a newer trust list makes a new Keyring.
type Keyring struct {
	keys   map[KeyID][]*trustedKey
	skew   time.Duration
	tables atomic.Int32 // how many keys have one
}

// Tables speed up the keys that are in use. The first keys that sign now get theirs at once, further ones when they have
// verified a genuine code, so that nobody who shows bad codes makes us compute one; at most maxTables take 6 MB.
const (
	tablesAtOnce = 8
	maxTables    = 64
)

// trustedKey is a VerifyKey with what speeds it up.
type trustedKey struct {
	VerifyKey
	table atomic.Pointer[keyTable]
}

// speedUp computes the key's table where the keyring has room for one.
func (k *Keyring) speedUp(key *trustedKey) {
	if key.table.Load() != nil || k.tables.Load() >= maxTables {
		return
	}
	if t := newKeyTable(key.Public); t != nil && key.table.CompareAndSwap(nil, t) {
		k.tables.Add(1)
	}
}

// signed verifies a canonical signature of a digest.
func (key *trustedKey) signed(digest, sig []byte) bool {
	if t := key.table.Load(); t != nil {
		return t.verify(digest, sig)
	}
	return verifySig(key.Public, digest, sig)
}

// NewKeyring makes a Keyring of trusted keys. skew is how far clocks may differ (0: DefaultSkew; negative: none).
// kangma.Invalid: a key that is not P-256 or has no region or no window.
func NewKeyring(keys []VerifyKey, skew time.Duration) (*Keyring, error) {
	k := &Keyring{keys: make(map[KeyID][]*trustedKey, len(keys)), skew: skewOf(skew)}
	for _, key := range keys {
		id, err := KeyIDOf(key.Public)
		if err != nil {
			return nil, err
		}
		if key.Region.Rank() == kangma.NoDivision || !key.From.Before(key.Until) {
			return nil, kangma.E(kangma.Invalid, "key_window", "a trusted key has a region and a time from which until when it signs")
		}
		trusted := &trustedKey{VerifyKey: key}
		k.keys[id] = append(k.keys[id], trusted)
		if key.State == Active && k.tables.Load() < tablesAtOnce {
			k.speedUp(trusted)
		}
	}
	return k, nil
}

// Verify reads a code at the moment now: signature first, then content. The empty verdict means that it is genuine, in
// time and (for a credential) shown by its holder. With the verdicts expired, not_yet_valid, specimen and revoked the
// claims are those of the genuine code, with any other they are zero. Claims.Person is always zero.
func (k *Keyring) Verify(text string, now time.Time) (Claims, kangma.CannotTell) {
	var buf [maxRaw]byte
	e, tell := cut(text, &buf)
	if tell != "" {
		return Claims{}, tell
	}
	key, tell := k.verifySignature(&e, nil)
	if tell != "" {
		return Claims{}, tell
	}
	c := Claims{Key: e.key}
	if _, ok := decodePayload(e.payload, &c); !ok {
		return Claims{}, kangma.TellMalformed
	}
	switch tell := key.admits(&c); tell {
	case "":
		return c, c.judge(&e, now, k.skew)
	case kangma.TellRevoked:
		return c, tell
	default:
		return Claims{}, tell
	}
}

// admits tells whether the key was entitled to sign the claims: a stolen key is worth its region and week.
func (key *VerifyKey) admits(c *Claims) kangma.CannotTell {
	switch {
	case !key.Region.Contains(c.Region) || c.Issued.Before(key.From) || !c.Issued.Before(key.Until):
		return kangma.TellForged
	case key.State == Retired:
		return kangma.TellRevoked
	}
	return ""
}

// verifySignature tries every key of the code's key id; mine, unless nil, recognises what some of them signed.
func (k *Keyring) verifySignature(e *envelope, mine *ownSignatures) (*VerifyKey, kangma.CannotTell) {
	candidates := k.keys[e.key]
	if len(candidates) == 0 {
		return nil, kangma.TellUnknownKey
	}
	if !canonical(e.sig) {
		return nil, kangma.TellForged
	}
	var buf [320]byte
	digest := sha256.Sum256(appendToSign(buf[:0], e.protected(), e.payload))
	for _, key := range candidates {
		if mine.made(key.Public, &digest, e.sig) {
			return &key.VerifyKey, ""
		}
		if key.signed(digest[:], e.sig) {
			k.speedUp(key)
			return &key.VerifyKey, ""
		}
	}
	return nil, kangma.TellForged
}
