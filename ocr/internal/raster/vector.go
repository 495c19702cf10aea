package raster

import "gonum.org/v1/gonum/blas/gonum"

// math32 is the arithmetic on vectors: gonum's kernels, which use the processor's vector instructions where it has them
// and round every product and sum like the plain loop, so a picture comes out the same on either.
var math32 gonum.Implementation

// axpy adds f*src to dst, which are equally long.
func axpy(dst, src []float32, f float32) {
	if len(dst) > 0 {
		math32.Saxpy(len(dst), f, src, 1, dst, 1)
	}
}

// scale multiplies v by f.
func scale(v []float32, f float32) { math32.Sscal(len(v), f, v, 1) }
