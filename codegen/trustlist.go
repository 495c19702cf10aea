package codegen

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// TrustList says which keys sign codes. It is signed by a root key that gates pin, and its number only rises.
type TrustList struct {
	Number  uint64
	Issued  time.Time
	Expires time.Time
	Keys    []VerifyKey
}

// maxTrusted bounds the keys of one list: three purposes for each of 400 regions and a year of weeks is well below.
const maxTrusted = 65536

// trustListCBOR is the payload of a trust list, see docs/code-format.md.
type trustListCBOR struct {
	Expires int64            `cbor:"4,keyasint"`
	Issued  int64            `cbor:"6,keyasint"`
	Number  uint64           `cbor:"-65538,keyasint"`
	Keys    []trustedKeyCBOR `cbor:"-65539,keyasint"`
}

type trustedKeyCBOR struct {
	_      struct{} `cbor:",toarray"`
	SPKI   []byte
	Region string
	From   int64
	Until  int64
	State  uint8
}

// Sign makes the signed form of the list. kangma.Invalid: no number or no life.
func (l TrustList) Sign(root crypto.Signer) ([]byte, error) {
	if l.Number == 0 || !l.Issued.Before(l.Expires) || len(l.Keys) > maxTrusted {
		return nil, kangma.E(kangma.Invalid, "trust_list", "a trust list has a number from 1, a time of issue and a later expiry")
	}
	body := trustListCBOR{Expires: l.Expires.Unix(), Issued: l.Issued.Unix(), Number: l.Number}
	for _, k := range l.Keys {
		spki, err := x509.MarshalPKIXPublicKey(k.Public)
		if err != nil {
			return nil, errKeyType.Because(err)
		}
		body.Keys = append(body.Keys, trustedKeyCBOR{SPKI: spki, Region: k.Region.String(), From: k.From.Unix(), Until: k.Until.Unix(), State: uint8(k.State)})
	}
	slices.SortFunc(body.Keys, func(a, b trustedKeyCBOR) int { return bytes.Compare(a.SPKI, b.SPKI) })
	payload, err := canonicalCBOR.Marshal(body)
	if err != nil {
		return nil, kangma.E(kangma.Internal, "trust_list", "the trust list could not be written").Because(err)
	}
	return SignDocument(root, TypeTrustList, payload)
}

// OpenTrustList verifies a signed list against the pinned roots. after is the number of the newest list known (0: none):
// an older one is refused, the same one is not. Besides the errors of VerifyDocument: kangma.Conflict with code
// trust_list_old: it would go back; kangma.Unavailable with code trust_list_expired, and with code trust_list_early when
// it was issued more than the skew in the future (somebody's clock is off).
func OpenTrustList(data []byte, roots []*ecdsa.PublicKey, after uint64, now time.Time, skew time.Duration) (TrustList, error) {
	payload, err := VerifyDocument(data, TypeTrustList, roots)
	if err != nil {
		return TrustList{}, err
	}
	var body trustListCBOR
	if err := strictCBOR.Unmarshal(payload, &body); err != nil {
		return TrustList{}, errDocBad.Because(err)
	}
	l := TrustList{Number: body.Number, Issued: time.Unix(body.Issued, 0).UTC(), Expires: time.Unix(body.Expires, 0).UTC()}
	if err := checkNumbered("trust_list", l.Number, after, l.Issued, l.Expires, now, skewOf(skew)); err != nil {
		return TrustList{}, err
	}
	if body.Keys == nil {
		return TrustList{}, errDocBad
	}
	for _, k := range body.Keys {
		key, err := k.key()
		if err != nil {
			return TrustList{}, err
		}
		l.Keys = append(l.Keys, key)
	}
	return l, nil
}

// checkNumbered refuses a numbered document that goes back, is too old or comes from the future.
func checkNumbered(what string, number, after uint64, issued, expires, now time.Time, skew time.Duration) error {
	switch {
	case number == 0 || !issued.Before(expires):
		return errDocBad
	case number < after:
		return kangma.E(kangma.Conflict, what+"_old", "a newer list is known; an older one is never taken back")
	case now.Before(issued.Add(-skew)):
		return kangma.E(kangma.Unavailable, what+"_early", "the list was issued in the future: the clock is off")
	case !now.Before(expires.Add(skew)):
		return kangma.E(kangma.Unavailable, what+"_expired", "the list has expired; synchronise")
	}
	return nil
}

func (k trustedKeyCBOR) key() (VerifyKey, error) {
	pub, err := x509.ParsePKIXPublicKey(k.SPKI)
	if err != nil {
		return VerifyKey{}, errDocBad.Because(err)
	}
	ec, ok := pub.(*ecdsa.PublicKey)
	if !ok || k.State > uint8(VerifyOnly) {
		return VerifyKey{}, errDocBad
	}
	region, err := kangma.ParseDivision(k.Region)
	if err != nil {
		return VerifyKey{}, errDocBad.Because(err)
	}
	return VerifyKey{Public: ec, Region: region, From: time.Unix(k.From, 0).UTC(), Until: time.Unix(k.Until, 0).UTC(), State: KeyState(k.State)}, nil
}

// Keyring makes the Keyring of the list; skew as in NewKeyring.
func (l TrustList) Keyring(skew time.Duration) (*Keyring, error) { return NewKeyring(l.Keys, skew) }

// jwk is a JSON Web Key (RFC 7517, 7518 section 6.2) with members of ours, which others ignore.
type jwk struct {
	Kty    string          `json:"kty"`
	Crv    string          `json:"crv"`
	X      string          `json:"x"`
	Y      string          `json:"y"`
	Kid    KeyID           `json:"kid"`
	Use    string          `json:"use"`
	Alg    string          `json:"alg"`
	Region kangma.Division `json:"kangma_region"`
	From   int64           `json:"kangma_from"` // Unix seconds: signs from, until
	Until  int64           `json:"kangma_until"`
	State  KeyState        `json:"kangma_state"`
}

// JWKS gives the list as a JSON Web Key Set. Retired keys are left out: who reads only this must not accept them.
func (l TrustList) JWKS() ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range l.Keys {
		if k.State == Retired {
			continue
		}
		id, err := KeyIDOf(k.Public)
		if err != nil {
			return nil, err
		}
		point, err := k.Public.Bytes() // 4, X, Y
		if err != nil {
			return nil, errKeyType.Because(err)
		}
		b64 := base64.RawURLEncoding.EncodeToString
		set.Keys = append(set.Keys, jwk{
			Kty: "EC", Crv: "P-256", X: b64(point[1:33]), Y: b64(point[33:]), Kid: id, Use: "sig", Alg: "ES256",
			Region: k.Region, From: k.From.Unix(), Until: k.Until.Unix(), State: k.State,
		})
	}
	return json.Marshal(set)
}
