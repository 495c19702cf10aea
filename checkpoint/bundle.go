package checkpoint

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/json"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/queue"
	"github.com/kangma/kangma/codegen"
)

// Bundle is all that a gate needs to decide without a network: its own policy, the keys it trusts and, where there is
// one, the list of codes that are no longer what they say. It is opened from its signed form.
type Bundle struct {
	Number  uint64 // rises with each bundle; a gate never goes back
	Gate    Gate
	Issued  time.Time
	Expires time.Time // past it the gate is stale and only refers
	Trust   codegen.TrustList
	Status  *codegen.StatusList // nil: none
	Queue   queue.Key           // what the gate keeps is sealed to it
}

// bundleCBOR is the signed payload: CWT claims exp and iat (RFC 8392), then ours.
type bundleCBOR struct {
	Expires int64  `cbor:"4,keyasint"`
	Issued  int64  `cbor:"6,keyasint"`
	Number  uint64 `cbor:"-65538,keyasint"`
	Gate    []byte `cbor:"-65544,keyasint"` // JSON
	Trust   []byte `cbor:"-65545,keyasint"` // a signed trust list
	Status  []byte `cbor:"-65546,keyasint,omitempty"`
	Queue   []byte `cbor:"-65547,keyasint"` // SubjectPublicKeyInfo
}

const (
	offlineHours = 24
	trustLife    = 8 * 24 * time.Hour // longer than any gate may be without a network
)

// life gives how long a bundle of this policy is good for.
func (p Policy) life() time.Duration {
	if p.OfflineHours == 0 {
		return offlineHours * time.Hour
	}
	return time.Duration(p.OfflineHours) * time.Hour
}

var errBundle = kangma.E(kangma.Invalid, "bundle", "this is not a gate bundle")

// SignBundle makes the signed bundle of a gate with the list key, and a trust list in it. status is a signed status list or
// nil, to the key that passages are sealed to. The errors are those of PackBundle.
func SignBundle(key crypto.Signer, g Gate, trusted []codegen.VerifyKey, status []byte, to queue.Key, now time.Time) ([]byte, error) {
	now = now.UTC().Truncate(time.Second)
	// the second it was made in is the number of a trust list: it rises, on every node alike
	trust, err := codegen.TrustList{Number: uint64(now.Unix()), Issued: now, Expires: now.Add(trustLife), Keys: trusted}.Sign(key)
	if err != nil {
		return nil, err
	}
	return PackBundle(key, g, trust, status, to, now)
}

// PackBundle makes the signed bundle of a gate around a trust list and a status list (nil: none) that are signed already, and the
// key that passages are sealed to. Its number is the second it was made in. The errors are those of codegen.SignDocument;
// kangma.Invalid: no queue key.
func PackBundle(key crypto.Signer, g Gate, trust, status []byte, to queue.Key, now time.Time) ([]byte, error) {
	now = now.UTC().Truncate(time.Second)
	sealTo, err := to.SPKI()
	if err != nil {
		return nil, err
	}
	gate, err := json.Marshal(g)
	if err != nil {
		return nil, errBundle.Because(err)
	}
	payload, err := cbor.Marshal(bundleCBOR{Expires: now.Add(g.Policy.life()).Unix(), Issued: now.Unix(), Number: uint64(now.Unix()),
		Gate: gate, Trust: trust, Status: status, Queue: sealTo})
	if err != nil {
		return nil, errBundle.Because(err)
	}
	return codegen.SignDocument(key, codegen.TypeGateBundle, payload)
}

// OpenBundle verifies a signed bundle by the pinned list keys; an expired one opens, so that its gate can say that it is
// stale. kangma.Forbidden: forged. kangma.Invalid: not a bundle. kangma.Unavailable: the trust list in it has expired.
func OpenBundle(data []byte, keys []*ecdsa.PublicKey, now time.Time) (Bundle, error) {
	payload, err := codegen.VerifyDocument(data, codegen.TypeGateBundle, keys)
	if err != nil {
		return Bundle{}, err
	}
	var body bundleCBOR
	if err := bundleMode.Unmarshal(payload, &body); err != nil {
		return Bundle{}, errBundle.Because(err)
	}
	b := Bundle{Number: body.Number, Issued: time.Unix(body.Issued, 0).UTC(), Expires: time.Unix(body.Expires, 0).UTC()}
	if err := json.Unmarshal(body.Gate, &b.Gate); err != nil {
		return Bundle{}, errBundle.Because(err)
	}
	if err := b.Gate.Check(); err != nil || b.Number == 0 || !b.Issued.Before(b.Expires) {
		return Bundle{}, errBundle.Because(err)
	}
	if b.Queue, err = queue.ParseKey(body.Queue); err != nil {
		return Bundle{}, errBundle.Because(err)
	}
	if b.Trust, err = codegen.OpenTrustList(body.Trust, keys, 0, now, 0); err != nil {
		return Bundle{}, err
	}
	if len(body.Status) > 0 {
		if b.Status, err = codegen.OpenStatusList(body.Status, keys, 0, now, 0); err != nil && kangma.KindOf(err) != kangma.Unavailable {
			return Bundle{}, err // an expired list is no list: what needs one refers
		}
	}
	return b, nil
}

var bundleMode = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, MaxNestedLevels: 4,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, TagsMd: cbor.TagsForbidden,
	}.DecMode()
	if err != nil {
		panic(err) // constant options: fails at every start or never
	}
	return m
}()
