package codegen_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

func signerCertificate(t *testing.T) []byte {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "DSC", Country: []string{"XX"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestSignersAreReadInTheFormsTheyComeIn(t *testing.T) {
	a, b := signerCertificate(t), signerCertificate(t)
	sum := sha256.Sum256(a)
	id := codegen.HealthCertKeyID(sum[:8])
	blocks := func(ders ...[]byte) (out []byte) {
		for _, der := range ders {
			out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		}
		return out
	}
	lines := []byte(base64.StdEncoding.EncodeToString(a) + "\n" + base64.StdEncoding.EncodeToString(b) + "\n")
	inJSON, _ := json.Marshal(map[string]any{"certificates": []map[string]any{{"kid": []byte("12345678"), "rawData": a}, {"rawData": b}, {"rawData": []byte("x")}}})
	for _, tc := range []struct {
		name  string
		data  []byte
		keys  int
		left  int
		first codegen.HealthCertKeyID
	}{
		{"PEM", append([]byte("# two signers\n"), blocks(a, b)...), 2, 0, id}, {"DER", a, 1, 0, id}, {"Base64 lines", lines, 2, 0, id},
		{"JSON, with a key id of its own and one that is not a certificate", inJSON, 2, 1, "12345678"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			keys, left, err := codegen.ParseHealthCertSigners(tc.data)
			if err != nil || len(keys) != tc.keys || left != tc.left || keys[0].ID != tc.first || keys[0].Country != "XX" {
				t.Errorf("%d keys, %d left, %v: %+v", len(keys), left, err, keys)
			}
		})
	}
	for _, bad := range [][]byte{nil, []byte("{}"), []byte("hello"), bytes.Repeat([]byte{0x30, 0x82}, 9), blocks([]byte("x"))} {
		if _, _, err := codegen.ParseHealthCertSigners(bad); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzHealthCertSigners(f *testing.F) {
	f.Add([]byte("{\"certificates\":[{\"rawData\":\"AAAA\"}]}"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, _, err := codegen.ParseHealthCertSigners(data)
		if err == nil && len(keys) == 0 {
			t.Error("neither signers nor an error")
		}
	})
}
