package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// form is one encoder and decoder with its type hidden.
type form struct {
	name   string
	packed bool // no CBOR
	sample func(sample) any
	encode func(any) []byte
	decode func([]byte) (any, error)
}

func formOf[T any](name string, enc func(T) []byte, dec func([]byte) (T, error)) form {
	return form{name, strings.HasSuffix(name, "packed"), func(s sample) any { return of[T](s) },
		func(v any) []byte { return enc(v.(T)) },
		func(b []byte) (any, error) {
			v, err := dec(b)
			if err == nil && b[0] != enc(v)[0] {
				err = errors.New("another version")
			}
			return v, err
		}}
}

var forms = []form{
	formOf("evidence", wire.EncodeEvidence, wire.DecodeEvidence),
	formOf("dossier, packed", wire.EncodeDossier, wire.DecodeDossier),
	formOf("dossier, version 1", wire.EncodeDossierCBOR, wire.DecodeDossier),
	formOf("passage", wire.EncodePassage, wire.DecodePassage),
	formOf("record", wire.EncodeRecord, wire.DecodeRecord),
	formOf("access", wire.EncodeAccess, wire.DecodeAccess),
	formOf("event", wire.EncodeEvent, wire.DecodeEvent),
}

func TestEveryValueComesBackAndIsDeterministicCBOR(t *testing.T) {
	strict := must(cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, UTF8: cbor.UTF8RejectInvalid}.DecMode())
	canonical := must(cbor.CoreDetEncOptions().EncMode())
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(500) {
				v := f.sample(newSample(seed))
				b := f.encode(v)
				got, err := f.decode(b)
				if err != nil {
					t.Fatalf("seed %d: %v\n%x", seed, err, b)
				}
				if !reflect.DeepEqual(got, v) {
					t.Fatalf("seed %d:\ngot  %+v\nwant %+v", seed, got, v)
				}
				if again := f.encode(v); !bytes.Equal(again, b) {
					t.Fatalf("seed %d: encoded twice, two forms", seed)
				}
				if f.packed {
					continue
				}
				var plain any
				if err := strict.Unmarshal(b[1:], &plain); err != nil {
					t.Fatalf("seed %d: an independent reader refuses it: %v", seed, err)
				}
				if other := must(canonical.Marshal(plain)); !bytes.Equal(other, b[1:]) {
					t.Fatalf("seed %d: not the deterministic form:\ngot  %x\nwant %x", seed, b[1:], other)
				}
			}
		})
	}
}

func TestDamagedBytesAreRefusedOrAreAnotherCanonicalDocument(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			for seed := range uint64(5) {
				b := f.encode(f.sample(newSample(seed)))
				if len(b) > 1500 {
					b = b[:1500]
				}
				for n := range len(b) {
					if _, err := f.decode(b[:n]); err == nil {
						t.Fatalf("seed %d: cut to %d of %d bytes and accepted", seed, n, len(b))
					}
					for bit := range 8 {
						c := slices.Clone(b)
						c[n] ^= 1 << bit
						if v, err := f.decode(c); err == nil && !bytes.Equal(f.encode(v), c) {
							t.Fatalf("seed %d: bit %d of byte %d: accepted, and encoded otherwise:\n%x\n%x", seed, bit, n, c, f.encode(v))
						}
					}
				}
			}
		})
	}
}

