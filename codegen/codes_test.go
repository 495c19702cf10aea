package codegen_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

func TestACodeSaysWhatWasIssued(t *testing.T) {
	d := newDesk(t, shenzhen)
	cred, chain := credential(t)
	for name, c := range map[string]codegen.Claims{"dynamic": dynamic(), "paper": paper(), "credential": cred} {
		t.Run(name, func(t *testing.T) {
			code := d.issue(t, c)
			text := code.Text
			if c.Kind == codegen.Credential {
				var err error
				if text, err = codegen.Show(text, chain, 0); err != nil {
					t.Fatal(err)
				}
			}
			want := code.Claims
			want.Shown = c.Kind == codegen.Credential
			got, tell := d.opener.Open(text, now.Add(time.Second))
			if tell != "" || got != want {
				t.Errorf("opened %q %+v\nwant %+v", tell, got, want)
			}
			want.Person = kangma.PersonID{}
			got, tell = d.keyring.Verify(text, now.Add(time.Second))
			if tell != "" || got != want {
				t.Errorf("verified %q %+v\nwant %+v", tell, got, want)
			}
			if in := codegen.Inspect(text); in.Problem != "" || in.Claims == nil || *in.Claims != want || in.Trusted {
				t.Errorf("inspected %+v", in)
			}
		})
	}
}

func TestEveryKindFitsItsSize(t *testing.T) {
	county := kangma.Division(440304000)
	d := newDesk(t, county)
	cred, chain := credential(t)
	bare := func(c codegen.Claims) codegen.Claims { c.MaskedName, c.IDTail = "", ""; return c }
	long := func(c codegen.Claims) codegen.Claims { c.MaskedName, c.IDTail = "欧***力", "123X"; return c }
	for _, tc := range []struct {
		name string
		c    codegen.Claims
		max  int
	}{
		{"dynamic without name", bare(dynamic()), 220}, {"dynamic with name", long(dynamic()), 235},
		{"credential without name", bare(cred), 262}, {"credential with name", long(cred), 300},
		{"paper", paper(), 220}, {"specimen", specimen(), 240},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := d.issue(t, tc.c).Text
			if tc.c.Kind == codegen.Credential {
				text, _ = codegen.Show(text, chain, 2879)
			}
			size, err := codegen.SizeOf(text, codegen.LevelAuto)
			t.Logf("%d characters, %+v", len(text), size)
			if len(text) > tc.max || text == "" || err != nil || size.Version > 9 {
				t.Errorf("%d characters, want at most %d; %+v %v", len(text), tc.max, size, err)
			}
			if _, err := codegen.Matrix(text, codegen.LevelAuto); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTwoCodesOfOnePersonHaveNothingInCommon(t *testing.T) {
	d := newDesk(t, shenzhen)
	seen := map[codegen.CodeID]bool{}
	for range 1000 {
		c := d.issue(t, dynamic()).Claims
		if seen[c.ID] {
			t.Fatal("two codes of one second share an id")
		}
		seen[c.ID] = true
	}
}

func TestVerdicts(t *testing.T) {
	d, other := newDesk(t, shenzhen), newDesk(t, shenzhen)
	code := d.issue(t, dynamic()).Text
	both := func(t *testing.T, text string, at time.Time, want kangma.CannotTell) {
		t.Helper()
		if _, got := d.keyring.Verify(text, at); got != want {
			t.Errorf("offline %q, want %q", got, want)
		}
		if _, got := d.opener.Open(text, at); got != want {
			t.Errorf("online %q, want %q", got, want)
		}
	}
	t.Run("some other QR", func(t *testing.T) { both(t, "https://example.org/", now, kangma.TellNotOurs) })
	t.Run("empty", func(t *testing.T) { both(t, "", now, kangma.TellNotOurs) })
	t.Run("truncated", func(t *testing.T) { both(t, code[:len(code)-3], now, kangma.TellMalformed) })
	t.Run("lower case", func(t *testing.T) { both(t, "KM1:"+strings.ToLower(code[4:]), now, kangma.TellMalformed) })
	t.Run("one character more", func(t *testing.T) { both(t, code+"0", now, kangma.TellMalformed) })
	t.Run("specimen", func(t *testing.T) { both(t, d.issue(t, specimen()).Text, now, kangma.TellSpecimen) })
	for _, tc := range []struct {
		name string
		at   time.Duration
		want kangma.CannotTell
	}{
		{"a phone 30 s ahead is in time", -30 * time.Second, ""}, {"31 s ahead is not", -31 * time.Second, kangma.TellNotYetValid},
		{"29 s after its life is in time", 119 * time.Second, ""}, {"30 s after its life is not", 120 * time.Second, kangma.TellExpired},
		{"an hour slow", -time.Hour, kangma.TellNotYetValid}, {"a day fast", 24 * time.Hour, kangma.TellExpired},
	} {
		t.Run(tc.name, func(t *testing.T) { both(t, code, now.Add(tc.at), tc.want) })
	}
	t.Run("unknown key offline", func(t *testing.T) {
		if _, got := other.keyring.Verify(code, now); got != kangma.TellUnknownKey {
			t.Errorf("got %q", got)
		}
	})
	t.Run("another subject key online", func(t *testing.T) {
		o, _ := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{{7}}})
		if _, got := o.Open(code, now); got != kangma.TellForged {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a withdrawn key", func(t *testing.T) {
		k := newKeyring(t, d.verifyKey(shenzhen, codegen.Retired))
		if _, got := k.Verify(code, now); got != kangma.TellRevoked {
			t.Errorf("got %q", got)
		}
		o, _ := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{d.subject}, Keys: k})
		if _, got := o.Open(code, now); got != kangma.TellRevoked {
			t.Errorf("online got %q", got)
		}
	})
	t.Run("a key of another region", func(t *testing.T) {
		k := newKeyring(t, d.verifyKey(440100000, codegen.Active))
		if _, got := k.Verify(code, now); got != kangma.TellForged {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a key of another week", func(t *testing.T) {
		key := d.verifyKey(shenzhen, codegen.VerifyOnly)
		key.Until = now
		if _, got := newKeyring(t, key).Verify(code, now); got != kangma.TellForged {
			t.Errorf("got %q", got)
		}
	})
}

