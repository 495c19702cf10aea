package codegen_test

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
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

// euCode is one official test code (ehn-dcc-development/dgc-testdata).
type euCode struct {
	Text    string `json:"PREFIX"`
	Content struct {
		Born string          `json:"dob"`
		V    json.RawMessage `json:"v"`
		T    json.RawMessage `json:"t"`
		R    json.RawMessage `json:"r"`
	} `json:"JSON"`
	Context struct {
		Certificate string    `json:"CERTIFICATE"`
		Clock       time.Time `json:"VALIDATIONCLOCK"`
	} `json:"TESTCTX"`
	Want map[string]bool `json:"EXPECTEDRESULTS"`
}

func TestTheOfficialEUTestCodes(t *testing.T) {
	dir := sharedData(t, "eu-dcc")
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(files) == 0 {
		t.Fatal("no test codes in the folder")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var code euCode
			if err := json.Unmarshal(raw, &code); err != nil {
				t.Fatal(err)
			}
			checkEUCode(t, code)
		})
	}
}

func checkEUCode(t *testing.T, code euCode) {
	der, err := base64.StdEncoding.DecodeString(code.Context.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := codegen.NewHealthCertKeys([]codegen.HealthCertKey{codegen.HealthCertKeyOf(cert)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	got, tell := keys.Verify(code.Text, code.Context.Clock)
	wantTell := kangma.CannotTell("")
	if in, ok := code.Want["EXPECTEDEXPIRATIONCHECK"]; ok && !in {
		wantTell = kangma.TellExpired
	}
	if code.Want["EXPECTEDVERIFY"] && tell != wantTell {
		t.Fatalf("verdict %q, want %q", tell, wantTell)
	}
	if !code.Want["EXPECTEDVERIFY"] && tell == "" {
		t.Fatal("accepted")
	}
	if got.Born != code.Content.Born || got.Name.Reveal() == "" || len(got.Entries) == 0 || got.Entries[0].Date == "" || got.Entries[0].ID == "" {
		t.Errorf("content %+v", got)
	}
	if in := codegen.Inspect(code.Text); in.Format != "HC1" || in.Problem != "" || in.HealthCert == nil {
		t.Errorf("inspected %+v", in)
	}
	if _, tell := keys.Verify(code.Text, got.Expires.Add(time.Hour)); tell != kangma.TellExpired {
		t.Errorf("after its expiry: %q", tell)
	}
	mutateEU(t, keys, code)
}

// mutateEU changes the signed bytes in every position: none may be accepted.
func mutateEU(t *testing.T, keys *codegen.HealthCertKeys, code euCode) {
	packed, err := codegen.DecodeBase45(nil, code.Text[4:])
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < raw.Len(); i += 1 + i/16 { // the head byte by byte, then wider steps
		bad := bytes.Clone(raw.Bytes())
		bad[i] ^= 1 << (i % 8)
		if _, tell := keys.Verify(packHC1(bad), code.Context.Clock); tell == "" {
			t.Fatalf("byte %d changed and accepted", i)
		}
	}
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
	kid, rsaKid := codegen.HealthCertKeyID{1}, codegen.HealthCertKeyID{2}
	keys, err := codegen.NewHealthCertKeys([]codegen.HealthCertKey{
		{ID: kid, Public: newKey(t).Public(), Country: "XX"}, // the same id, another key: all must be tried
		{ID: kid, Public: &key.PublicKey, Country: "XX", Until: now.Add(time.Hour), Types: []codegen.HealthCertType{codegen.CertTest}},
		{ID: rsaKid, Public: &rsaKey.PublicKey},
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
	good := map[int]any{1: -7, 4: kid[:]}
	for _, tc := range []struct {
		name string
		text string
		want kangma.CannotTell
	}{
		{"ES256", hcert(t, good, nil, claims("t"), es256), ""},
		{"PS256", hcert(t, map[int]any{1: -37, 4: rsaKid[:]}, nil, claims("v"), ps256), ""},
		{"key id unprotected only", hcert(t, map[int]any{1: -7}, map[int]any{4: kid[:]}, claims("t"), es256), ""},
		{"the protected key id wins", hcert(t, good, map[int]any{4: rsaKid[:]}, claims("t"), es256), ""},
		{"expiry as a float", hcert(t, good, nil, claims("t", 4, float64(now.Unix())+3600.5), es256), ""},
		{"unknown key", hcert(t, map[int]any{1: -7, 4: []byte("12345678")}, nil, claims("t"), es256), kangma.TellUnknownKey},
		{"no key id", hcert(t, map[int]any{1: -7}, nil, claims("t"), es256), kangma.TellUnknownKey},
		{"algorithm of another key", hcert(t, map[int]any{1: -37, 4: kid[:]}, nil, claims("t"), es256), kangma.TellForged},
		{"algorithm none", hcert(t, map[int]any{1: 0, 4: kid[:]}, nil, claims("t"), func([]byte) []byte { return nil }), kangma.TellForged},
		{"no algorithm", hcert(t, map[int]any{4: kid[:]}, nil, claims("t"), es256), kangma.TellForged},
		{"RSA id with an ECDSA signature", hcert(t, map[int]any{1: -7, 4: rsaKid[:]}, nil, claims("t"), es256), kangma.TellForged},
		{"a test key signs a vaccination", hcert(t, good, nil, claims("v"), es256), kangma.TellForged},
		{"another country", hcert(t, good, nil, claims("t", 1, "YY"), es256), kangma.TellForged},
		{"issued after the key's end", hcert(t, good, nil, claims("t", 6, now.Add(2*time.Hour).Unix()), es256), kangma.TellForged},
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
			if _, got := keys.Verify(tc.text, now); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
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
