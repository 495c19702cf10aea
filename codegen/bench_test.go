package codegen_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-jose/go-jose/v4"
	qrcode "github.com/skip2/go-qrcode"
	"github.com/veraison/go-cose"

	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/internal/cputime"
)

// BenchmarkCode runs ours and what it is compared with in one run; the ratios in docs/code-format.md come from it:
//
//	go test ./codegen -run '^$' -bench BenchmarkCode -count 6
func BenchmarkCode(b *testing.B) {
	d := newDesk(b, shenzhen)
	code := d.issue(b, dynamic()).Text
	strict, err := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{d.subject}, Keys: d.keyring})
	if err != nil {
		b.Fatal(err)
	}
	own, err := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{d.subject}, Keys: d.keyring, Own: []*ecdsa.PrivateKey{d.key}})
	if err != nil {
		b.Fatal(err)
	}
	last, first := d.shown(b, 2879), d.shown(b, 0)
	lastSlot := now.Add(2879 * codegen.SlotLength)
	run := func(name string, f func() bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			start := cputime.Process()
			for b.Loop() {
				if !f() {
					b.Fatal("failed")
				}
			}
			b.ReportMetric(float64(cputime.Process()-start)/1e3/float64(b.N), "cpu-µs/op")
		})
	}
	digest := sha256.Sum256([]byte(code))
	der, _ := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	run("issue/bare-ECDSA-sign", func() bool { _, err := d.key.Sign(rand.Reader, digest[:], crypto.SHA256); return err == nil })
	run("issue/ours", func() bool { _, err := d.issuer.Issue(dynamic()); return err == nil })
	drawing, remembering := d.drawing(b, d.keyring)
	run("issue/ours-nonce-drawn-when-asked", func() bool { _, err := drawing.Issue(dynamic()); return err == nil })
	goCose := newGoCose(b, d)
	run("issue/go-cose", func() bool { return goCose.issue() != "" })
	jws := newJWS(b, d)
	run("issue/JWS", func() bool { return jws.issue() != "" })

	run("offline/bare-ECDSA-verify", func() bool { return ecdsa.VerifyASN1(&d.key.PublicKey, digest[:], der) })
	run("offline/ours", func() bool { _, tell := d.keyring.Verify(code, now); return tell == "" })
	cosed, signed := goCose.issue(), jws.issue()
	run("offline/go-cose", func() bool { return goCose.verify(cosed) })
	run("offline/JWS", func() bool { return jws.verify(signed) })
	run("offline/ours-credential-first-slot", func() bool { _, tell := d.keyring.Verify(first, now); return tell == "" })
	run("offline/ours-credential-last-slot", func() bool { _, tell := d.keyring.Verify(last, lastSlot); return tell == "" })

	run("online/ours", func() bool { _, tell := d.opener.Open(code, now); return tell == "" })
	run("online/ours-and-own-signature", func() bool { _, tell := own.Open(code, now); return tell == "" })
	remembered, err := drawing.Issue(dynamic())
	if err != nil {
		b.Fatal(err)
	}
	run("online/ours-and-remembered", func() bool { _, tell := remembering.Open(remembered.Text, now); return tell == "" })
	run("online/ours-and-signature", func() bool { _, tell := strict.Open(code, now); return tell == "" })
	run("online/ours-credential-last-slot", func() bool { _, tell := d.opener.Open(last, lastSlot); return tell == "" })
}

