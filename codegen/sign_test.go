package codegen_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// toSign builds the Sig_structure by hand, independently of the package.
func toSign(protected, payload []byte) []byte {
	b := append([]byte{0x84, 0x6a}, "Signature1"...)
	b = append(append(b, 0x40|byte(len(protected))), protected...)
	b = append(b, 0x40)
	if len(payload) < 256 {
		b = append(b, 0x58, byte(len(payload)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x59), uint16(len(payload)))
	}
	return append(b, payload...)
}

// forge signs any payload and header with the desk's genuine key, as only the issuer itself could.
func (d *desk) forge(t *testing.T, protected, payload []byte) string {
	t.Helper()
	digest := sha256.Sum256(toSign(protected, payload))
	r, s, err := ecdsa.Sign(rand.Reader, d.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	if s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		s.Sub(n, s)
	}
	raw := append([]byte{0xd2, 0x84, 0x40 | byte(len(protected))}, protected...)
	raw = append(append(raw, 0xa0, 0x58, byte(len(payload))), payload...)
	raw = append(append(raw, 0x58, 0x40), make([]byte, 64)...)
	r.FillBytes(raw[len(raw)-64 : len(raw)-32])
	s.FillBytes(raw[len(raw)-32:])
	return encode(raw)
}

// parts cuts a code of this package into header and payload.
func parts(t *testing.T, text string) (protected, payload []byte) {
	t.Helper()
	raw, err := codegen.DecodeBase45(nil, text[4:])
	if err != nil {
		t.Fatal(err)
	}
	return raw[3:12], raw[15 : 15+int(raw[14])]
}

// One text per code: the same claims in another form are refused even when the genuine key signed them.
func TestASignedPayloadInAnotherFormIsMalformed(t *testing.T) {
	d := newDesk(t, shenzhen)
	protected, payload := parts(t, d.issue(t, dynamic()).Text)
	at := bytes.Index(payload, []byte("\x04\x1a"))
	ours := bytes.Index(payload, []byte("\x3a\x00\x01\x00\x00"))
	replace := func(from, to string) []byte { return bytes.Replace(payload, []byte(from), []byte(to), 1) }
	cut := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, bad := range map[string][]byte{
		"expiry in 64 bits":        cut(payload[:at], []byte("\x04\x1b\x00\x00\x00\x00"), payload[at+2:]),
		"claims in another order":  cut([]byte("\xa3"), payload[at:at+6], payload[1:at], payload[ours:]),
		"a claim twice":            cut([]byte("\xa4"), payload[1:ours], payload[at:at+6], payload[ours:]),
		"one more claim":           cut([]byte("\xa4"), payload[1:], []byte("\x18\x64\x00")),
		"indefinite array":         replace("\x85", "\x9f"),
		"life in 16 bits":          replace("\x85\x06\x03", "\x85\x06\x19\x00\x03"),
		"life of nothing":          replace("\x85\x06\x03", "\x85\x06\x00"),
		"life over the kind's":     replace("\x85\x06\x03", "\x85\x06\x18\x18"),
		"no kind":                  replace("\x85\x06\x03", "\x85\x02\x03"),
		"unknown kind":             replace("\x85\x06\x03", "\x85\x18\x18\x03"),
		"a number, no colour":      replace("\x85\x06\x03", "\x85\x17\x03"),
		"fourth colour":            replace("\x85\x06\x03", "\x85\x07\x03"),
		"name as bytes":            replace("\x6b张", "\x4b张"),
		"name not UTF-8":           replace("张", "\xff\xff\xff"),
		"control character":        replace("张*", "张\n"),
		"tail in lower case":       replace("123X", "123x"),
		"region without province":  replace("440300", "000000"),
		"region with letters":      replace("440300", "44o300"),
		"bytes after the claims":   append(bytes.Clone(payload), 0),
		"a test in the future":     replace("\x18\x3c\x6b", "\x20\x6b"),
		"a test age in 16 bits":    replace("\x18\x3c\x6b", "\x19\x00\x3c\x6b"),
		"a test of 86 hours ago":   replace("\x18\x3c\x6b", "\x19\x01\x00\x6b"),
		"sealed subject one short": replace("\x58\x20", "\x58\x1f"),
	} {
		t.Run(name, func(t *testing.T) {
			if bytes.Equal(bad, payload) {
				t.Fatal("nothing was changed")
			}
			text := d.forge(t, protected, bad)
			if _, got := d.keyring.Verify(text, now); got != kangma.TellMalformed {
				t.Errorf("offline %q, want malformed", got)
			}
			if _, got := d.opener.Open(text, now); got == "" {
				t.Error("accepted online")
			}
		})
	}
	t.Run("the same form is accepted, so that the cases above mean something", func(t *testing.T) {
		if _, got := d.keyring.Verify(d.forge(t, protected, payload), now); got != "" {
			t.Errorf("got %q", got)
		}
	})
}

