package codegen_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

func wantCode(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || kangma.CodeOf(err) != want {
		t.Errorf("got %v, want code %s", err, want)
	}
}

func TestATrustListOnlyGoesForward(t *testing.T) {
	root, d := newKey(t), newDesk(t, shenzhen)
	roots := []*ecdsa.PublicKey{&root.PublicKey}
	list := codegen.TrustList{Number: 7, Issued: now, Expires: now.Add(7 * 24 * time.Hour), Keys: []codegen.VerifyKey{d.verifyKey(shenzhen, codegen.Active)}}
	signed, err := list.Sign(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := codegen.OpenTrustList(signed, roots, 7, now, 0)
	if err != nil || got.Number != 7 || len(got.Keys) != 1 {
		t.Fatalf("%+v %v", got, err)
	}
	ring, err := got.Keyring(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, tell := ring.Verify(d.issue(t, dynamic()).Text, now); tell != "" {
		t.Errorf("a code of a trusted key: %q", tell)
	}
	for _, tc := range []struct {
		name  string
		after uint64
		at    time.Time
		want  string
	}{
		{"an older one is not taken back", 8, now, "trust_list_old"},
		{"an expired one", 7, now.Add(7*24*time.Hour + 30*time.Second), "trust_list_expired"},
		{"one from the future", 7, now.Add(-31 * time.Second), "trust_list_early"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := codegen.OpenTrustList(signed, roots, tc.after, tc.at, 0)
			wantCode(t, err, tc.want)
		})
	}
	t.Run("another root", func(t *testing.T) {
		_, err := codegen.OpenTrustList(signed, []*ecdsa.PublicKey{&d.key.PublicKey}, 0, now, 0)
		wantCode(t, err, "document_key")
	})
	t.Run("another type of document by the same root", func(t *testing.T) {
		payload, err := codegen.VerifyDocument(signed, codegen.TypeTrustList, roots)
		if err != nil {
			t.Fatal(err)
		}
		other, _ := codegen.SignDocument(root, codegen.TypeStatusList, payload)
		_, err = codegen.OpenTrustList(other, roots, 0, now, 0)
		wantCode(t, err, "document_malformed")
	})
	t.Run("no byte may be changed", func(t *testing.T) {
		for i := range signed {
			bad := append([]byte(nil), signed...)
			bad[i] ^= 1 << (i % 8)
			if _, err := codegen.OpenTrustList(bad, roots, 0, now, 0); err == nil {
				t.Fatalf("byte %d changed and accepted", i)
			}
		}
	})
}

func TestTheJWKSetHasTheKeysThatAreNotRetired(t *testing.T) {
	a, b := newDesk(t, shenzhen), newDesk(t, shenzhen)
	list := codegen.TrustList{Number: 1, Keys: []codegen.VerifyKey{a.verifyKey(shenzhen, codegen.Active), b.verifyKey(shenzhen, codegen.Retired)}}
	out, err := list.JWKS()
	var set struct {
		Keys []struct{ Kty, Crv, X, Y, Kid, Alg string }
	}
	if err == nil {
		err = json.Unmarshal(out, &set)
	}
	if err != nil || len(set.Keys) != 1 || set.Keys[0].Kid != a.issuer.KeyID().String() || len(set.Keys[0].X) != 43 || set.Keys[0].Alg != "ES256" {
		t.Errorf("%s %v", out, err)
	}
}

func codeIDs(seed uint64, n int) []codegen.CodeID {
	r := rand.New(rand.NewPCG(seed, 1))
	ids := make([]codegen.CodeID, n)
	for i := range ids {
		for j := range ids[i] {
			ids[i][j] = byte(r.Uint32())
		}
	}
	return ids
}

func TestAStatusListNeverMissesAndSeldomHitsByChance(t *testing.T) {
	key := newKey(t)
	keys := []*ecdsa.PublicKey{&key.PublicKey}
	ids := codeIDs(1, 20000)
	list, err := codegen.NewStatusList(nil, 1, now, now.Add(time.Hour), ids)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := list.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d ids in %d bytes, %.1f bits each", len(ids), len(signed), float64(len(signed))*8/float64(len(ids)))
	got, err := codegen.OpenStatusList(signed, keys, 0, now.Add(time.Minute), 0)
	if err != nil || got.Age(now.Add(time.Minute)) != time.Minute {
		t.Fatal(err)
	}
	for _, id := range ids {
		if !got.Hit(id) {
			t.Fatal("a listed code is missed")
		}
	}
	hits := 0
	for _, id := range codeIDs(2, 200000) {
		if got.Hit(id) {
			hits++
		}
	}
	if hits > 5 { // 0.2 expected
		t.Errorf("%d of 200000 other codes hit", hits)
	}
	if len(signed) > 4*len(ids) {
		t.Errorf("%d bytes for %d ids", len(signed), len(ids))
	}
}

func TestADeltaLeadsToTheNextList(t *testing.T) {
	key := newKey(t)
	keys := []*ecdsa.PublicKey{&key.PublicKey}
	ids := codeIDs(3, 5000)
	first, _ := codegen.NewStatusList(nil, 1, now, now.Add(time.Hour), ids[:4000])
	second, err := codegen.NewStatusList(first, 2, now.Add(5*time.Minute), now.Add(2*time.Hour), ids[100:4050])
	if err != nil {
		t.Fatal(err)
	}
	delta, err := second.SignDelta(first, key)
	if err != nil {
		t.Fatal(err)
	}
	if len(delta) > 1500 {
		t.Errorf("a delta of 150 changes has %d bytes", len(delta))
	}
	at := now.Add(6 * time.Minute)
	got, err := first.Apply(delta, keys, at, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if got.Hit(id) != second.Hit(id) {
			t.Fatalf("id %d: %v, want %v", i, got.Hit(id), second.Hit(id))
		}
	}
	if got.Number != 2 || got.Len() != second.Len() {
		t.Errorf("number %d, %d entries, want %d", got.Number, got.Len(), second.Len())
	}
	t.Run("it applies to no other list", func(t *testing.T) {
		_, err := got.Apply(delta, keys, at, 0)
		wantCode(t, err, "status_delta")
		stranger, _ := codegen.NewStatusList(nil, 1, now, now.Add(time.Hour), ids[:4000])
		_, err = stranger.Apply(delta, keys, at, 0)
		wantCode(t, err, "status_delta")
	})
	t.Run("a list that outgrows its hash takes a new salt", func(t *testing.T) {
		third, err := codegen.NewStatusList(second, 3, now, now.Add(time.Hour), codeIDs(4, 60000))
		if err != nil {
			t.Fatal(err)
		}
		_, err = third.SignDelta(second, key)
		wantCode(t, err, "status_delta")
	})
	t.Run("no byte of it may be changed", func(t *testing.T) {
		for i := range delta {
			bad := append([]byte(nil), delta...)
			bad[i] ^= 0x10
			if _, err := first.Apply(bad, keys, at, 0); err == nil {
				t.Fatalf("byte %d changed and accepted", i)
			}
		}
	})
	t.Run("an empty list is a list", func(t *testing.T) {
		none, err := codegen.NewStatusList(nil, 1, now, now.Add(time.Hour), nil)
		if err != nil {
			t.Fatal(err)
		}
		signed, _ := none.Sign(key)
		got, err := codegen.OpenStatusList(signed, keys, 0, now, 0)
		if err != nil || got.Hit(ids[0]) {
			t.Errorf("%v, hit %v", err, err == nil && got.Hit(ids[0]))
		}
	})
}
