package codegen

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// RFC 6979, A.2.5: P-256 with SHA-256.
func TestTheNonceOfRFC6979(t *testing.T) {
	key := unhex(t, "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
	for message, want := range map[string]string{
		"sample": "A6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60",
		"test":   "D16B6AE827F17175E040871A1C7EC3500192C4C92677336EC2537ACAEE0008E0",
	} {
		digest := sha256.Sum256([]byte(message))
		if k := rfc6979(key, digest[:]); !bytes.Equal(k[:], unhex(t, want)) {
			t.Errorf("%s: nonce %X", message, k)
		}
	}
}

func TestAnOwnKeyRecognisesWhatItSigned(t *testing.T) {
	sign := func(key *ecdsa.PrivateKey, digest []byte) []byte {
		t.Helper()
		der, err := key.Sign(nil, digest, crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		sig, ok := fromDER(nil, der)
		if !ok {
			t.Fatal("no canonical form")
		}
		return sig
	}
	for i := range 50 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		own, err := newOwnKey(key)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte{byte(i)})
		if i == 0 {
			for j := range digest {
				digest[j] = 0xff // above the order: it is taken modulo n
			}
		}
		sig := sign(key, digest[:])
		if !own.made(digest[:], sig) {
			t.Fatalf("round %d: its own signature is not recognised", i)
		}
		if other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); own.made(digest[:], sign(other, digest[:])) {
			t.Fatalf("round %d: another key's signature is", i)
		}
		for bit := range 512 {
			bad := bytes.Clone(sig)
			bad[bit/8] ^= 1 << (bit % 8)
			if own.made(digest[:], bad) {
				t.Fatalf("round %d: a signature with bit %d changed is recognised", i, bit)
			}
		}
		digest[5] ^= 1
		if own.made(digest[:], sig) {
			t.Fatalf("round %d: the signature of another digest is recognised", i)
		}
	}
}

func TestAnOwnKeyLeavesRandomNoncesToTheVerification(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own, err := newOwnKey(key)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(nil)
	der, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	sig, ok := fromDER(nil, der)
	if !ok || own.made(digest[:], sig) || !verifySig(&key.PublicKey, digest[:], sig) {
		t.Error("a signature with a random nonce is good, and not recognised by its nonce")
	}
}

func BenchmarkOwnSignature(b *testing.B) {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	own, _ := newOwnKey(key)
	digest := sha256.Sum256(nil)
	der, _ := key.Sign(nil, digest[:], crypto.SHA256)
	sig, _ := fromDER(nil, der)
	b.Run("by its nonce", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !own.made(digest[:], sig) {
				b.Fatal("not recognised")
			}
		}
	})
	recent := NewRecent(1 << 26)
	tags, _ := recent.keyOf(&key.PublicKey)
	b.Run("by memory, with remembering", func(b *testing.B) {
		b.ReportAllocs()
		for i := uint64(0); b.Loop(); i++ {
			binary.LittleEndian.PutUint64(digest[:], i)
			recent.add(&tags, &digest, sig)
			if !recent.has(&tags, &digest, sig) {
				b.Fatal("not recognised")
			}
		}
		digest = sha256.Sum256(nil)
	})
	b.Run("by verification", func(b *testing.B) {
		for b.Loop() {
			if !verifySig(&key.PublicKey, digest[:], sig) {
				b.Fatal("refused")
			}
		}
	})
}
