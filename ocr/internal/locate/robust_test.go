package locate

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTheChosenValueIsThatOfTheSortedList(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 60; n++ {
		v := make([]float64, n)
		for i := range v {
			v[i] = float64(rng.IntN(n)) // with equals
		}
		before, sorted := slices.Clone(v), slices.Clone(v)
		slices.Sort(sorted)
		if got := median(v); got != sorted[n/2] {
			t.Fatalf("median of %v is %v", sorted, got)
		}
		if !slices.Equal(v, before) {
			t.Fatal("median changed its list")
		}
		for k := range n {
			if got := choose(slices.Clone(v), k); got != sorted[k] {
				t.Fatalf("value %d of %v is %v", k, sorted, got)
			}
		}
	}
	if median(nil) != 0 {
		t.Error("the median of nothing is not 0")
	}
}
