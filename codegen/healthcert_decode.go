package codegen

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
)

const (
	// maxHealthCert is the capacity of the largest QR code in alphanumeric characters (ISO/IEC 18004, version 40-L).
	maxHealthCert = 4296
	// maxInflated bounds what a certificate may unpack to. Real ones have below 1 KiB.
	maxInflated = 16 << 10
)

// foreignCBOR reads what other issuers wrote: any map order, tagged dates and indefinite lengths happen; duplicate keys
// and deep nesting do not.
var foreignCBOR = mustDec(cbor.DecOptions{
	DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 12, MaxArrayElements: 128, MaxMapPairs: 64,
	TimeTag: cbor.DecTagIgnored, UTF8: cbor.UTF8DecodeInvalid,
})

// healthMessage is the COSE message of a certificate: nothing in it has been verified.
type healthMessage struct {
	protected, payload, signature []byte
	alg                           int64
	key                           HealthCertKeyID
	size                          int
}

// openHealthCert undoes the layers of HCERT (hcert_spec.md sections 4 and 5): prefix, Base45, zlib, COSE_Sign1.
func openHealthCert(text string) (m healthMessage, tell kangma.CannotTell) {
	rest, ok := strings.CutPrefix(text, HealthCertPrefix)
	if !ok {
		return m, kangma.TellNotOurs
	}
	if len(text) > maxHealthCert {
		return m, kangma.TellMalformed
	}
	packed, err := DecodeBase45(nil, rest)
	if err != nil {
		return m, kangma.TellMalformed
	}
	raw, ok := inflate(packed)
	if !ok {
		return m, kangma.TellMalformed
	}
	m.size = len(raw)
	// Issuers write the message untagged, as COSE_Sign1 (18) or also as CWT (61).
	raw = bytes.TrimPrefix(bytes.TrimPrefix(raw, []byte{0xd8, 61}), []byte{0xd2})
	var parts struct {
		_           struct{} `cbor:",toarray"`
		Protected   []byte
		Unprotected map[any]any
		Payload     []byte
		Signature   []byte
	}
	if len(raw) == 0 || raw[0] != 0x84 || foreignCBOR.Unmarshal(raw, &parts) != nil { // an array of 4, no other tag
		return m, kangma.TellMalformed
	}
	m.protected, m.payload, m.signature = parts.Protected, parts.Payload, parts.Signature
	protected := map[any]any{}
	if len(m.protected) > 0 && foreignCBOR.Unmarshal(m.protected, &protected) != nil {
		return m, kangma.TellMalformed
	}
	// What is protected wins over what anybody could have put beside it (hcert_spec.md 3.3.2).
	for _, header := range []map[any]any{parts.Unprotected, protected} {
		m.readHeader(header)
	}
	return m, ""
}

func (m *healthMessage) readHeader(header map[any]any) {
	if alg, ok := integer(header[uint64(1)]); ok {
		m.alg = alg
	}
	if kid, ok := header[uint64(4)].([]byte); ok {
		m.key = HealthCertKeyID(kid)
	}
}

// inflate unpacks a zlib stream of bounded size with nothing after it.
func inflate(packed []byte) ([]byte, bool) {
	in := bytes.NewReader(packed)
	z, err := zlib.NewReader(in)
	if err != nil {
		return nil, false
	}
	defer z.Close()
	out, err := io.ReadAll(io.LimitReader(z, maxInflated+1))
	return out, err == nil && len(out) <= maxInflated && in.Len() == 0
}

// signedBy verifies the signature with the algorithm of the key, which the message must name too.
func (m *healthMessage) signedBy(pub crypto.PublicKey) bool {
	alg := algorithmOf(pub)
	if alg == 0 || m.alg != alg {
		return false
	}
	protected := append(appendUint(nil, 2, uint64(len(m.protected))), m.protected...)
	digest := sha256.Sum256(appendToSign(nil, protected, m.payload))
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		return verifyRawSig(k, digest[:], m.signature)
	case *rsa.PublicKey:
		return rsa.VerifyPSS(k, crypto.SHA256, digest[:], m.signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}) == nil
	}
	return false
}

// content decodes the payload: a CWT with issuer (1), expiry (4), issue (6) and the certificate (-260, 1).
func (m *healthMessage) content() (c HealthCert, ok bool) {
	var cwt struct {
		Issuer  loose `cbor:"1,keyasint"`
		Expires any   `cbor:"4,keyasint"`
		Issued  any   `cbor:"6,keyasint"`
		HCert   struct {
			V1 dcc `cbor:"1,keyasint"`
		} `cbor:"-260,keyasint"`
	}
	// A field of another type than the schema's is left empty: the signature decides what is genuine, not the schema.
	var wrongType *cbor.UnmarshalTypeError
	if err := foreignCBOR.Unmarshal(m.payload, &cwt); err != nil && !errors.As(err, &wrongType) {
		return c, false
	}
	c.Key, c.Algorithm = m.key, map[int64]string{algES256: "ES256", algPS256: "PS256"}[m.alg]
	c.Country = string(cwt.Issuer)
	if cwt.Expires != nil { // none at all: long expired
		if c.Expires, ok = numericDate(cwt.Expires); !ok {
			return c, false
		}
	}
	c.Issued, _ = numericDate(cwt.Issued)
	return c, cwt.HCert.V1.fill(&c)
}

