package nn

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestAKernelGivesTheSameBitsAsThePlainLoop(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, cols := range []int{16, 48, 64, 128, 144, 176, 192} {
		for _, rows := range []int{0, 1, 2, 7, 560} {
			t.Run(fmt.Sprintf("%d inputs of %d outputs", rows, cols), func(t *testing.T) {
				w := make([]float32, (rows+1)*cols)
				for i := range w {
					w[i] = rng.Float32() - .5
				}
				in := inputs{make([]int, 0, rows), make([]float32, 0, rows)}
				values := make([]float32, rows)
				for i := range values {
					values[i] = rng.Float32()*2 - 1
				}
				in.choose(values, .3, cols)
				got, want := make([]float32, cols), make([]float32, cols)
				for o := range got {
					got[o] = rng.Float32()
					want[o] = got[o]
				}
				in.sum(got, w)
				for i, v := range values {
					if v > .3 || v < -.3 {
						for o := range want {
							want[o] += float32(v * w[i*cols+o]) // the conversion forbids fused arithmetic
						}
					}
				}
				for o := range want {
					if got[o] != want[o] {
						t.Fatalf("output %d: %v, by the plain loop %v", o, got[o], want[o])
					}
				}
			})
		}
	}
}

func TestALoadedNetAnswersLikeOneInTraining(t *testing.T) {
	var b bytes.Buffer
	if err := New(560, 128, 12, 5).Save(&b); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(&b)
	if err != nil {
		t.Fatal(err)
	}
	plain := *loaded
	plain.w2 = nil
	x := make([]float32, loaded.In)
	for i := range x {
		x[i] = float32(i%7) / 7
	}
	s, p := loaded.NewScratch(), plain.NewScratch()
	for range 2 {
		loaded.Forward(x, s)
		plain.Forward(x, p)
		for c, v := range s.Logp {
			if v != p.Logp[c] {
				t.Fatalf("class %d: %v with rows filled up, %v without", c, v, p.Logp[c])
			}
		}
	}
}
