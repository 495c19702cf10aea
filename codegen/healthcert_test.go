package codegen_test

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// sharedData finds a folder of real data that lies beside the repository and is never part of it.
func sharedData(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("KANGMA_SHARED")
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for ; dir != "/"; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
		}
		root = filepath.Join(dir, "..", "shared")
	}
	path := filepath.Join(root, "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there; the official test codes are read only where they are present", path)
	}
	return path
}

func packHC1(cose []byte) string {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.HuffmanOnly) // the level is a constant that exists
	w.Write(cose)
	w.Close()
	return codegen.HealthCertPrefix + string(codegen.AppendBase45(nil, b.Bytes()))
}

// hcert makes a certificate of our own test authority, with what the arguments change.
func hcert(t *testing.T, protected, unprotected map[int]any, claims map[any]any, sign func(digest []byte) []byte) string {
	t.Helper()
	enc := func(v any) []byte {
		b, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	head, payload := enc(protected), enc(claims)
	digest := sha256.Sum256(enc([]any{"Signature1", head, []byte{}, payload}))
	return packHC1(enc(cbor.Tag{Number: 18, Content: []any{head, unprotected, payload, sign(digest[:])}}))
}

func TestHealthCertificatesOfATestAuthority(t *testing.T) {
	key := newKey(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	kid, rsaKid := codegen.HealthCertKeyID("signer 1"), codegen.HealthCertKeyID("signer 2")
	keys, err := codegen.NewHealthCertKeys([]codegen.HealthCertKey{
		{ID: kid, Public: newKey(t).Public(), Country: "XX"}, // the same id, another key: all must be tried
		{ID: kid, Public: &key.PublicKey, Country: "XX", From: now.Add(-time.Hour), Until: now.Add(time.Hour), Types: []codegen.HealthCertType{codegen.CertTest}},
		{ID: rsaKid, Public: &rsaKey.PublicKey},
		{ID: "later", Public: &key.PublicKey, From: now.Add(time.Hour)},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	es256 := func(digest []byte) []byte { return rawSign(t, key, digest) }
	ps256 := func(digest []byte) []byte {
		sig, err := rsa.SignPSS(rand.Reader, rsaKey, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	claims := func(kind string, change ...any) map[any]any {
		entry := map[string]any{"tg": "840539006", "co": "XX", "is": "us", "ci": "URN:1", "sc": cbor.Tag{Number: 0, Content: "2022-11-04T08:00:00Z"}, "dn": 2.0}
		c := map[any]any{1: "XX", 4: now.Add(24 * time.Hour).Unix(), 6: now.Unix(), -260: map[int]any{1: map[string]any{
			"ver": "1.3.0", "nam": map[string]any{"fn": "Mustermann", "fnt": "MUSTERMANN"}, "dob": "1990", kind: []any{entry}}}}
		for i := 0; i+1 < len(change); i += 2 {
			c[change[i]] = change[i+1]
		}
		return c
	}
	good := map[int]any{1: -7, 4: []byte(kid)}
	for _, tc := range []struct {
		name string
		text string
		want kangma.CannotTell
	}{
		{"ES256", hcert(t, good, nil, claims("t"), es256), ""},
		{"PS256", hcert(t, map[int]any{1: -37, 4: []byte(rsaKid)}, nil, claims("v"), ps256), ""},
		{"key id unprotected only", hcert(t, map[int]any{1: -7}, map[int]any{4: []byte(kid)}, claims("t"), es256), ""},
		{"the protected key id wins", hcert(t, good, map[int]any{4: []byte(rsaKid)}, claims("t"), es256), ""},
		{"expiry as a float", hcert(t, good, nil, claims("t", 4, float64(now.Unix())+3600.5), es256), ""},
		{"unknown key", hcert(t, map[int]any{1: -7, 4: []byte("12345678")}, nil, claims("t"), es256), kangma.TellUnknownKey},
		{"no key id", hcert(t, map[int]any{1: -7}, nil, claims("t"), es256), kangma.TellUnknownKey},
		{"algorithm of another key", hcert(t, map[int]any{1: -37, 4: []byte(kid)}, nil, claims("t"), es256), kangma.TellForged},
		{"algorithm none", hcert(t, map[int]any{1: 0, 4: []byte(kid)}, nil, claims("t"), func([]byte) []byte { return nil }), kangma.TellForged},
		{"no algorithm", hcert(t, map[int]any{4: []byte(kid)}, nil, claims("t"), es256), kangma.TellForged},
		{"RSA id with an ECDSA signature", hcert(t, map[int]any{1: -7, 4: []byte(rsaKid)}, nil, claims("t"), es256), kangma.TellForged},
		{"a test key signs a vaccination", hcert(t, good, nil, claims("v"), es256), kangma.TellForged},
		{"an issuer that names itself otherwise", hcert(t, good, nil, claims("t", 1, "CNAM"), es256), ""},
		{"issued after the key's end", hcert(t, good, nil, claims("t", 6, now.Add(2*time.Hour).Unix()), es256), kangma.TellForged},
		{"issued days before the signer's certificate was renewed", hcert(t, good, nil, claims("t", 6, now.Add(-26*time.Hour).Unix()), es256), ""},
		{"a signer whose time has not come", hcert(t, map[int]any{1: -7, 4: []byte("later")}, nil, claims("t"), es256), kangma.TellNotYetValid},
		{"expired", hcert(t, good, nil, claims("t", 4, now.Add(-31*time.Second).Unix()), es256), kangma.TellExpired},
		{"issued in the future", hcert(t, good, nil, claims("t", 6, now.Add(time.Minute).Unix()), es256), kangma.TellNotYetValid},
		{"no expiry", hcert(t, good, nil, claims("t", 4, "soon"), es256), kangma.TellMalformed},
		{"no entry", hcert(t, good, nil, claims("x"), es256), kangma.TellMalformed},
		{"a bomb", codegen.HealthCertPrefix + bomb(), kangma.TellMalformed},
		{"not compressed", "HC1:" + string(codegen.AppendBase45(nil, []byte{0xd2, 0x84})), kangma.TellMalformed},
		{"no content", "HC1:", kangma.TellMalformed},
		{"of ours", "KM1:", kangma.TellNotOurs},
		{"too long", "HC1:" + strings.Repeat("0", 4296), kangma.TellMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, got := keys.Verify(tc.text, now)
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if early := slices.ContainsFunc(c.Flaws, func(f string) bool { return strings.HasPrefix(f, "iat:") }); early != (strings.Contains(tc.name, "renewed") || strings.Contains(tc.name, "not come")) {
				t.Errorf("dated before the signer's certificate: %v", early)
			}
			codegen.Inspect(tc.text)
		})
	}
}

// bomb packs a megabyte of zeros into a kilobyte.
func bomb() string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(make([]byte, 1<<20))
	w.Close()
	return string(codegen.AppendBase45(nil, b.Bytes()))
}

func rawSign(t *testing.T, key *ecdsa.PrivateKey, digest []byte) []byte {
	t.Helper()
	r, s, err := ecdsa.Sign(rand.Reader, key, digest)
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), new(big.Int).Set(s).FillBytes(make([]byte, 32))...)
}

func FuzzHealthCert(f *testing.F) {
	f.Add("HC1:NCFOXN%TS3DH")
	f.Add("HC1:" + bomb())
	key, err := codegen.NewHealthCertKeys(nil, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, tell := key.Verify(text, now); tell == "" {
			t.Error("accepted without any key")
		}
		codegen.Inspect(text)
	})
}

// Some issuers wrote dates as milliseconds or under a tag, and numbers for texts; what cannot be a text is left empty.
func TestTextsInOtherForms(t *testing.T) {
	key, kid := newKey(t), codegen.HealthCertKeyID("s")
	keys, err := codegen.NewHealthCertKeys([]codegen.HealthCertKey{{ID: kid, Public: &key.PublicKey}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for want, value := range map[string]any{
		"1613824496000": 1613824496000, "2021-02-20": cbor.Tag{Number: 1004, Content: "2021-02-20"}, "20th": cbor.Tag{Number: 0, Content: "20th"},
		"2021-02-20T12:34:56Z": cbor.Tag{Number: 0, Content: "2021-02-20T12:34:56Z"}, "x": "x", "": []int{1},
	} {
		entry := map[string]any{"sc": value, "ci": "URN:1", "dn": "two"}
		text := hcert(t, map[int]any{1: -7, 4: []byte(kid)}, nil, map[any]any{1: "XX", 4: now.Add(time.Hour).Unix(), -260: map[int]any{
			1: map[string]any{"ver": 1, "nam": nil, "t": []any{entry}}}}, func(d []byte) []byte { return rawSign(t, key, d) })
		got, tell := keys.Verify(text, now)
		if tell != "" || len(got.Entries) != 1 || got.Entries[0].Date != want || got.Entries[0].Dose != 0 {
			t.Errorf("%v: verdict %q, %+v", value, tell, got)
		}
	}
}

func sha256Of(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}
