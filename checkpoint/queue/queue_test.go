package queue_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/queue"
)

func TestNothingButTheWholeSealOpens(t *testing.T) {
	private, key := testKey(t)
	event := kangma.NewEventID(time.Now())
	good, err := queue.Seal(key, "g", 7, event, []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := good.Open(private); err != nil || string(bytes.TrimRight(got, " ")) != "{}" {
		t.Fatalf("%q %v", got, err)
	}
	for i := range good.Text {
		bad := good
		bad.Text = bytes.Clone(good.Text)
		bad.Text[i] ^= 1 << (i % 8)
		if _, err := bad.Open(private); kangma.CodeOf(err) != "queue_sealed" {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for n := range good.Text {
		bad := good
		bad.Text = good.Text[:n]
		if _, err := bad.Open(private); kangma.CodeOf(err) != "queue_sealed" {
			t.Fatalf("cut to %d: %v", n, err)
		}
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := other.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := good.Open(wrong); kangma.CodeOf(err) != "queue_sealed" {
		t.Errorf("by another key: %v", err)
	}
}

func TestASealSaysNothingOfItsContent(t *testing.T) {
	_, key := testKey(t)
	seen := map[string]bool{}
	for _, content := range []string{"", `{"code":"KM1:ABC"}`, string(bytes.Repeat([]byte("a"), 512))} {
		for range 20 {
			s, err := queue.Seal(key, "g", 1, kangma.NewEventID(time.Now()), []byte(content))
			if err != nil || len(s.Text) != 65+512+16 {
				t.Fatalf("%d bytes, %v", len(s.Text), err)
			}
			if seen[string(s.Text[:65])] {
				t.Fatal("an encapsulation twice")
			}
			seen[string(s.Text[:65])] = true
		}
	}
	if _, err := queue.Seal(key, "g", 1, kangma.EventID{}, make([]byte, 32<<10+1)); err == nil {
		t.Error("over 32 KiB")
	}
	if _, err := queue.Seal(queue.Key{}, "g", 1, kangma.EventID{}, nil); err == nil {
		t.Error("to no key")
	}
}

func TestAKeyIsReadAndWritten(t *testing.T) {
	_, key := testKey(t)
	spki, err := key.SPKI()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := queue.ParseKey(spki); err != nil || again.ID != key.ID {
		t.Errorf("%v %v", again, err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKIXPublicKey(&p384.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, spki[1:], append(bytes.Clone(spki), 0), other} {
		if _, err := queue.ParseKey(bad); !errors.Is(err, kangma.Invalid) {
			t.Errorf("%x: %v", bad, err)
		}
	}
	if _, err := (queue.Key{}).SPKI(); err == nil {
		t.Error("the zero key is written")
	}
}

// absent is a token that does not answer.
type absent struct{ *ecdh.PrivateKey }

func (absent) ECDH(*ecdh.PublicKey) ([]byte, error) {
	return nil, kangma.E(kangma.Unavailable, "keystore_token", "")
}

func TestATokenThatIsAwayIsNoFaultOfThePassage(t *testing.T) {
	private, key := testKey(t)
	s, err := queue.Seal(key, "g", 1, kangma.NewEventID(time.Now()), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(absent{private}); !errors.Is(err, kangma.Unavailable) {
		t.Errorf("%v", err)
	}
}

// FuzzOpen: whatever is sent, only what was sealed opens, as itself. The seal is one of the vectors, the same in every process.
func FuzzOpen(f *testing.F) {
	private, key := testKey(f)
	v := readVectors(f, ours).Sealed[0]
	good, event := v.Sealed, v.Sealed.Event
	content := compact(f, v.Content)
	f.Add(good.Text, event[:], good.Gate, good.Bundle)
	f.Add(good.Text, event[:], "metro-2", good.Bundle)
	f.Add(good.Text[:65], event[:], good.Gate, good.Bundle)
	f.Add(bytes.Repeat([]byte{4}, 593), event[:], "", uint64(0))
	f.Fuzz(func(t *testing.T, text, id []byte, gate string, bundle uint64) {
		s := queue.Sealed{Gate: gate, Bundle: bundle, Key: key.ID, Text: text}
		copy(s.Event[:], id)
		got, err := s.Open(private)
		same := gate == good.Gate && bundle == good.Bundle && bytes.Equal(text, good.Text) && s.Event == event
		if (err == nil) != same || same && !bytes.HasPrefix(got, content) {
			t.Errorf("opens: %q, %v", got, err)
		}
		if err != nil && kangma.CodeOf(err) != "queue_sealed" {
			t.Error(err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	_, key := testKey(b)
	for b.Loop() {
		if _, err := queue.Seal(key, "metro-1", 7, kangma.EventID{1}, make([]byte, 400)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	private, key := testKey(b)
	s, err := queue.Seal(key, "metro-1", 7, kangma.EventID{1}, make([]byte, 400))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Open(private); err != nil {
			b.Fatal(err)
		}
	}
}
