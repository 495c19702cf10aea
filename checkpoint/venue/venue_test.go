package venue_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	mrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/venue"
	"github.com/kangma/kangma/codegen"
)

var noon = time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheLongestCodeStaysAtVersionNineAndOpens(t *testing.T) {
	key := newKey(t)
	for _, c := range []venue.Claims{
		{Venue: strings.Repeat("w", 24), Issued: noon, Expires: noon.Add(364 * 24 * time.Hour), Serial: 1<<32 - 1},
		{Venue: "m1", Issued: noon, Expires: noon.Add(venue.ScreenLife)},
	} {
		text, err := venue.Sign(key, c)
		if err != nil {
			t.Fatal(err)
		}
		size, err := codegen.SizeOf(text, codegen.LevelM)
		if err != nil || size.Version > codegen.MaxVersion {
			t.Errorf("%d characters: %+v %v", len(text), size, err)
		}
		got, err := venue.Open(text, []*ecdsa.PublicKey{&newKey(t).PublicKey, &key.PublicKey})
		if err != nil || got != c {
			t.Errorf("%+v %v", got, err)
		}
		if seen, ok := venue.Inspect(text); !ok || seen != c {
			t.Errorf("inspected: %+v %v", seen, ok)
		}
		if _, err := venue.Open(text, []*ecdsa.PublicKey{&newKey(t).PublicKey}); kangma.CodeOf(err) != "venue_code_forged" {
			t.Errorf("another key: %v", err)
		}
	}
}

func TestNoMutantOfACodeIsAccepted(t *testing.T) {
	t.Log("seed 8")
	r := mrand.New(mrand.NewPCG(8, 1))
	key := newKey(t)
	keys := []*ecdsa.PublicKey{&key.PublicKey}
	text, err := venue.Sign(key, venue.Claims{Venue: "mall-1", Issued: noon, Expires: noon.Add(venue.ScreenLife)})
	if err != nil {
		t.Fatal(err)
	}
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
	for range 20_000 {
		b := []byte(text)
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] = alphabet[r.IntN(len(alphabet))]
		}
		if r.IntN(4) == 0 {
			b = b[:r.IntN(len(b))]
		}
		if string(b) == text {
			continue
		}
		if c, err := venue.Open(string(b), keys); err == nil {
			t.Fatalf("accepted %q as %+v", b, c)
		}
	}
}

// TestAnotherDocumentOfTheSameKeyIsNoVenueCode keeps kinds of document apart, and refuses claims that cannot be.
func TestAnotherDocumentOfTheSameKeyIsNoVenueCode(t *testing.T) {
	key := newKey(t)
	raw, err := codegen.SignDocument(key, codegen.TypeGateBundle, []byte{0xa0})
	if err != nil {
		t.Fatal(err)
	}
	text := string(codegen.AppendBase45([]byte(venue.Prefix), raw))
	if _, err := venue.Open(text, []*ecdsa.PublicKey{&key.PublicKey}); kangma.CodeOf(err) != "not_venue_code" {
		t.Errorf("a gate bundle: %v", err)
	}
	for what, c := range map[string]venue.Claims{
		"a life of years":  {Venue: "mall-1", Issued: noon, Expires: noon.Add(401 * 24 * time.Hour)},
		"no life":          {Venue: "mall-1", Issued: noon, Expires: noon},
		"an odd venue":     {Venue: "../etc", Issued: noon, Expires: noon.Add(time.Minute)},
		"no venue":         {Issued: noon, Expires: noon.Add(time.Minute)},
		"from before 1970": {Venue: "mall-1", Issued: time.Unix(-5, 0), Expires: time.Unix(60, 0)},
	} {
		text, err := venue.Sign(key, c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := venue.Open(text, []*ecdsa.PublicKey{&key.PublicKey}); kangma.CodeOf(err) != "not_venue_code" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key := newKey(f)
	text, err := venue.Sign(key, venue.Claims{Venue: "mall-1", Issued: noon, Expires: noon.Add(time.Minute), Serial: 3})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("KML:")
	f.Fuzz(func(t *testing.T, s string) {
		venue.Inspect(s)
		if _, err := venue.Open(s, []*ecdsa.PublicKey{&key.PublicKey}); err == nil && s != text {
			t.Errorf("accepted %q", s)
		}
	})
}

func TestAVenueIsChecked(t *testing.T) {
	good := venue.Venue{ID: "mall-1", Name: kangma.Text{Zh: "广场"}, Kind: "mall", District: 441502000, Organisation: "o", Mode: venue.Screen, Policy: checkpoint.DefaultPolicy("venue")}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*venue.Venue){
		"id": func(v *venue.Venue) { v.ID = "Mall 1" }, "long id": func(v *venue.Venue) { v.ID = strings.Repeat("m", 25) }, "kind": func(v *venue.Venue) { v.Kind = "prison" },
		"mode": func(v *venue.Venue) { v.Mode = "" }, "fence": func(v *venue.Venue) { v.Mode = venue.Printed }, "radius": func(v *venue.Venue) { v.Radius = 100 },
		"policy": func(v *venue.Venue) { v.Policy.TestHours = 5 }, "form": func(v *venue.Venue) { v.Form = make([]venue.FormField, 21) },
		"organisation": func(v *venue.Venue) { v.Organisation = "" }, "name": func(v *venue.Venue) { v.Name.Zh = "" },
	} {
		v := good
		change(&v)
		if err := v.Check(); kangma.CodeOf(err) != "venue" {
			t.Errorf("%s: %v", what, err)
		}
	}
}
