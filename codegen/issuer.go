package codegen

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"sync/atomic"
	"time"

	"github.com/kangma/kangma"
)

// IssuerConfig says for whom and with what an Issuer signs.
type IssuerConfig struct {
	Region     kangma.Division // province, city or county; every code carries it
	Key        crypto.Signer   // ECDSA P-256; a file key or one inside an HSM
	SubjectKey [32]byte        // seals the person id; the Opener needs the same

	// From and Until, when set, are the time in which the key signs, [From, Until). Verifiers refuse what it signs outside
	// it, so Issue does not make it.
	From, Until time.Time

	// Recent, when set, remembers what was signed, for the Opener that has the same one.
	Recent *Recent
}

// preSigner is a Key that can do without the DER form of a signature: it appends r and s, with s in the lower half of the
// order. False: it has no nonce drawn ahead, or signs otherwise, and is asked to Sign.
type preSigner interface {
	AppendSign(dst, digest []byte) (sig []byte, ok bool)
}

// Issuer makes codes. It may be used concurrently.
type Issuer struct {
	region    kangma.Division
	key       crypto.Signer
	random    io.Reader // nil: the nonce of RFC 6979, which the Opener recognises
	id        KeyID
	protected []byte
	sealer    *sealer
	from      time.Time
	until     time.Time
	recent    *Recent
	tags      [32]byte // the key of recent's hashes
	signed    atomic.Uint64
}

// Code is an issued code: its text for the QR and what it says, with the ID that voids it.
type Code struct {
	Text   string
	Claims Claims
}

// NewIssuer checks the configuration. kangma.Invalid: wrong type of key, no subject key, or no such region.
func NewIssuer(cfg IssuerConfig) (*Issuer, error) {
	if r := cfg.Region.Rank(); r == kangma.NoDivision || r == kangma.Street {
		return nil, kangma.E(kangma.Invalid, "division", "an issuer's region is a province, city or county")
	}
	if cfg.Key == nil {
		return nil, errKeyType
	}
	pub, _ := cfg.Key.Public().(*ecdsa.PublicKey)
	id, err := KeyIDOf(pub)
	if err != nil {
		return nil, err
	}
	s, err := newSealer(cfg.SubjectKey)
	if err != nil {
		return nil, err
	}
	protected := append([]byte(headKid), id[:]...)
	random := rand.Reader
	if _, inMemory := cfg.Key.(*ecdsa.PrivateKey); inMemory {
		random = nil
	}
	tags, err := cfg.Recent.keyOf(pub)
	if err != nil {
		return nil, err
	}
	return &Issuer{region: cfg.Region, key: cfg.Key, random: random, id: id, protected: protected, sealer: s, from: cfg.From, until: cfg.Until,
		recent: cfg.Recent, tags: tags}, nil
}

// KeyID names the signing key.
func (i *Issuer) KeyID() KeyID { return i.id }

// Region gives the issuer's region.
func (i *Issuer) Region() kangma.Division { return i.region }

// Count gives how many codes this Issuer has signed, for keystore.Store.Tally and the reconciliation with the log.
func (i *Issuer) Count() uint64 { return i.signed.Load() }

// Issue makes a code of the claims. Region may be left zero. Issued is cut to whole seconds and Expires down to a whole
// number of SlotLength after it. Except for credentials, whose nonce the phone drew, a fresh nonce is drawn.
// kangma.Invalid: the code cannot carry the claims. kangma.Unavailable: the key did not sign, or (errors.Is ErrKeyOver)
// does not sign at the time of issue: take the Issuer of the next key.
func (i *Issuer) Issue(c Claims) (Code, error) {
	if c.Region == 0 {
		c.Region = i.region
	}
	if !i.region.Contains(c.Region) {
		return Code{}, kangma.E(kangma.Invalid, "division", "the region is not the issuer's")
	}
	if err := c.normalise(); err != nil {
		return Code{}, err
	}
	if c.Issued.Before(i.from) || !i.until.IsZero() && !c.Issued.Before(i.until) {
		return Code{}, ErrKeyOver
	}
	if c.Kind != Credential {
		rand.Read(c.Nonce[:]) // never fails: crypto/rand aborts the process instead
	}
	if c.Challenge != 0 {
		c.Nonce[3] = byte(c.Challenge)
	}
	var buf [512]byte
	raw := append(buf[:0], headEnvelope...)
	raw = append(raw, i.protected...)
	raw = append(raw, headLater+"\x00"...)
	raw, sealedAt := appendPayload(raw, &c)
	payload := raw[payloadAt:]
	raw[payloadAt-1] = byte(len(payload))
	i.sealer.seal(i.protected, payload, sealedAt-payloadAt, c.Person)
	c.ID, c.Key = CodeID(raw[sealedAt:]), i.id
	raw, err := i.sign(append(raw, headSig...), payload)
	if err != nil {
		return Code{}, err
	}
	i.signed.Add(1)
	return Code{Text: appendText(raw), Claims: c}, nil
}

func (i *Issuer) sign(raw, payload []byte) ([]byte, error) {
	var buf [320]byte
	digest := sha256.Sum256(appendToSign(buf[:0], i.protected, payload))
	signed, err := i.signDigest(raw, digest[:])
	if err == nil {
		i.recent.add(&i.tags, &digest, signed[len(raw):])
	}
	return signed, err
}

func (i *Issuer) signDigest(raw, digest []byte) ([]byte, error) {
	if fast, ok := i.key.(preSigner); ok {
		if signed, ok := fast.AppendSign(raw, digest); ok {
			return signed, nil
		}
	}
	der, err := i.key.Sign(i.random, digest, crypto.SHA256)
	if err != nil {
		return nil, errSign.Because(err)
	}
	signed, ok := fromDER(raw, der)
	if !ok {
		return nil, errSign
	}
	return signed, nil
}

// ErrKeyOver says that the issuer's key does not sign at the time of issue.
var ErrKeyOver error = kangma.E(kangma.Unavailable, "key_over", "the signing key's time is not now; try again")

var errSign = kangma.E(kangma.Unavailable, "sign", "the signing key did not answer with a signature; try again")
