package codegen_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

func TestACodeCarriesTheNumberOfAGate(t *testing.T) {
	d := newDesk(t, shenzhen)
	both := func(t *testing.T, text string, at time.Time, tell kangma.CannotTell, challenge int) {
		t.Helper()
		o, ot := d.opener.Open(text, at)
		v, vt := d.keyring.Verify(text, at)
		if ot != tell || vt != tell {
			t.Fatalf("online %q, offline %q, want %q", ot, vt, tell)
		}
		if tell == "" && (o.Challenge != challenge || v.Challenge != challenge) {
			t.Errorf("online %d, offline %d, want %d", o.Challenge, v.Challenge, challenge)
		}
		if in := codegen.Inspect(text); tell == "" && (in.Claims == nil || in.Claims.Challenge != challenge) {
			t.Errorf("inspected %+v", in.Claims)
		}
	}
	t.Run("dynamic", func(t *testing.T) {
		for _, n := range []int{0, 10, 23, 24, 99} {
			c := dynamic()
			c.Challenge = n
			text := d.issue(t, c).Text
			both(t, text, now.Add(time.Second), "", n)
			if len(text) > 235 {
				t.Errorf("%d characters", len(text))
			}
		}
	})
	cred, chain := credential(t)
	text := d.issue(t, cred).Text
	t.Run("credential, in every slot that has an answer", func(t *testing.T) {
		for _, slot := range []int{0, 1, 500, 2876} {
			shown, err := codegen.Answer(text, chain, slot, 47)
			if err != nil {
				t.Fatal(err)
			}
			begin := now.Add(time.Duration(slot) * codegen.SlotLength)
			both(t, shown, begin, "", 47)
			both(t, shown, begin.Add(59*time.Second), "", 47)
			both(t, shown, begin.Add(60*time.Second), kangma.TellExpired, 0)
			if slot > 0 {
				both(t, shown, begin.Add(-30*time.Second), "", 47)
			}
			both(t, shown, begin.Add(-31*time.Second), kangma.TellNotYetValid, 0)
		}
		if _, err := codegen.Answer(text, chain, 2877, 47); kangma.CodeOf(err) != "slot" {
			t.Errorf("the last slots have no answer, got %v", err)
		}
		for _, n := range []int{-1, 0, 9, 100, 256 + 47} {
			if _, err := codegen.Answer(text, chain, 0, n); !errors.Is(err, codegen.ErrChallenge) {
				t.Errorf("%d: %v", n, err)
			}
		}
	})
	t.Run("nothing else carries one, and none but two digits", func(t *testing.T) {
		for _, kind := range []codegen.Kind{codegen.Paper, codegen.Specimen} {
			c := dynamic()
			c.Kind, c.Challenge = kind, 47
			if _, err := d.issuer.Issue(c); err == nil {
				t.Errorf("%s was issued", kind)
			}
		}
		c := cred
		c.Challenge = 47
		if _, err := d.issuer.Issue(c); err == nil {
			t.Error("a credential was issued with a number")
		}
		for _, n := range []int{-1, 9, 100} {
			c := dynamic()
			c.Challenge = n
			if _, err := d.issuer.Issue(c); err == nil {
				t.Errorf("%d was issued", n)
			}
		}
	})
	t.Run("signed by the issuer, still none but two digits", func(t *testing.T) {
		c := dynamic()
		c.Challenge = 47
		protected, payload := parts(t, d.issue(t, c).Text)
		at := payload[:]
		for i := range at {
			if at[i] == 0x58 && at[i+1] == 0x20 {
				at[i+2+15] = 100
				break
			}
		}
		if _, tell := d.keyring.Verify(d.forge(t, protected, payload), now); tell != kangma.TellMalformed {
			t.Errorf("got %q", tell)
		}
	})
}

