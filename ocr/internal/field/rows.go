package field

import (
	"github.com/kangma/kangma/ocr/internal/glyph"
)

// span is a range of rows of the region that holds a line of text.
type span struct{ y0, y1 int }

// findRows cuts the region into lines of text by the amount of ink a row.
func (r *Region) findRows() []span {
	prof := make([]float32, r.Ink.H)
	var top float32
	x0, x1 := r.column(-rowsLeft), r.column(rowsRight)
	for y := r.top(); y < len(prof); y++ {
		for _, v := range r.Ink.Row(y)[x0:x1] {
			if v > .3 {
				prof[y] += v
			}
		}
	}
	smooth := make([]float32, len(prof))
	for y := range prof {
		lo, hi := max(0, y-2), min(len(prof), y+3)
		for _, v := range prof[lo:hi] {
			smooth[y] += v / float32(hi-lo)
		}
		top = max(top, smooth[y])
	}
	// a line of one character must still be seen: the threshold is the ink of part of a character, not of the fullest line
	limit := min(max(.1*top, 1.5), 5)
	var out []span
	start := -1
	for y := 0; y <= len(smooth); y++ {
		on := y < len(smooth) && smooth[y] > limit
		switch {
		case on && start < 0:
			start = y
		case !on && start >= 0:
			out = append(out, span{start, y})
			start = -1
		}
	}
	return r.grow(split(merge(out), smooth))
}

// merge joins pieces that are too close to be two lines (a character of two parts alone on its line).
func merge(in []span) []span {
	var out []span
	for _, s := range in {
		if n := len(out); n > 0 && s.y0-out[n-1].y1 < 6 && float64(s.y1-out[n-1].y0) < glyph.Em*1.15 {
			out[n-1].y1 = s.y1
			continue
		}
		out = append(out, s)
	}
	kept := out[:0]
	for _, s := range out {
		if s.y1-s.y0 >= glyph.Em*3/10 {
			kept = append(kept, s)
		}
	}
	return kept
}

// split cuts a piece that is too tall for one line at its lightest row.
func split(in []span, prof []float32) []span {
	var out []span
	for _, s := range in {
		for s.y1-s.y0 > glyph.Em*3/2 {
			cut := s.y0 + glyph.Em*3/4
			for y := cut; y < min(s.y0+glyph.Em*3/2, s.y1-glyph.Em/3); y++ {
				if prof[y] < prof[cut] {
					cut = y
				}
			}
			out = append(out, span{s.y0, cut})
			s.y0 = cut
		}
		out = append(out, s)
	}
	return out
}

// grow extends low rows to all of their ink: a line of one character with a light top would else be read too low.
func (r *Region) grow(rows []span) []span {
	x0, x1 := r.column(-rowsLeft), r.column(rowsRight)
	inked := func(y int) bool {
		n := 0
		for _, v := range r.Ink.Row(y)[x0:x1] {
			if v > .45 {
				n++
			}
		}
		return n >= 2
	}
	for i := range rows {
		s := &rows[i]
		least, most := 0, r.Ink.H
		if i > 0 {
			least = rows[i-1].y1 + 2
		}
		if i+1 < len(rows) {
			most = rows[i+1].y0 - 2
		}
		for s.y0 > least && s.y1-s.y0 < glyph.Em && inked(s.y0-1) {
			s.y0--
		}
		for s.y1 < most && s.y1-s.y0 < glyph.Em && inked(s.y1) {
			s.y1++
		}
	}
	return rows
}
