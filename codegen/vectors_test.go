package codegen_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

var update = flag.Bool("update", false, "write the test vectors again")

const vectorFile = "../testdata/codes/vectors.json"

// vectors is the committed file: keys anybody may know, and codes with what every reader must say of them.
type vectors struct {
	About      string   `json:"about"`
	X          string   `json:"public_x"` // hex, P-256
	Y          string   `json:"public_y"`
	KeyID      string   `json:"key_id"`
	SubjectKey string   `json:"subject_key"`
	Region     string   `json:"key_region"`
	From       int64    `json:"key_from"`
	Until      int64    `json:"key_until"`
	Codes      []vector `json:"codes"`
}

type vector struct {
	Name    string             `json:"name"`
	Text    string             `json:"text"`
	At      int64              `json:"at"` // read at this Unix second, skew 30 s
	Verdict kangma.CannotTell  `json:"verdict"`
	Claims  *codegen.Claims    `json:"claims,omitempty"`
	Person  string             `json:"person,omitempty"`
	Nonce   string             `json:"nonce,omitempty"`
	Anchor  string             `json:"anchor,omitempty"`
	Seed    string             `json:"chain_seed,omitempty"`
	Payload string             `json:"payload,omitempty"` // hex
	Sig     string             `json:"signature,omitempty"`
	Signed  *bool              `json:"signature_valid,omitempty"`
	QR      *codegen.QRSize    `json:"qr,omitempty"`
	Online  *kangma.CannotTell `json:"online,omitempty"` // verdict of an Opener with keys, where it differs
}

// vectorKey is a key that anybody can compute: never use it for anything else.
func vectorKey(t testing.TB, label string) *ecdsa.PrivateKey {
	t.Helper()
	d := sha256.Sum256([]byte("kangma test vectors: " + label))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func vectorDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{key: vectorKey(t, "signing"), subject: sha256.Sum256([]byte("kangma test vectors: subject"))}
	var err error
	if d.issuer, err = codegen.NewIssuer(codegen.IssuerConfig{Region: shenzhen, Key: d.key, SubjectKey: d.subject}); err != nil {
		t.Fatal(err)
	}
	d.keyring = newKeyring(t, d.verifyKey(shenzhen, codegen.Active))
	if d.opener, err = codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{d.subject}, Keys: d.keyring}); err != nil {
		t.Fatal(err)
	}
	return d
}

// makeVectors draws the vectors. Signatures and nonces are random, so the file changes with each -update.
func makeVectors(t *testing.T) vectors {
	d := vectorDesk(t)
	key := d.verifyKey(shenzhen, codegen.Active)
	v := vectors{
		About: "Codes of docs/code-format.md. Every key here is public: SHA-256 of a known text.",
		KeyID: d.issuer.KeyID().String(), SubjectKey: hex.EncodeToString(d.subject[:]), Region: shenzhen.String(),
		X: hex.EncodeToString(coordinates(t, &d.key.PublicKey)[:32]), Y: hex.EncodeToString(coordinates(t, &d.key.PublicKey)[32:]),
		From: key.From.Unix(), Until: key.Until.Unix(),
	}
	add := func(name, text string, at time.Time) {
		_, verdict := d.keyring.Verify(text, at)
		_, online := d.opener.Open(text, at)
		vec := vector{Name: name, Text: text, At: at.Unix(), Verdict: verdict}
		if online != verdict {
			vec.Online = &online
		}
		if in := codegen.Inspect(text); in.Claims != nil {
			vec.Claims, vec.QR, vec.Payload, vec.Sig = in.Claims, in.QR, in.Payload, in.Signature
			vec.Nonce = hex.EncodeToString(in.Claims.Nonce[:])
			signed := signatureValid(t, &d.key.PublicKey, in)
			vec.Signed = &signed
		}
		v.Codes = append(v.Codes, vec)
	}
	v.goodCodes(t, d, add)
	v.badCodes(t, d, add)
	return v
}

// signatureValid verifies a signature without this package's own code.
func signatureValid(t *testing.T, pub *ecdsa.PublicKey, in codegen.Inspection) bool {
	t.Helper()
	var b [3][]byte
	for i, s := range []string{in.Protected, in.Payload, in.Signature} {
		var err error
		if b[i], err = hex.DecodeString(s); err != nil {
			t.Fatal(err)
		}
	}
	digest := sha256.Sum256(toSign(b[0], b[1]))
	return ecdsa.Verify(pub, digest[:], new(big.Int).SetBytes(b[2][:32]), new(big.Int).SetBytes(b[2][32:]))
}

