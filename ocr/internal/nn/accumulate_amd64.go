package nn

import "golang.org/x/sys/cpu"

// wide says that the processor has the vector instructions of accumulate64 and accumulate16.
var wide = cpu.X86.HasAVX

// accumulate64 adds f[k] times the 64 weights from w[at[k]] on to dst, for k below n, in this order. Products and sums are
// rounded one by one (no fused arithmetic), as axpy does it, so the answers are the same bits. Nothing is checked.
//
//go:noescape
func accumulate64(dst, w *float32, at *int, f *float32, n int)

// accumulate16 is accumulate64 for 16 weights.
//
//go:noescape
func accumulate16(dst, w *float32, at *int, f *float32, n int)
