package field

import "slices"

// darkest is the ink of the darkest fortieth of columns a..b: thin strokes must count, so it cannot be a larger share.
func (lr *lineReader) darkest(a, b int) float32 {
	var hist [64]int
	n := 0
	for y := max(int(lr.cy-lr.em/2), 0); y < min(int(lr.cy+lr.em/2), lr.ink.H); y++ {
		for _, v := range lr.ink.Row(y)[a:b] {
			hist[min(max(int(v*60), 0), 63)]++
			n++
		}
	}
	acc := 0
	for k := 63; k > 0; k-- {
		if acc += hist[k]; acc*40 > n {
			return float32(k) / 60
		}
	}
	return 0
}

// faint is the share of a line's usual darkness below which a mark is not of the black print: a blue label, the ground.
const faint = 0.55

// dropFaint removes characters much fainter than the rest of the line: its label at the start, and what stands apart at
// the end. Within the line a faint character may only lie under glare.
func (l *Line) dropFaint() {
	var dark []float32
	for i := range l.Chars {
		dark = append(dark, l.Chars[i].Dark)
	}
	if len(dark) == 0 {
		return
	}
	slices.Sort(dark)
	limit := dark[len(dark)*7/10] * faint
	for len(l.Chars) > 0 && l.Chars[0].Dark < limit {
		l.Chars = l.Chars[1:]
	}
	for i := len(l.Chars) - 1; i > 0 && l.Chars[i].Dark < limit; i-- {
		if l.Chars[i].X0-l.Chars[i-1].X1 > .8*l.Em {
			l.Chars = l.Chars[:i]
		}
	}
}
