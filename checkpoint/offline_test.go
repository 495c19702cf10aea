package checkpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
)

// bureau issues codes and signs lists.
type bureau struct {
	list, code *ecdsa.PrivateKey
	issuer     *codegen.Issuer
	trusted    []codegen.VerifyKey
}

func newBureau(t testing.TB) *bureau {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	b := &bureau{list: key(), code: key()}
	b.trusted = []codegen.VerifyKey{{Public: &b.code.PublicKey, Region: 441500000, From: noon.Add(-time.Hour), Until: noon.Add(30 * 24 * time.Hour), State: codegen.Active}}
	var err error
	if b.issuer, err = codegen.NewIssuer(codegen.IssuerConfig{Region: 441500000, Key: b.code, SubjectKey: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bureau) pins() []*ecdsa.PublicKey { return []*ecdsa.PublicKey{&b.list.PublicKey} }

func (b *bureau) issue(t testing.TB, kind codegen.Kind, colour kangma.Colour, life time.Duration) codegen.Code {
	t.Helper()
	c, err := b.issuer.Issue(codegen.Claims{Kind: kind, Colour: colour, Issued: noon, Expires: noon.Add(life), Person: kangma.NewPersonID(), LatestNegative: noon.Add(-30 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// gate makes the offline gate of a policy with a status list of these codes; nil: without a list.
func (b *bureau) gate(t testing.TB, p checkpoint.Policy, listed []codegen.CodeID) *checkpoint.Offline {
	t.Helper()
	var status []byte
	if listed != nil {
		l, err := codegen.NewStatusList(nil, 1, noon, noon.Add(12*time.Hour), listed)
		if err == nil {
			status, err = l.Sign(b.list)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	raw, err := checkpoint.SignBundle(b.list, checkpoint.Gate{ID: "g", Kind: "metro", District: 441502000, Policy: p}, b.trusted, status, sealTo, noon)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := checkpoint.OpenBundle(raw, b.pins(), noon)
	if err != nil {
		t.Fatal(err)
	}
	o, err := checkpoint.NewOffline(bundle)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestPaperAndListedCodesWithoutANetwork(t *testing.T) {
	b := newBureau(t)
	paper, other := b.issue(t, codegen.Paper, kangma.Red, 30*24*time.Hour), b.issue(t, codegen.Paper, kangma.Red, 30*24*time.Hour)
	green := b.issue(t, codegen.Dynamic, kangma.Green, 90*time.Second)
	yellow := b.issue(t, codegen.Dynamic, kangma.Yellow, 90*time.Second)
	specimen := b.issue(t, codegen.Specimen, kangma.Green, 30*24*time.Hour)
	policy := checkpoint.DefaultPolicy("metro")
	for what, c := range map[string]struct {
		code     codegen.Code
		listed   []codegen.CodeID
		after    time.Duration
		decision kangma.Decision
		tell     kangma.CannotTell
	}{
		"paper without a list":          {paper, nil, 0, kangma.Refer, kangma.TellCheckOnline},
		"paper that is not on the list": {paper, []codegen.CodeID{other.Claims.ID}, 0, kangma.Pass, ""},
		"paper that is on the list":     {paper, []codegen.CodeID{paper.Claims.ID}, 0, kangma.Refer, kangma.TellCheckOnline},
		"paper when the list is over":   {paper, []codegen.CodeID{other.Claims.ID}, 12 * time.Hour, kangma.Refer, kangma.TellCheckOnline},
		"green that is on the list":     {green, []codegen.CodeID{green.Claims.ID}, 0, kangma.Refer, kangma.TellCheckOnline},
		"green":                         {green, nil, 0, kangma.Pass, ""},
		"green after its time":          {green, nil, 3 * time.Minute, kangma.Refer, kangma.TellExpired},
		"yellow":                        {yellow, nil, 0, kangma.TurnBack, ""},
		"a specimen":                    {specimen, nil, 0, kangma.Refer, kangma.TellSpecimen},
	} {
		t.Run(what, func(t *testing.T) {
			v, p, err := b.gate(t, policy, c.listed).Scan(checkpoint.Scan{Code: c.code.Text}, noon.Add(c.after))
			if err != nil || v.Decision != c.decision || v.CannotTell != c.tell || v.Told != (c.tell == "") || v.Why.Zh == "" {
				t.Errorf("%+v, %v", v, err)
			}
			if p.ID != v.Event || !p.ID.Time().Equal(p.At) || p.Decision != v.Decision || p.Person != (kangma.Pseudonym{}) {
				t.Errorf("passage %+v", p)
			}
		})
	}
}

func TestThePolicyOfTheGateHoldsWithoutANetwork(t *testing.T) {
	b := newBureau(t)
	green := b.issue(t, codegen.Dynamic, kangma.Green, 90*time.Second).Text // tested 30 h ago
	policy := checkpoint.DefaultPolicy("metro")
	policy.OfflineHours = 1
	for hours, want := range map[int]kangma.Decision{0: kangma.Pass, 24: kangma.Refer, 48: kangma.Pass} {
		policy.TestHours = hours
		if v, _, err := b.gate(t, policy, nil).Scan(checkpoint.Scan{Code: green}, noon); err != nil || v.Decision != want {
			t.Errorf("a test within %d h: %+v, %v", hours, v, err)
		}
	}
	policy.TestHours = 0
	o := b.gate(t, policy, nil)
	if v, _, err := o.Scan(checkpoint.Scan{Code: green, Temperature: 380}, noon); err != nil || v.Reason != "fever" {
		t.Errorf("fever: %+v, %v", v, err)
	}
	if v, _, _ := o.Scan(checkpoint.Scan{Code: green}, noon.Add(time.Hour)); v.CannotTell != kangma.TellStaleGate {
		t.Errorf("an hour old at a gate that allows one: %+v", v)
	}
	if _, _, err := o.Scan(checkpoint.Scan{Code: green, Direction: "up"}, noon); err == nil {
		t.Error("a direction that is none")
	}
	if v, _, _ := newBureau(t).gate(t, policy, nil).Scan(checkpoint.Scan{Code: green}, noon); v.CannotTell != kangma.TellUnknownKey {
		t.Errorf("another region's key: %+v", v)
	}
}

// FuzzOpenBundle signs any payload: what a signature does not keep out must not panic, and what opens is a whole gate.
func FuzzOpenBundle(f *testing.F) {
	b := newBureau(f)
	good, err := checkpoint.SignBundle(b.list, checkpoint.Gate{ID: "g", Kind: "metro", District: 441502000}, b.trusted, nil, sealTo, noon)
	if err != nil {
		f.Fatal(err)
	}
	payload, err := codegen.VerifyDocument(good, codegen.TypeGateBundle, b.pins())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	for _, v := range []any{map[int]any{4: 1, 6: 0}, map[int]any{4: 2, 6: 1, -65544: []byte(`{"id":"g","kind":"metro","district":"441502000"}`)}, []int{1}, nil} {
		raw, err := cbor.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		signed, err := codegen.SignDocument(b.list, codegen.TypeGateBundle, payload)
		if err != nil {
			return
		}
		bundle, err := checkpoint.OpenBundle(signed, b.pins(), noon)
		if err == nil && (bundle.Gate.Check() != nil || !bundle.Issued.Before(bundle.Expires)) {
			t.Errorf("opened: %+v", bundle)
		}
	})
}
