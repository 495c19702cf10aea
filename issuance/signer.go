package issuance

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"time"
)

// signerOf names a list key; nil: it cannot be told.
func signerOf(key crypto.Signer) []byte {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(spki)
	return sum[:]
}

// by reports whether a list was signed by this key.
func (l Signed) by(key crypto.Signer) bool {
	return l.Signer != nil && bytes.Equal(l.Signer, signerOf(key))
}

// next gives the number of the list that follows, and whether it is due: by age, or because the list key is another one since,
// which gates notice at once, as they trust a bundle and the lists in it by one key. Then the number does not wait for the
// next second.
func (l Signed) next(key crypto.Signer, now time.Time, each time.Duration) (number uint64, due bool) {
	number = uint64(now.Unix())
	if !l.by(key) {
		return max(number, l.Number+1), true
	}
	return number, now.Sub(l.Issued) >= each && number > l.Number
}
