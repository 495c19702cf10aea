package codegen

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"

	"github.com/kangma/kangma"
)

// maxSigners bounds one list; in 2022 all countries together had below a thousand.
const maxSigners = 10_000

// ParseHealthCertSigners reads a list of document signers in one of the forms they are handed around in: PEM
// certificates, one DER certificate, lines of Base64 DER, or the JSON of national back ends, {"certificates": [{"kid":
// Base64, "rawData": Base64 DER}]}. Whoever calls it has checked where the list comes from. Signers whose key cannot be
// used are left out and counted. kangma.Invalid: no usable signer in it.
func ParseHealthCertSigners(data []byte) (keys []HealthCertKey, left int, err error) {
	for _, s := range splitSigners(data) {
		k, ok := signerOf(s.der)
		if !ok {
			left++
			continue
		}
		if s.kid != "" {
			k.ID = s.kid
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, left, kangma.E(kangma.Invalid, "signers", "there is no usable signer's certificate in it (PEM, DER, Base64 or JSON with certificates)")
	}
	return keys, left, nil
}

// signerOf takes the key out of a certificate, also of one that is not quite as it should be.
func signerOf(der []byte) (HealthCertKey, bool) {
	cert, err := x509.ParseCertificate(der)
	if err != nil || algorithmOf(cert.PublicKey) == 0 {
		return looseSigner(der)
	}
	return HealthCertKeyOf(cert), true
}

type rawSigner struct {
	der []byte
	kid HealthCertKeyID // "": that of the certificate
}

func splitSigners(data []byte) (out []rawSigner) {
	if bytes.HasPrefix(data, []byte{0x30}) && len(data) > 1 && data[1] >= 0x80 { // a DER sequence; in text, '0' is not followed by such a byte
		return []rawSigner{{der: data}} // untrimmed: its last byte may well be that of a space
	}
	data = bytes.TrimSpace(data)
	if bytes.HasPrefix(data, []byte("{")) {
		return splitJSONSigners(data)
	}
	if bytes.Contains(data, []byte("-----BEGIN")) {
		for block, rest := pem.Decode(data); block != nil && len(out) < maxSigners; block, rest = pem.Decode(rest) {
			if block.Type == "CERTIFICATE" {
				out = append(out, rawSigner{der: block.Bytes})
			}
		}
		return out
	}
	// one certificate whose Base64 was broken into lines, without the marks of PEM
	if der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(data), nil))); err == nil {
		if _, ok := signerOf(der); ok {
			return []rawSigner{{der: der}}
		}
	}
	for line := range bytes.FieldsSeq(data) {
		if der, err := base64.StdEncoding.DecodeString(string(line)); err == nil && len(out) < maxSigners {
			out = append(out, rawSigner{der: der})
		}
	}
	return out
}

func splitJSONSigners(data []byte) (out []rawSigner) {
	var list struct {
		Certificates []struct {
			Kid     []byte `json:"kid"`
			RawData []byte `json:"rawData"`
		} `json:"certificates"`
	}
	if json.Unmarshal(data, &list) != nil || len(list.Certificates) > maxSigners {
		return nil
	}
	for _, c := range list.Certificates {
		out = append(out, rawSigner{der: c.RawData, kid: HealthCertKeyID(c.Kid)})
	}
	return out
}
