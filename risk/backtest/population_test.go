package backtest

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/risk/feeds"
)

func TestThePopulationIsTheSameEveryTimeAndLooksAlive(t *testing.T) {
	table := history(t, august.AddDate(0, 0, -14), 60, 5)
	p := population(table, 3000, 30, 5)
	first, again := p.Prepare(), p.Prepare()
	kinds := map[kangma.EvidenceKind]int{}
	seen := map[kangma.PersonID]bool{}
	items := 0
	for chunk := range first.Chunks() {
		var a, b [][]byte
		for i, src := range []Source{first, again} {
			err := src.Each(t.Context(), chunk, func(d *kangma.Dossier) bool {
				raw, err := json.Marshal(d)
				if err != nil {
					t.Fatal(err)
				}
				if i == 1 {
					b = append(b, raw)
					return true
				}
				a = append(a, raw)
				seen[d.Person] = true
				items += len(d.Evidence)
				check(t, d)
				for _, e := range d.Evidence {
					kinds[e.Kind]++
				}
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(bytes.Join(a, nil), bytes.Join(b, nil)) {
			t.Fatalf("chunk %d differs at the second reading", chunk)
		}
	}
	if len(seen) != 3000 || items < 5*3000 || items > 30*3000 {
		t.Errorf("%d people with %d items", len(seen), items)
	}
	for _, k := range []kangma.EvidenceKind{kangma.KindStay, kangma.KindTrip, kangma.KindTest, kangma.KindVaccination, kangma.KindContact, kangma.KindManagement, kangma.KindDeclaration, kangma.KindClinic} {
		if kinds[k] == 0 {
			t.Errorf("nobody has a %s", k)
		}
	}
}

// check: what is made would pass the checks of a feed at the end of time, and is in the order of a dossier.
func check(t *testing.T, d *kangma.Dossier) {
	t.Helper()
	end := august.AddDate(0, 0, 90)
	for i := range d.Evidence {
		e := &d.Evidence[i]
		if i > 0 && bytes.Compare(d.Evidence[i-1].ID[:], e.ID[:]) >= 0 {
			t.Fatalf("evidence out of order: %v after %v", e.ID, d.Evidence[i-1].ID)
		}
		if f := feeds.Validate(e, end, 5*365*24*time.Hour); f != nil {
			t.Fatalf("%s: %+v", e.Kind, f)
		}
	}
}

func TestALongReplayNeedsNoMoreThanItsOwnMemory(t *testing.T) {
	table := history(t, august.AddDate(0, 0, -14), 400, 6)
	days := 0
	src := population(table, 50, 365, 6).Prepare()
	if err := src.Each(t.Context(), 0, func(d *kangma.Dossier) bool {
		stays := map[*kangma.Stay]bool{}
		for i := range d.Evidence {
			if s := d.Evidence[i].Stay; s != nil && stays[s] {
				t.Fatal("two stays share their memory")
			} else if s != nil {
				stays[s] = true
			}
		}
		days++
		return true
	}); err != nil || days != 50 {
		t.Errorf("%d people, %v", days, err)
	}
}
