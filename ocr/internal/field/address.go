package field

import (
	"slices"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// address joins the lines below the birth date, drops the label and chooses their characters. x is the column where values
// begin, less than 0 when that is not known.
func (r *Region) address(m *glyph.Model, lines []Line, x float32, places *Places) Value {
	kept := make([]Line, 0, len(lines))
	for i, l := range lines {
		if i == 0 {
			l = dropLabel(m, l, "住址")
		}
		if gs := l.parts(); len(gs) > 0 {
			l.Chars = gs[0].Chars // what stands apart is not of the address
			if len(l.Chars) == 1 && len(gs) > 1 && i == 0 {
				l.Chars = gs[1].Chars
			}
		}
		l.Chars = withoutSpecks(l.Chars)
		if len(l.Chars) > 0 && l.mean() < 2.6 {
			kept = append(kept, l)
		}
	}
	r.choose(m, kept, x, places)
	v := r.value(kept)
	for i := range v.Rows {
		r.widen(&v.Rows[i], v.Chars, x)
	}
	return v
}

// Ems that a reader of whole rows is shown beyond what was read of an address: a character may have been lost at either end.
const (
	widerLeft  = 0.25 // than the column where values begin
	widerRight = 1.2
)

// widen adds the wider picture of a row of an address. x is the column where values begin, less than 0 when that is not known.
func (r *Region) widen(row *Row, chars []Char, x float32) {
	first, last := &chars[row.From], &chars[row.To-1]
	x0, em := float32(row.X0), first.em
	if x >= 0 && x-widerLeft*em < x0 {
		x0 = x - widerLeft*em
	}
	x1 := last.X1 + widerRight*em
	row.Wide, row.WideX = r.Gray.Crop(int(x0), row.Y0, int(x1)-int(x0), row.Gray.H), int(x0)
}

// apart is white, in ems, that is wider than any between the characters of an address.
const apart = 0.9

// parts splits a line where nothing is printed for so long. A character that was not read is no gap.
func (l *Line) parts() (out []Line) {
	for i, ch := range l.Chars {
		if i == 0 || l.reader.whiteBetween(l.Chars[i-1].X1, ch.X0) > apart*l.Em {
			out = append(out, Line{Y0: l.Y0, Y1: l.Y1, Em: l.Em})
		}
		p := &out[len(out)-1]
		p.Chars = append(p.Chars, ch)
	}
	return out
}

// whiteBetween is the longest run of white columns from a to b.
func (lr *lineReader) whiteBetween(a, b float32) float32 {
	longest, run := 0, 0
	for x := max(int(a), 0); x < min(int(b), len(lr.cols)); x++ {
		if run++; lr.cols[x] > lr.white {
			run = 0
		}
		longest = max(longest, run)
	}
	return float32(longest)
}

func withoutSpecks(chars []Char) []Char {
	return slices.DeleteFunc(chars, func(c Char) bool { return c.R() == '·' })
}

// choose chooses the characters of all lines together.
func (r *Region) choose(m *glyph.Model, lines []Line, x float32, places *Places) {
	if len(lines) == 0 {
		return
	}
	al := newAddressLattice(m, lines, x)
	chosen := make([][]Char, len(lines))
	node, before := 0, atStart
	if s, n := al.place(places); s != nil {
		s.write(chosen)
		node, before = n, afterHan
	}
	al.path(node, before, chosen)
	var all []*Char
	for k := range lines {
		lines[k].Chars = withoutSpecks(chosen[k])
		for i := range lines[k].Chars {
			c := &lines[k].Chars[i]
			if !c.fixed {
				lines[k].reader.complete(c)
				if !c.Narrow && !c.flat && c.Answers[1].Dist-c.Answers[0].Dist < unclear {
					r.look(m, c)
				}
			}
			all = append(all, c)
		}
		weigh(lines[k].Chars)
	}
	settleWords(all, places)
}

// unclear is how near a second answer is to the first when a character of an address is looked at again.
const unclear = 0.35

// What speaks for a character beside another.
const (
	usualPair  = 0.2 // they stand side by side in common words or names
	countsNone = 0.3 // what speaks against one behind a digit that counts nothing
	farBehind  = 0.7 // answers so much farther than the first are not considered
)

// settleWords chooses among the answers of all characters those that make the likeliest row (Viterbi's search).
func settleWords(chars []*Char, places *Places) {
	type state struct {
		cost float32
		back int
	}
	between := func(a, b rune) float32 {
		switch {
		case places.usual(a, b):
			return -usualPair
		case isNarrow(a) && !isNarrow(b) && !isCounter(b):
			return countsNone
		}
		return 0
	}
	var rows [][]state
	for i, c := range chars {
		n := 1
		for !c.fixed && !c.Narrow && n < len(c.Answers) && c.Answers[n].Dist-c.Answers[0].Dist < farBehind {
			n++
		}
		row := make([]state, n)
		for k := range row {
			row[k].cost = c.Answers[k].Dist
			if i == 0 {
				continue
			}
			least := float32(1e9)
			for b, s := range rows[i-1] {
				if x := s.cost + between(chars[i-1].Answers[b].R, c.Answers[k].R); x < least {
					least, row[k].back = x, b
				}
			}
			row[k].cost += least
		}
		rows = append(rows, row)
	}
	best := 0
	for i := len(chars) - 1; i >= 0; i-- {
		if i == len(chars)-1 {
			for k := range rows[i] {
				if rows[i][k].cost < rows[i][best].cost {
					best = k
				}
			}
		}
		a := chars[i].Answers
		back := rows[i][best].back
		chosen := a[best]
		copy(a[1:best+1], a[:best])
		a[0] = chosen
		best = back
	}
}
