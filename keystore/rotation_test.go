package keystore_test

import (
	"crypto/ecdsa"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore"
)

// office is a key store with an issuer and the trust lists it publishes.
type office struct {
	t       *testing.T
	store   *keystore.Store
	root    *ecdsa.PublicKey
	number  uint64
	subject [32]byte
}

func newOffice(t *testing.T, at time.Time) *office {
	o := &office{t: t, store: open(t, filepath.Join(t.TempDir(), "keys"), at)}
	o.subject, _ = o.store.Secret(keystore.SecretSubject)
	_, key, err := o.store.Signer(keystore.PurposeList, regions[0], at)
	if err != nil {
		t.Fatal(err)
	}
	o.root = key.Public
	return o
}

func (o *office) issue(p keystore.Purpose, kind codegen.Kind, life time.Duration, at time.Time) codegen.Code {
	o.t.Helper()
	signer, _, err := o.store.Signer(p, regions[0], at)
	if err != nil {
		o.t.Fatal(err)
	}
	issuer, err := codegen.NewIssuer(codegen.IssuerConfig{Region: regions[0], Key: signer, SubjectKey: o.subject})
	if err != nil {
		o.t.Fatal(err)
	}
	code, err := issuer.Issue(codegen.Claims{Kind: kind, Colour: kangma.Green, Issued: at, Expires: at.Add(life), Person: kangma.NewPersonID()})
	if err != nil {
		o.t.Fatal(err)
	}
	return code
}

// list gives the trust list of the moment, as a gate would fetch it, opened with the pinned root.
func (o *office) list(at time.Time, known uint64) codegen.TrustList {
	o.t.Helper()
	keys, err := o.store.VerifyKeys(at)
	if err != nil {
		o.t.Fatal(err)
	}
	o.number++
	signer, _, err := o.store.Signer(keystore.PurposeList, regions[0], at)
	if err != nil {
		o.t.Fatal(err)
	}
	signed, err := codegen.TrustList{Number: o.number, Issued: at, Expires: at.Add(7 * 24 * time.Hour), Keys: keys}.Sign(signer)
	if err != nil {
		o.t.Fatal(err)
	}
	l, err := codegen.OpenTrustList(signed, []*ecdsa.PublicKey{o.root}, known, at, 0)
	if err != nil {
		o.t.Fatal(err)
	}
	return l
}

// R20: weekly rotation over six weeks; the gate fetches the list once a day and one fetch in five is lost, so its list is
// up to two days old. No genuine code is ever refused.
func TestRotationRefusesNoGenuineCode(t *testing.T) {
	at := now
	o := newOffice(t, at)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	list := o.list(at, 0)
	ring, _ := list.Keyring(0)
	var living []codegen.Code
	used := map[codegen.KeyID]bool{}
	lost := false
	for hour := range 6 * 7 * 24 {
		at = now.Add(time.Duration(hour) * time.Hour)
		if err := o.store.Maintain(regions[:1], at); err != nil {
			t.Fatal(err)
		}
		if hour%24 == 23 {
			if lost = !lost && r.IntN(5) == 0; !lost {
				list = o.list(at, list.Number)
				ring, _ = list.Keyring(0)
			}
		}
		living = append(living, o.issue(keystore.PurposeCode, codegen.Dynamic, time.Minute, at))
		if hour%24 == 0 {
			living = append(living, o.issue(keystore.PurposePaper, codegen.Paper, 180*24*time.Hour, at))
		}
		if hour%12 == 0 {
			living = refuseNone(t, ring, living, at, used)
		} else { // the paper codes wait for their turn
			refuseNone(t, ring, living[len(living)-1:], at, used)
		}
	}
	if len(used) < 7 {
		t.Errorf("only %d keys signed in six weeks", len(used))
	}
}

// refuseNone verifies every living code and returns those that live on.
func refuseNone(t *testing.T, ring *codegen.Keyring, codes []codegen.Code, at time.Time, used map[codegen.KeyID]bool) []codegen.Code {
	t.Helper()
	var on []codegen.Code
	for _, c := range codes {
		if !at.Before(c.Claims.Expires) {
			continue
		}
		on = append(on, c)
		used[c.Claims.Key] = true
		if _, tell := ring.Verify(c.Text, at); tell != "" {
			t.Fatalf("a %s code of key %v, issued %v, was refused at %v: %q", c.Claims.Kind, c.Claims.Key, c.Claims.Issued, at, tell)
		}
	}
	return on
}

// T8: after a theft the withdrawn key is refused as soon as the new list arrives, and the new key is accepted.
func TestAWithdrawnKeyIsRefusedAsSoonAsTheListArrives(t *testing.T) {
	o := newOffice(t, now)
	before := o.list(now, 0)
	stolen := o.issue(keystore.PurposeCode, codegen.Dynamic, 10*time.Minute, now)
	paper := o.issue(keystore.PurposePaper, codegen.Paper, 24*time.Hour, now)
	at := now.Add(time.Minute)
	if err := o.store.Rotate(keystore.PurposeCode, regions[0], at, true); err != nil {
		t.Fatal(err)
	}
	fresh := o.issue(keystore.PurposeCode, codegen.Dynamic, time.Minute, at)
	old, _ := before.Keyring(0)
	ring, _ := o.list(at, before.Number).Keyring(0)
	for _, tc := range []struct {
		name string
		ring *codegen.Keyring
		text string
		want kangma.CannotTell
	}{
		{"the old list still accepts the stolen key", old, stolen.Text, ""},
		{"and does not know the new one", old, fresh.Text, kangma.TellUnknownKey},
		{"the new list refuses the stolen key", ring, stolen.Text, kangma.TellRevoked},
		{"accepts the new one", ring, fresh.Text, ""},
		{"and leaves paper codes alone", ring, paper.Text, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, got := tc.ring.Verify(tc.text, at); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// A code that was issued in the very second of a rotation, or by a process that has not noticed it yet, stays good.
func TestRotationByHandLeavesTheCodesOfItsSecondGood(t *testing.T) {
	o := newOffice(t, now)
	codes := []codegen.Code{o.issue(keystore.PurposeCode, codegen.Dynamic, time.Minute, now)}
	if err := o.store.Rotate(keystore.PurposeCode, regions[0], now, false); err != nil {
		t.Fatal(err)
	}
	codes = append(codes, o.issue(keystore.PurposeCode, codegen.Dynamic, time.Minute, now))
	if codes[0].Claims.Key == codes[1].Claims.Key {
		t.Error("the key was not rotated")
	}
	ring, _ := o.list(now, 0).Keyring(0)
	refuseNone(t, ring, codes, now, map[codegen.KeyID]bool{})
}
