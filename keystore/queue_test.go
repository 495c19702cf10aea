package keystore_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/queue"
	"github.com/kangma/kangma/codegen"
	"github.com/kangma/kangma/keystore"
)

// sealAndOpen seals to the key of a moment and opens at another.
func sealAndOpen(t *testing.T, s *keystore.Store, key keystore.Key, at time.Time) error {
	t.Helper()
	to, err := queue.KeyOf(key.Public)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := queue.Seal(to, "g", 1, kangma.NewEventID(at), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	private, err := s.Exchange(sealed.Key, at)
	if err != nil {
		return err
	}
	content, err := sealed.Open(private)
	if err == nil && !bytes.HasPrefix(content, []byte("{}")) {
		t.Fatalf("%q", content)
	}
	return err
}

func queueKey(t *testing.T, s *keystore.Store, at time.Time) keystore.Key {
	t.Helper()
	key, err := s.QueueKey(regions[0], at)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestWhatWasSealedOpensUntilItsKeyRetires(t *testing.T) {
	const day = 24 * time.Hour
	dir := filepath.Join(t.TempDir(), "keys")
	s := open(t, dir, now)
	key := queueKey(t, s, now)
	if key.Purpose != keystore.PurposeQueue || key.State != codegen.Active {
		t.Errorf("%+v", key)
	}
	seen := map[codegen.KeyID]bool{}
	for at := now; at.Before(now.Add(90 * day)); at = at.Add(12 * time.Hour) {
		if err := s.Maintain(regions, at); err != nil {
			t.Fatal(err)
		}
		of := queueKey(t, s, at)
		seen[of.ID] = true
		// a gate holds this bundle for a week and uploads what it made two weeks later
		if err := sealAndOpen(t, s, of, at.Add(21*day)); err != nil {
			t.Fatalf("sealed by the bundle of %v: %v", at, err)
		}
	}
	if len(seen) < 3 {
		t.Errorf("only %d keys in 90 days", len(seen))
	}
	dir = filepath.Join(t.TempDir(), "others") // in the first folder the key is gone for good by now
	s = open(t, dir, now)
	key = queueKey(t, s, now)
	last := key.Until.Add(35 * day)
	if err := sealAndOpen(t, s, key, last.Add(-time.Second)); err != nil {
		t.Error(err)
	}
	if err := sealAndOpen(t, s, key, last); kangma.CodeOf(err) != "queue_key" || !errors.Is(err, kangma.NotFound) {
		t.Errorf("retired: %v", err)
	}
	again := open(t, dir, now.Add(time.Hour))
	if err := sealAndOpen(t, again, key, now.Add(time.Hour)); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestAQueueKeyIsRotatedAndNeverWithdrawn(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keys"), now)
	old := queueKey(t, s, now)
	if err := s.Rotate(keystore.PurposeQueue, regions[0], now, true); kangma.CodeOf(err) != "queue_withdraw" {
		t.Errorf("%v", err)
	}
	if queueKey(t, s, now).ID != old.ID {
		t.Error("it was rotated all the same")
	}
	if err := s.Rotate(keystore.PurposeQueue, regions[0], now, false); err != nil {
		t.Fatal(err)
	}
	later := now.Add(time.Minute)
	if queueKey(t, s, later).ID == old.ID {
		t.Error("the old key is still sealed to")
	}
	if err := sealAndOpen(t, s, old, later); err != nil {
		t.Errorf("what was sealed to the old key: %v", err)
	}
}

func TestAQueueKeyIsNoSigningKeyNorTheOtherWayRound(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keys"), now)
	key := queueKey(t, s, now)
	trusted, err := s.VerifyKeys(now)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range trusted {
		if k.Public.Equal(key.Public) {
			t.Error("a queue key is on the trust list")
		}
	}
	_, signing, err := s.Signer(keystore.PurposeCode, regions[0], now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Exchange(signing.ID, now); kangma.CodeOf(err) != "queue_key" {
		t.Errorf("a signing key opens: %v", err)
	}
}

func TestALostQueueKeyIsAFaultOfThosePassagesOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	key := queueKey(t, open(t, dir, now), now)
	lost, err := filepath.Glob(filepath.Join(dir, "signing", "queue-*.pem"))
	if err != nil || len(lost) == 0 {
		t.Fatalf("%v %v", lost, err)
	}
	for _, f := range lost {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := sealAndOpen(t, open(t, dir, now), key, now); kangma.CodeOf(err) != "queue_key" {
		t.Errorf("%v", err)
	}
}

func TestAQueueKeyLivesInATokenToo(t *testing.T) {
	cfg := softHSM(t)
	token := openToken(t, cfg)
	dir := filepath.Join(t.TempDir(), "keys")
	s, err := keystore.Open(dir, keystore.Options{Now: now, Regions: regions[:1], Provider: token})
	if err != nil {
		t.Fatal(err)
	}
	key := queueKey(t, s, now)
	if err := sealAndOpen(t, s, key, now); err != nil {
		t.Error(err)
	}
	private, err := s.Exchange(key.ID, now)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	got, err := private.ECDH(other.PublicKey())
	want, err2 := other.ECDH(private.PublicKey())
	if err := errors.Join(err, err2); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the token agrees on %x, software on %x: %v", got, want, err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "signing", "*")); err != nil || len(files) != 0 {
		t.Errorf("key files beside the token: %v %v", files, err)
	}
	if err := token.Close(); err != nil {
		t.Fatal(err)
	}
	again := openToken(t, cfg)
	defer again.Close()
	s, err = keystore.Open(dir, keystore.Options{Now: now, Regions: regions[:1], Provider: again})
	if err != nil || len(s.Created()) != 0 {
		t.Fatalf("%v, created %v", err, s.Created())
	}
	if err := sealAndOpen(t, s, key, now); err != nil {
		t.Errorf("after a restart of the token: %v", err)
	}
}

func TestARetiredQueueKeyIsDeletedForGood(t *testing.T) {
	const day = 24 * time.Hour
	dir := filepath.Join(t.TempDir(), "keys")
	s := open(t, dir, now)
	key := queueKey(t, s, now)
	files := func() int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(dir, "signing", "queue-*.pem"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	maintain := func(at time.Time) {
		t.Helper()
		if err := s.Maintain(nil, at); err != nil {
			t.Fatal(err)
		}
	}
	before, retired := files(), key.Until.Add(35*day)
	maintain(retired.Add(-time.Second))
	maintain(retired)
	maintain(retired.Add(6 * day)) // a clock that was wrong for days …
	maintain(now)                  // … and was put right
	maintain(retired.Add(8 * day))
	if got := files(); got != before {
		t.Fatalf("%d of %d keys are left after a wrong clock", got, before)
	}
	if err := sealAndOpen(t, s, key, now); err != nil {
		t.Errorf("after a wrong clock: %v", err)
	}
	maintain(retired.Add(14 * day))
	if got := files(); got != before {
		t.Errorf("a key was deleted six days after it was first seen retired")
	}
	maintain(retired.Add(15 * day))
	if got := files(); got != before-len(regions) {
		t.Errorf("%d key files are left of %d", got, before)
	}
	if err := sealAndOpen(t, s, key, now); kangma.CodeOf(err) != "queue_key" { // even for a clock that goes back
		t.Errorf("a deleted key opens: %v", err)
	}
	all, err := s.Keys(now)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.ID == key.ID {
			t.Error("the deleted key is on the list")
		}
	}
	if _, err := keystore.Open(dir, keystore.Options{Now: retired.Add(15 * day), Regions: regions}); err != nil {
		t.Errorf("the folder opens no more: %v", err)
	}
}
