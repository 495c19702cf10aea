package wire_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/store/storetest"
	"github.com/kangma/kangma/store/wire"
)

func TestTheHeadOfADossierTellsItsVersionAndWhetherItsIndexesAreTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	same := func(old, next kangma.Dossier) bool {
		raw, head := wire.EncodeDossierHead(next)
		return wire.SameHead(wire.EncodeDossier(old), raw, head)
	}
	for range 500 {
		d := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), r.IntN(4))
		d.Version = r.Uint64()>>r.IntN(64) | 1
		if v, ok := wire.DossierVersionOf(wire.EncodeDossier(d)); !ok || v != d.Version {
			t.Fatalf("version %d, %v, want %d", v, ok, d.Version)
		}
		next := d
		next.Version += 1 << r.IntN(40)
		next.Evidence = append(d.Evidence[:len(d.Evidence):len(d.Evidence)], storetest.RandomDossier(r, d.Person, 1).Evidence...)
		if !same(d, next) || !same(next, d) {
			t.Fatalf("new evidence and version changed the head of %+v", d)
		}
		for what, change := range map[string]func(*kangma.Dossier){
			"an index": func(d *kangma.Dossier) {
				d.Sealed.Indexes = append(d.Sealed.Indexes[:0:0], kangma.BlindIndex{byte(r.Int()), 1})
			},
			"no identity":    func(d *kangma.Dossier) { d.Sealed = kangma.SealedIdentity{} },
			"another home":   func(d *kangma.Dossier) { d.Home.Division++ },
			"another person": func(d *kangma.Dossier) { d.Person[3]++ },
			"registered":     func(d *kangma.Dossier) { d.Registered = d.Registered.Add(time.Hour) },
		} {
			other := next
			change(&other)
			if (what != "no identity" || !d.Sealed.IsZero()) && same(d, other) {
				t.Fatalf("%s was not seen: %+v", what, d)
			}
		}
	}
	for _, raw := range [][]byte{nil, {2}, make([]byte, 18), wire.EncodeDossierCBOR(kangma.Dossier{Version: 1})} {
		if _, ok := wire.DossierVersionOf(raw); ok {
			t.Errorf("%x has a version", raw)
		}
	}
}

func TestThePackedHeadIsThatOfTheWholeDossier(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	for range 500 {
		d := storetest.RandomDossier(r, storetest.RandomPerson(r, -1), r.IntN(5))
		d.Version = r.Uint64() >> r.IntN(64)
		raw := wire.EncodeDossier(d)
		p, indexes, ok := wire.PackedHead(raw)
		if !ok || p.Person != d.Person || p.Version != d.Version || !slices.Equal(indexes, d.Sealed.Indexes) {
			t.Fatalf("%+v %v %v of %+v", p, indexes, ok, d)
		}
		d.Version = 0
		without, ok := wire.WithoutVersion(raw)
		if !ok || !bytes.Equal(without, wire.EncodeDossier(d)) {
			t.Fatalf("without its version %x, want %x", without, wire.EncodeDossier(d))
		}
		for n := range min(len(raw), 60) { // cut anywhere it is either no head or one that was read in full
			if _, _, ok := wire.PackedHead(raw[:n]); ok && len(d.Sealed.Indexes) > 0 && n < 17+16*len(d.Sealed.Indexes) {
				t.Fatalf("%d bytes are a head", n)
			}
		}
	}
}
