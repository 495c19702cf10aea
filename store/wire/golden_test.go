package wire_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store"
	"github.com/kangma/kangma/store/wire"
)

// The bytes of version 1, for ever: journals and stores are full of them. A change of the form is a new version.
func TestTheFormOfVersionOneStays(t *testing.T) {
	at := time.Date(2022, 7, 10, 8, 30, 0, 250_000_000, time.UTC)
	id := kangma.EventID{0x01, 0x81, 0xe7, 6: 0x70, 8: 0x80, 15: 0x01}
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"passage", wire.EncodePassage(kangma.Passage{ID: id, At: at, Gate: "g:1", GateKind: "metro", District: 440103001, Person: kangma.Pseudonym{7},
			Told: true, Colour: kangma.Green, Decision: kangma.Pass, Reason: "ok", Verified: "online", Direction: "in", Temperature: 365, Flags: []string{"travel", "g:1"}}),
			"01ae01500181e70000007000800000000000000102821a62ca8e081a0003d09003" + "63673a31" + "041824051a1a3b7059" + "075007000000000000000000000000000000" +
				"08f509020a040b140c100d120e19016d1182186820"},
		{"evidence", wire.EncodeEvidence(kangma.Evidence{ID: id, Kind: kangma.KindTest, Observed: at.Truncate(time.Second), Received: at, Source: "feed:一",
			Batch: "feed:一", Test: &kangma.Test{Method: "pcr", Result: "negative"}}),
			"01a701500181e7000000700080000000000000010200031a62ca8e080582001a0003d0900668666565643ae4b880072018" + "18a201080209"},
		{"record", wire.EncodeRecord(store.Record{Kind: "gate", ID: "卡口", Version: 300, Data: []byte{1, 2}, Index: map[string]string{"status": "on", "owner": "o1"}, Deleted: true}),
			"01a601187902" + "66e58da1e58fa3" + "0319012c044201020584" + "187f626f311880626f6e" + "06f5"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// goldenDossier is the dossier of the bytes below.
func goldenDossier() kangma.Dossier {
	at := time.Date(2022, 7, 10, 8, 30, 0, 250_000_000, time.UTC)
	v7 := kangma.EventID{0x01, 0x81, 0xe7, 6: 0x70, 8: 0x80, 15: 0x01}
	v8 := kangma.EventID{1, 2, 3, 6: 0x80, 8: 0x80}
	return kangma.Dossier{Person: kangma.PersonID{1, 2, 3, 6: 0x40, 8: 0x80}, Version: 300, Registered: at.AddDate(0, -1, 0), Home: kangma.Place{Division: 440103001, Zone: "沙面"},
		Sealed: kangma.SealedIdentity{DataKey: []byte{1, 2}, Fields: map[string][]byte{"identity": {3}, "b": {4}}, Indexes: []kangma.BlindIndex{{5}}, KeyID: "k1", Revision: 2},
		Evidence: []kangma.Evidence{
			{ID: v7, Kind: kangma.KindTest, Observed: at, Reported: at.Add(time.Hour), Received: at.Add(2 * time.Hour), Source: "feed:一", Batch: "cdc/10",
				Test: &kangma.Test{Method: "pcr", Result: "negative", Lab: "gz-03"}},
			{ID: v8, Kind: kangma.KindTest, Observed: at.Add(26 * time.Hour), Source: "feed:一", Batch: "cdc/11", Replaces: v7, Test: &kangma.Test{Method: "antigen", Result: "positive", Lab: "gz-07"}},
			{ID: v8, Kind: kangma.KindStay, Observed: at, Source: "self", Stay: &kangma.Stay{Place: kangma.Place{Division: 440106000, Zone: "沙面"}, From: at.Add(-time.Hour), To: at}},
			{ID: v8, Kind: "neu", Declaration: &kangma.Declaration{Symptoms: []string{"fever", ""}, Temperature: 385, CheckIn: true}},
		},
		Guardians: []kangma.Guardianship{{Guardian: kangma.PersonID{9}, From: at, Until: at.AddDate(1, 0, 0), Relation: "child", Accepted: true}},
		Applied:   []kangma.EventID{v7, v8}}
}

// The bytes of both versions of a dossier, for ever: stores, snapshots and journals are full of them.
func TestTheFormsOfADossierStay(t *testing.T) {
	const (
		cbor   = "01a80150010203000000400080000000000000000219012c03821a62a301081a0003d09004a2011a1a3b70590266e6b299e99da205a501420102028461624104686964656e7469747941030381500500000000000000000000000000000004626b3105020684a801500181e700000070008000000000000001020003821a00278d001a0003d0900482190e101a0003d0900582190e101a0003d0900668666565643ae4b88007666364632f31301818a3010802090465677a2d3033a7015001020300000080008000000000000000020003821a000151801a0003d090062307666364632f313108500181e7000000700080000000000000011818a301181d02181f0465677a2d3037a5015001020300000080008000000000000000020103823a00016d9f1a0003d090060a14a301a2011a1a3b7c1002200282390e0f1a0003d0900382190e101a0003d090a301500102030000008000800000000000000002636e6575181ca301821844600219018105f50781a50150090000000000000000000000000000000282001a0003d09003821a01e133801a0003d09004185a05f50882500181e7000000700080000000000000015001020300000080008000000000000000"
		packed = "02010203000000400080000000000000007fac02a1bcb61a90a10f03b2c1dba303c6e6b299e99da21f02010202c100620104fe0701030105000000000000000000000000000000c2006b310201090000000000000000000000000000000f81e8f80490a10f81848c4190a10f5a0280c6bfc826700080000000000000010101020300000080008000000000000000047581e8f80490a10ffef9ac0770008000000000000001c17090a10f81e10190a10fc8666565643ae4b880c66364632f313018c5677a2d3033c50481ed1690a10f010102030000008000800000000000000082c10531fec1f0b901700080000000000000010b1d1fc1043701ffec1690a10f01010203000000800080000000000000000a0703ee2e80bf7090a10f0190a10f800bc3006e657501010203000000800080000000000000008002130244ff8206"
	)
	d := goldenDossier()
	for _, c := range []struct{ name, got, want string }{
		{"version 1", hex.EncodeToString(wire.EncodeDossierCBOR(d)), cbor},
		{"packed", hex.EncodeToString(wire.EncodeDossier(d)), packed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got\n%s, want\n%s", c.got, c.want)
			}
			raw, err := hex.DecodeString(c.want)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := wire.DecodeDossier(raw); err != nil || !reflect.DeepEqual(back, d) {
				t.Errorf("got  %+v, %v\nwant %+v", back, err, d)
			}
		})
	}
}

