package backtest

import (
	"cmp"
	"slices"

	"github.com/kangma/kangma"
)

// gridCell is one cell of the matrix by district and day.
type gridCell struct {
	district kangma.Division
	day      int
	pair     pair
	people   int64
	hidden   bool
}

func (c *gridCell) shown() Count {
	if c.hidden {
		return Hidden
	}
	return Count(c.people)
}

// grid hides small counts, and as many others as keep the small ones from being computed by subtraction: among the pairs
// of one district on one day (whose sum is the district's people) and among the districts for one pair on one day (whose
// sum may be known), never exactly one count is hidden.
type grid struct {
	k     int64
	cells []gridCell
}

func newGrid(k int64) *grid { return &grid{k: k} }

func (g *grid) put(d kangma.Division, day int, p pair, people int64) {
	g.cells = append(g.cells, gridCell{d, day, p, people, people < g.k})
}

// protect hides until nothing hidden stands alone. It ends because every round hides at least one cell more.
func (g *grid) protect() {
	slices.SortFunc(g.cells, func(a, b gridCell) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.district, b.district), cmp.Compare(a.pair, b.pair))
	})
	byDistrict := g.groups(func(c *gridCell) [2]int { return [2]int{c.day, int(c.district)} })
	byPair := g.groups(func(c *gridCell) [2]int { return [2]int{c.day, int(c.pair)} })
	for again := true; again; {
		again = false
		for _, groups := range [][][]int{byDistrict, byPair} {
			for _, members := range groups {
				again = g.hideSecond(members) || again
			}
		}
	}
}

// groups gives the cells of each group, in a fixed order.
func (g *grid) groups(of func(*gridCell) [2]int) [][]int {
	at := map[[2]int]int{}
	var out [][]int
	for i := range g.cells {
		key := of(&g.cells[i])
		n, ok := at[key]
		if !ok {
			n = len(out)
			at[key] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], i)
	}
	return out
}

// hideSecond hides the smallest shown cell of a group in which exactly one is hidden.
func (g *grid) hideSecond(members []int) bool {
	hidden, smallest := 0, -1
	for _, i := range members {
		c := &g.cells[i]
		switch {
		case c.hidden:
			hidden++
		case smallest < 0 || c.people < g.cells[smallest].people:
			smallest = i
		}
	}
	if hidden != 1 || smallest < 0 {
		return false
	}
	g.cells[smallest].hidden = true
	return true
}
