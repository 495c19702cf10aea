package field

import (
	"math"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// Heard is one character that a reader of whole rows sees: the likeliest, its probability, its middle as a column of the
// region, and what else it may be with its probability (as Dist).
type Heard struct {
	R      rune
	P, X   float32
	Others []glyph.Answer
}

// Hearing is what such a reader says of a row, and which characters it knows at all.
type Hearing struct {
	Chars []Heard
	Knows func(rune) bool
}

// What a reader of rows can say.
const (
	trustDoubtful = 0.3  // of its log probabilities count where it doubts: it is then too harsh on rare characters, …
	trustSure     = 1.1  // … and where it does not
	doubtful      = 0.98 // the probability of its first choice up to which it doubts …
	convinced     = 0.995
	leastHeard    = 1e-5  // the probability of what it knows and does not think of at all
	leastUnknown  = 0.003 // and of what it does not know, whose look-alike it may be convinced of
	beside        = 0.5   // ems from the middle of a character within which it speaks of that
	heardFar      = 0.9   // what looks so much farther than the nearest is not taken from it
)

// at is what is said of a character, nil for nothing. Each saying is about the nearest
// character only.
func (h *Hearing) at(chars []Char, i int) *Heard {
	mid := func(k int) float32 { return (chars[k].X0 + chars[k].X1) / 2 }
	var best *Heard
	for k := range h.Chars {
		s := &h.Chars[k]
		d := abs(s.X - mid(i))
		if d > beside*chars[i].em || i > 0 && abs(s.X-mid(i-1)) < d || i+1 < len(chars) && abs(s.X-mid(i+1)) < d {
			continue
		}
		if best == nil || d < abs(best.X-mid(i)) {
			best = s
		}
	}
	return best
}

func abs(x float32) float32 { return max(x, -x) }

// says is what a reader of rows says for r, in nats.
func (s *Heard) says(r rune, knows func(rune) bool) float64 {
	sure := min(max((s.P-doubtful)/(convinced-doubtful), 0), 1)
	return (trustDoubtful + (trustSure-trustDoubtful)*float64(sure)) * s.logOf(r, knows)
}

// logOf is the log probability that a reader of rows gives to r.
func (s *Heard) logOf(r rune, knows func(rune) bool) float64 {
	p := float32(0)
	switch {
	case r == s.R:
		p = s.P
	case !knows(r):
		p = max(1-s.P, leastUnknown)
	default:
		for _, a := range s.Others {
			if a.R == r {
				p = a.Dist
			}
		}
	}
	return math.Log(float64(max(p, leastHeard)))
}

// Heed weighs what a reader of rows says of a name together with how its characters look.
func (v *Value) Heed(m *glyph.Model, row Row, h *Hearing) {
	chars := v.Chars[row.From:min(row.To, len(v.Chars))]
	for i := range chars {
		c := &chars[i]
		s := h.at(chars, i)
		if s == nil || c.Narrow || c.flat {
			continue
		}
		c.heard, c.knows = s, h.Knows
		c.consider(m, s.R)
		for _, a := range s.Others {
			c.consider(m, a.R)
		}
	}
	v.settle(m)
}

// consider adds a character to those that may stand here, unless it looks nothing like it.
func (c *Char) consider(m *glyph.Model, r rune) {
	if _, ok := c.distTo(r); ok || isNarrow(r) {
		return
	}
	if d, ok := m.DistTo(c.V, r); ok && d-c.Answers[0].Dist < heardFar {
		c.Answers = append(c.Answers, glyph.Answer{R: r, Dist: d})
	}
}
