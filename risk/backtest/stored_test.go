package backtest

import (
	"context"
	"errors"
	"testing"

	"github.com/kangma/kangma"
)

func TestStoredPeopleAreReadPageByPageOnce(t *testing.T) {
	people := map[int][]kangma.Dossier{}
	for i := range 50 {
		d := kangma.Dossier{Person: kangma.PersonID{byte(i % 3), byte(i + 1)}, Evidence: []kangma.Evidence{{}}}
		if i%10 == 9 { // erased
			d.Evidence = nil
		}
		people[i%3] = append(people[i%3], d)
	}
	calls := 0
	src := Stored{Partitions: 3, Page: 7, ScanPage: func(_ context.Context, p int, after kangma.PersonID, limit int) (out []kangma.Dossier, err error) {
		calls++
		for _, d := range people[p] {
			if d.Person.String() > after.String() && len(out) < limit {
				out = append(out, d)
			}
		}
		return out, nil
	}}
	seen := map[kangma.PersonID]int{}
	for chunk := range src.Chunks() {
		if err := src.Each(t.Context(), chunk, func(d *kangma.Dossier) bool { seen[d.Person]++; return true }); err != nil {
			t.Fatal(err)
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%v was read %d times", id, n)
		}
	}
	if len(seen) != 45 || calls < 9 {
		t.Errorf("%d people in %d calls", len(seen), calls)
	}
	stop := 0
	if err := src.Each(t.Context(), 0, func(*kangma.Dossier) bool { stop++; return false }); err != nil || stop != 1 {
		t.Errorf("stopped after %d, %v", stop, err)
	}
	gone := errors.New("gone")
	src.ScanPage = func(context.Context, int, kangma.PersonID, int) ([]kangma.Dossier, error) { return nil, gone }
	if err := src.Each(t.Context(), 0, nil); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
}
