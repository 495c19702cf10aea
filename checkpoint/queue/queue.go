// Package queue seals the passages that a gate without a network keeps, so that whoever takes its device, and the device
// itself, cannot read them: HPKE (RFC 9180) to a key of the server that is in the gate's signed bundle. It is pure.
package queue

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/hpke"
	"crypto/x509"
	"encoding/binary"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// The suite: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM (0x0010, 0x0001, 0x0001), base mode. Why this curve: docs/adr/0018.
const (
	info     = "kangma gate queue 1"
	encSize  = 65       // an uncompressed point
	tagSize  = 16       // of AES-GCM
	padding  = 512      // plaintexts are filled up to a multiple of it, so that their size does not tell the colour
	maxPlain = 32 << 10 // the longest code there may be, each character escaped
	// MaxSealed is the longest sealed text, bytes.
	MaxSealed = encSize + maxPlain + tagSize
	// MaxGate is the longest gate id, bytes.
	MaxGate = 64
)

// Key is the public key of a server that passages are sealed to. The zero Key seals nothing.
type Key struct {
	ID     codegen.KeyID
	public *ecdh.PublicKey
}

var errKey = kangma.E(kangma.Invalid, "queue_key_form", "a queue key is a P-256 public key")

// ParseKey reads a SubjectPublicKeyInfo (DER). kangma.Invalid: not a P-256 key.
func ParseKey(spki []byte) (Key, error) {
	parsed, err := x509.ParsePKIXPublicKey(spki)
	ec, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok {
		return Key{}, errKey.Because(err)
	}
	return KeyOf(ec)
}

// KeyOf takes a P-256 public key. kangma.Invalid: of another curve.
func KeyOf(ec *ecdsa.PublicKey) (Key, error) {
	id, err := codegen.KeyIDOf(ec)
	if err != nil {
		return Key{}, errKey.Because(err)
	}
	public, err := ec.ECDH()
	if err != nil {
		return Key{}, errKey.Because(err)
	}
	return Key{id, public}, nil
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.public == nil }

// SPKI gives the key as ParseKey reads it.
func (k Key) SPKI() ([]byte, error) {
	if k.IsZero() {
		return nil, errKey
	}
	return x509.MarshalPKIXPublicKey(k.public)
}

// Sealed is one passage as a gate keeps and sends it. What is in clear says when and where somebody was scanned, not who, and not
// what came of it.
type Sealed struct {
	Event  kangma.EventID `json:"event"` // its time is the passage's
	Gate   string         `json:"gate"`
	Bundle uint64         `json:"bundle"` // number of the bundle it was decided by
	Key    codegen.KeyID  `json:"key"`
	Text   []byte         `json:"sealed"` // encapsulated key, 65 bytes, then the ciphertext with its tag
}

// binds gives what the seal holds together besides its content: a sealed passage opens as that of no other event, gate or bundle.
// Event and bundle have fixed lengths, so the bytes say one thing only.
func (s *Sealed) binds() []byte {
	b := binary.BigEndian.AppendUint64(s.Event[:len(s.Event):len(s.Event)], s.Bundle)
	return append(b, s.Gate...)
}

// Seal seals a passage's content to a key. Each has an encapsulation of its own, whose secret is gone when Seal returns.
// kangma.Invalid: no key, or a content of over 32 KiB.
func Seal(to Key, gate string, bundle uint64, event kangma.EventID, content []byte) (Sealed, error) {
	if to.IsZero() || len(content) > maxPlain {
		return Sealed{}, errKey
	}
	public, err := hpke.NewDHKEMPublicKey(to.public)
	if err != nil {
		return Sealed{}, errKey.Because(err)
	}
	enc, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.AES128GCM(), []byte(info))
	if err != nil {
		return Sealed{}, errKey.Because(err)
	}
	s := Sealed{Event: event, Gate: gate, Bundle: bundle, Key: to.ID}
	ct, err := sender.Seal(s.binds(), pad(content))
	s.Text = append(enc, ct...)
	return s, err
}

// pad fills up with spaces: JSON may end in them.
func pad(content []byte) []byte {
	n := (len(content) + padding - 1) / padding * padding
	return append(bytes.Clone(content), bytes.Repeat([]byte{' '}, max(padding, n)-len(content))...)
}

// ErrSealed is a sealed passage that does not open: changed on its way, cut off, or sealed for another gate, event or bundle.
var ErrSealed = kangma.E(kangma.Invalid, "queue_sealed", "the sealed passage does not open: it was changed, or sealed for another gate or event")

// Open gives the content, with the spaces that it was filled up with. ErrSealed: it does not open. kangma.Unavailable: the key's
// token did not answer.
func (s *Sealed) Open(key ecdh.KeyExchanger) ([]byte, error) {
	if n := len(s.Text); n < encSize+padding+tagSize || n > MaxSealed || (n-encSize-tagSize)%padding != 0 || len(s.Gate) > MaxGate {
		return nil, ErrSealed
	}
	private, err := hpke.NewDHKEMPrivateKey(key)
	if err != nil {
		return nil, errKey.Because(err)
	}
	r, err := hpke.NewRecipient(s.Text[:encSize], private, hpke.HKDFSHA256(), hpke.AES128GCM(), []byte(info))
	if kangma.KindOf(err) == kangma.Unavailable {
		return nil, err
	}
	if err != nil {
		return nil, ErrSealed.Because(err)
	}
	content, err := r.Open(s.binds(), s.Text[encSize:])
	if err != nil {
		return nil, ErrSealed.Because(err)
	}
	return content, nil
}
