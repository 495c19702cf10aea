package codegen_test

import (
	"crypto/ecdsa"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// roller makes a key for every five seconds, published 65 s ahead and verified for 120 s after.
type roller struct {
	root    *ecdsa.PrivateKey
	keys    []*ecdsa.PrivateKey
	retired map[int]bool
	number  uint64
}

const (
	roll  = 5 * time.Second
	ahead = 65 * time.Second
	after = 120 * time.Second
)

func (r *roller) from(i int) time.Time { return now.Add(time.Duration(i) * roll) }

func (r *roller) list(t *testing.T, at time.Time) []byte {
	t.Helper()
	r.number++
	l := codegen.TrustList{Number: r.number, Issued: at, Expires: at.Add(time.Hour)}
	for i, k := range r.keys {
		from := r.from(i)
		if at.Before(from.Add(-ahead)) || at.After(from.Add(roll+after)) {
			continue
		}
		key := codegen.VerifyKey{Public: &k.PublicKey, Region: shenzhen, From: from, Until: from.Add(roll), State: codegen.Active}
		if r.retired[i] {
			key.State = codegen.Retired
		}
		l.Keys = append(l.Keys, key)
	}
	signed, err := l.Sign(r.root)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// R20 in its dense form: a new key every 5 s for 5 min, a list every second, a minute of lists lost, verified while lists
// are exchanged: no genuine code is refused, and a withdrawn key is refused with the next list.
func TestRotationEveryFiveSecondsWithAMinuteOfListsLost(t *testing.T) {
	r := &roller{root: newKey(t), retired: map[int]bool{}}
	for range 60 {
		r.keys = append(r.keys, newKey(t))
	}
	var ring atomic.Pointer[codegen.Keyring]
	var known uint64
	var checks, refused atomic.Int64
	fetch := func(at time.Time) {
		l, err := codegen.OpenTrustList(r.list(t, at), []*ecdsa.PublicKey{&r.root.PublicKey}, known, at, 0)
		if err != nil {
			t.Fatal(err)
		}
		known = l.Number
		k, err := l.Keyring(0)
		if err != nil {
			t.Fatal(err)
		}
		ring.Store(k)
	}
	verify := func(codes []codegen.Code, at time.Time) {
		for _, c := range codes {
			checks.Add(1)
			if _, tell := ring.Load().Verify(c.Text, at); tell != "" {
				refused.Add(1)
				t.Errorf("a code issued %v was refused at %v: %q", c.Claims.Issued, at, tell)
			}
		}
	}
	fetch(now)
	var living []codegen.Code
	for second := range 300 {
		at := now.Add(time.Duration(second) * time.Second)
		living = append(living, r.issue(t, second/5, at))
		living = living[max(0, len(living)-90):]
		var wg sync.WaitGroup
		wg.Go(func() { verify(living[max(0, len(living)-20):], at) })
		if second < 100 || second >= 160 {
			fetch(at)
		}
		wg.Wait()
	}
	t.Logf("%d codes verified, %d refused", checks.Load(), refused.Load())
	end := now.Add(299 * time.Second)
	r.retired[59] = true
	fetch(end)
	if _, tell := ring.Load().Verify(living[len(living)-1].Text, end); tell != kangma.TellRevoked {
		t.Errorf("a withdrawn key after the next list: %q", tell)
	}
}

func (r *roller) issue(t *testing.T, i int, at time.Time) codegen.Code {
	t.Helper()
	issuer, err := codegen.NewIssuer(codegen.IssuerConfig{Region: shenzhen, Key: r.keys[i], SubjectKey: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	c := dynamic()
	c.Issued, c.Expires = at, at.Add(90*time.Second)
	code, err := issuer.Issue(c)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestAnIssuerThatRecognisesItsSignaturesStillAsksTheKeyring(t *testing.T) {
	d := newDesk(t, shenzhen)
	open := func(keys *codegen.Keyring, text string) kangma.CannotTell {
		t.Helper()
		o, err := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{d.subject}, Keys: keys, Own: []*ecdsa.PrivateKey{d.key}})
		if err != nil {
			t.Fatal(err)
		}
		_, tell := o.Open(text, now)
		return tell
	}
	ring := func(change func(*codegen.VerifyKey)) *codegen.Keyring {
		t.Helper()
		key := codegen.VerifyKey{Public: &d.key.PublicKey, Region: shenzhen, From: now.Add(-time.Hour), Until: now.Add(time.Hour), State: codegen.Active}
		change(&key)
		k, err := codegen.NewKeyring([]codegen.VerifyKey{key}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	code := d.issue(t, dynamic()).Text
	other, err := codegen.NewKeyring(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		keys *codegen.Keyring
		want kangma.CannotTell
	}{
		"a good code":                 {ring(func(*codegen.VerifyKey) {}), ""},
		"a key nobody knows":          {other, kangma.TellUnknownKey},
		"a retired key":               {ring(func(k *codegen.VerifyKey) { k.State = codegen.Retired }), kangma.TellRevoked},
		"a key whose time was before": {ring(func(k *codegen.VerifyKey) { k.Until = now.Add(-time.Minute) }), kangma.TellForged},
		"a key for another region":    {ring(func(k *codegen.VerifyKey) { k.Region = 110000000 }), kangma.TellForged},
	} {
		if got := open(tc.keys, code); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
	// one changed character of the claims or of the signature: nothing opens
	if got := open(ring(func(*codegen.VerifyKey) {}), code[:len(code)-6]+swap(code[len(code)-6:len(code)-5])+code[len(code)-5:]); got != kangma.TellForged && got != kangma.TellMalformed {
		t.Errorf("a changed signature: %q", got)
	}
	if got := open(ring(func(*codegen.VerifyKey) {}), code[:60]+swap(code[60:61])+code[61:]); got == "" {
		t.Error("changed claims pass")
	}
}

func swap(s string) string {
	if s == "A" {
		return "B"
	}
	return "A"
}