func coordinates(t testing.TB, pub *ecdsa.PublicKey) []byte {
	t.Helper()
	b, err := pub.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b[1:]
}

type adder func(name, text string, at time.Time)

func (v *vectors) last() *vector { return &v.Codes[len(v.Codes)-1] }

func (v *vectors) goodCodes(t *testing.T, d *desk, add adder) {
	bare := dynamic()
	bare.MaskedName, bare.IDTail, bare.LatestNegative, bare.Colour = "", "", time.Time{}, kangma.Yellow
	add("dynamic, green, with name and test", d.issue(t, dynamic()).Text, now.Add(time.Second))
	v.last().Person = person.String()
	add("dynamic, yellow, bare", d.issue(t, bare).Text, now)
	v.last().Person = person.String()
	red := bare
	red.Colour, red.MaskedName = kangma.Red, "𠮷*"
	add("dynamic, red, rare name without tail", d.issue(t, red).Text, now)
	add("paper", d.issue(t, paper()).Text, now.Add(100*24*time.Hour))
	add("specimen", d.issue(t, specimen()).Text, now)
	for _, slot := range []int{0, 1, 777, 2879} {
		c, chain := credential(t)
		text, err := codegen.Show(d.issue(t, c).Text, chain, slot)
		if err != nil {
			t.Fatal(err)
		}
		add("credential shown in a slot", text, now.Add(time.Duration(slot)*codegen.SlotLength))
		v.last().chained(chain)
	}
	add("dynamic, with the number of a gate", d.issue(t, answering(dynamic())).Text, now)
	for _, slot := range []int{0, 777, 2876} {
		c, chain := credential(t)
		text, err := codegen.Answer(d.issue(t, c).Text, chain, slot, 10+slot%90)
		if err != nil {
			t.Fatal(err)
		}
		add("credential with the number of a gate", text, now.Add(time.Duration(slot)*codegen.SlotLength))
		v.last().chained(chain)
	}
}

// chained says which chain a shown credential has.
func (v *vector) chained(c *codegen.Chain) {
	seed := [32]byte{9}
	v.Seed, v.Anchor = hex.EncodeToString(seed[:]), hex.EncodeToString(c.Anchor[:])
}

