package field

import (
	"strings"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// willing is how much farther a character may look, for full confidence of the other reader, and still be taken from it.
const willing = 0.28

// Opinion weighs another reader's text of one row against ours, character by character: in a name where the counts agree, in
// an address where most of both agree. In an address its character is taken when it looks nearly as good to us, in a name it
// speaks for what it read. What both read alike becomes surer; what they disagree about, less sure. It reports whether the
// other reading was of use.
func (v *Value) Opinion(m *glyph.Model, row Row, text string, conf []float32, name bool) bool {
	other := []rune(strings.Join(strings.Fields(text), ""))
	if len(conf) != len(other) || row.To > len(v.Chars) || name && len(other) != row.To-row.From {
		return false
	}
	chars := v.Chars[row.From:row.To]
	at, ok := aligned(chars, other)
	if !ok {
		return false
	}
	for i := range chars {
		if at[i] >= 0 {
			chars[i].hear(m, other[at[i]], conf[at[i]])
		}
	}
	if name {
		v.settle(m)
		return true
	}
	v.Text = (&Line{Chars: v.Chars}).Text()
	v.Confidence = confidence(v.Chars)
	return true
}

// Hears says whether another reader's text of a row of an address can change a character: whether another looks nearly as
// good for any of them.
func (v *Value) Hears(row Row) bool {
	for i := row.From; i < min(row.To, len(v.Chars)); i++ {
		c := &v.Chars[i]
		if c.fixed {
			continue
		}
		for _, a := range c.Answers[1:] {
			d := a.Dist
			if !c.Narrow {
				d -= prior(a.R) // hear compares without it
			}
			if d-c.Answers[0].Dist < willing && isNarrow(a.R) == c.Narrow {
				return true
			}
		}
	}
	return false
}

// hear takes what another reader says of a character.
func (c *Char) hear(m *glyph.Model, r rune, conf float32) {
	own := c.Answers[0]
	if r == own.R {
		c.Agreed = 1
		return
	}
	c.Agreed, c.said, c.saidTo = -1, r, conf
	d, ok := m.DistTo(c.V, r)
	if c.Narrow {
		d, ok = c.distTo(r)
	}
	if ok && !c.fixed && c.Narrow == isNarrow(r) && d-own.Dist < willing*conf {
		c.Answers = append([]glyph.Answer{{R: r, Dist: d}}, c.Answers...)
	}
}

// aligned tells for every character which of the other reading it is, -1 for none, by the least number of changes; ok is
// false when more than a third would have to be changed.
func aligned(chars []Char, other []rune) (at []int, ok bool) {
	n, k := len(chars), len(other)
	at = make([]int, n)
	if n == k {
		for i := range at {
			at[i] = i
		}
		return at, n > 0
	}
	cost := make([][]int, n+1)
	for i := range cost {
		cost[i] = make([]int, k+1)
		for j := range cost[i] {
			switch {
			case i == 0 || j == 0:
				cost[i][j] = i + j
			default:
				same := cost[i-1][j-1]
				if chars[i-1].R() != other[j-1] {
					same++
				}
				cost[i][j] = min(same, cost[i-1][j]+1, cost[i][j-1]+1)
			}
		}
	}
	if 3*cost[n][k] > n {
		return nil, false
	}
	i, j := n, k
	for i > 0 {
		switch {
		case j > 0 && cost[i][j] == cost[i-1][j-1] && chars[i-1].R() == other[j-1], j > 0 && cost[i][j] == cost[i-1][j-1]+1:
			i, j = i-1, j-1
			at[i] = j
		case cost[i][j] == cost[i-1][j]+1:
			i--
			at[i] = -1
		default:
			j--
		}
	}
	return at, true
}

func isNarrow(r rune) bool { return strings.ContainsRune(glyph.Extra, r) }