func TestErrorsSayWhatIsWrongWithTheBytes(t *testing.T) {
	good := wire.EncodePassage(of[kangma.Passage](newSample(1)))
	for _, c := range []struct {
		name string
		b    []byte
		code string
	}{
		{"nothing at all", nil, "wire_damaged"},
		{"a version of the future", append([]byte{2}, good[1:]...), "wire_version"},
		{"something behind the end", append(slices.Clone(good), 0), "wire_damaged"},
		{"an unknown field", []byte{1, 0xa1, 0x12, 0x01}, "wire_damaged"},
		{"a list that claims 2^60 items", []byte{1, 0xa1, 0x11, 0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0}, "wire_damaged"},
		{"a map that claims 2^60 entries", []byte{1, 0xbb, 0x10, 0, 0, 0, 0, 0, 0, 0}, "wire_damaged"},
		{"fields out of order", []byte{1, 0xa2, 0x08, 0xf5, 0x03, 0x61, 'g'}, "wire_damaged"},
		{"a field twice", []byte{1, 0xa2, 0x08, 0xf5, 0x08, 0xf5}, "wire_damaged"},
		{"a zero that should be left out", []byte{1, 0xa1, 0x0e, 0x00}, "wire_damaged"},
		{"a colour that does not exist", []byte{1, 0xa1, 0x09, 0x03}, "wire_damaged"},
		{"a word spelled out", []byte{1, 0xa1, 0x03, 0x64, 't', 'e', 's', 't'}, "wire_damaged"},
		{"a text twice instead of a reference", []byte{1, 0xa2, 0x03, 0x62, 'g', '7', 0x06, 0x62, 'g', '7'}, "wire_damaged"},
		{"a number in a longer head than needed", []byte{1, 0xa1, 0x0e, 0x18, 0x05}, "wire_damaged"},
		{"a text that is no UTF-8", []byte{1, 0xa1, 0x03, 0x62, 0xff, 0xfe}, "wire_damaged"},
		{"a reference to nothing", []byte{1, 0xa1, 0x03, 0x20}, "wire_damaged"},
		{"microseconds of zero", []byte{1, 0xa1, 0x02, 0x82, 0x01, 0x00}, "wire_damaged"},
		{"a million microseconds", []byte{1, 0xa1, 0x02, 0x82, 0x01, 0x1a, 0x00, 0x0f, 0x42, 0x40}, "wire_damaged"},
		{"a year past 9999", []byte{1, 0xa1, 0x02, 0x1b, 0x00, 0x00, 0x00, 0x3b, 0xff, 0xff, 0xff, 0xff}, "wire_damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := wire.DecodePassage(c.b)
			if kangma.CodeOf(err) != c.code || kangma.KindOf(err) != kangma.Internal || !reflect.DeepEqual(v, kangma.Passage{}) {
				t.Errorf("got %v, %+v, want code %s and the zero passage", err, v, c.code)
			}
		})
	}
}

func TestWhatCannotBeWrittenAsItIsStaysReadable(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	e := kangma.Evidence{ID: kangma.EventID{1}, Source: "a\xffb", Kind: "neu",
		Observed: time.Date(2022, 7, 10, 8, 0, 0, 123_456_789, zone),
		Reported: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), Received: time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC),
		Override: &kangma.Override{Colour: 9}}
	got, err := wire.DecodeEvidence(wire.EncodeEvidence(e))
	want := kangma.Evidence{ID: kangma.EventID{1}, Source: "a\uFFFDb", Kind: "neu",
		Observed: time.Date(2022, 7, 10, 0, 0, 0, 123_456_000, time.UTC),
		Reported: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), Received: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC),
		Override: &kangma.Override{Colour: kangma.Red}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	r := store.Record{ID: "x", Index: map[string]string{"a\xff": "1", "a\xfe": "2", "b": "3"}}
	back, err := wire.DecodeRecord(wire.EncodeRecord(r))
	if err != nil || len(back.Index) != 2 || back.Index["b"] != "3" {
		t.Errorf("got %+v, %v", back, err)
	}
}