// The algorithm never comes from the message: a header that names another one, or none, or puts it elsewhere, is not ours.
func TestAHeaderInAnotherFormIsMalformed(t *testing.T) {
	d := newDesk(t, shenzhen)
	protected, payload := parts(t, d.issue(t, dynamic()).Text)
	kid := string(protected[5:])
	for name, head := range map[string]string{
		"EdDSA": "\xa2\x01\x27\x04\x44" + kid, "HMAC": "\xa2\x01\x05\x04\x44" + kid, "none": "\xa2\x01\x00\x04\x44" + kid,
		"ES384": "\xa2\x01\x38\x22\x04\x44" + kid, "no algorithm": "\xa1\x04\x44" + kid, "no key id": "\xa1\x01\x26",
		"key id first": "\xa2\x04\x44" + kid + "\x01\x26", "long key id": "\xa2\x01\x26\x04\x48" + kid + kid,
		"critical header": "\xa3\x01\x26\x02\x81\x04\x04\x44" + kid, "empty": "",
	} {
		t.Run(name, func(t *testing.T) {
			if _, got := d.keyring.Verify(d.forge(t, []byte(head), payload), now); got != kangma.TellMalformed {
				t.Errorf("got %q", got)
			}
		})
	}
}

// The edge cases of ECDSA that project Wycheproof collects: values out of range, the other half, degenerate pairs.
func TestSignaturesOutOfTheirRange(t *testing.T) {
	d := newDesk(t, shenzhen)
	raw, _ := codegen.DecodeBase45(nil, d.issue(t, dynamic()).Text[4:])
	n, p := elliptic.P256().Params().N, elliptic.P256().Params().P
	good := raw[len(raw)-64:]
	r, s := new(big.Int).SetBytes(good[:32]), new(big.Int).SetBytes(good[32:])
	zero, one := big.NewInt(0), big.NewInt(1)
	max := new(big.Int).Sub(new(big.Int).Lsh(one, 256), one)
	for name, rs := range map[string][2]*big.Int{
		"s in the upper half": {r, new(big.Int).Sub(n, s)}, "r negated": {new(big.Int).Sub(n, r), s},
		"r 0": {zero, s}, "s 0": {r, zero}, "both 0": {zero, zero}, "both 1": {one, one},
		"r n": {n, s}, "s n": {r, n}, "both n": {n, n}, "r n-1": {new(big.Int).Sub(n, one), s}, "s n-1": {r, new(big.Int).Sub(n, one)},
		"r n+1": {new(big.Int).Add(n, one), one}, "r p": {p, s}, "r all ones": {max, s}, "s all ones": {r, max}, "both all ones": {max, max},
		"exchanged": {s, r}, "s half n": {r, new(big.Int).Rsh(n, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			bad := bytes.Clone(raw)
			rs[0].FillBytes(bad[len(bad)-64 : len(bad)-32])
			rs[1].FillBytes(bad[len(bad)-32:])
			if _, got := d.keyring.Verify(encode(bad), now); got != kangma.TellForged {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestKeysOfOneKeyIDAreAllTried(t *testing.T) {
	// Two real keys with the same 4-byte id would take 2^32 tries to find; so the second key is put on the list twice
	// under another region, which makes two candidates of one id.
	d := newDesk(t, shenzhen)
	wrong := d.verifyKey(440100000, codegen.Active)
	k := newKeyring(t, d.verifyKey(shenzhen, codegen.Active), wrong)
	if _, got := k.Verify(d.issue(t, dynamic()).Text, now); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestWhatACodeCannotCarryIsRefusedAtOnce(t *testing.T) {
	d := newDesk(t, shenzhen)
	for name, change := range map[string]func(*codegen.Claims){
		"no person":                   func(c *codegen.Claims) { c.Person = kangma.PersonID{} },
		"no kind":                     func(c *codegen.Claims) { c.Kind = 0 },
		"no life":                     func(c *codegen.Claims) { c.Expires = c.Issued.Add(29e9) },
		"a dynamic code for a day":    func(c *codegen.Claims) { c.Expires = c.Issued.Add(24 * 3600e9) },
		"a fourth colour":             func(c *codegen.Claims) { c.Colour = 3 },
		"another region":              func(c *codegen.Claims) { c.Region = 440100000 },
		"a name in full length":       func(c *codegen.Claims) { c.MaskedName = "欧阳锋和他的朋友们" },
		"a long tail":                 func(c *codegen.Claims) { c.IDTail = "12345" },
		"an anchor in a dynamic code": func(c *codegen.Claims) { c.Anchor = codegen.Link{1} },
		"a credential without anchor": func(c *codegen.Claims) { c.Kind = codegen.Credential },
		"after 2106":                  func(c *codegen.Claims) { c.Issued = c.Issued.AddDate(90, 0, 0); c.Expires = c.Issued.Add(60e9) },
	} {
		t.Run(name, func(t *testing.T) {
			c := dynamic()
			change(&c)
			if code, err := d.issuer.Issue(c); kangma.KindOf(err) != kangma.Invalid || code.Text != "" {
				t.Errorf("got %q %v", code.Text, err)
			}
		})
	}
}

func TestAnIssuerMakesNothingOutsideTheTimeOfItsKey(t *testing.T) {
	issuer, err := codegen.NewIssuer(codegen.IssuerConfig{Region: shenzhen, Key: newKey(t), SubjectKey: [32]byte{1}, From: now, Until: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Duration]error{
		-time.Second: codegen.ErrKeyOver, 0: nil, time.Hour - time.Second: nil, time.Hour: codegen.ErrKeyOver,
	} {
		c := dynamic()
		c.Issued, c.Expires = now.Add(at), now.Add(at+time.Minute)
		if _, err := issuer.Issue(c); err != want {
			t.Errorf("at %v: %v, want %v", at, err, want)
		}
	}
}
