package codegen

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"time"
)

// Document signers' certificates were made by many hands: version 1, negative serial numbers, keys marked for RSASSA-PSS
// only. crypto/x509 refuses some of them. What a list of trusted signers needs of a certificate is its key, its time and
// its country, so those are read here by themselves. Nothing is verified in either case: being on the list is the trust.

// looseCertificate is the outline of RFC 5280 section 4.1.
type looseCertificate struct {
	TBS struct {
		Version    asn1.RawValue `asn1:"optional,explicit,tag:0"`
		Serial     asn1.RawValue
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		Validity   struct{ From, Until time.Time }
		Subject    asn1.RawValue
		SPKI       looseSPKI
		Rest1      asn1.RawValue `asn1:"optional,tag:1"`
		Rest2      asn1.RawValue `asn1:"optional,tag:2"`
		Extensions asn1.RawValue `asn1:"optional,tag:3"`
	}
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

type looseSPKI struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

var (
	oidRSAPSS   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidCountry  = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidExtUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// looseSigner reads a signer that crypto/x509 does not take.
func looseSigner(der []byte) (k HealthCertKey, ok bool) {
	var c looseCertificate
	if rest, err := asn1.Unmarshal(der, &c); err != nil || len(rest) > 0 {
		return k, false
	}
	sum := sha256.Sum256(der)
	k = HealthCertKey{ID: HealthCertKeyID(sum[:8]), From: c.TBS.Validity.From.UTC(), Until: c.TBS.Validity.Until.UTC()}
	if k.Public = c.TBS.SPKI.public(); algorithmOf(k.Public) == 0 {
		return k, false
	}
	var subject pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.TBS.Subject.FullBytes, &subject); err == nil {
		for _, set := range subject {
			for _, at := range set {
				if text, isText := at.Value.(string); isText && at.Type.Equal(oidCountry) {
					k.Country = text
				}
			}
		}
	}
	k.Types = usagesOf(c.TBS.Extensions.Bytes)
	return k, true
}

// public gives the key; one that is marked for RSASSA-PSS is an RSA key.
func (s looseSPKI) public() crypto.PublicKey {
	if s.Algorithm.Algorithm.Equal(oidRSAPSS) {
		if key, err := x509.ParsePKCS1PublicKey(s.Key.Bytes); err == nil {
			return key
		}
		return nil
	}
	der, err := asn1.Marshal(s)
	if err != nil {
		return nil
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil
	}
	return key
}

// usagesOf reads what the extended key usages among the extensions let a signer sign.
func usagesOf(extensions []byte) (types []HealthCertType) {
	var all []pkix.Extension
	if _, err := asn1.Unmarshal(extensions, &all); err != nil {
		return nil
	}
	for _, e := range all {
		var oids []asn1.ObjectIdentifier
		if !e.Id.Equal(oidExtUsage) {
			continue
		}
		if _, err := asn1.Unmarshal(e.Value, &oids); err != nil {
			continue
		}
		for _, oid := range oids {
			if t, ok := signerUsages[oid.String()]; ok {
				types = append(types, t)
			}
		}
	}
	return types
}
