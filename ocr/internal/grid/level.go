package grid

import (
	"slices"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// lifts are the vertical shifts tried at either end of a line.
var lifts = [...]float32{0, -1.5, 1.5, -3, 3}

// Level reads a line again along the slope on which its characters are clearest: the ends of a long line lie pixels too high
// or too low when the direction was taken from a few marks. The new reading is taken only when it is clearer.
func (r *Reader) Level(ink *raster.Plane, rd Reading, shape Shape) Reading {
	win, s := make([]float32, WinW*WinH), r.Net.NewScratch()
	n := len(rd.X)
	clear := make([][len(lifts)]float32, n) // how clear each character is at each shift
	for k, x := range rd.X {
		for j, dy := range lifts {
			Window(win, ink, x, rd.DY+dy, rd.F)
			r.Net.Forward(win, s)
			clear[k][j] = max(slices.Max(s.Logp[:len(r.Alphabet)]), -4)
		}
	}
	var best [2]float32
	top := float32(-1e9)
	for _, a := range lifts {
		for _, b := range lifts {
			sum := float32(0)
			for k := range n {
				sum += between(&clear[k], a+(b-a)*float32(k)/float32(max(n-1, 1)))
			}
			if sum > top+.01 {
				top, best = sum, [2]float32{a, b}
			}
		}
	}
	if best == [2]float32{} {
		return rd
	}
	again := rd
	again.Lift = best
	r.refine(ink, &again, shape)
	if again.Mean > rd.Mean {
		return again
	}
	return rd
}

// between gives the clearness at a shift between those tried.
func between(at *[len(lifts)]float32, dy float32) float32 {
	steps := [...]int{3, 1, 0, 2, 4} // indexes of lifts from -3 to 3
	t := (dy + 3) / 1.5
	i := min(max(int(t), 0), len(steps)-2)
	t -= float32(i)
	return at[steps[i]]*(1-t) + at[steps[i+1]]*t
}
