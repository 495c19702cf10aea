package codegen_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

var now = time.Date(2022, 11, 5, 8, 30, 0, 0, time.UTC)

const shenzhen kangma.Division = 440300000

// desk is an issuer with its readers.
type desk struct {
	key     *ecdsa.PrivateKey
	subject [32]byte
	issuer  *codegen.Issuer
	opener  *codegen.Opener
	keyring *codegen.Keyring
}

func newDesk(t testing.TB, region kangma.Division) *desk {
	t.Helper()
	d := &desk{key: newKey(t), subject: [32]byte{1, 2, 3}}
	var err error
	if d.issuer, err = codegen.NewIssuer(codegen.IssuerConfig{Region: region, Key: d.key, SubjectKey: d.subject}); err != nil {
		t.Fatal(err)
	}
	if d.opener, err = codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{d.subject}}); err != nil {
		t.Fatal(err)
	}
	d.keyring = newKeyring(t, d.verifyKey(region, codegen.Active))
	return d
}

func (d *desk) verifyKey(region kangma.Division, state codegen.KeyState) codegen.VerifyKey {
	return codegen.VerifyKey{Public: &d.key.PublicKey, Region: region, From: now.Add(-72 * time.Hour), Until: now.Add(96 * time.Hour), State: state}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newKeyring(t testing.TB, keys ...codegen.VerifyKey) *codegen.Keyring {
	t.Helper()
	k, err := codegen.NewKeyring(keys, 0)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (d *desk) issue(t testing.TB, c codegen.Claims) codegen.Code {
	t.Helper()
	code, err := d.issuer.Issue(c)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

var person = kangma.PersonID{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x47, 0x88, 0x99, 10, 11, 12, 13, 14, 15, 16}

func dynamic() codegen.Claims {
	return codegen.Claims{
		Issued: now, Expires: now.Add(90 * time.Second), Kind: codegen.Dynamic, Colour: kangma.Green, Person: person,
		LatestNegative: now.Add(-20 * time.Hour), MaskedName: "张*三", IDTail: "123X",
	}
}

func paper() codegen.Claims {
	return codegen.Claims{Issued: now, Expires: now.Add(180 * 24 * time.Hour), Kind: codegen.Paper, Person: person}
}

func specimen() codegen.Claims {
	c := dynamic()
	c.Kind = codegen.Specimen
	return c
}

// credential gives the claims of a day's credential and the chain that proves its holder.
func credential(t testing.TB) (codegen.Claims, *codegen.Chain) {
	t.Helper()
	return credentialOf(t, 9)
}

// credentialOf draws another chain for each seed.
func credentialOf(t testing.TB, seed byte) (codegen.Claims, *codegen.Chain) {
	t.Helper()
	chain, err := codegen.NewChain([32]byte{seed}, [4]byte{1, 2, 3, seed}, codegen.MaxSlots)
	if err != nil {
		t.Fatal(err)
	}
	c := dynamic()
	c.Kind, c.Expires = codegen.Credential, now.Add(codegen.MaxCredential)
	c.Nonce, c.Anchor = chain.Nonce, chain.Anchor
	return c, chain
}

// answering gives claims with the number of a gate.
func answering(c codegen.Claims) codegen.Claims {
	c.Challenge = 47
	return c
}

// answered is shown with the number of a gate.
func (d *desk) answered(t testing.TB, slot int) string {
	t.Helper()
	c, chain := credentialOf(t, byte(110+slot%100))
	text, err := codegen.Answer(d.issue(t, c).Text, chain, slot, 47)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// shown issues a day's credential and shows it in a slot; each slot has a chain of its own.
func (d *desk) shown(t testing.TB, slot int) string {
	t.Helper()
	c, chain := credentialOf(t, byte(10+slot%100))
	text, err := codegen.Show(d.issue(t, c).Text, chain, slot)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