func TestEmptyAndNilAreTheSame(t *testing.T) {
	a := wire.EncodeDossier(kangma.Dossier{Person: kangma.PersonID{1}})
	b := wire.EncodeDossier(kangma.Dossier{Person: kangma.PersonID{1}, Evidence: []kangma.Evidence{}, Sealed: kangma.SealedIdentity{Fields: map[string][]byte{}}})
	if !bytes.Equal(a, b) {
		t.Errorf("%x\n%x", a, b)
	}
	// but an empty payload says which kind it is of
	d, err := wire.DecodeEvidence(wire.EncodeEvidence(kangma.Evidence{ID: kangma.EventID{1}, Declaration: &kangma.Declaration{}}))
	if err != nil || d.Declaration == nil {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestReadingSharesNoMemoryWithTheInput(t *testing.T) {
	b := wire.EncodeRecord(store.Record{Kind: "gate", ID: "g:1", Version: 1, Data: []byte("hello"), Index: map[string]string{"org": "o-7"}})
	r, err := wire.DecodeRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if r.ID != "g:1" || string(r.Data) != "hello" || r.Index["org"] != "o-7" {
		t.Errorf("got %+v", r)
	}
}

// What is packed may be read by others at the same time: the evidence of a batch is shared by all who apply it.
func TestEncodingChangesNothing(t *testing.T) {
	for seed := range uint64(200) {
		d := of[kangma.Dossier](newSample(seed))
		for i := range d.Evidence {
			if o := d.Evidence[i].Override; o != nil {
				o.Colour = 9
			}
		}
		before := fmt.Sprintf("%+v", deep(d))
		wire.EncodeDossier(d)
		if after := fmt.Sprintf("%+v", deep(d)); after != before {
			t.Fatalf("seed %d:\nbefore %s\nafter  %s", seed, before, after)
		}
	}
}

// deep shows what pointers point at.
func deep(d kangma.Dossier) string { return string(must(json.Marshal(d))) }

func TestPackedDossiersThatAreNotAsTheyAreWrittenAreRefused(t *testing.T) {
	person := string(make([]byte, 16))
	evidence := "\x10\x01" // the mask says evidence, one of it
	item := func(s string) string { return person + evidence + s }
	id := "\x01" + strings.Repeat("\x05", 6) + "\x40" + strings.Repeat("\x05", 9)
	for _, c := range []struct{ name, b string }{
		{"nothing behind the version", ""},
		{"a field that is not known", person + "\x80\x01"},
		{"a number longer than needed", person + "\x01\x80\x00"},
		{"a version of zero", person + "\x01\x00"},
		{"a home of nothing", person + "\x04\x00"},
		{"a division of zero", person + "\x04\x01\x00"},
		{"a division below zero", person + "\x04\x01\x01"},
		{"a list that claims more than there is", person + "\x10\xff\xff\xff\xff\xff\xff\xff\xff\x7f"},
		{"a list of none", person + "\x10\x00"},
		{"a kind that is not known", item("\x8e\x03" + id + "\x00")},
		{"rare things of which there are none", item("\x85\x00\x00" + id + "\x02\x10")},
		{"the usual payload called unusual", item("\x85\x0b" + id + "\x10\x10")},
		{"a known kind spelled out", item("\x80\x03\x00" + id)},
		{"pcr and negative spelled out", item("\x85\x03" + id + "\x03\x08\x09")},
		{"a word spelled out", person + "\x04\x02\xc4test"},
		{"a text of before spelled out", person + "\x04\x06\xc2ab\xc2\x00ab"},
		{"a text that is more alike than it says", person + "\x04\x06\xc2ab\xc2\x00ac"},
		{"a text that takes over more than there is", person + "\x04\x06\xc2ab\xc1\x03c"},
		{"a reference to nothing", person + "\x04\x02\x80"},
		{"a word beyond the list", person + "\x04\x02\xfe\x7f"},
		{"an empty text", person + "\x04\x02\xff"},
		{"an id of version 7 spelled out", item("\x85\x03\x01" + strings.Repeat("\x70", 16) + "\x10")},
		{"a year beyond 9999", person + "\x02\xfc\xff\xff\xff\xff\xff\xff\x7f"},
		{"microseconds of zero", person + "\x02\x01\x00"},
		{"something behind the end", person + "\x00\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := wire.DecodeDossier([]byte("\x02" + c.b))
			if kangma.CodeOf(err) != "wire_damaged" || !reflect.DeepEqual(d, kangma.Dossier{}) {
				t.Errorf("got %v, %+v, want wire_damaged", err, d)
			}
		})
	}
	for _, good := range []string{person + "\x00", item("\x85\x03" + id + "\x10"), person + "\x04\x06\xc2ab\xc1\x01c"} {
		if _, err := wire.DecodeDossier([]byte("\x02" + good)); err != nil {
			t.Errorf("%x: %v", good, err)
		}
	}
}

func TestATypicalDossierIsSmall(t *testing.T) {
	d := typical()
	b := wire.EncodeDossier(d)
	noSeal := d
	noSeal.Sealed = kangma.SealedIdentity{}
	t.Logf("dossier of %d items: %d bytes, of which sealed identity %d", len(d.Evidence), len(b), len(b)-len(wire.EncodeDossier(noSeal)))
	if old := len(wire.EncodeDossierCBOR(d)); len(b) > 500 || 3*len(b) > 2*old {
		t.Errorf("got %d bytes, want at most 500 and two thirds of the %d of version 1", len(b), old)
	}
	if got := must(wire.DecodeDossier(b)); !reflect.DeepEqual(got, d) {
		t.Errorf("got  %+v\nwant %+v", got, d)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestErrorsCarryNothingOfTheContent(t *testing.T) {
	_, err := wire.DecodePassage([]byte{1, 0xa1, 0x03, 0x63, 'a', 'b', 0xff})
	if err == nil || !errors.Is(err, kangma.Internal) || fmt.Sprint(err) != "internal: wire_damaged: stored bytes are not what this program writes" {
		t.Errorf("got %v", err)
	}
}