// dcc is the certificate's content (DCC.combined-schema.json 1.3). Numbers are any: issuers write 1 and 1.0.
type dcc struct {
	Version loose `cbor:"ver"`
	Name    struct {
		Family  loose `cbor:"fn"`
		FamilyT loose `cbor:"fnt"`
		Given   loose `cbor:"gn"`
		GivenT  loose `cbor:"gnt"`
	} `cbor:"nam"`
	Born  loose      `cbor:"dob"`
	Vacc  []dccEntry `cbor:"v"`
	Tests []dccEntry `cbor:"t"`
	Recov []dccEntry `cbor:"r"`
}

type dccEntry struct {
	Disease loose `cbor:"tg"`
	Country loose `cbor:"co"`
	Issuer  loose `cbor:"is"`
	ID      loose `cbor:"ci"`
	Given   loose `cbor:"dt"`
	Product loose `cbor:"mp"`
	Dose    any   `cbor:"dn"`
	Doses   any   `cbor:"sd"`
	Type    loose `cbor:"tt"`
	Test    loose `cbor:"nm"`
	Maker   loose `cbor:"ma"`
	Sampled loose `cbor:"sc"`
	Result  loose `cbor:"tr"`
	First   loose `cbor:"fr"`
	From    loose `cbor:"df"`
	Until   loose `cbor:"du"`
}

// loose is a text that some issuers write as a number (dates in milliseconds) or under a tag.
type loose string

// UnmarshalCBOR reads a text, a tagged text or a number; anything else leaves the field empty.
func (l *loose) UnmarshalCBOR(b []byte) error {
	*l = ""
	var tag cbor.RawTag
	if len(b) > 0 && b[0]>>5 == 6 && foreignCBOR.Unmarshal(b, &tag) == nil { // whatever the tag: a date is shown as written
		b = tag.Content
	}
	var v any
	if foreignCBOR.Unmarshal(b, &v) != nil {
		return nil
	}
	if s, ok := v.(string); ok {
		*l = loose(s)
	} else if n, ok := integer(v); ok {
		*l = loose(strconv.FormatInt(n, 10))
	}
	return nil
}

func (d *dcc) fill(c *HealthCert) bool {
	c.Version, c.Born, c.Flaws = string(d.Version), string(d.Born), d.flaws()
	full := strings.TrimSpace(string(d.Name.Family + " " + d.Name.Given))
	if full == "" {
		full = strings.TrimSpace(string(d.Name.FamilyT + " " + d.Name.GivenT))
	}
	if r := []rune(full); len(r) > 60 {
		full = string(r[:60])
	}
	c.Name, _ = kangma.NewName(full) // a certificate without a usable name is still a certificate
	for _, e := range d.Vacc {
		c.Entries = append(c.Entries, e.entry(CertVaccination, e.Given, e.Product, ""))
	}
	for _, e := range d.Tests {
		method := e.Test
		if method == "" {
			method = e.Maker
		}
		c.Entries = append(c.Entries, e.entry(CertTest, e.Sampled, e.Type, method))
	}
	for _, e := range d.Recov {
		c.Entries = append(c.Entries, e.entry(CertRecovery, e.First, "", ""))
	}
	return len(c.Entries) > 0
}

func (e *dccEntry) entry(t HealthCertType, date, product, method loose) HealthCertEntry {
	dose, _ := integer(e.Dose)
	doses, _ := integer(e.Doses)
	return HealthCertEntry{
		Type: t, Disease: string(e.Disease), Date: string(date), From: string(e.From), Until: string(e.Until),
		Product: string(product), Result: string(e.Result), Dose: int(dose), Doses: int(doses),
		Country: string(e.Country), Issuer: string(e.Issuer), ID: string(e.ID), Method: string(method),
	}
}

// integer reads a CBOR number that is whole and small.
func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case uint64:
		return int64(n), n < 1<<53
	case int64:
		return n, n > -1<<53
	case float64:
		return int64(n), n == math.Trunc(n) && math.Abs(n) < 1<<53
	}
	return 0, false
}

// numericDate reads seconds since 1970, cut to whole ones: issuers write fractions too.
func numericDate(v any) (time.Time, bool) {
	switch tagged := v.(type) { // tag 1 (or another) around the number
	case time.Time:
		v = tagged.Unix()
	case cbor.Tag:
		v = tagged.Content
	}
	if f, ok := v.(float64); ok {
		v = math.Floor(f)
	}
	n, ok := integer(v)
	if !ok || n <= 0 || n >= 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(n, 0).UTC(), true
}
