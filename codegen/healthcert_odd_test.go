package codegen_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/kangma/kangma/codegen"
)

// What follows happens in the certificates of real signers.

func certificateOf(t *testing.T, public, private any, serial int64) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "DSC", Country: []string{"XX"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}}, public, private)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestSignersWithOddCertificates(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	rsaEncryption := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}
	pss := bytes.Clone(certificateOf(t, &rsaKey.PublicKey, key, 1))
	at := bytes.Index(pss, rsaEncryption)
	pss[at+8] = 0x0a // id-RSASSA-PSS
	negative := bytes.Clone(certificateOf(t, &key.PublicKey, key, 5))
	at = bytes.Index(negative, []byte{0x02, 0x01, 0x05})
	negative[at+2] = 0xfb
	for name, der := range map[string][]byte{"a key for RSASSA-PSS only": pss, "a negative serial number": negative} {
		t.Run(name, func(t *testing.T) {
			if c, err := x509.ParseCertificate(der); err == nil && c.PublicKey != nil {
				t.Fatal("crypto/x509 takes it: this tests nothing")
			}
			keys, left, err := codegen.ParseHealthCertSigners(der)
			if err != nil || left != 0 || len(keys) != 1 || keys[0].Country != "XX" || !keys[0].From.Equal(now.Add(-time.Hour)) || keys[0].Public == nil {
				t.Fatalf("%+v, %d left, %v", keys, left, err)
			}
		})
	}
	t.Run("a certificate that ends with the byte of a space", func(t *testing.T) {
		der := certificateOf(t, &key.PublicKey, key, 1)
		for !bytes.ContainsAny(der[len(der)-1:], " \n\t\r") {
			der = certificateOf(t, &key.PublicKey, key, 1)
		}
		if keys, left, err := codegen.ParseHealthCertSigners(der); err != nil || left != 0 || len(keys) != 1 {
			t.Errorf("%+v, %d left, %v", keys, left, err)
		}
	})
	t.Run("Base64 broken into lines", func(t *testing.T) {
		text := base64.StdEncoding.EncodeToString(negative)
		keys, _, err := codegen.ParseHealthCertSigners([]byte(text[:64] + "\n" + text[64:128] + "\r\n" + text[128:]))
		if err != nil || len(keys) != 1 {
			t.Errorf("%+v %v", keys, err)
		}
	})
	for _, bad := range [][]byte{pss[:len(pss)-1], append(bytes.Clone(negative), 0), {0x30, 0x80}, {0x30, 0x03, 0x02, 0x01, 0x05}} {
		if keys, _, err := codegen.ParseHealthCertSigners(bad); err == nil {
			t.Errorf("read from a damaged certificate: %+v", keys)
		}
	}
}

// The algorithm names the hash, not the curve: some signers sign ES256 with a key on P-384.
func TestAHealthCertificateSignedOnALargerCurve(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(digest []byte) []byte {
		r, s, err := ecdsa.Sign(rand.Reader, key, digest)
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 48)), s.FillBytes(make([]byte, 48))...)
	}
	kid := codegen.HealthCertKeyID("signer 3")
	keys, err := codegen.NewHealthCertKeys([]codegen.HealthCertKey{{ID: kid, Public: &key.PublicKey}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	claims := map[any]any{1: "ES", 4: now.Add(time.Hour).Unix(), -260: map[int]any{1: map[string]any{
		"ver": "1.3.0", "nam": map[string]any{"fnt": "X"}, "r": []any{map[string]any{"ci": "URN:1", "fr": "2022-01-01"}}}}}
	header := map[int]any{1: -7, 4: []byte(kid)}
	if _, tell := keys.Verify(hcert(t, header, nil, claims, sign), now); tell != "" {
		t.Errorf("verdict %q", tell)
	}
	if _, tell := keys.Verify(hcert(t, header, nil, claims, func(d []byte) []byte { s := sign(d); s[95] ^= 1; return s }), now); tell != "forged" {
		t.Errorf("a wrong signature: %q", tell)
	}
	delete(claims, 4)
	if _, tell := keys.Verify(hcert(t, header, nil, claims, sign), now); tell != "expired" {
		t.Errorf("without an expiry: %q", tell)
	}
}
