package presign_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"sync"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/internal/cputime"
	"github.com/kangma/kangma/keystore/presign"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newStock(t testing.TB, pairs int) *presign.Stock {
	t.Helper()
	s, err := presign.New(64 * pairs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func joined(t testing.TB, key *ecdsa.PrivateKey, s *presign.Stock) *presign.Key {
	t.Helper()
	k, err := presign.NewKey(key, s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func good(key *ecdsa.PrivateKey, digest, sig []byte) bool {
	n := elliptic.P256().Params().N
	r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
	return s.Cmp(new(big.Int).Rsh(n, 1)) <= 0 && ecdsa.Verify(&key.PublicKey, digest, r, s)
}

func TestEverySignatureIsGoodAndNoNonceComesTwice(t *testing.T) {
	stock := newStock(t, 300)
	keys := []*ecdsa.PrivateKey{newKey(t), newKey(t)}
	for stock.Draw() {
	}
	if st := stock.Stats(); st.Ready != 300 || st.Room != 300 {
		t.Fatalf("a full stock: %+v", st)
	}
	seen := map[[32]byte]bool{}
	for i := range 400 { // 300 ready, then some that nobody has drawn yet
		key := keys[i%2]
		digest := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		switch i {
		case 7:
			digest = [32]byte{}
		case 8:
			digest = [32]byte(bytes.Repeat([]byte{0xff}, 32)) // above the order
		}
		sig, ok := joined(t, key, stock).AppendSign([]byte("before"), digest[:])
		if !ok || !bytes.HasPrefix(sig, []byte("before")) || len(sig) != 6+64 {
			t.Fatalf("%d: %d bytes, %v", i, len(sig), ok)
		}
		if sig = sig[6:]; !good(key, digest[:], sig) {
			t.Fatalf("%d: a bad signature", i)
		}
		if r := [32]byte(sig); seen[r] {
			t.Fatalf("%d: a nonce was used twice", i)
		} else {
			seen[r] = true
		}
	}
	if st := stock.Stats(); st.Missed == 0 || st.Missed > 50 {
		t.Errorf("100 signatures beyond the stock: %+v", st)
	}
}

func TestManyAtOnceNeverShareANonce(t *testing.T) {
	stock := newStock(t, 200)
	key := newKey(t)
	signer := joined(t, key, stock)
	var mu sync.Mutex
	seen := map[[32]byte]bool{}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 60 {
				if j%20 == 0 {
					stock.Draw()
				}
				digest := sha256.Sum256([]byte{byte(i), byte(j)})
				sig, ok := signer.AppendSign(nil, digest[:])
				mu.Lock()
				if !ok || !good(key, digest[:], sig) || seen[[32]byte(sig)] {
					t.Errorf("%d/%d: bad or shared", i, j)
				} else {
					seen[[32]byte(sig)] = true
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

func TestAClosedStockSignsNothing(t *testing.T) {
	stock := newStock(t, 10)
	stock.Draw()
	signer := joined(t, newKey(t), stock)
	if err := stock.Close(); err != nil {
		t.Fatal(err)
	}
	if sig, ok := signer.AppendSign(nil, make([]byte, 32)); ok || len(sig) != 0 {
		t.Error("a closed stock gave a nonce")
	}
	if stock.Draw() || stock.Close() != nil || stock.Stats().Ready != 0 {
		t.Error("a closed stock is empty, stays so, and may be closed again")
	}
}

func TestWhatCannotSignIsRefused(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stock := newStock(t, 1)
	for name, err := range map[string]error{
		"a key on another curve": func() error { _, err := presign.NewKey(other, stock); return err }(),
		"no key":                 func() error { _, err := presign.NewKey(nil, stock); return err }(),
		"no stock":               func() error { _, err := presign.NewKey(newKey(t), nil); return err }(),
		"a stock without room":   func() error { _, err := presign.New(63); return err }(),
	} {
		if kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := joined(t, newKey(t), stock).AppendSign(nil, make([]byte, 31)); ok {
		t.Error("a digest of 31 octets was signed")
	}
}

// BenchmarkSign prints a signature of each kind side by side:
//
//	go test ./keystore/presign -run '^$' -bench . -count 6
func BenchmarkSign(b *testing.B) {
	key := newKey(b)
	digest := sha256.Sum256(nil)
	b.Run("crypto-ecdsa", func(b *testing.B) {
		defer cputime.Report(b, cputime.Process())
		for b.Loop() {
			if _, err := key.Sign(nil, digest[:], crypto.SHA256); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("drawn-when-asked", func(b *testing.B) {
		stock := newStock(b, 64)
		signer := joined(b, key, stock)
		defer cputime.Report(b, cputime.Process())
		var out [64]byte
		for b.Loop() {
			if _, ok := signer.AppendSign(out[:0], digest[:]); !ok {
				b.Fatal("not signed")
			}
		}
	})
	b.Run("drawn-before", func(b *testing.B) {
		b.ReportAllocs()
		stock := newStock(b, 1<<14)
		signer := joined(b, key, stock)
		var out [64]byte
		for i := 0; b.Loop(); i++ {
			if i%(1<<14) == 0 {
				b.StopTimer()
				for stock.Draw() {
				}
				b.StartTimer()
			}
			if _, ok := signer.AppendSign(out[:0], digest[:]); !ok {
				b.Fatal("not signed")
			}
		}
	})
	b.Run("drawing", func(b *testing.B) {
		stock := newStock(b, 1<<20)
		defer cputime.Report(b, cputime.Process())
		for i := 0; b.Loop(); i++ {
			if i%64 == 0 {
				stock.Draw()
			}
		}
	})
}