func TestAnAnswerFitsItsSize(t *testing.T) {
	county := kangma.Division(440304000)
	d := newDesk(t, county)
	c, chain := credential(t)
	bare := c
	bare.MaskedName, bare.IDTail = "", ""
	c.MaskedName, c.IDTail = "欧***力", "123X"
	for most, c := range map[int]codegen.Claims{262: bare, 300: c} {
		text, err := codegen.Answer(d.issue(t, c).Text, chain, 2876, 99)
		size, err2 := codegen.SizeOf(text, codegen.LevelAuto)
		if err != nil || err2 != nil || len(text) > most || size.Version > 9 {
			t.Errorf("%d characters, at most %d; %+v %v %v", len(text), most, size, err, err2)
		}
		t.Logf("%d characters, %+v", len(text), size)
	}
}

// T3: who has a picture of what a phone showed before, and all the software there is, makes no answer of it.
func TestAPictureIsNoAnswer(t *testing.T) {
	d := newDesk(t, shenzhen)
	c, chain := credential(t)
	text := d.issue(t, c).Text
	const slot = 100
	at := now.Add(slot * codegen.SlotLength).Add(29 * time.Second)
	shown, err := codegen.Show(text, chain, slot)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := codegen.DecodeBase45(nil, shown[4:])
	if err != nil {
		t.Fatal(err)
	}
	envelope, link := raw[:len(raw)-15], raw[len(raw)-12:]
	claims := codegen.Inspect(shown).Claims
	for claimed := slot - 5; claimed <= slot+5; claimed++ {
		for n := codegen.MinChallenge; n <= codegen.MaxChallenge; n++ {
			forged := encode(append(append([]byte{}, envelope...), answerOf(claims.Nonce, claimed, n, link)...))
			for _, after := range []time.Duration{0, 30 * time.Second, time.Minute} {
				if got, tell := d.keyring.Verify(forged, at.Add(after)); tell == "" {
					t.Fatalf("accepted: %+v", got)
				}
				if got, tell := d.opener.Open(forged, at.Add(after)); tell == "" {
					t.Fatalf("accepted online: %+v", got)
				}
			}
		}
	}
	t.Run("nor does another number in an answer", func(t *testing.T) {
		answer, err := codegen.Answer(text, chain, slot, 47)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := codegen.DecodeBase45(nil, answer[4:])
		for n := range 256 {
			raw[len(raw)-1] = byte(n)
			if _, tell := d.keyring.Verify(encode(raw), at); (tell == "") != (n == 47) {
				t.Errorf("%d: %q", n, tell)
			}
		}
	})
}

// answerOf writes an answer by the text of docs/code-format.md, not by the code.
func answerOf(nonce [4]byte, slot, challenge int, link []byte) []byte {
	number := binary.BigEndian.AppendUint16(nil, uint16(slot))
	h := sha256.New()
	h.Write([]byte("KM1 answer"))
	h.Write(nonce[:])
	h.Write(number)
	h.Write([]byte{byte(challenge)})
	veil := h.Sum(nil)
	out := append([]byte{0x4f}, number...)
	for i := range 12 {
		out = append(out, link[i]^veil[i])
	}
	return append(out, byte(challenge))
}

func TestNumbersAreDrawnAlike(t *testing.T) {
	seen := map[int]int{}
	for range 90_000 {
		n := codegen.NewChallenge()
		if !codegen.ValidChallenge(n) {
			t.Fatalf("drew %d", n)
		}
		seen[n]++
	}
	for n := codegen.MinChallenge; n <= codegen.MaxChallenge; n++ {
		if seen[n] < 700 || seen[n] > 1300 { // 1000 on average, deviation 31.6
			t.Errorf("%d was drawn %d times of 90,000", n, seen[n])
		}
	}
	for _, s := range []string{"", "4", "047", "+4", "-47", "09", "4７", "ab", " 47", "47 "} {
		if _, err := codegen.ParseChallenge(s); err == nil {
			t.Errorf("%q was read", s)
		}
	}
	if n, err := codegen.ParseChallenge("47"); n != 47 || err != nil {
		t.Error(n, err)
	}
}
