package feeds

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/kangma/kangma"
)

// Contents and formats of a file.
const (
	EvidenceContent = "evidence"
	PeopleContent   = "people"
	NDJSON          = "ndjson"
	CSV             = "csv"
)

// Manifest is what a provider says and signs of one file: whose it is, how much it holds, what its bytes are.
type Manifest struct {
	Provider string    `json:"provider"` // the feed's name; the Source of its evidence
	Batch    string    `json:"batch"`    // provider/name, by which the whole file can be taken back
	Content  string    `json:"content"`  // evidence or people
	Format   string    `json:"format"`   // ndjson or csv
	Date     time.Time `json:"date"`     // when the provider passed it on: Reported of lines that do not say
	Count    int       `json:"count"`    // records: lines that are not blank, without the header of a CSV
	SHA256   string    `json:"sha256"`   // of the file's bytes, 64 lower-case hexadecimal digits
}

// Key is a provider's public key: Ed25519 or ECDSA on P-256, good in [From, Until).
type Key struct {
	ID       string
	Provider string
	Public   crypto.PublicKey
	From     time.Time
	Until    time.Time // zero: no end
}

// maxManifest bounds a signed manifest.
const maxManifest = 8 << 10

var errManifest = kangma.E(kangma.Unauthorized, "manifest_signature", "the manifest is not signed by a key of a known provider; sign it with the registered key")

// OpenManifest reads a manifest signed as a compact JWS (RFC 7515) with EdDSA or ES256 and the key's id in kid. The
// signature is checked before anything of the content is read; the algorithm follows from the key. keys finds a key by id
// (kangma.NotFound if there is none). A signature that does not hold is Unauthorized, a key of another provider Forbidden,
// a manifest that says something impossible Invalid. Symmetric keys are not taken: whoever checks could also sign.
func OpenManifest(signed string, keys func(id string) (Key, error), now time.Time) (Manifest, error) {
	var m Manifest
	if len(signed) > maxManifest {
		return m, kangma.E(kangma.TooLarge, "manifest_size", "a signed manifest has at most 8 KiB")
	}
	jws, err := jose.ParseSignedCompact(strings.TrimSpace(signed), []jose.SignatureAlgorithm{jose.EdDSA, jose.ES256})
	if err != nil || len(jws.Signatures) != 1 {
		return m, errManifest.Because(err)
	}
	head := jws.Signatures[0].Header
	key, err := keys(head.KeyID)
	if kangma.KindOf(err) == kangma.NotFound && err != nil {
		return m, errManifest.Because(err)
	}
	if err != nil {
		return m, err
	}
	if alg, ok := algorithm(key.Public); !ok || string(alg) != head.Algorithm {
		return m, errManifest
	}
	payload, err := jws.Verify(key.Public)
	if err != nil {
		return m, errManifest.Because(err)
	}
	if now.Before(key.From) || !key.Until.IsZero() && !now.Before(key.Until) {
		return m, kangma.E(kangma.Unauthorized, "manifest_key", "the key that signed the manifest is not in use now; sign with the current key")
	}
	if err := strictJSON(payload, &m); err != nil {
		return Manifest{}, kangma.E(kangma.Invalid, "manifest_content", "the manifest is not one JSON object of the manifest format").Because(err)
	}
	if m.Provider != key.Provider {
		return Manifest{}, kangma.E(kangma.Forbidden, "manifest_provider", "the key belongs to another provider than the manifest names")
	}
	return m, m.check(now)
}

func algorithm(public crypto.PublicKey) (jose.SignatureAlgorithm, bool) {
	switch k := public.(type) {
	case ed25519.PublicKey:
		return jose.EdDSA, len(k) == ed25519.PublicKeySize
	case *ecdsa.PublicKey:
		return jose.ES256, k.Curve == elliptic.P256()
	}
	return "", false
}

// SignManifest signs a manifest as OpenManifest reads it. The key is an ed25519.PrivateKey or an *ecdsa.PrivateKey on P-256.
func SignManifest(m Manifest, keyID string, private crypto.Signer) (string, error) {
	alg, ok := algorithm(private.Public())
	if !ok {
		return "", kangma.E(kangma.Invalid, "manifest_key", "a manifest is signed with Ed25519 or with ECDSA on P-256")
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: private, KeyID: keyID}}, nil)
	if err != nil {
		return "", kangma.E(kangma.Invalid, "manifest_key", "the key cannot sign").Because(err)
	}
	payload, err := json.Marshal(m)
	if err != nil {
		return "", kangma.E(kangma.Invalid, "manifest_content", "the manifest cannot be written").Because(err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		return "", kangma.E(kangma.Invalid, "manifest_key", "the key cannot sign").Because(err)
	}
	return jws.CompactSerialize()
}

// check finds everything impossible in a manifest.
func (m Manifest) check(now time.Time) error {
	c := &check{now: now, latest: now.Add(MaxAhead)}
	c.text("provider", m.Provider, 60)
	if m.Provider == "" || strings.Contains(m.Provider, "/") {
		c.fault("provider", BadShape, "the feed's name, without a slash")
	}
	c.text("batch", m.Batch, 100)
	if rest, ok := strings.CutPrefix(m.Batch, m.Provider+"/"); !ok || rest == "" {
		c.fault("batch", BadShape, "the provider's name, a slash and the batch's own name")
	}
	c.oneOf("content", m.Content, []string{EvidenceContent, PeopleContent}, true)
	c.oneOf("format", m.Format, []string{NDJSON, CSV}, true)
	if m.Date.IsZero() {
		c.fault("date", Required, "when the file was made")
	}
	c.notFuture("date", m.Date)
	if m.Count < 0 {
		c.fault("count", OutOfRange, "how many records the file has")
	}
	if b, err := hex.DecodeString(m.SHA256); err != nil || len(b) != sha256.Size || strings.ToLower(m.SHA256) != m.SHA256 {
		c.fault("sha256", BadShape, "64 lower-case hexadecimal digits")
	}
	if len(c.faults) == 0 {
		return nil
	}
	e := kangma.E(kangma.Invalid, "manifest_content", "the manifest says something impossible")
	e.Faults = c.faults
	return e
}

// Check reads a whole file and compares it with the manifest: the bytes' SHA-256 and the number of records. It is done
// before any line is taken in.
func (m Manifest) Check(r io.Reader) error {
	h := sha256.New()
	lines := newLines(io.TeeReader(r, h))
	records := 0
	for lines.next() {
		records++
	}
	if lines.err != nil {
		return lines.err
	}
	if m.Format == CSV && records > 0 {
		records--
	}
	var faults []kangma.Fault
	if hex.EncodeToString(h.Sum(nil)) != m.SHA256 {
		faults = append(faults, kangma.Fault{Where: "sha256", Code: "mismatch", What: "the file's bytes are not those the manifest speaks of"})
	}
	if records != m.Count {
		faults = append(faults, kangma.Fault{Where: "count", Code: "mismatch", What: "the file has another number of records than the manifest says"})
	}
	if len(faults) == 0 {
		return nil
	}
	e := kangma.E(kangma.Invalid, "manifest_mismatch", "the file does not fit its manifest; send both again")
	e.Faults = faults
	return e
}

// strictJSON decodes exactly one JSON value without unknown fields.
func strictJSON(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return kangma.E(kangma.Invalid, "json_trailing", "something follows the JSON value")
	}
	return nil
}
