package feeds_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
)

func signers(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"ed": ed, "p256": p256}
}

func keysOf(s map[string]crypto.Signer) func(string) (feeds.Key, error) {
	return func(id string) (feeds.Key, error) {
		k, ok := s[id]
		if !ok {
			return feeds.Key{}, kangma.E(kangma.NotFound, "no_key", "")
		}
		return feeds.Key{ID: id, Provider: "lab-a", Public: k.Public(), From: hours(-100), Until: hours(100)}, nil
	}
}

func manifestOf(file string, records int) feeds.Manifest {
	sum := sha256.Sum256([]byte(file))
	return feeds.Manifest{Provider: "lab-a", Batch: "lab-a/7", Content: feeds.EvidenceContent, Format: feeds.NDJSON, Date: hours(-1), Count: records, SHA256: hex.EncodeToString(sum[:])}
}

func TestASignedManifestIsOpenedAndItsFileChecked(t *testing.T) {
	keys := signers(t)
	file := "{}\n\n{}\n"
	for id, k := range keys {
		signed, err := feeds.SignManifest(manifestOf(file, 2), id, k)
		if err != nil {
			t.Fatal(err)
		}
		m, err := feeds.OpenManifest(signed, keysOf(keys), now)
		if err != nil || m != manifestOf(file, 2) {
			t.Fatalf("%s: %v, %+v", id, err, m)
		}
		if err := m.Check(strings.NewReader(file)); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		for name, other := range map[string]string{"a record less": "{}\n", "a byte more": file + "\n", "another byte": strings.Replace(file, "{", "[", 1)} {
			if err := m.Check(strings.NewReader(other)); kangma.CodeOf(err) != "manifest_mismatch" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	csv := manifestOf("a;b\n1;2\n", 1)
	csv.Format = feeds.CSV
	if err := csv.Check(strings.NewReader("a;b\n1;2\n")); err != nil {
		t.Errorf("the header of a CSV is no record: %v", err)
	}
}

func TestAManifestThatIsNotSoundIsRefused(t *testing.T) {
	keys := signers(t)
	good := manifestOf("{}", 1)
	sign := func(id string, change func(*feeds.Manifest)) string {
		m := good
		change(&m)
		s, err := feeds.SignManifest(m, id, keys["ed"])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	sound := sign("ed", func(*feeds.Manifest) {})
	parts := strings.Split(sound, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","kid":"ed"}`)) + "." + parts[1] + "."
	for _, c := range []struct {
		name, signed string
		now          time.Time
		code         string
	}{
		{"nothing", "", now, "manifest_signature"},
		{"no signature", parts[0] + "." + parts[1] + ".", now, "manifest_signature"},
		{"algorithm none", none, now, "manifest_signature"},
		{"a changed payload", parts[0] + "." + parts[1][:len(parts[1])-2] + "AA." + parts[2], now, "manifest_signature"},
		{"an unknown key", sign("other", func(*feeds.Manifest) {}), now, "manifest_signature"},
		{"a key of another algorithm", sign("p256", func(*feeds.Manifest) {}), now, "manifest_signature"},
		{"the public key as a shared secret", withHMAC(t, good, keys["ed"].Public().(ed25519.PublicKey)), now, "manifest_signature"},
		{"a key not yet in use", sound, hours(-101), "manifest_key"},
		{"a key no longer in use", sound, hours(100), "manifest_key"},
		{"another provider's manifest", sign("ed", func(m *feeds.Manifest) { m.Provider, m.Batch = "lab-b", "lab-b/7" }), now, "manifest_provider"},
		{"a batch without its provider", sign("ed", func(m *feeds.Manifest) { m.Batch = "7" }), now, "manifest_content"},
		{"a future date", sign("ed", func(m *feeds.Manifest) { m.Date = hours(1) }), now, "manifest_content"},
		{"no date", sign("ed", func(m *feeds.Manifest) { m.Date = time.Time{} }), now, "manifest_content"},
		{"a negative count", sign("ed", func(m *feeds.Manifest) { m.Count = -1 }), now, "manifest_content"},
		{"a hash in capitals", sign("ed", func(m *feeds.Manifest) { m.SHA256 = strings.ToUpper(m.SHA256) }), now, "manifest_content"},
		{"an unknown content", sign("ed", func(m *feeds.Manifest) { m.Content = "rumours" }), now, "manifest_content"},
		{"an unknown format", sign("ed", func(m *feeds.Manifest) { m.Format = "xml" }), now, "manifest_content"},
		{"too large", strings.Repeat("x", 9<<10), now, "manifest_size"},
	} {
		if _, err := feeds.OpenManifest(c.signed, keysOf(keys), c.now); kangma.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
}

// withHMAC signs with the public key as if it were a shared secret, an old attack on verifiers that believe the header.
func withHMAC(t *testing.T, _ feeds.Manifest, secret []byte) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: secret, KeyID: "ed"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
