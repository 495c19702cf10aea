package locate

import "math"

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

// median is the value with as many smaller as larger ones, the upper of two; 0 of none. v is left as it is.
func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := append([]float64(nil), v...)
	return choose(s, len(s)/2)
}

// choose gives the value that would stand at place k if v were sorted (Hoare's FIND). It reorders v.
func choose(v []float64, k int) float64 {
	lo, hi := 0, len(v)-1
	for lo < hi {
		pivot := v[k]
		i, j := lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for pivot < v[j] {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i, j = i+1, j-1
			}
		}
		if j < k {
			lo = i
		}
		if k < i {
			hi = j
		}
	}
	return v[k]
}
