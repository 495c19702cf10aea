package seal_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/seal"
)

func key(n byte) (k [seal.KeySize]byte) { k[0] = n; return k }

func sealer(t testing.TB, kek string, keks map[string][seal.KeySize]byte, index ...byte) *seal.Sealer {
	t.Helper()
	k, err := seal.NewKEKs(kek, keks)
	if err != nil {
		t.Fatal(err)
	}
	keys := seal.Keys{KEK: k, Pseudonym: key(200)}
	for _, i := range index {
		keys.Index = append(keys.Index, key(i))
	}
	s, err := seal.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plain(t testing.TB) *seal.Sealer {
	return sealer(t, "k1", map[string][seal.KeySize]byte{"k1": key(1)}, 100)
}

// identity makes the n-th test person: all of it is made up, the number has a true check character.
func identity(t testing.TB, n int) seal.Identity {
	t.Helper()
	first := fmt.Sprintf("440103%04d0101%03d", 1950+n%60, n%1000)
	name, err1 := kangma.NewName("张三" + string(rune('一'+n)))
	number, err2 := kangma.NewIDNumber(kangma.DocResidentID, first+string(kangma.IDCheckChar(first)), time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC))
	phone, err3 := kangma.NewPhone(fmt.Sprintf("138%08d", n))
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	return seal.Identity{Name: name, DocType: kangma.DocResidentID, Number: number, Phone: phone}
}

var person = kangma.PersonID{1, 2, 3}

