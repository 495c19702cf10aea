package keystore_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore"
)

const tokenPIN = "730155"

// softHSM makes an empty SoftHSM token of its own and returns how to open it.
func softHSM(t testing.TB) keystore.TokenConfig {
	t.Helper()
	module := ""
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			module = path
		}
	}
	util, err := exec.LookPath("softhsm2-util")
	if err != nil || module == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must have SoftHSM (apt-get install softhsm2)")
		}
		t.Skip("SoftHSM is not installed (apt-get install softhsm2)")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.Mkdir(filepath.Join(dir, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	out, err := exec.Command(util, "--init-token", "--free", "--label", "kangma", "--so-pin", "9"+tokenPIN, "--pin", tokenPIN).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return keystore.TokenConfig{Module: module, Label: "kangma", PIN: tokenPIN}
}

func openToken(t testing.TB, cfg keystore.TokenConfig) *keystore.Token {
	t.Helper()
	token, err := keystore.OpenToken(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestKeysLiveInAPKCS11Token(t *testing.T) {
	cfg := softHSM(t)
	token := openToken(t, cfg)
	dir := filepath.Join(t.TempDir(), "keys")
	s, err := keystore.Open(dir, keystore.Options{Now: now, Regions: regions[:1], Provider: token})
	if err != nil {
		t.Fatal(err)
	}
	signer, key, err := s.Signer(keystore.PurposeCode, regions[0], now)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := codegen.NewIssuer(codegen.IssuerConfig{Region: regions[0], Key: signer, SubjectKey: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	issueAndVerify(t, issuer, key)
	t.Run("no private key is in the folder", func(t *testing.T) {
		if _, err := os.Stat(filepath.Join(dir, "signing")); !os.IsNotExist(err) {
			t.Errorf("there is a folder of key files: %v", err)
		}
	})
	t.Run("eight at once", func(t *testing.T) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					issueAndVerify(t, issuer, key)
				}
			})
		}
		wg.Wait()
	})
	t.Run("a taken label is a conflict, a missing one not found", func(t *testing.T) {
		if _, err := token.Generate("twice"); err != nil {
			t.Fatal(err)
		}
		if _, err := token.Generate("twice"); kangma.KindOf(err) != kangma.Conflict {
			t.Errorf("got %v", err)
		}
		if err := token.Destroy("twice"); err != nil {
			t.Fatal(err)
		}
		if _, err := token.Load("twice"); kangma.KindOf(err) != kangma.NotFound {
			t.Errorf("got %v", err)
		}
	})
	t.Run("only SHA-256 digests are signed", func(t *testing.T) {
		if _, err := signer.Sign(rand.Reader, make([]byte, 48), crypto.SHA384); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("got %v", err)
		}
	})
	if err := token.Close(); err != nil {
		t.Fatal(err)
	}
	again := openToken(t, cfg)
	defer again.Close()
	t.Run("after a restart it is the same key", func(t *testing.T) {
		s, err := keystore.Open(dir, keystore.Options{Now: now, Regions: regions[:1], Provider: again})
		if err != nil || len(s.Created()) != 0 {
			t.Fatalf("%v, created %v", err, s.Created())
		}
		signer, later, err := s.Signer(keystore.PurposeCode, regions[0], now)
		if err != nil || later.ID != key.ID {
			t.Fatalf("%v, key %v, want %v", err, later.ID, key.ID)
		}
		digest := sha256.Sum256([]byte("x"))
		sig, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil || !ecdsa.VerifyASN1(key.Public, digest[:], sig) {
			t.Errorf("%v, or the signature does not fit", err)
		}
	})
}

func TestAFolderMayNameItsToken(t *testing.T) {
	cfg := softHSM(t)
	dir, pin := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(pin, []byte(tokenPIN+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := keystore.UseToken(dir, cfg, pin); kangma.KindOf(err) != kangma.Forbidden {
		t.Errorf("a PIN that others may read: %v", err)
	}
	if err := os.Chmod(pin, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keystore.UseToken(dir, cfg, pin); err != nil {
		t.Fatal(err)
	}
	var id codegen.KeyID
	for start := range 2 {
		s := open(t, dir, now)
		signer, key, err := s.Signer(keystore.PurposeCode, regions[0], now)
		if err != nil || start > 0 && (key.ID != id || len(s.Created()) > 0) {
			t.Fatalf("start %d: %v, key %v, created %v", start, err, key.ID, s.Created())
		}
		if _, file := signer.(*ecdsa.PrivateKey); file {
			t.Error("the key is outside the token")
		}
		id = key.ID
		beside := open(t, dir, now) // two stores of one process share the library
		if _, k, err := beside.Signer(keystore.PurposeCode, regions[0], now); err != nil || k.ID != id {
			t.Errorf("the second store: %v, %v", k.ID, err)
		}
		if err := beside.Close(); err != nil {
			t.Error(err)
		}
		digest := sha256.Sum256([]byte("x"))
		if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			t.Errorf("after the other store was closed: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Run("a folder with keys takes no token", func(t *testing.T) {
		if err := keystore.UseToken(dir, cfg, pin); kangma.KindOf(err) != kangma.Conflict {
			t.Errorf("got %v", err)
		}
	})
}

func issueAndVerify(t *testing.T, issuer *codegen.Issuer, key keystore.Key) {
	code, err := issuer.Issue(codegen.Claims{Kind: codegen.Dynamic, Colour: kangma.Green, Issued: now, Expires: now.Add(60e9), Person: kangma.NewPersonID()})
	if err != nil {
		t.Error(err)
		return
	}
	ring, err := codegen.NewKeyring([]codegen.VerifyKey{key.VerifyKey()}, 0)
	if err != nil {
		t.Error(err)
		return
	}
	if _, tell := ring.Verify(code.Text, now); tell != "" {
		t.Errorf("verdict %q", tell)
	}
}

func TestATokenThatCannotBeUsedSaysWhy(t *testing.T) {
	cfg := softHSM(t)
	for _, tc := range []struct {
		name   string
		change func(*keystore.TokenConfig)
		want   string
	}{
		{"no library", func(c *keystore.TokenConfig) { c.Module = "/no/such/library.so" }, "keystore_module"},
		{"another label", func(c *keystore.TokenConfig) { c.Label = "other" }, "keystore_token_label"},
		{"wrong PIN", func(c *keystore.TokenConfig) { c.PIN = "000000" }, "keystore_pin"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bad := cfg
			tc.change(&bad)
			_, err := keystore.OpenToken(bad)
			if kangma.CodeOf(err) != tc.want && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want code %s", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), bad.PIN) {
				t.Error("the error repeats the PIN")
			}
		})
	}
}

func BenchmarkSignInSoftHSM(b *testing.B) {
	token := openToken(b, softHSM(b))
	defer token.Close()
	key, err := token.Generate("bench")
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	for b.Loop() {
		if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
}