// firstWords is the digest of the words of version 1, in order. Words may be added behind; then raise the count and the
// digest together. A change of any of the first ones makes stored bytes say something else.
const (
	wordCount  = 135
	firstWords = "9c3e06d101b7f37827ae75f8e92c466da0cd09b749d9a7b0e7c9fb2ad911f886"
)

func TestWordsOnlyGrowAtTheEnd(t *testing.T) {
	words := wordsOf(t)
	seen := map[string]bool{}
	for _, w := range words {
		if seen[w] || w == "" {
			t.Errorf("the word %q stands there twice or is empty", w)
		}
		seen[w] = true
	}
	if len(words) < wordCount {
		t.Fatalf("got %d words, want at least %d", len(words), wordCount)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(words[:wordCount], "\n")))); got != firstWords {
		t.Errorf("the first %d words: got digest %s, want %s", wordCount, got, firstWords)
	}
}

// wordsOf reads the list in words.go.
func wordsOf(t *testing.T) (words []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "words.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == "words" {
			for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
				w, err := strconv.Unquote(e.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				words = append(words, w)
			}
		}
		return true
	})
	return words
}

// Every field of the stored types is walked: a field added to a type and forgotten here would be lost silently. (The
// random values of the round trip set every field, so there it would show too; this says which.)
func TestEveryFieldHasItsKey(t *testing.T) {
	for _, c := range []struct {
		zero   any
		encode func(reflect.Value) []byte
	}{
		{kangma.Passage{}, func(v reflect.Value) []byte { return wire.EncodePassage(v.Interface().(kangma.Passage)) }},
		{kangma.Dossier{}, func(v reflect.Value) []byte { return wire.EncodeDossierCBOR(v.Interface().(kangma.Dossier)) }},
		{kangma.Evidence{}, func(v reflect.Value) []byte { return wire.EncodeEvidence(v.Interface().(kangma.Evidence)) }},
		{kangma.Access{}, func(v reflect.Value) []byte { return wire.EncodeAccess(v.Interface().(kangma.Access)) }},
		{store.Record{}, func(v reflect.Value) []byte { return wire.EncodeRecord(v.Interface().(store.Record)) }},
	} {
		typ := reflect.TypeOf(c.zero)
		for i := range typ.NumField() {
			v := reflect.New(typ).Elem()
			for seed := uint64(1); v.Field(i).IsZero(); seed++ {
				newSample(seed).fill(v.Field(i), 0)
			}
			b := c.encode(v)
			tag, _, _ := strings.Cut(typ.Field(i).Tag.Get("cbor"), ",")
			key, err := strconv.ParseUint(tag, 10, 8)
			if err != nil {
				t.Errorf("%v.%s has no cbor key", typ, typ.Field(i).Name)
				continue
			}
			want := []byte{1, 0xa1, byte(key)}
			if key >= 24 {
				want = []byte{1, 0xa1, 24, byte(key)}
			}
			if !strings.HasPrefix(string(b), string(want)) {
				t.Errorf("%v.%s: got %x, want it to begin with %x", typ, typ.Field(i).Name, b[:min(len(b), 6)], want)
			}
		}
	}
}
