package glyph

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTheNearestAreMovedToTheFrontInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		list := make([]cand, 120)
		for i := range list {
			list[i] = cand{int32(i), float32(rng.IntN(60))} // with equals
		}
		want := slices.Clone(list)
		slices.SortFunc(want, func(x, y cand) int { return cmp.Or(cmp.Compare(x.d, y.d), cmp.Compare(x.at, y.at)) })
		nearestFirst(list, 16)
		if !slices.Equal(list[:16], want[:16]) {
			t.Fatalf("%v, want %v", list[:16], want[:16])
		}
	}
}
