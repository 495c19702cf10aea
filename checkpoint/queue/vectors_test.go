package queue_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint/queue"
)

var updateVectors = flag.Bool("update-queue-vectors", false, "make testdata/gate/queue.json anew")

const (
	ours   = "../../testdata/gate/queue.json"     // sealed here, opened by @hpke/core (api/web/test/queue.test.ts)
	theirs = "../../testdata/gate/queue-web.json" // sealed by the gate's page with @hpke/core
)

// vectors hold a private key that is public and what was sealed to it.
type vectors struct {
	About   string   `json:"about"`
	Private []byte   `json:"private,omitempty"`
	SPKI    []byte   `json:"spki,omitempty"`
	Sealed  []vector `json:"sealed"`
}

type vector struct {
	Name    string          `json:"name"`
	Sealed  queue.Sealed    `json:"sealed"`
	Content json.RawMessage `json:"content,omitempty"` // left out: it does not open
}

// testKey guards nothing: the vectors have it.
func testKey(t testing.TB) (*ecdh.PrivateKey, queue.Key) {
	t.Helper()
	d := append(make([]byte, 28), 0x01, 0x34, 0x8c, 0xb1) // 20221105: the key of the gate vectors' bundles
	ec, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		t.Fatal(err)
	}
	key, err := queue.KeyOf(&ec.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ec.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	return private, key
}

func makeVectors(t *testing.T) vectors {
	t.Helper()
	private, key := testKey(t)
	spki, err := key.SPKI()
	if err != nil {
		t.Fatal(err)
	}
	v := vectors{About: "Passages sealed by checkpoint/queue; the private key is public and guards nothing.", Private: private.Bytes(), SPKI: spki}
	noon := time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)
	seal := func(name, gate string, bundle uint64, content string) queue.Sealed {
		s, err := queue.Seal(key, gate, bundle, kangma.NewEventID(noon), []byte(content))
		if err != nil {
			t.Fatal(err)
		}
		v.Sealed = append(v.Sealed, vector{name, s, json.RawMessage(content)})
		return s
	}
	const pass = `{"code":"KM1:X","decision":"pass","colour":"green","reason":"ok","flags":["offline"]}`
	good := seal("a pass", "metro-1", uint64(noon.Unix()), pass)
	seal("a gate in Chinese", "体育西路站-1", uint64(noon.Unix()), pass)
	seal("a bundle number over 32 bits", "metro-1", 1<<40+7, pass)
	seal("a long text", "metro-1", 1, `{"code":"`+string(bytes.Repeat([]byte("世"), 1365))+`","decision":"refer","reason":"not_ours","flags":["offline","stale"]}`)
	for _, c := range []struct {
		name  string
		spoil func(*queue.Sealed)
	}{
		{"another gate", func(s *queue.Sealed) { s.Gate = "metro-2" }},
		{"another bundle", func(s *queue.Sealed) { s.Bundle++ }},
		{"another event", func(s *queue.Sealed) { s.Event[15] ^= 1 }},
		{"a changed bit", func(s *queue.Sealed) { s.Text[100] ^= 4 }},
		{"another point", func(s *queue.Sealed) { s.Text[40] ^= 1 }},
		{"a byte cut off", func(s *queue.Sealed) { s.Text = s.Text[:len(s.Text)-1] }},
		{"a byte too many", func(s *queue.Sealed) { s.Text = append(s.Text, 0) }},
	} {
		bad := good
		bad.Text = bytes.Clone(good.Text)
		c.spoil(&bad)
		v.Sealed = append(v.Sealed, vector{Name: c.name, Sealed: bad})
	}
	return v
}

func readVectors(t testing.TB, path string) (v vectors) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatOneSideSealsTheOtherOpens(t *testing.T) {
	if *updateVectors {
		raw, err := json.MarshalIndent(makeVectors(t), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ours, append(raw, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	key, public := testKey(t)
	for path, least := range map[string]int{ours: 11, theirs: 3} {
		v := readVectors(t, path)
		if len(v.Sealed) < least {
			t.Errorf("%s: only %d vectors", path, len(v.Sealed))
		}
		for _, c := range v.Sealed {
			t.Run(c.Name, func(t *testing.T) {
				got, err := c.Sealed.Open(key)
				switch {
				case c.Content == nil && kangma.CodeOf(err) != "queue_sealed":
					t.Errorf("it opens, or %v", err)
				case c.Content != nil && (err != nil || !bytes.Equal(bytes.TrimRight(got, " "), compact(t, c.Content)) || len(got)%512 != 0):
					t.Errorf("%s, %v", got, err)
				case c.Sealed.Key != public.ID:
					t.Errorf("key %v", c.Sealed.Key)
				}
			})
		}
	}
}

func compact(t testing.TB, raw json.RawMessage) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
