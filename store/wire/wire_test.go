package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
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
	sample func(sample) any
	encode func(any) []byte
	decode func([]byte) (any, error)
}

func formOf[T any](name string, enc func(T) []byte, dec func([]byte) (T, error)) form {
	return form{name, func(s sample) any { return of[T](s) },
		func(v any) []byte { return enc(v.(T)) },
		func(b []byte) (any, error) { v, err := dec(b); return v, err }}
}

var forms = []form{
	formOf("evidence", wire.EncodeEvidence, wire.DecodeEvidence),
	formOf("dossier", wire.EncodeDossier, wire.DecodeDossier),
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

func TestATypicalDossierIsSmall(t *testing.T) {
	d := typical()
	b := wire.EncodeDossier(d)
	noSeal := d
	noSeal.Sealed = kangma.SealedIdentity{}
	t.Logf("dossier of %d items: %d bytes, of which sealed identity %d", len(d.Evidence), len(b), len(b)-len(wire.EncodeDossier(noSeal)))
	if len(b) > 720 {
		t.Errorf("got %d bytes, want at most 720", len(b))
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
