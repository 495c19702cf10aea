package codegen

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/kangma/kangma"
)

// HealthCertPrefix begins an EU digital COVID certificate (HCERT 1.3). Kangma reads them as foreign documents and never
// writes them.
const HealthCertPrefix = "HC1:"

// IsHealthCert reports whether a text claims to be an EU digital COVID certificate.
func IsHealthCert(text string) bool { return strings.HasPrefix(text, HealthCertPrefix) }

// HealthCertKeyID is the key id of a document signer, as bytes: the first 8 of the SHA-256 of its certificate (DER).
// Some issuers use ids of other lengths.
type HealthCertKeyID string

func (id HealthCertKeyID) String() string { return hex.EncodeToString([]byte(id)) }

// MarshalText gives lower-case hexadecimal digits.
func (id HealthCertKeyID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// HealthCert is what an EU digital COVID certificate says.
type HealthCert struct {
	Key       HealthCertKeyID   `json:"key"`
	Algorithm string            `json:"algorithm"`        // ES256 or PS256
	Country   string            `json:"country"`          // issuer as the code names it: mostly an ISO 3166 code
	Signer    string            `json:"signer,omitempty"` // country of the signer's certificate; set by Verify
	Issued    time.Time         `json:"issued,omitzero"`
	Expires   time.Time         `json:"expires"`
	Version   string            `json:"version"` // of the content's schema
	Name      kangma.Name       `json:"name"`    // masked wherever it is printed
	Born      string            `json:"-"`       // as given: a date, a month or a year
	Entries   []HealthCertEntry `json:"entries"`

	// Flaws says what does not follow the schema of these certificates, or is dated before its signer's certificate, by field: it is genuine all the same, and a matter for
	// whoever decides about foreign documents.
	Flaws []string `json:"flaws,omitempty"`
}

// HealthCertType says what an entry certifies.
type HealthCertType string

// The three kinds of entry.
const (
	CertVaccination HealthCertType = "vaccination"
	CertTest        HealthCertType = "test"
	CertRecovery    HealthCertType = "recovery"
)

// HealthCertEntry is one certified fact. Codes are those of the EU value sets; fields that a type does not have are empty.
type HealthCertEntry struct {
	Type    HealthCertType `json:"type"`
	Disease string         `json:"disease"`             // tg, SNOMED CT: 840539006 is COVID-19
	Date    string         `json:"date"`                // of vaccination (dt), sampling (sc) or first positive test (fr)
	From    string         `json:"from,omitempty"`      // recovery: valid from (df)
	Until   string         `json:"until,omitempty"`     // recovery: valid until (du)
	Product string         `json:"product,omitempty"`   // mp, or the test's type (tt)
	Result  string         `json:"result,omitempty"`    // tr: 260415000 not detected, 260373001 detected
	Dose    int            `json:"dose,omitempty"`      // dn
	Doses   int            `json:"doses,omitempty"`     // sd
	Country string         `json:"country"`             // co
	Issuer  string         `json:"issuer"`              // is
	ID      string         `json:"certificate_id"`      // ci
	Method  string         `json:"test_name,omitempty"` // nm or ma of a test
}

// HealthCertKey is a trusted document signer.
type HealthCertKey struct {
	ID      HealthCertKeyID
	Public  crypto.PublicKey // *ecdsa.PublicKey on P-256, P-384 or P-521 (ES256) or *rsa.PublicKey (PS256)
	Country string           // of the signer's certificate, for information: issuers name themselves freely in the code
	From    time.Time        // not trusted yet before this; codes may be dated earlier, as those of countries that renewed a certificate are
	Until   time.Time        // signed nothing after this; zero: no end
	Types   []HealthCertType // what it may sign; empty: everything
}

// The extended key usages of document signers restrict what they sign (eHealth network, certificate governance 2021).
// Both arcs were published and both are in use.
var signerUsages = map[string]HealthCertType{
	"1.3.6.1.4.1.1847.2021.1.1": CertTest, "1.3.6.1.4.1.1847.2021.1.2": CertVaccination, "1.3.6.1.4.1.1847.2021.1.3": CertRecovery,
	"1.3.6.1.4.1.0.1847.2021.1.1": CertTest, "1.3.6.1.4.1.0.1847.2021.1.2": CertVaccination, "1.3.6.1.4.1.0.1847.2021.1.3": CertRecovery,
}

// HealthCertKeyOf takes the key out of a document signer's certificate. The caller decides whether to trust it.
func HealthCertKeyOf(cert *x509.Certificate) HealthCertKey {
	sum := sha256.Sum256(cert.Raw)
	k := HealthCertKey{ID: HealthCertKeyID(sum[:8]), Public: cert.PublicKey, From: cert.NotBefore, Until: cert.NotAfter}
	if len(cert.Subject.Country) > 0 {
		k.Country = cert.Subject.Country[0]
	}
	for _, oid := range cert.UnknownExtKeyUsage {
		if t, ok := signerUsages[oid.String()]; ok && !slices.Contains(k.Types, t) {
			k.Types = append(k.Types, t)
		}
	}
	return k
}

// HealthCertKeys verifies EU digital COVID certificates against a given list of document signers. It is immutable and
// may be used concurrently.
type HealthCertKeys struct {
	keys map[HealthCertKeyID][]HealthCertKey
	skew time.Duration
}

// NewHealthCertKeys makes the list; skew as in NewKeyring. kangma.Invalid: a key of another algorithm.
func NewHealthCertKeys(keys []HealthCertKey, skew time.Duration) (*HealthCertKeys, error) {
	h := &HealthCertKeys{keys: make(map[HealthCertKeyID][]HealthCertKey, len(keys)), skew: skewOf(skew)}
	for _, k := range keys {
		if algorithmOf(k.Public) == 0 {
			return nil, kangma.E(kangma.Invalid, "key_type", "a document signer's key is ECDSA on a NIST curve or RSA of 2048 to 8192 bits")
		}
		h.keys[k.ID] = append(h.keys[k.ID], k)
	}
	return h, nil
}

// COSE algorithms (RFC 9053).
const (
	algES256 = -7
	algPS256 = -37
)

// algorithmOf gives the algorithm of a key. It never comes from the message.
func algorithmOf(pub crypto.PublicKey) int64 {
	switch k := pub.(type) {
	case *ecdsa.PublicKey: // the algorithm names the hash, not the curve (RFC 9053 section 2.1); some signers use P-384
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521() {
			return algES256
		}
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n >= 2048 && n <= 8192 && k.E > 2 {
			return algPS256
		}
	}
	return 0
}

// Verify reads a certificate at the moment now: signature first, then content. The empty verdict means that it is
// genuine and in time; it is still a foreign document, which has no colour here (kangma.TellForeign is the gate's verdict).
// With expired and not_yet_valid the content is that of the genuine certificate, with any other verdict it is zero.
func (h *HealthCertKeys) Verify(text string, now time.Time) (HealthCert, kangma.CannotTell) {
	m, tell := openHealthCert(text)
	if tell != "" {
		return HealthCert{}, tell
	}
	candidates := h.keys[m.key]
	if len(candidates) == 0 {
		return HealthCert{}, kangma.TellUnknownKey
	}
	i := slices.IndexFunc(candidates, func(k HealthCertKey) bool { return m.signedBy(k.Public) })
	if i < 0 {
		return HealthCert{}, kangma.TellForged
	}
	key := candidates[i]
	c, ok := m.content()
	if !ok {
		return HealthCert{}, kangma.TellMalformed
	}
	if !key.maySign(&c) {
		return HealthCert{}, kangma.TellForged
	}
	c.Signer = key.Country
	if c.Issued.Before(key.From.Add(-h.skew)) {
		c.Flaws = append(c.Flaws, "iat: dated before the signer's certificate")
	}
	switch {
	case now.Before(c.Issued.Add(-h.skew)), now.Before(key.From.Add(-h.skew)):
		return c, kangma.TellNotYetValid
	case !now.Before(c.Expires.Add(h.skew)):
		return c, kangma.TellExpired
	}
	return c, ""
}

// maySign reports whether the key was entitled to what the certificate says.
func (k *HealthCertKey) maySign(c *HealthCert) bool {
	if !k.Until.IsZero() && c.Issued.After(k.Until) {
		return false
	}
	for _, e := range c.Entries {
		if len(k.Types) > 0 && !slices.Contains(k.Types, e.Type) {
			return false
		}
	}
	return true
}
