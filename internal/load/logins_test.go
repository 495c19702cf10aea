package load_test

import (
	"testing"

	"github.com/kangma/kangma/internal/load"
)

func TestTheLoginsOfAPopulationAreSpreadOverAllOfIt(t *testing.T) {
	for _, c := range []struct{ people, logins, each int }{{30, 0, 1}, {30, 30, 1}, {30, 10, 3}, {10_000_000, 1_000_000, 10}} {
		p, err := load.NewPopulation(c.people, c.logins, 1, 441500000)
		if err != nil {
			t.Fatal(err)
		}
		if p.Residents()*c.each != c.people {
			t.Errorf("%+v: %d logged in", c, p.Residents())
		}
		for j := range min(p.Residents(), 100) {
			if p.Resident(j) != j*c.each {
				t.Fatalf("%+v: login %d is person %d", c, j, p.Resident(j))
			}
		}
		if last := p.Resident(p.Residents() - 1); last != c.people-c.each {
			t.Errorf("%+v: the last login is person %d", c, last)
		}
	}
	for _, logins := range []int{-1, 31} {
		if _, err := load.NewPopulation(30, logins, 1, 441500000); err == nil {
			t.Errorf("%d logins of 30 people were allowed", logins)
		}
	}
}
