package field

import (
	"slices"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// What a reader of rows must be convinced of to change an address, whose characters are all common.
const (
	takenFrom  = 0.85 // the least probability of what is taken from it where it counts other characters than we do
	beyondEnds = 0.93 // and of what it sees before the first or behind the last of ours
	digitFrom  = 0.95 // and of a digit or letter where ours is another
	clearlyOne = 0.97 // a digit or letter of ours of this probability stays although it is not seen
	clearDiff  = 0.9  // a digit of ours of this probability is no letter
	divisionIs = 0.25 // how much farther a letter of a division may look than what is said instead
	reachOf    = 0.8  // ems between the middles of what may be the same character
)

// HeedAddress weighs what a reader of rows says of one row of an address: where it counts other characters than we do and is
// convinced, it is right more often; where both see one character, how it looks and what is said are weighed together.
func (v *Value) HeedAddress(m *glyph.Model, row int, h *Hearing) {
	w := v.Rows[row]
	ours, said := v.Chars[w.From:w.To], cleaned(h.Chars)
	if len(ours) == 0 || len(said) == 0 {
		return
	}
	var out []Char
	all := pairs(ours, said)
	for i := 0; i < len(all); {
		if p := all[i]; p.kind(ours, said) != differ {
			c := ours[p.ours]
			if s := &said[p.said]; c.Narrow {
				c.heedNarrow(s)
			} else {
				c.heedWide(m, s, h.Knows)
			}
			out = append(out, c)
			i++
			continue
		}
		end := i
		for end < len(all) && all[end].kind(ours, said) == differ {
			end++
		}
		out = append(out, decide(ours, said, all[i:end])...)
		i = end
	}
	v.Chars = slices.Replace(v.Chars, w.From, w.To, out...)
	grown := len(out) - (w.To - w.From)
	v.Rows[row].To += grown
	for k := row + 1; k < len(v.Rows); k++ {
		v.Rows[k].From += grown
		v.Rows[k].To += grown
	}
	v.Text = (&Line{Chars: v.Chars}).Text()
	v.Confidence = confidence(v.Chars)
}

// decide chooses between ours and what is said where both count other characters.
func decide(ours []Char, said []Heard, run []pair) (out []Char) {
	heard, convincing := 0, true
	for _, p := range run {
		if p.said < 0 {
			continue
		}
		heard++
		least := float32(takenFrom)
		if x := said[p.said].X; x < ours[0].X0 || x > ours[len(ours)-1].X1 {
			least = beyondEnds
		}
		convincing = convincing && said[p.said].P >= least
	}
	for _, p := range run {
		switch {
		case heard > 0 && convincing && p.said >= 0:
			out = append(out, takenChar(&said[p.said], ours[0].em))
		case (heard == 0 || !convincing) && p.ours >= 0:
			if c := ours[p.ours]; heard > 0 || !c.Narrow || glyph.Probability(c.Answers[0].Dist) >= clearlyOne {
				c.Agreed = -1
				out = append(out, c)
			}
		}
	}
	return out
}

// takenChar is a character that only the reader of rows saw.
func takenChar(s *Heard, em float32) Char {
	return Char{X0: s.X - em/4, X1: s.X + em/4, em: em, Narrow: isNarrow(s.R), heard: s, taken: true, Answers: []glyph.Answer{{R: s.R, Dist: 1}}}
}

// heedNarrow weighs what is said of a digit or letter.
func (c *Char) heedNarrow(s *Heard) {
	own := c.Answers[0]
	if s.R == own.R {
		c.Agreed = 1
		return
	}
	c.Agreed = -1
	p := glyph.Probability(own.Dist)
	letter := isDigit(own.R) && !isDigit(s.R)
	if s.P < digitFrom || letter && p > clearDiff || float64(s.P) < p && p > clearDiff {
		return
	}
	c.Answers = append([]glyph.Answer{{R: s.R, Dist: own.Dist}}, c.Answers...)
	c.heard, c.taken = s, true
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// heedWide weighs what is said of a Chinese character together with how it looks.
func (c *Char) heedWide(m *glyph.Model, s *Heard, knows func(rune) bool) {
	c.Agreed = 1
	if s.R == c.R() {
		return
	}
	own := c.Answers[0]
	answers := slices.Clone(c.Answers)
	for _, a := range append([]glyph.Answer{{R: s.R}}, s.Others...) {
		if slices.ContainsFunc(answers, func(b glyph.Answer) bool { return a.R == b.R }) || isNarrow(a.R) {
			continue
		}
		if d, ok := m.DistTo(c.V, a.R); ok {
			answers = append(answers, glyph.Answer{R: a.R, Dist: d + prior(a.R)})
		}
	}
	best, most := 0, 0.0
	for i, a := range answers {
		score := -float64(m.Sharpness)*float64(a.Dist) + s.says(a.R, knows)
		if c.fixed && a.R == own.R {
			score += divisionIs * float64(m.Sharpness)
		}
		if i == 0 || score > most {
			best, most = i, score
		}
	}
	chosen := answers[best]
	c.Answers = append([]glyph.Answer{chosen}, slices.Delete(answers, best, best+1)...)
	if chosen.R != s.R {
		c.Agreed = -1
	} else if s.P >= convinced {
		c.heard, c.taken = s, true
	}
}

// cleaned is what addresses are made of, full-width digits and letters as plain ones.
func cleaned(said []Heard) (out []Heard) {
	for _, s := range said {
		if s.R > 0xff00 && s.R < 0xff5f {
			s.R -= 0xfee0
		}
		if s.R >= 'a' && s.R <= 'z' {
			s.R -= 'a' - 'A'
		}
		if s.R != '·' && (isNarrow(s.R) || s.R >= 0x4e00 && s.R <= 0x9fff) {
			out = append(out, s)
		}
	}
	return out
}

// pair is a character of ours and what is said of it, by index; -1 for none.
type pair struct{ ours, said int }

// kinds of pairs
const (
	alike  = iota // one character of each, of the same width
	differ        // one is missing, or one is wide and the other is not
)

func (p pair) kind(ours []Char, said []Heard) int {
	if p.ours < 0 || p.said < 0 || ours[p.ours].Narrow != isNarrow(said[p.said].R) {
		return differ
	}
	return alike
}

// pairs aligns both readings by the least number of changes; what stands too far apart is not the same.
func pairs(ours []Char, said []Heard) (out []pair) {
	n, k := len(ours), len(said)
	cost := make([][]int, n+1)
	same := func(i, j int) int {
		c, s := &ours[i], &said[j]
		switch {
		case abs(s.X-(c.X0+c.X1)/2) > reachOf*c.em:
			return 9
		case c.R() == s.R:
			return 0
		case c.Narrow != isNarrow(s.R):
			return 3
		}
		return 2
	}
	for i := range cost {
		cost[i] = make([]int, k+1)
		for j := range cost[i] {
			if i == 0 || j == 0 {
				cost[i][j] = 2 * (i + j)
				continue
			}
			cost[i][j] = min(cost[i-1][j-1]+same(i-1, j-1), cost[i-1][j]+2, cost[i][j-1]+2)
		}
	}
	for i, j := n, k; i > 0 || j > 0; {
		switch {
		case i > 0 && j > 0 && cost[i][j] == cost[i-1][j-1]+same(i-1, j-1):
			i, j = i-1, j-1
			out = append(out, pair{i, j})
		case i > 0 && cost[i][j] == cost[i-1][j]+2:
			i--
			out = append(out, pair{i, -1})
		default:
			j--
			out = append(out, pair{-1, j})
		}
	}
	slices.Reverse(out)
	return out
}