func TestAHolderProofIsWorthItsHalfMinute(t *testing.T) {
	d := newDesk(t, shenzhen)
	c, chain := credential(t)
	code := d.issue(t, c).Text
	for _, slot := range []int{0, 1, 1234, 2879} {
		text, err := codegen.Show(code, chain, slot)
		if err != nil {
			t.Fatal(err)
		}
		begin := now.Add(time.Duration(slot) * codegen.SlotLength)
		for _, tc := range []struct {
			at   int
			want kangma.CannotTell
		}{{0, ""}, {29, ""}, {31, ""}, {59, ""}, {60, kangma.TellExpired}, {61, kangma.TellExpired}, {-30, ""}, {-31, kangma.TellNotYetValid}} {
			at := begin.Add(time.Duration(tc.at) * time.Second)
			if _, got := d.keyring.Verify(text, at); got != tc.want {
				t.Errorf("slot %d at %d s: offline %q, want %q", slot, tc.at, got, tc.want)
			}
			if _, got := d.opener.Open(text, at); got != tc.want {
				t.Errorf("slot %d at %d s: online %q, want %q", slot, tc.at, got, tc.want)
			}
		}
	}
	t.Run("a bare credential is not a shown one", func(t *testing.T) {
		if _, got := d.keyring.Verify(code, now); got != kangma.TellMalformed {
			t.Errorf("got %q", got)
		}
	})
	t.Run("another phone's link under this credential", func(t *testing.T) {
		theirs, other := credentialOf(t, 77)
		shown, err := codegen.Show(d.issue(t, theirs).Text, other, 0)
		if err != nil {
			t.Fatal(err)
		}
		mine, _ := codegen.DecodeBase45(nil, code[4:])
		raw, _ := codegen.DecodeBase45(nil, shown[4:])
		forged := encode(append(mine, raw[len(raw)-15:]...))
		if _, got := d.keyring.Verify(forged, now); got != kangma.TellForged {
			t.Errorf("offline %q", got)
		}
		if _, got := d.opener.Open(forged, now); got != kangma.TellForged {
			t.Errorf("online %q", got)
		}
	})
	t.Run("another phone's secret does not prove it", func(t *testing.T) {
		other, _ := codegen.NewChain([32]byte{8}, chain.Nonce, codegen.MaxSlots)
		if _, err := codegen.Show(code, other, 0); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("got %v", err)
		}
	})
}
