package keystore_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore"
)

var (
	now     = time.Date(2022, 11, 5, 8, 30, 0, 0, time.UTC)
	regions = []kangma.Division{440300000, 440100000}
)

func open(t *testing.T, dir string, at time.Time) *keystore.Store {
	t.Helper()
	s, err := keystore.Open(dir, keystore.Options{Now: at, Regions: regions})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheFirstStartDrawsEverythingAndSaysSo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	first := open(t, dir, now)
	// 6 secrets and 3 keys for each of two regions; Saturday evening is less than two days before the next week.
	if n := len(first.Created()); n < 6+6 {
		t.Errorf("created only %q", first.Created())
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		info, statErr := d.Info()
		if err != nil || statErr != nil {
			t.Fatal(err, statErr)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	second := open(t, dir, now)
	if c := second.Created(); len(c) != 0 {
		t.Errorf("the second start created %q", c)
	}
	for _, name := range []string{keystore.SecretSealing, keystore.SecretSubject, "another"} {
		a, err := first.Secret(name)
		b, err2 := second.Secret(name)
		if err != nil || err2 != nil || a != b || a == [32]byte{} {
			t.Errorf("%s: %v %v, equal %v", name, err, err2, a == b)
		}
	}
}

func TestALostSecretStopsTheStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	open(t, dir, now)
	if err := os.Remove(filepath.Join(dir, "sealing.secret")); err != nil {
		t.Fatal(err)
	}
	if _, err := keystore.Open(dir, keystore.Options{Now: now}); kangma.KindOf(err) != kangma.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestWhatOthersMayReadIsRefused(t *testing.T) {
	for _, name := range []string{".", "sealing.secret", "keys.json"} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			open(t, dir, now)
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(dir, name), info.Mode()|0o040); err != nil {
				t.Fatal(err)
			}
			if _, err := keystore.Open(dir, keystore.Options{Now: now}); kangma.KindOf(err) != kangma.Forbidden {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestKeysGoThroughTheirStates(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keys"), now)
	_, key, err := s.Signer(keystore.PurposeCode, regions[0], now)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		at   time.Time
		want codegen.KeyState
	}{
		{"before its week", key.From.Add(-time.Second), codegen.Published}, {"in its week", key.From, codegen.Active},
		{"to the last second", key.Until.Add(-time.Second), codegen.Active}, {"after its week", key.Until, codegen.VerifyOnly},
		{"while its last credential lives", key.Until.Add(24 * time.Hour), codegen.VerifyOnly}, {"then never", key.Until.Add(25 * time.Hour), codegen.Retired},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := find(t, s, key.ID, tc.at).State; got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func find(t *testing.T, s *keystore.Store, id codegen.KeyID, at time.Time) keystore.Key {
	t.Helper()
	keys, err := s.Keys(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if k.ID == id {
			return k
		}
	}
	t.Fatal("the key is gone")
	return keystore.Key{}
}

func TestTheNextKeyIsPublishedTwoDaysAheadAndThereIsAlwaysOne(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keys"), now)
	for at := now; at.Before(now.Add(40 * 24 * time.Hour)); at = at.Add(24 * time.Hour) {
		if err := s.Maintain(regions, at); err != nil {
			t.Fatal(err)
		}
		for _, region := range regions {
			for _, later := range []time.Duration{0, 24 * time.Hour, 47 * time.Hour} {
				_, key, err := s.Signer(keystore.PurposeCode, region, at.Add(later))
				if err != nil {
					t.Fatalf("no key for %v at %v", region, at.Add(later))
				}
				if key.Until.Sub(key.From) > 7*24*time.Hour {
					t.Fatalf("a key signs for %v", key.Until.Sub(key.From))
				}
			}
		}
	}
}

func TestRotation(t *testing.T) {
	for _, withdraw := range []bool{false, true} {
		s := open(t, filepath.Join(t.TempDir(), "keys"), now)
		_, old, _ := s.Signer(keystore.PurposeCode, regions[0], now)
		at := now.Add(time.Minute)
		if err := s.Rotate(keystore.PurposeCode, regions[0], at, withdraw); err != nil {
			t.Fatal(err)
		}
		_, fresh, err := s.Signer(keystore.PurposeCode, regions[0], at)
		if err != nil || fresh.ID == old.ID {
			t.Errorf("after rotation: %v, the same key %v", err, fresh.ID == old.ID)
		}
		want := codegen.VerifyOnly
		if withdraw {
			want = codegen.Retired
		} else if got := find(t, s, old.ID, at.Add(9*time.Second)).State; got != codegen.Active {
			t.Errorf("before everybody has noticed, the old key is %v", got)
		}
		if got := find(t, s, old.ID, at.Add(10*time.Second)).State; got != want {
			t.Errorf("withdraw %v: the old key is %v", withdraw, got)
		}
		if got := find(t, s, old.ID, at).Public; !got.Equal(old.Public) {
			t.Error("another public key")
		}
	}
}

func TestAStoreSignsCodesThatItsKeysVerify(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keys"), now)
	signer, _, err := s.Signer(keystore.PurposeCode, regions[0], now)
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := s.Secret(keystore.SecretSubject)
	issuer, err := codegen.NewIssuer(codegen.IssuerConfig{Region: regions[0], Key: signer, SubjectKey: subject})
	if err != nil {
		t.Fatal(err)
	}
	code, err := issuer.Issue(codegen.Claims{Kind: codegen.Dynamic, Colour: kangma.Green, Issued: now, Expires: now.Add(time.Minute), Person: kangma.NewPersonID()})
	if err != nil {
		t.Fatal(err)
	}
	keys, _ := s.VerifyKeys(now)
	ring, err := codegen.NewKeyring(keys, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, tell := ring.Verify(code.Text, now); tell != "" {
		t.Errorf("got %q", tell)
	}
	t.Run("and counts them", func(t *testing.T) {
		for range 2 {
			if err := s.Tally(map[codegen.KeyID]uint64{issuer.KeyID(): issuer.Count()}); err != nil {
				t.Fatal(err)
			}
		}
		if got := find(t, s, issuer.KeyID(), now).Issued; got != 2 || issuer.Count() != 1 {
			t.Errorf("%d codes after two reports of %d", got, issuer.Count())
		}
	})
}

func TestAChangeByAnotherProcessIsNoticed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	server, tool := open(t, dir, now), open(t, dir, now)
	if server.Stale() || tool.Stale() {
		t.Fatal("stale without a change")
	}
	if err := tool.Rotate(keystore.PurposeCode, regions[0], now, true); err != nil {
		t.Fatal(err)
	}
	if !server.Stale() || tool.Stale() {
		t.Errorf("server stale %v, tool stale %v", server.Stale(), tool.Stale())
	}
	if err := server.Maintain(regions, now); err != nil {
		t.Fatal(err)
	}
	_, a, _ := server.Signer(keystore.PurposeCode, regions[0], now)
	_, b, _ := tool.Signer(keystore.PurposeCode, regions[0], now)
	if server.Stale() || a.ID != b.ID {
		t.Errorf("stale %v, keys %v and %v", server.Stale(), a.ID, b.ID)
	}
}
