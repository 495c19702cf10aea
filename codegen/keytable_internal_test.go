package codegen

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	mrand "math/rand/v2"
	"testing"
	"time"
)

// privateOf makes the key of a small or large number.
func privateOf(t testing.TB, d *big.Int) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signWith signs a digest with a chosen nonce, in either of the two forms: what no signer does, and a forger may.
func signWith(d, k *big.Int, digest []byte, high bool) []byte {
	point, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), k.FillBytes(make([]byte, 32)))
	if err != nil {
		return nil
	}
	raw, _ := point.PublicKey.Bytes()
	r := new(big.Int).SetBytes(raw[1:33])
	r.Mod(r, order)
	s := new(big.Int).Mul(r, d)
	s.Add(s, new(big.Int).SetBytes(digest)).Mul(s, new(big.Int).ModInverse(k, order)).Mod(s, order)
	if (s.Cmp(new(big.Int).Rsh(order, 1)) > 0) != high {
		s.Sub(order, s)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// The table and the standard library are of one mind about every signature: right ones, wrong ones, and those at the edges
// of the arithmetic (keys 1 and n-1, whose points are the base point and its negative, so that sums meet and cancel).
func TestAKeyTableAgreesWithTheStandardLibrary(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := mrand.New(mrand.NewPCG(seed, 1))
	one := big.NewInt(1)
	keys := []*big.Int{one, big.NewInt(2), big.NewInt(16), new(big.Int).Sub(order, one), new(big.Int).Sub(order, big.NewInt(2)), new(big.Int).Rsh(order, 1)}
	for range 6 {
		d, err := rand.Int(rand.Reader, new(big.Int).Sub(order, one))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, d.Add(d, one))
	}
	digests := [][]byte{make([]byte, 32), orderRaw, bytes.Repeat([]byte{0xff}, 32)}
	for range 6 {
		sum := sha256.Sum256(binaryOf(random.Uint64()))
		digests = append(digests, sum[:])
	}
	right, wrong := 0, 0
	for _, d := range keys {
		key := privateOf(t, d)
		table := newKeyTable(&key.PublicKey)
		for _, digest := range digests {
			for _, sig := range signaturesOf(d, digest, random) {
				if sig == nil || !canonical(sig) {
					continue
				}
				want := verifySig(&key.PublicKey, digest, sig)
				if got := table.verify(digest, sig); got != want {
					t.Fatalf("key %v, digest %x, signature %x: %t, the standard library %t", d, digest, sig, got, want)
				}
				if want {
					right++
				} else {
					wrong++
				}
			}
		}
	}
	if right < 400 || wrong < 400 {
		t.Errorf("%d right and %d wrong signatures: too few of one sort", right, wrong)
	}
}

func binaryOf(n uint64) []byte { return new(big.Int).SetUint64(n).FillBytes(make([]byte, 8)) }

// signaturesOf gives right signatures with usual and unusual nonces, and wrong ones near to them.
func signaturesOf(d *big.Int, digest []byte, random *mrand.Rand) (sigs [][]byte) {
	nonces := []*big.Int{big.NewInt(1), big.NewInt(2), d, new(big.Int).Sub(order, d), new(big.Int).SetUint64(random.Uint64() | 1)}
	for _, k := range nonces {
		good := signWith(d, k, digest, false)
		sigs = append(sigs, good)
		bad := bytes.Clone(good)
		bad[random.IntN(64)] ^= 1 << random.IntN(8)
		sigs = append(sigs, bad)
	}
	noise := make([]byte, 64)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	// r = -z/d makes u1·G + u2·Q the point at infinity: no signature, whatever s is.
	cancel := new(big.Int).Mul(new(big.Int).Neg(new(big.Int).SetBytes(digest)), new(big.Int).ModInverse(d, order))
	infinite := append(cancel.Mod(cancel, order).FillBytes(make([]byte, 32)), make([]byte, 32)...)
	infinite[63] = 7
	return append(sigs, noise, infinite)
}

// Only genuine codes and the first few keys make a table, and never more than the bound.
func TestTablesAreMadeForKeysInUseOnly(t *testing.T) {
	var keys []VerifyKey
	var private []*ecdsa.PrivateKey
	now := time.Date(2022, 11, 5, 8, 0, 0, 0, time.UTC)
	for i := range tablesAtOnce + 2 {
		key := privateOf(t, big.NewInt(int64(1000+i)))
		private = append(private, key)
		keys = append(keys, VerifyKey{Public: &key.PublicKey, Region: 440300000, From: now.Add(-time.Hour), Until: now.Add(time.Hour), State: Active})
	}
	ring, err := NewKeyring(keys, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := ring.tables.Load(); n != tablesAtOnce {
		t.Fatalf("%d tables at the start", n)
	}
	last := private[len(private)-1]
	issuer, err := NewIssuer(IssuerConfig{Region: 440300000, Key: last, SubjectKey: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	code, err := issuer.Issue(Claims{Issued: now, Expires: now.Add(time.Minute), Kind: Dynamic, Person: [16]byte{6: 0x40, 8: 0x80, 15: 1}})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := DecodeBase45(nil, code.Text[len(Prefix):])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	if _, tell := ring.Verify(appendText(raw), now); tell != "forged" || ring.tables.Load() != tablesAtOnce {
		t.Errorf("verdict %q, %d tables after a bad code", tell, ring.tables.Load())
	}
	for range 2 {
		if _, tell := ring.Verify(code.Text, now); tell != "" || ring.tables.Load() != tablesAtOnce+1 {
			t.Errorf("verdict %q, %d tables after a genuine code", tell, ring.tables.Load())
		}
	}
	ring.tables.Store(maxTables)
	ring.speedUp(ring.keys[mustKeyID(t, private[len(private)-2])][0])
	if ring.tables.Load() != maxTables {
		t.Error("more tables than the bound")
	}
}

func mustKeyID(t *testing.T, key *ecdsa.PrivateKey) KeyID {
	t.Helper()
	id, err := KeyIDOf(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
