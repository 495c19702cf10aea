package codegen

import (
	"crypto/ecdsa"
	"time"

	"github.com/kangma/kangma"
)

// DefaultSkew is how far two clocks may differ when nothing else is said.
const DefaultSkew = 30 * time.Second

// OpenerConfig says what an Opener trusts.
type OpenerConfig struct {
	// SubjectKeys are tried in order: the current one first, then those of codes still alive.
	SubjectKeys [][32]byte
	// Keys, when set, makes Open check the signature too and refuse withdrawn keys. Without it Open proves that the claims
	// and the person are the issuer's own, but does not look at the signature bytes, which nothing else covers: a text with
	// a changed signature opens with the same claims.
	Keys *Keyring
	// Own are private keys of Keys, as far as they lie in memory: what they signed is recognised in about 2 µs, where the
	// ordinary verification takes 50 (docs/adr/0010). It is tried for everything that is not recognised.
	Own []*ecdsa.PrivateKey
	// Recent, when set, is that of the Issuer: what it remembers is recognised in half a microsecond, whatever nonce it has.
	Recent *Recent
	// Skew is how far the clocks of issuer, phone and gate may differ. 0: DefaultSkew; negative: none.
	Skew time.Duration
}

// Opener is the issuer's own reader: it opens the sealed subject, which only the issuer can have made, and so learns
// the person. It may be used concurrently.
type Opener struct {
	sealers []*sealer
	keys    *Keyring
	mine    ownSignatures
	skew    time.Duration
}

// NewOpener checks the configuration. kangma.Invalid: no subject key, or a key of its own that is not P-256.
func NewOpener(cfg OpenerConfig) (*Opener, error) {
	o := &Opener{keys: cfg.Keys, skew: skewOf(cfg.Skew)}
	if len(cfg.SubjectKeys) == 0 {
		return nil, kangma.E(kangma.Invalid, "subject_key", "the subject key is missing")
	}
	for _, k := range cfg.SubjectKeys {
		s, err := newSealer(k)
		if err != nil {
			return nil, err
		}
		o.sealers = append(o.sealers, s)
	}
	for _, key := range cfg.Own {
		if err := o.take(key); err != nil {
			return nil, err
		}
	}
	return o, o.remember(cfg.Recent)
}

// take remembers a private key for the keys of the keyring that it belongs to.
func (o *Opener) take(key *ecdsa.PrivateKey) error {
	id, err := KeyIDOf(&key.PublicKey)
	if err != nil || o.keys == nil {
		return err
	}
	own, err := newOwnKey(key)
	if err != nil {
		return err
	}
	for _, k := range o.keys.keys[id] {
		if k.Public.Equal(&key.PublicKey) {
			if o.mine.keys == nil {
				o.mine.keys = map[*ecdsa.PublicKey]*ownKey{}
			}
			o.mine.keys[k.Public] = own
		}
	}
	return nil
}

// remember prepares the keys of the keyring for what recent remembers.
func (o *Opener) remember(recent *Recent) (err error) {
	if recent == nil || o.keys == nil {
		return nil
	}
	o.mine.recent, o.mine.tags = recent, map[*ecdsa.PublicKey][32]byte{}
	for _, same := range o.keys.keys {
		for _, k := range same {
			if o.mine.tags[k.Public], err = recent.keyOf(k.Public); err != nil {
				return err
			}
		}
	}
	return nil
}

func skewOf(d time.Duration) time.Duration {
	switch {
	case d == 0:
		return DefaultSkew
	case d < 0:
		return 0
	}
	return d
}

// Open reads a code at the moment now. The empty verdict means that it is genuine, in time and (for a credential) shown
// by its holder; the claims then carry the person. With any other verdict the claims are what could be established:
// those of a genuine code that is expired, not yet valid or a specimen, else zero.
func (o *Opener) Open(text string, now time.Time) (Claims, kangma.CannotTell) {
	var buf [maxRaw]byte
	e, tell := cut(text, &buf)
	if tell != "" {
		return Claims{}, tell
	}
	c := Claims{Key: e.key}
	sealedAt, ok := decodePayload(e.payload, &c)
	if !ok {
		return Claims{}, kangma.TellMalformed
	}
	if !o.unseal(&e, sealedAt, &c) {
		return Claims{}, o.stranger(&e)
	}
	if o.keys != nil {
		if tell := o.admits(&e, &c); tell != "" {
			return Claims{}, tell
		}
	}
	return c, c.judge(&e, now, o.skew)
}

// admits asks the keyring about a code whose subject is ours.
func (o *Opener) admits(e *envelope, c *Claims) kangma.CannotTell {
	key, tell := o.keys.verifySignature(e, &o.mine)
	if tell == "" {
		tell = key.admits(c)
	}
	return tell
}

func (o *Opener) unseal(e *envelope, sealedAt int, c *Claims) (ok bool) {
	for _, s := range o.sealers {
		if c.Person, ok = s.open(e.protected(), e.payload, sealedAt); ok {
			return true
		}
	}
	return false
}

// judge gives the verdict of genuine claims at a moment: kind, times, then the holder proof.
func (c *Claims) judge(e *envelope, now time.Time, skew time.Duration) kangma.CannotTell {
	switch {
	case (len(e.proof) > 0) != (c.Kind == Credential):
		return kangma.TellMalformed // a bare credential is a stored thing, not a shown one
	case c.Kind == Specimen:
		return kangma.TellSpecimen
	case now.Before(c.Issued.Add(-skew)):
		return kangma.TellNotYetValid
	case !now.Before(c.Expires.Add(skew)):
		return kangma.TellExpired
	case c.Kind == Credential:
		return c.checkProof(e.proof, now, skew)
	}
	return ""
}

// stranger says what a code is that is not sealed by us: of a key nobody knows, or forged.
func (o *Opener) stranger(e *envelope) kangma.CannotTell {
	if o.keys != nil && len(o.keys.keys[e.key]) == 0 {
		return kangma.TellUnknownKey
	}
	return kangma.TellForged
}