func mustSeal(t testing.TB, s *seal.Sealer, p kangma.PersonID, id seal.Identity, revision uint64) kangma.SealedIdentity {
	t.Helper()
	sealed, err := s.Seal(p, id, revision)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestWhatIsSealedOpensForItsPerson(t *testing.T) {
	s := plain(t)
	passport, err := kangma.NewIDNumber(kangma.DocPassport, "E12345678", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	foreigner := identity(t, 3)
	foreigner.DocType, foreigner.Number, foreigner.Phone = kangma.DocPassport, passport, kangma.Phone{}
	for _, id := range []seal.Identity{identity(t, 1), identity(t, 2), foreigner} {
		sealed := mustSeal(t, s, person, id, 7)
		got, err := s.Open(person, sealed)
		if err != nil || got != id {
			t.Errorf("got %v, %v, want %v", got, err, id)
		}
		if name, err := s.OpenName(person, sealed); err != nil || name != id.Name {
			t.Errorf("name: got %v, %v", name, err)
		}
		for _, clear := range []string{id.Name.Reveal(), id.Number.Reveal(), id.Phone.Reveal()} {
			for field, b := range sealed.Fields {
				if clear != "" && bytes.Contains(b, []byte(clear)) {
					t.Errorf("%s holds clear text", field)
				}
			}
		}
	}
}

func TestACiphertextElsewhereDoesNotOpen(t *testing.T) {
	s := plain(t)
	other := kangma.PersonID{9}
	mine, theirs, later := mustSeal(t, s, person, identity(t, 1), 1), mustSeal(t, s, other, identity(t, 2), 1), mustSeal(t, s, person, identity(t, 1), 2)
	for _, c := range []struct {
		name   string
		person kangma.PersonID
		change func(*kangma.SealedIdentity)
	}{
		{"the whole identity in another person's place", other, func(*kangma.SealedIdentity) {}},
		{"another person's identity", person, func(x *kangma.SealedIdentity) { x.Fields["identity"] = theirs.Fields["identity"] }},
		{"another person's data key", person, func(x *kangma.SealedIdentity) { x.DataKey = theirs.DataKey }},
		{"the identity in the place of the name", person, func(x *kangma.SealedIdentity) {
			x.Fields = map[string][]byte{"name": x.Fields["identity"], "document": x.Fields["identity"]}
		}},
		{"the identity of another revision", person, func(x *kangma.SealedIdentity) { x.Fields["identity"] = later.Fields["identity"] }},
		{"identity and data key of another revision", person, func(x *kangma.SealedIdentity) {
			x.Fields["identity"], x.DataKey = later.Fields["identity"], later.DataKey
		}},
		{"a revision number that was changed", person, func(x *kangma.SealedIdentity) { x.Revision++ }},
		{"a flipped bit in the identity", person, func(x *kangma.SealedIdentity) { x.Fields["identity"][3] ^= 1 }},
		{"a flipped bit in the data key", person, func(x *kangma.SealedIdentity) { x.DataKey[30] ^= 1 }},
		{"a data key cut short", person, func(x *kangma.SealedIdentity) { x.DataKey = x.DataKey[:5] }},
		{"an identity that is missing", person, func(x *kangma.SealedIdentity) { delete(x.Fields, "identity") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := mine
			x.DataKey, x.Fields = slices.Clone(mine.DataKey), map[string][]byte{}
			for k, v := range mine.Fields {
				x.Fields[k] = slices.Clone(v)
			}
			c.change(&x)
			for i, open := range []func() error{
				func() error { _, err := s.Open(c.person, x); return err },
				func() error { _, err := s.OpenName(c.person, x); return err },
			} {
				if err := open(); kangma.CodeOf(err) != "seal_damaged" || kangma.KindOf(err) != kangma.Internal {
					t.Errorf("way %d: got %v, want seal_damaged", i, err)
				}
			}
		})
	}
	if _, err := s.Open(person, mine); err != nil {
		t.Errorf("the original: %v", err)
	}
}

func TestSealingAgainDrawsAnotherDataKey(t *testing.T) {
	s := plain(t) // a nonce is fixed for each field, so a data key must never be used twice
	seen := map[string]bool{}
	for range 1000 {
		x := mustSeal(t, s, person, identity(t, 1), 1)
		for _, v := range []string{string(x.DataKey), string(x.Fields["identity"])} {
			if seen[v] {
				t.Fatal("the same bytes twice")
			}
			seen[v] = true
		}
	}
}

func TestAnErasedPersonCannotBeOpenedOrFound(t *testing.T) {
	s := plain(t)
	x := seal.Erase(mustSeal(t, s, person, identity(t, 1), 5))
	if !x.IsZero() || x.Revision != 5 || x.KeyID != "" {
		t.Errorf("left over: %+v", x)
	}
	if _, err := s.Open(person, x); kangma.CodeOf(err) != "erased" || kangma.KindOf(err) != kangma.NotFound {
		t.Errorf("got %v, want erased", err)
	}
}

func TestKeyEncryptionKeysRotateAndCanBeDestroyed(t *testing.T) {
	first := plain(t)
	x := mustSeal(t, first, person, identity(t, 1), 1)
	both := sealer(t, "k2", map[string][seal.KeySize]byte{"k1": key(1), "k2": key(2)}, 100)
	if got, err := both.Open(person, x); err != nil || got != identity(t, 1) {
		t.Errorf("old key beside the new: got %v", err)
	}
	y, changed, err := both.Rewrap(person, x)
	if err != nil || !changed || y.KeyID != "k2" || !bytes.Equal(y.Fields["identity"], x.Fields["identity"]) {
		t.Fatalf("rewrap: got %+v, %v, %v", y, changed, err)
	}
	if _, changed, err := both.Rewrap(person, y); changed || err != nil {
		t.Errorf("rewrapping twice: got %v, %v", changed, err)
	}
	second := sealer(t, "k2", map[string][seal.KeySize]byte{"k2": key(2)}, 100)
	if got, err := second.Open(person, y); err != nil || got != identity(t, 1) {
		t.Errorf("new key alone: got %v", err)
	}
	if _, err := second.Open(person, x); kangma.CodeOf(err) != "kek_unknown" {
		t.Errorf("destroyed key: got %v, want kek_unknown", err)
	}
	wrong := sealer(t, "k1", map[string][seal.KeySize]byte{"k1": key(3)}, 100)
	if _, err := wrong.Open(person, x); kangma.CodeOf(err) != "seal_damaged" {
		t.Errorf("another key of the same id: got %v", err)
	}
}

func TestIndexesFindAPersonUnderOldAndNewKeys(t *testing.T) {
	id := identity(t, 1)
	old := plain(t)
	x := mustSeal(t, old, person, id, 1)
	if want := []kangma.BlindIndex{old.Document(id.DocType, id.Number)[0], old.Phone(id.Phone)[0]}; !slices.Equal(x.Indexes, want) {
		t.Errorf("got %x, want %x", x.Indexes, want)
	}
	rotated := sealer(t, "k1", map[string][seal.KeySize]byte{"k1": key(1)}, 101, 100)
	if all := rotated.Phone(id.Phone); len(all) != 2 || all[1] != x.Indexes[1] || all[0] == all[1] {
		t.Errorf("got %x", all)
	}
	spaced, err := kangma.NewPhone("+86 138-0000 0001")
	if err != nil || !slices.Equal(old.Phone(spaced), old.Phone(id.Phone)) {
		t.Errorf("one phone written in two ways has two indexes (%v)", err)
	}
	if old.Index("phone", "1") == old.Index("document", "1") {
		t.Error("two fields share an index")
	}
	n, _ := kangma.NewIDNumber(kangma.DocPassport, "E12345678", time.Time{})
	if slices.Equal(old.Document(kangma.DocPassport, n), old.Document(kangma.DocOther, n)) {
		t.Error("one number in two types of documents has one index")
	}
}

func TestAPseudonymLastsFourteenDays(t *testing.T) {
	s := plain(t)
	start := time.Unix(0, 0).Add(1300 * seal.EpochLength)
	first := s.Pseudonym(person, start)
	if got := s.Pseudonym(person, start.Add(seal.EpochLength-time.Microsecond)); got != first {
		t.Error("it changed within its epoch")
	}
	if s.Pseudonym(person, start.Add(seal.EpochLength)) == first || s.Pseudonym(person, start.Add(-time.Microsecond)) == first {
		t.Error("it outlived its epoch")
	}
	if s.Pseudonym(kangma.PersonID{2}, start) == first {
		t.Error("two people share one")
	}
	if got := s.Pseudonym(kangma.PersonID{}, start); got != (kangma.Pseudonym{}) {
		t.Errorf("nobody: got %v", got)
	}
	all := s.Pseudonyms(person, start.Add(-time.Hour), start.Add(seal.EpochLength))
	if len(all) != 2 || all[1] != first || all[0] != s.Pseudonym(person, start.Add(-time.Second)) {
		t.Errorf("over two epochs: got %v", all)
	}
	if got := s.Pseudonyms(person, start, start); got != nil {
		t.Errorf("over nothing: got %v", got)
	}
	if seal.Epoch(time.Unix(-1, 0)) != -1 || seal.Epoch(time.Unix(0, 0)) != 0 {
		t.Error("epochs before 1970 run the wrong way")
	}
}

func TestAPlateIsKeptAsItsKeyedHash(t *testing.T) {
	s := plain(t)
	if a, b := s.Plate("粤A 12345"), s.Plate(" 粤a12345 "); a != b || len(a) != 24 || strings.Contains(a, "12345") {
		t.Errorf("got %q and %q", a, b)
	}
	if s.Plate(" ") != "" || s.Plate("粤A12345") == s.Plate("粤A12346") {
		t.Error("no plate is a plate, or two plates are one")
	}
}

func TestKeysThatAreMissingAreRefused(t *testing.T) {
	good, _ := seal.NewKEKs("k1", map[string][seal.KeySize]byte{"k1": key(1)})
	for _, k := range []seal.Keys{{}, {KEK: good}, {KEK: good, Index: [][seal.KeySize]byte{key(1)}},
		{KEK: good, Index: [][seal.KeySize]byte{{}}, Pseudonym: key(1)}, {Index: [][seal.KeySize]byte{key(1)}, Pseudonym: key(1)}} {
		if _, err := seal.New(k); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("got %v, want invalid", err)
		}
	}
	for _, keks := range []map[string][seal.KeySize]byte{nil, {"k2": key(1)}, {"k1": {}}, {"k1": key(1), "": key(2)}} {
		if _, err := seal.NewKEKs("k1", keks); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("got %v, want invalid", err)
		}
	}
	for _, c := range []struct {
		p   kangma.PersonID
		id  seal.Identity
		rev uint64
	}{{kangma.PersonID{}, identity(t, 1), 1}, {person, seal.Identity{}, 1}, {person, identity(t, 1), 0}} {
		if _, err := plain(t).Seal(c.p, c.id, c.rev); kangma.KindOf(err) != kangma.Invalid {
			t.Errorf("got %v, want invalid", err)
		}
	}
}

