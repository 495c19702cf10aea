package codegen

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"
)

func TestRecentKnowsWhatWasAddedAndNothingElse(t *testing.T) {
	r := NewRecent(1 << 16) // 4096 places
	one, other := keyFor(t, r), keyFor(t, r)
	digest := sha256.Sum256(nil)
	var sig [64]byte
	rand.Read(sig[:])
	if r.has(&one, &digest, sig[:]) {
		t.Fatal("it is empty")
	}
	r.add(&one, &digest, sig[:])
	if !r.has(&one, &digest, sig[:]) {
		t.Fatal("what was added is not there")
	}
	if r.has(&other, &digest, sig[:]) {
		t.Error("another key's")
	}
	if s := keyFor(t, NewRecent(1<<16)); r.has(&s, &digest, sig[:]) {
		t.Error("hashes of another process")
	}
	for bit := range 512 {
		sig[bit/8] ^= 1 << (bit % 8)
		if r.has(&one, &digest, sig[:]) {
			t.Fatalf("signature with bit %d changed", bit)
		}
		sig[bit/8] ^= 1 << (bit % 8)
	}
	for bit := range 256 {
		digest[bit/8] ^= 1 << (bit % 8)
		if r.has(&one, &digest, sig[:]) {
			t.Fatalf("digest with bit %d changed", bit)
		}
		digest[bit/8] ^= 1 << (bit % 8)
	}
	var none *Recent
	none.add(&one, &digest, sig[:])
	if none.has(&one, &digest, sig[:]) || r.has(&one, &digest, sig[:63]) {
		t.Error("no memory remembers nothing, and a short signature is none")
	}
}

func TestRecentIsBoundedAndTheOldestGiveWay(t *testing.T) {
	const places = 4096
	r := NewRecent(16 * places)
	key := keyFor(t, r)
	var sig [64]byte
	known := func(from, to int) (n int) {
		for i := from; i < to; i++ {
			if d := sha256.Sum256([]byte{byte(i), byte(i >> 8)}); r.has(&key, &d, sig[:]) {
				n++
			}
		}
		return n
	}
	for i := range 4 * places {
		d := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		r.add(&key, &d, sig[:])
	}
	if n := known(3*places+places/2, 4*places); n < places/2*93/100 {
		t.Errorf("of the last half %d of %d", n, places/2)
	}
	if n := known(0, 4*places); n > places {
		t.Errorf("%d remembered in %d places", n, places)
	}
	if n := known(0, places); n > places/20 {
		t.Errorf("%d of the first quarter are still there", n)
	}
}

func keyFor(t *testing.T, r *Recent) [32]byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := r.keyOf(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
