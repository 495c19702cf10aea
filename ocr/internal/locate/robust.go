package locate

import (
	"math"
	"sort"
)

// straight is y = a + b*t.
type straight struct{ a, b float64 }

func (s straight) at(t float64) float64 { return s.a + s.b*t }

// robustLine fits a straight line by the median of pairwise slopes (Theil-Sen), so that a few odd marks do not tilt it.
func robustLine(t, y []float64) straight {
	var slopes []float64
	n := len(t)
	for i := 0; i < n; i++ {
		for j := i + max(n/3, 1); j < n; j++ {
			if d := t[j] - t[i]; math.Abs(d) > 1e-6 {
				slopes = append(slopes, (y[j]-y[i])/d)
			}
		}
	}
	b := median(slopes)
	rest := make([]float64, n)
	for i := range t {
		rest[i] = y[i] - b*t[i]
	}
	return straight{median(rest), b}
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := append([]float64(nil), v...)
	sort.Float64s(s)
	return s[len(s)/2]
}