func (v *vectors) badCodes(t *testing.T, d *desk, add adder) {
	code := d.issue(t, dynamic()).Text
	add("last second with skew", code, now.Add(119*time.Second))
	add("expired", code, now.Add(120*time.Second))
	add("not yet valid", code, now.Add(-31*time.Second))
	add("truncated", code[:len(code)-1], now)
	add("one character too many", code+"0", now)
	add("prefix of another code", "HC1:"+code[4:], now)
	add("some address", "https://example.org/KM1:", now)
	stranger := newDesk(t, shenzhen)
	add("unknown key", stranger.issue(t, dynamic()).Text, now)
	raw, err := codegen.DecodeBase45(nil, code[4:])
	if err != nil {
		t.Fatal(err)
	}
	flip := func(i int) string {
		bad := append([]byte(nil), raw...)
		bad[i] ^= 1
		return encode(bad)
	}
	add("colour changed", flip(15+strings.Index(string(raw[15:]), "\x3a\x00\x01\x00\x00")+6), now)
	add("signature changed", flip(len(raw)-1), now)
	protected, payload := parts(t, code)
	add("algorithm EdDSA", d.forge(t, []byte(strings.Replace(string(protected), "\x01\x26", "\x01\x27", 1)), payload), now)
	add("genuinely signed, life in a longer form", d.forge(t, protected, []byte(strings.Replace(string(payload), "\x06\x03\x58", "\x06\x18\x03\x58", 1))), now)
	s := new(big.Int).SetBytes(raw[len(raw)-32:])
	s.Sub(elliptic.P256().Params().N, s).FillBytes(raw[len(raw)-32:])
	add("signature in its other form", encode(raw), now)
	c, chain := credential(t)
	bare := d.issue(t, c).Text
	add("credential without proof", bare, now)
	shown, _ := codegen.Show(bare, chain, 5)
	add("credential shown a minute late", shown, now.Add(6*codegen.SlotLength+30*time.Second))
	raw, _ = codegen.DecodeBase45(nil, shown[4:])
	raw[len(raw)-1] ^= 1
	add("credential with a wrong link", encode(raw), now.Add(5*codegen.SlotLength))
	answer, _ := codegen.Answer(bare, chain, 5, 47)
	add("number answered a minute ago", answer, now.Add(6*codegen.SlotLength+30*time.Second))
	add("number answered too early", answer, now.Add(4*codegen.SlotLength-time.Second))
	raw, _ = codegen.DecodeBase45(nil, answer[4:])
	raw[len(raw)-1]++
	add("number changed in an answer", encode(raw), now.Add(5*codegen.SlotLength))
	raw[len(raw)-1] = 100
	add("number of three digits", encode(raw), now.Add(5*codegen.SlotLength))
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	if *update {
		b, err := json.MarshalIndent(makeVectors(t), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(vectorFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Codes) < 20 {
		t.Fatalf("only %d vectors", len(v.Codes))
	}
	return v
}

func TestTheCommittedVectors(t *testing.T) {
	d := vectorDesk(t)
	for _, vec := range readVectors(t).Codes {
		t.Run(vec.Name, func(t *testing.T) {
			at := time.Unix(vec.At, 0)
			c, tell := d.keyring.Verify(vec.Text, at)
			if tell != vec.Verdict {
				t.Errorf("offline %q, want %q", tell, vec.Verdict)
			}
			if tell == "" && (c.Colour != vec.Claims.Colour || c.MaskedName != vec.Claims.MaskedName || c.Challenge != vec.Claims.Challenge || !c.Expires.Equal(vec.Claims.Expires) || c.ID != vec.Claims.ID) {
				t.Errorf("claims %+v, want %+v", c, *vec.Claims)
			}
			want := vec.Verdict
			if vec.Online != nil {
				want = *vec.Online
			}
			o, tell := d.opener.Open(vec.Text, at)
			if tell != want || vec.Person != "" && o.Person.String() != vec.Person {
				t.Errorf("online %q %v, want %q %v", tell, o.Person, want, vec.Person)
			}
		})
	}
}

// An independent library reads the messages, finds the same header, payload and signature, and agrees on each signature.
func TestGoCoseAgreesWithTheVectors(t *testing.T) {
	v := readVectors(t)
	verifier, err := cose.NewVerifier(cose.AlgorithmES256, &vectorKey(t, "signing").PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, vec := range v.Codes {
		if vec.Signed == nil {
			continue
		}
		n++
		t.Run(vec.Name, func(t *testing.T) { checkWithGoCose(t, vec, verifier) })
	}
	if n < 15 {
		t.Errorf("only %d vectors were compared", n)
	}
}

func checkWithGoCose(t *testing.T, vec vector, verifier cose.Verifier) {
	raw, err := codegen.DecodeBase45(nil, strings.TrimPrefix(vec.Text, "KM1:"))
	if err != nil {
		t.Fatal(err)
	}
	dec := cbor.NewDecoder(strings.NewReader(string(raw))) // a CBOR sequence: the message, then perhaps the proof
	var first cbor.RawMessage
	if err := dec.Decode(&first); err != nil {
		t.Fatal(err)
	}
	var proof []byte
	if err := dec.Decode(&proof); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	if len(proof) != 0 && len(proof) != 14 && len(proof) != 15 {
		t.Errorf("a proof of %d bytes", len(proof))
	}
	var m cose.Sign1Message
	if err := m.UnmarshalCBOR(first); err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(m.Payload) != vec.Payload || hex.EncodeToString(m.Signature) != vec.Sig {
		t.Error("another payload or signature")
	}
	if got := m.Verify(nil, verifier) == nil; got != *vec.Signed {
		t.Errorf("signature valid: %v, want %v", got, *vec.Signed)
	}
	var cwt map[int]any
	if err := cbor.Unmarshal(m.Payload, &cwt); err != nil {
		t.Fatal(err)
	}
	if exp, _ := cwt[4].(uint64); int64(exp) != vec.Claims.Expires.Unix() || cwt[1] != vec.Claims.Region.String() {
		t.Errorf("claims %v", cwt)
	}
}
