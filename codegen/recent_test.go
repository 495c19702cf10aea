package codegen_test

import (
	"bytes"
	"crypto/ecdsa"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore/presign"
)

// drawnSigner is a key in memory that signs with nonces drawn ahead.
type drawnSigner struct {
	*ecdsa.PrivateKey
	*presign.Key
}

// drawing gives an issuer of the desk's key that signs with drawn nonces, and the desk's own opener that remembers its codes.
func (d *desk) drawing(t testing.TB, ring *codegen.Keyring) (*codegen.Issuer, *codegen.Opener) {
	t.Helper()
	stock, err := presign.New(64 * 256)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stock.Close() })
	stock.Draw()
	key, err := presign.NewKey(d.key, stock)
	if err != nil {
		t.Fatal(err)
	}
	recent := codegen.NewRecent(1 << 16)
	issuer, err := codegen.NewIssuer(codegen.IssuerConfig{Region: shenzhen, Key: drawnSigner{d.key, key}, SubjectKey: d.subject, Recent: recent})
	if err != nil {
		t.Fatal(err)
	}
	opener, err := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{d.subject}, Keys: ring, Own: []*ecdsa.PrivateKey{d.key}, Recent: recent})
	if err != nil {
		t.Fatal(err)
	}
	return issuer, opener
}

func TestACodeWithADrawnNonceIsGoodEverywhereAndEveryBitOfItCounts(t *testing.T) {
	d := newDesk(t, shenzhen)
	issuer, opener := d.drawing(t, d.keyring)
	strict, err := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{d.subject}, Keys: d.keyring})
	if err != nil {
		t.Fatal(err)
	}
	old := newMutator(t, 1, d.issue(t, dynamic()).Text) // with the nonce of RFC 6979, and not remembered
	for range 4 {
		code, err := issuer.Issue(dynamic())
		if err != nil {
			t.Fatal(err)
		}
		drawn := newMutator(t, 1, code.Text)
		for name, m := range map[string]*mutator{"drawn": drawn, "RFC 6979": old} {
			if _, tell := d.keyring.Verify(m.texts[0], now); tell != "" {
				t.Fatalf("%s: offline %q", name, tell)
			}
			if _, tell := strict.Open(m.texts[0], now); tell != "" {
				t.Fatalf("%s: at another node %q", name, tell)
			}
			if c, tell := opener.Open(m.texts[0], now); tell != "" || c.Person != person {
				t.Fatalf("%s: at its own node %q", name, tell)
			}
			for bit := range 8 * len(m.raws[0]) {
				raw := bytes.Clone(m.raws[0])
				raw[bit/8] ^= 1 << (bit % 8)
				if _, tell := opener.Open(encode(raw), now); tell == "" {
					t.Fatalf("%s: accepted with bit %d changed", name, bit)
				}
			}
		}
		// The signature of one code under another: r and s are genuine and remembered, only not for these claims.
		swapped := bytes.Clone(drawn.raws[0])
		copy(swapped[len(swapped)-64:], old.raws[0][len(old.raws[0])-64:])
		if _, tell := opener.Open(encode(swapped), now); tell != kangma.TellForged {
			t.Fatalf("a signature of another code: %q", tell)
		}
	}
}

func TestWhatIsRememberedStillAsksTheKeyring(t *testing.T) {
	d := newDesk(t, shenzhen)
	for _, tc := range []struct {
		name  string
		state codegen.KeyState
		want  kangma.CannotTell
	}{{"a key in use", codegen.Active, ""}, {"a key that was withdrawn", codegen.Retired, kangma.TellRevoked}} {
		issuer, opener := d.drawing(t, newKeyring(t, d.verifyKey(shenzhen, tc.state)))
		code, err := issuer.Issue(dynamic())
		if err != nil {
			t.Fatal(err)
		}
		if _, tell := opener.Open(code.Text, now); tell != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, tell, tc.want)
		}
	}
	issuer, opener := d.drawing(t, newKeyring(t))
	code, err := issuer.Issue(dynamic())
	if err != nil {
		t.Fatal(err)
	}
	if _, tell := opener.Open(code.Text, now); tell != kangma.TellUnknownKey {
		t.Errorf("a key that is not on the ring: %q", tell)
	}
	if _, tell := opener.Open(code.Text, now.Add(codegen.MaxDynamic)); tell == "" {
		t.Error("an expired code is no better for being remembered")
	}
}
