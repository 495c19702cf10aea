package checkpoint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
)

// webMaker makes the vectors of the gate's page.
type webMaker struct {
	t       *testing.T
	list    *ecdsa.PrivateKey
	keys    map[string]*ecdsa.PrivateKey
	trusted []codegen.VerifyKey
	v       webVectors
	events  int
}

var webNoon = time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)

const shanwei = kangma.Division(441500000)

func newWebMaker(t *testing.T) *webMaker {
	t.Helper()
	m := &webMaker{t: t, keys: map[string]*ecdsa.PrivateKey{}}
	key := func(label string) *ecdsa.PrivateKey {
		d := sha256.Sum256([]byte("kangma gate vectors: " + label))
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	week := webNoon.Add(-3 * 24 * time.Hour)
	m.list = key("list")
	for label, state := range map[string]codegen.KeyState{"active": codegen.Active, "old": codegen.VerifyOnly, "retired": codegen.Retired, "stranger": codegen.Active} {
		k := key(label)
		m.keys[label] = k
		if label != "stranger" {
			m.trusted = append(m.trusted, codegen.VerifyKey{Public: &k.PublicKey, Region: shanwei, From: week, Until: week.Add(7 * 24 * time.Hour), State: state})
		}
	}
	spki, err := x509.MarshalPKIXPublicKey(&m.list.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	m.v.Pins = [][]byte{spki}
	m.v.About = "What a gate without a network decides; every key here is public. Made by go test ./checkpoint -run Vectors -update-gate-vectors."
	return m
}

func (m *webMaker) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// code issues by the key of a label.
func (m *webMaker) code(label string, change func(*codegen.Claims)) codegen.Code {
	m.t.Helper()
	issuer, err := codegen.NewIssuer(codegen.IssuerConfig{Region: shanwei, Key: m.keys[label], SubjectKey: [32]byte{7}})
	m.must(err)
	c := codegen.Claims{Kind: codegen.Dynamic, Colour: kangma.Green, Issued: webNoon, Expires: webNoon.Add(90 * time.Second), Person: kangma.NewPersonID()}
	change(&c)
	code, err := issuer.Issue(c)
	m.must(err)
	return code
}

func (m *webMaker) dynamic(colour kangma.Colour) codegen.Code {
	return m.code("active", func(c *codegen.Claims) { c.Colour = colour })
}

// held is a credential with the chain of its phone.
type held struct {
	code  codegen.Code
	chain *codegen.Chain
}

func (m *webMaker) credential(change func(*codegen.Claims)) held {
	m.t.Helper()
	h := held{}
	h.code = m.code("active", func(c *codegen.Claims) {
		c.Kind, c.Expires = codegen.Credential, c.Issued.Add(24*time.Hour)
		if change != nil {
			change(c)
		}
		var seed [32]byte
		rand.Read(seed[:])
		var err error
		h.chain, err = codegen.NewChain(seed, [4]byte(seed[:4]), int(c.Expires.Sub(c.Issued)/codegen.SlotLength))
		m.must(err)
		c.Nonce, c.Anchor = h.chain.Nonce, h.chain.Anchor
	})
	return h
}

func (m *webMaker) show(h held, slot int) string {
	m.t.Helper()
	text, err := codegen.Show(h.code.Text, h.chain, slot)
	m.must(err)
	return text
}

// answer shows a credential with the number of the gate.
func (m *webMaker) answer(h held, slot, challenge int) string {
	m.t.Helper()
	text, err := codegen.Answer(h.code.Text, h.chain, slot, challenge)
	m.must(err)
	return text
}

// ask is a scan for which the gate showed a number.
func (m *webMaker) ask(after time.Duration, challenge int, code string) webStep {
	s := m.scan(after, code)
	s.Challenge = challenge
	return s
}

// listing is what a bundle's status list holds; nil: the bundle has none.
type listing struct {
	ids     []codegen.CodeID
	expires time.Duration
}

// bundle adds a signed bundle made some time after noon and gives its index.
func (m *webMaker) bundle(p checkpoint.Policy, l *listing, after time.Duration) int {
	return m.bundleOf(checkpoint.Gate{ID: "metro-1", Name: kangma.Text{Zh: "体育西路站", En: "Tiyu Xilu"}, Kind: "metro", District: 441502000, Policy: p}, l, after)
}

func (m *webMaker) bundleOf(g checkpoint.Gate, l *listing, after time.Duration) int {
	m.t.Helper()
	at := webNoon.Add(after)
	var status []byte
	if l != nil {
		list, err := codegen.NewStatusList(nil, uint64(at.Unix()), at, at.Add(l.expires), l.ids)
		m.must(err)
		status, err = list.Sign(m.list)
		m.must(err)
	}
	raw, err := checkpoint.SignBundle(m.list, g, m.trusted, status, sealTo, at)
	m.must(err)
	m.v.Bundles = append(m.v.Bundles, raw)
	return len(m.v.Bundles)
}

// scan is a step; take is another.
func (m *webMaker) scan(after time.Duration, code string) webStep {
	m.events++
	at := webNoon.Add(after)
	id := kangma.NewEventID(at)
	return webStep{At: at.UnixMilli(), Event: &id, Code: code}
}

func take(after time.Duration, bundle int) webStep {
	return webStep{At: webNoon.Add(after).UnixMilli(), Bundle: bundle}
}

// add plays a case and keeps what came of it.
func (m *webMaker) add(name string, steps ...webStep) {
	m.t.Helper()
	c := webCase{Name: name, Steps: steps}
	m.v.play(m.t, &c, func(step *webStep, got webStep) {
		step.Refused, step.Verdict, step.Item, step.Ages = got.Refused, got.Verdict, got.Item, got.Ages
	})
	m.v.Cases = append(m.v.Cases, c)
}

// resign signs a payload of any form by the active key, as no issuer would.
func (m *webMaker) resign(kid []byte, payload []byte) string {
	m.t.Helper()
	protected := append([]byte("\x49\xa2\x01\x26\x04\x44"), kid...)
	message := append([]byte("\x84\x6aSignature1"), protected...)
	message = append(append(message, 0x40, 0x58, byte(len(payload))), payload...)
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, m.keys["active"], digest[:])
	m.must(err)
	n := elliptic.P256().Params().N
	if s.Cmp(new(big.Int).Rsh(n, 1)) > 0 {
		s.Sub(n, s)
	}
	raw := append([]byte("\xd2\x84"), protected...)
	raw = append(append(raw, 0xa0, 0x58, byte(len(payload))), payload...)
	raw = append(raw, 0x58, 0x40)
	sig := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return string(codegen.AppendBase45([]byte("KM1:"), append(raw, sig...)))
}

// rawOf gives the bytes of a code and where its payload lies.
func (m *webMaker) rawOf(text string) (raw, kid, payload []byte) {
	m.t.Helper()
	raw, err := codegen.DecodeBase45(nil, strings.TrimPrefix(text, "KM1:"))
	m.must(err)
	return raw, raw[8:12], raw[15 : 15+int(raw[14])]
}

func base45(raw []byte) string { return string(codegen.AppendBase45([]byte("KM1:"), raw)) }

func hoursAgo(h time.Duration) func(*codegen.Claims) {
	return func(c *codegen.Claims) { c.LatestNegative = webNoon.Add(-h) }
}

func labelled(format string, a ...any) string { return fmt.Sprintf(format, a...) }
