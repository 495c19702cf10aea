package wire_test

import (
	"math/rand/v2"
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
