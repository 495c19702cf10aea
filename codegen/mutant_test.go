package codegen_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/codegen"
)

// mutantCount is 100,000 (fewer under the race detector), or what KANGMA_MUTANTS says: 1000000 is the full form.
func mutantCount(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("KANGMA_MUTANTS"))
	switch {
	case err == nil:
		return n
	case testing.Short():
		return 10_000
	case raceOn:
		return 30_000
	}
	t.Log("KANGMA_MUTANTS=1000000 makes the full form")
	return 100_000
}

// mutator makes bad codes from good ones.
type mutator struct {
	*rand.Rand
	texts []string
	raws  [][]byte
}

func newMutator(t testing.TB, seed uint64, texts ...string) *mutator {
	m := &mutator{Rand: rand.New(rand.NewPCG(seed, 7)), texts: texts}
	for _, text := range texts {
		raw, err := codegen.DecodeBase45(nil, text[len(codegen.Prefix):])
		if err != nil {
			t.Fatal(err)
		}
		m.raws = append(m.raws, raw)
	}
	return m
}

func encode(raw []byte) string {
	return codegen.Prefix + string(codegen.AppendBase45(nil, raw))
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// next gives a mutant.
func (m *mutator) next() string {
	i := m.IntN(len(m.raws))
	raw := bytes.Clone(m.raws[i])
	switch m.IntN(12) {
	case 0, 1, 2: // flip one to three bits
		for range 1 + m.IntN(3) {
			raw[m.IntN(len(raw))] ^= 1 << m.IntN(8)
		}
	case 3: // cut
		raw = raw[:m.IntN(len(raw))]
	case 4: // extra bytes
		raw = append(raw, make([]byte, 1+m.IntN(20))...)
	case 5: // a stretch of another code in the same place: field, payload, key id and signature swaps
		other := m.raws[m.IntN(len(m.raws))]
		a := m.IntN(len(raw))
		b := min(a+1+m.IntN(len(raw)-a), len(other))
		if a < b {
			copy(raw[a:b], other[a:b])
		}
	case 6: // another algorithm or key id
		raw[5] = []byte{0x27, 0x38, 0x00, 0x25, 0x20}[m.IntN(5)]
		if m.IntN(2) == 0 {
			raw[8+m.IntN(4)] ^= byte(1 + m.IntN(255))
		}
	case 7: // huge lengths
		raw[m.IntN(len(raw))] = []byte{0x9b, 0x5b, 0xbb, 0x7b, 0xff, 0x9f, 0x5f, 0xbf, 0xda}[m.IntN(9)]
	case 8: // insert or remove a byte: duplicate keys, longer integers
		at := m.IntN(len(raw))
		if m.IntN(2) == 0 {
			raw = append(raw[:at], raw[at+1:]...)
		} else {
			raw = append(raw[:at], append([]byte{byte(m.IntN(256))}, raw[at:]...)...)
		}
	case 9: // random signature
		for j := len(raw) - 64; j < len(raw); j++ {
			raw[j] = byte(m.Uint32())
		}
	default: // the text
		return m.text(i)
	}
	return encode(raw)
}

func (m *mutator) text(i int) string {
	b := []byte(m.texts[i])
	switch m.IntN(4) {
	case 0:
		b[m.IntN(len(b))] = alphabet[m.IntN(45)]
	case 1:
		b[m.IntN(len(b))] = byte(m.IntN(256))
	case 2:
		b = append(b, alphabet[m.IntN(45)])
	default: // a group over its range: 65536 and more
		at := 4 + 3*m.IntN((len(b)-4)/3)
		copy(b[at:], ":::")
	}
	return string(b)
}

// T1 and "Bad input": no mutant of a valid code is accepted, whoever reads it.
func TestNoMutantIsAccepted(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	d, other := newDesk(t, shenzhen), newDesk(t, shenzhen)
	ring := newKeyring(t, d.verifyKey(shenzhen, codegen.Active), other.verifyKey(shenzhen, codegen.Active))
	strict, err := codegen.NewOpener(codegen.OpenerConfig{SubjectKeys: [][32]byte{d.subject}, Keys: ring})
	if err != nil {
		t.Fatal(err)
	}
	drawing, own := d.drawing(t, ring)
	drawn, err := drawing.Issue(dynamic())
	if err != nil {
		t.Fatal(err)
	}
	red := dynamic()
	red.Colour, red.MaskedName, red.LatestNegative = kangma.Red, "李*四", time.Time{}
	m := newMutator(t, seed, d.issue(t, dynamic()).Text, d.issue(t, red).Text, other.issue(t, dynamic()).Text,
		d.issue(t, paper()).Text, d.shown(t, 0), d.shown(t, 1), d.issue(t, answering(dynamic())).Text, d.answered(t, 0), d.answered(t, 1), drawn.Text)
	changed, sigOnly := 0, 0
	for n := mutantCount(t); changed < n; {
		text := m.next()
		if slices.Contains(m.texts, text) {
			continue
		}
		changed++
		if c, tell := ring.Verify(text, now); tell == "" {
			t.Fatalf("accepted offline: %q as %+v", text, c)
		}
		if c, tell := strict.Open(text, now); tell == "" {
			t.Fatalf("accepted online with signature: %q as %+v", text, c)
		}
		if c, tell := own.Open(text, now); tell == "" {
			t.Fatalf("accepted by the issuer: %q as %+v", text, c)
		}
		if _, tell := d.opener.Open(text, now); tell == "" {
			if !slices.ContainsFunc(m.raws, func(raw []byte) bool { return onlySignatureDiffers(text, raw) }) {
				t.Fatalf("accepted online: %q", text)
			}
			sigOnly++
		}
	}
	t.Logf("%d mutants, 0 accepted; %d differ in the signature alone, which an Opener without Keys does not look at", changed, sigOnly)
}

// onlySignatureDiffers reports whether the claims and everything else are those of the genuine code.
func onlySignatureDiffers(text string, base []byte) bool {
	raw, err := codegen.DecodeBase45(nil, text[len(codegen.Prefix):])
	if err != nil || len(raw) != len(base) {
		return false
	}
	sigTo := 15 + int(base[14]) + 2 + 64
	return bytes.Equal(raw[:sigTo-64], base[:sigTo-64]) && bytes.Equal(raw[sigTo:], base[sigTo:])
}

// R16: reading a bad code takes little memory, whatever lengths it claims.
func TestAMutantTakesLittleMemory(t *testing.T) {
	d := newDesk(t, shenzhen)
	m := newMutator(t, 3, d.issue(t, dynamic()).Text, d.shown(t, 0))
	var before, after runtime.MemStats
	for range 1000 {
		text := m.next()
		runtime.ReadMemStats(&before)
		d.keyring.Verify(text, now)
		d.opener.Open(text, now)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Fatalf("%d bytes for %q", n, text)
		}
	}
}
