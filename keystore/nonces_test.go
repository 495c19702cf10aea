package keystore_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/kangma/kangma/keystore"
	"github.com/kangma/kangma/keystore/presign"
)

func TestAStockServesTheKeysForCodesAndEverySignatureCounts(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keys"), now)
	stock, err := presign.New(640)
	if err != nil {
		t.Fatal(err)
	}
	defer stock.Close()
	s.UseNonces(stock)
	digest := sha256.Sum256(nil)
	signer := func(p keystore.Purpose) (sig []byte, ok bool, public *ecdsa.PublicKey) {
		t.Helper()
		key, _, err := s.Signer(p, regions[0], now)
		if err != nil {
			t.Fatal(err)
		}
		fast, has := key.(interface {
			AppendSign(dst, digest []byte) ([]byte, bool)
		})
		if !has {
			t.Fatalf("%s: %T", p, key)
		}
		sig, ok = fast.AppendSign(nil, digest[:])
		return sig, ok, key.Public().(*ecdsa.PublicKey)
	}
	for range 3 {
		sig, ok, public := signer(keystore.PurposeCode)
		if !ok || !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
			t.Fatal("a bad signature")
		}
	}
	if _, ok, _ := signer(keystore.PurposeList); ok {
		t.Error("a list was signed with a drawn nonce")
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	keys, err := s.Keys(now)
	if err != nil {
		t.Fatal(err)
	}
	counted := uint64(0)
	for _, k := range keys {
		counted += k.Issued
	}
	if counted != 3 {
		t.Errorf("%d signatures counted, 3 made", counted)
	}
	s.UseNonces(nil)
	if _, ok, _ := signer(keystore.PurposeCode); ok {
		t.Error("signed with a drawn nonce after that was switched off")
	}
}