// BenchmarkDraw compares our SVG and PNG with the library that makes the matrix.
func BenchmarkDraw(b *testing.B) {
	d := newDesk(b, shenzhen)
	code := d.issue(b, dynamic())
	for _, tc := range []struct {
		name string
		f    func() error
	}{
		{"skip2-bitmap", func() error {
			q, err := qrcode.New(code.Text, qrcode.Medium)
			if err == nil {
				q.Bitmap()
			}
			return err
		}},
		{"ours-SVG", func() error { _, err := codegen.SVG(code.Text, codegen.LookOf(code.Claims)); return err }},
		{"skip2-PNG", func() error { _, err := qrcode.Encode(code.Text, qrcode.Medium, 8*61); return err }},
		{"ours-PNG", func() error { _, err := codegen.PNG(code.Text, codegen.LookOf(code.Claims)); return err }},
	} {
		b.Run(tc.name, func(b *testing.B) {
			b.ReportAllocs()
			start := cputime.Process()
			defer func() { b.ReportMetric(float64(cputime.Process()-start)/1e3/float64(b.N), "cpu-µs/op") }()
			for b.Loop() {
				if err := tc.f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// claimsForOthers is what a code says, in the form the other libraries encode.
type claimsForOthers struct {
	Issuer   string `cbor:"1,keyasint" json:"iss"`
	Expires  int64  `cbor:"4,keyasint" json:"exp"`
	Issued   int64  `cbor:"6,keyasint" json:"iat"`
	Kind     int    `cbor:"-65537,keyasint" json:"kind"`
	Colour   int    `cbor:"-65538,keyasint" json:"colour"`
	Negative int64  `cbor:"-65539,keyasint" json:"negative"`
	Name     string `cbor:"-65540,keyasint" json:"name"`
	Tail     string `cbor:"-65541,keyasint" json:"tail"`
	Subject  []byte `cbor:"-65542,keyasint" json:"sub"`
}

func forOthers() claimsForOthers {
	c := dynamic()
	return claimsForOthers{"440300", c.Expires.Unix(), c.Issued.Unix(), 1, 2, c.LatestNegative.Unix(), c.MaskedName, c.IDTail, make([]byte, 32)}
}

type goCoser struct {
	b        testing.TB
	signer   cose.Signer
	verifier cose.Verifier
	kid      codegen.KeyID
}

func newGoCose(b testing.TB, d *desk) *goCoser {
	signer, err := cose.NewSigner(cose.AlgorithmES256, d.key)
	if err != nil {
		b.Fatal(err)
	}
	verifier, err := cose.NewVerifier(cose.AlgorithmES256, &d.key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	return &goCoser{b, signer, verifier, d.issuer.KeyID()}
}

func (g *goCoser) issue() string {
	payload, err := cbor.Marshal(forOthers())
	if err != nil {
		g.b.Fatal(err)
	}
	headers := cose.Headers{Protected: cose.ProtectedHeader{cose.HeaderLabelAlgorithm: cose.AlgorithmES256, cose.HeaderLabelKeyID: g.kid[:]}}
	raw, err := cose.Sign1(rand.Reader, g.signer, headers, payload, nil)
	if err != nil {
		g.b.Fatal(err)
	}
	return encode(raw)
}

func (g *goCoser) verify(text string) bool {
	raw, err := codegen.DecodeBase45(nil, text[len(codegen.Prefix):])
	if err != nil {
		return false
	}
	var m cose.Sign1Message
	if m.UnmarshalCBOR(raw) != nil || m.Verify(nil, g.verifier) != nil {
		return false
	}
	var c claimsForOthers
	return cbor.Unmarshal(m.Payload, &c) == nil && c.Expires > now.Unix()
}

type joser struct {
	b      testing.TB
	signer jose.Signer
	public *ecdsa.PublicKey
}

func newJWS(b testing.TB, d *desk) *joser {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: d.key}, nil)
	if err != nil {
		b.Fatal(err)
	}
	return &joser{b, signer, &d.key.PublicKey}
}

func (j *joser) issue() string {
	payload, err := json.Marshal(forOthers())
	if err != nil {
		j.b.Fatal(err)
	}
	m, err := j.signer.Sign(payload)
	if err != nil {
		j.b.Fatal(err)
	}
	text, err := m.CompactSerialize()
	if err != nil {
		j.b.Fatal(err)
	}
	return text
}

func (j *joser) verify(text string) bool {
	m, err := jose.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return false
	}
	payload, err := m.Verify(j.public)
	var c claimsForOthers
	return err == nil && json.Unmarshal(payload, &c) == nil && c.Expires > now.Unix()
}