// TestShortAndLongTextsHaveTheOrdinaryHMAC holds the short way against crypto/hmac, at every length around its bound.
func TestShortAndLongTextsHaveTheOrdinaryHMAC(t *testing.T) {
	for _, keyed := range []int{0, 1, 32, 64, 65} {
		key := bytes.Repeat([]byte{0xa7}, keyed)
		for n := range 200 {
			value := bytes.Repeat([]byte{byte(n)}, n)
			h := hmac.New(sha256.New, key)
			h.Write(append([]byte("person\x00"), value...))
			if got := seal.MAC(key, "person", value); !bytes.Equal(got[:], h.Sum(nil)) {
				t.Fatalf("key of %d bytes, value of %d", keyed, n)
			}
		}
	}
}

func BenchmarkSealer(b *testing.B) {
	s, id := plain(b), identity(b, 1)
	sealed := mustSeal(b, s, person, id, 1)
	at := time.Date(2022, 7, 10, 0, 0, 0, 0, time.UTC)
	for name, f := range map[string]func(){
		"seal":      func() { s.Seal(person, id, 1) },
		"open":      func() { s.Open(person, sealed) },
		"open name": func() { s.OpenName(person, sealed) },
		"pseudonym": func() { s.Pseudonym(person, at) },
		"index":     func() { s.Phone(id.Phone) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}
