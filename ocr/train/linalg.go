package main

import (
	"math"
	"sort"
	"sync"
)

// eigen finds eigenvalues and eigenvectors of a symmetric n x n matrix by cyclic Jacobi rotations (Golub and Van Loan,
// section 8.5). Vectors are the rows of the result, greatest value first.
func eigen(a []float64, n int) ([]float64, [][]float64) {
	v := make([]float64, n*n)
	for i := 0; i < n; i++ {
		v[i*n+i] = 1
	}
	for sweep := 0; sweep < 12; sweep++ {
		off := 0.0
		for p := 0; p < n; p++ {
			for q := p + 1; q < n; q++ {
				off += a[p*n+q] * a[p*n+q]
			}
		}
		if off < 1e-18 {
			break
		}
		for p := 0; p < n; p++ {
			for q := p + 1; q < n; q++ {
				rotate(a, v, n, p, q)
			}
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return a[order[i]*n+order[i]] > a[order[j]*n+order[j]] })
	vals := make([]float64, n)
	vecs := make([][]float64, n)
	for i, k := range order {
		vals[i] = a[k*n+k]
		vecs[i] = v[k*n : (k+1)*n]
	}
	return vals, vecs
}

// rotate zeroes a[p][q]. Both a (symmetric) and v (rows are vectors) are kept row-wise, so memory is walked in order.
func rotate(a, v []float64, n, p, q int) {
	apq := a[p*n+q]
	if math.Abs(apq) < 1e-15 {
		return
	}
	theta := (a[q*n+q] - a[p*n+p]) / (2 * apq)
	t := 1 / (math.Abs(theta) + math.Sqrt(theta*theta+1))
	if theta < 0 {
		t = -t
	}
	c := 1 / math.Sqrt(t*t+1)
	s := t * c
	app, aqq := a[p*n+p], a[q*n+q]
	rp, rq := a[p*n:(p+1)*n], a[q*n:(q+1)*n]
	for k := range rp {
		x, y := rp[k], rq[k]
		rp[k], rq[k] = c*x-s*y, s*x+c*y
	}
	for k := 0; k < n; k++ {
		a[k*n+p], a[k*n+q] = rp[k], rq[k]
	}
	a[p*n+p], a[q*n+q] = app-t*apq, aqq+t*apq
	a[p*n+q], a[q*n+p] = 0, 0
	vp, vq := v[p*n:(p+1)*n], v[q*n:(q+1)*n]
	for k := range vp {
		x, y := vp[k], vq[k]
		vp[k], vq[k] = c*x-s*y, s*x+c*y
	}
}

// scatter adds the outer products of the rows (differences from their mean) to an n x n matrix, over two goroutines.
func scatter(rows [][]float32, n int) []float64 {
	parts := make([][]float32, 2)
	var wg sync.WaitGroup
	for k := range parts {
		parts[k] = make([]float32, n*n)
		wg.Go(func() {
			m := parts[k]
			for i := k; i < len(rows); i += len(parts) {
				r := rows[i]
				for p, v := range r {
					if v > 1e-4 || v < -1e-4 {
						dst := m[p*n : (p+1)*n]
						for q, w := range r {
							dst[q] += v * w
						}
					}
				}
			}
		})
	}
	wg.Wait()
	out := make([]float64, n*n)
	for i := range out {
		out[i] = float64(parts[0][i]) + float64(parts[1][i])
	}
	return out
}
