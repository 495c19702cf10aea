package grid

import (
	"math"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// Straighten reads a line again at places that follow a parabola through those that were found: on a document printed with
// a fixed pitch a character cannot stand aside, but the search prefers a place where a character looks like any other to
// the right place. The new reading is taken unless it is clearly worse.
func (r *Reader) Straighten(ink *raster.Plane, rd Reading, shape Shape) Reading {
	a, b, c := parabola(rd.X)
	again := rd
	again.X = make([]float32, len(rd.X))
	for i := range again.X {
		t := float64(i)
		again.X[i] = float32(a + b*t + c*t*t)
	}
	r.refine(ink, &again, shape)
	if again.Mean < rd.Mean-.05 {
		return rd
	}
	return again
}

// parabola fits a + b*i + c*i*i, twice, the second time without what lies far off.
func parabola(x []float32) (a, b, c float64) {
	keep := make([]bool, len(x))
	for i := range keep {
		keep[i] = true
	}
	for range 2 {
		var s [5]float64
		var t [3]float64
		for i, v := range x {
			if !keep[i] {
				continue
			}
			p := 1.0
			for k := range s {
				s[k] += p
				if k < 3 {
					t[k] += p * float64(v)
				}
				p *= float64(i)
			}
		}
		a, b, c = solve(s, t)
		for i, v := range x {
			keep[i] = math.Abs(a+b*float64(i)+c*float64(i*i)-float64(v)) < 2.5
		}
	}
	return a, b, c
}

// solve gives the least-squares parabola from the sums of powers, by Cramer's rule.
func solve(s [5]float64, t [3]float64) (a, b, c float64) {
	det := func(m [3][3]float64) float64 {
		return m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) - m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0]) + m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])
	}
	m := [3][3]float64{{s[0], s[1], s[2]}, {s[1], s[2], s[3]}, {s[2], s[3], s[4]}}
	d := det(m)
	if math.Abs(d) < 1e-9 {
		return t[0] / max(s[0], 1), 0, 0
	}
	var out [3]float64
	for k := range out {
		n := m
		for i := range n {
			n[i][k] = t[i]
		}
		out[k] = det(n) / d
	}
	return out[0], out[1], out[2]
}
