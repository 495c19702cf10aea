package field

import (
	"math"
	"strings"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// An address is chosen once more from everything that its lines may be cut into: with what digits and letters may stand
// beside, and with the divisions that addresses begin with. All lines are one lattice, since a division may be broken over two.

// What stands before an arc of the lattice.
const (
	atStart = iota
	afterHan
	afterNarrow
	contexts
)

// Costs of what hardly occurs, in the unit of the lattice.
const (
	narrowFirst   = 2.0 // an address begins with a digit or a letter
	oneLetter     = 0.5 // a letter, besides what likely adds
	bareCounter   = 0.3 // a counter of houses and floors without a number
	noCounter     = 0.8 // a digit or letter before a character that counts nothing
	skipInAddress = 3   // an em of ink is left unread: nothing else is printed there
)

// step is an arc of the lattice: a character, or ink left unread.
type step struct {
	to   int
	ch   *Char // nil: unread, or the end of a line
	cost float32
	line int
}

type addressLattice struct {
	m     *glyph.Model
	steps [][]step            // by node; the last node is the end
	rest  [][contexts]float32 // the least cost from a node on
	best  [][contexts]int     // and the step it begins with
}

// newAddressLattice joins the lines; x is the column where values begin, less than 0 when that is not known.
func newAddressLattice(m *glyph.Model, lines []Line, x float32) *addressLattice {
	al := &addressLattice{m: m}
	for k := range lines {
		l := &lines[k]
		lr := l.reader
		from, to := lr.rangeOf(l, x)
		base := len(al.steps)
		for i := from; i <= to; i++ {
			al.steps = append(al.steps, nil)
		}
		for i := from; i < to; i++ {
			at := base + i - from
			al.steps[at] = append(al.steps[at], step{at + 1, nil, lr.inkBetween(lr.cuts[i], lr.cuts[i+1]) * skipInAddress, k})
			for j := i + 1; j <= to; j++ {
				w := float32(lr.cuts[j]-lr.cuts[i]) / lr.em
				if w > wideMax {
					break
				}
				pair := lr.pair(lr.cuts[i], lr.cuts[j])
				for n, ch := range pair {
					if c, ok := costOf(ch, n == 1, w); ok {
						if n == 0 {
							c -= al.allowance(ch)
						}
						al.steps[at] = append(al.steps[at], step{base + j - from, ch, c + (lr.price[i]+lr.price[j])/2, k})
					}
				}
			}
		}
		if k+1 < len(lines) {
			end := len(al.steps) - 1
			al.steps[end] = []step{{end + 1, nil, 0, k}}
		}
	}
	al.solve()
	return al
}

// Characters of few strokes are allowed to be farther from their means, and what is far costs less than it is farther: a
// 口 or 广 that is the nearest by far must not lose against half of it as a digit, or against nothing.
const (
	plain     = 1.2
	perPlain  = 0.5
	farWeight = 0.5
)

// allowance is what the wide character costs less than its distance says.
func (al *addressLattice) allowance(c *Char) float32 {
	d := c.Answers[0].Dist
	if d < fair-.3 {
		return 0
	}
	fairHere := fair - .3 + perPlain*max(al.m.Plainness(c.R())-plain, 0)
	if d < fairHere {
		return d - (fair - .3)
	}
	return fairHere - (fair - .3) + farWeight*(d-fairHere)
}

// rangeOf is the first and the last cut of a line's text.
func (lr *lineReader) rangeOf(l *Line, x float32) (from, to int) {
	first, last := l.Chars[0].X0, l.Chars[len(l.Chars)-1].X1
	for from+1 < len(lr.cuts) && float32(lr.cuts[from+1]) <= first && (x < 0 || float32(lr.cuts[from]) < x-.15*lr.em) {
		from++
	}
	to = from
	for to+1 < len(lr.cuts) && float32(lr.cuts[to]) < last {
		to++
	}
	return from, to
}

// follow is what a step adds to the cost after what stood before it, and what stands before the next.
func (s *step) follow(before int) (extra float32, after int) {
	switch {
	case s.ch == nil:
		return 0, before
	case !s.ch.Narrow:
		if before == afterNarrow && !isCounter(s.ch.R()) {
			extra = noCounter
		}
		if before == afterHan && strings.ContainsRune(houseCounters, s.ch.R()) {
			extra = bareCounter
		}
		return extra, afterHan
	}
	if before == atStart {
		extra = narrowFirst
	}
	if r := s.ch.R(); r < '0' || r > '9' {
		extra += oneLetter
	}
	return extra, afterNarrow
}

// solve finds the least cost from every node to the end.
func (al *addressLattice) solve() {
	n := len(al.steps)
	al.rest, al.best = make([][contexts]float32, n), make([][contexts]int, n)
	for i := n - 2; i >= 0; i-- {
		for before := range contexts {
			least := float32(math.Inf(1))
			for k := range al.steps[i] {
				s := &al.steps[i][k]
				extra, after := s.follow(before)
				if c := s.cost + extra + al.rest[s.to][after]; c < least {
					least, al.best[i][before] = c, k
				}
			}
			al.rest[i][before] = least
		}
	}
}

// path is the characters of the cheapest way from a node to the end, by line.
func (al *addressLattice) path(node, before int, out [][]Char) {
	for node+1 < len(al.steps) {
		s := &al.steps[node][al.best[node][before]]
		if s.ch != nil {
			out[s.line] = append(out[s.line], *s.ch)
		}
		_, before = s.follow(before)
		node = s.to
	}
}

// What speaks for a division: that an address begins with one at all, and its letters that are seen.
const (
	isPlace     = 0.1
	placeLetter = 0.25
	worstLetter = 0.75 // no letter of it may look so much worse than the nearest character
	formerRank  = 0.15 // a county that became a city or a district keeps its former name on cards, but this is rarer
)

// spelling is a state of the search for a division: some of its letters, read up to a node.
type spelling struct {
	at      branch
	cost    float32
	letters int
	back    *spelling
	by      *step
	dist    float32
}

func (s *spelling) bonus() float32 { return isPlace + placeLetter*float32(s.letters) }

// place is the division that the address most likely begins with; nil when none is likely.
func (al *addressLattice) place(p *Places) (found *spelling, node int) {
	if p == nil || len(al.steps) == 0 {
		return nil, 0
	}
	free := al.rest[0][atStart]
	least := free
	states := make([][]*spelling, len(al.steps))
	states[0] = []*spelling{{at: branch{hi: len(p.names)}}}
	for i := range al.steps {
		for _, from := range states[i] {
			for k := range al.steps[i] {
				s := &al.steps[i][k]
				if s.ch != nil && s.ch.Narrow {
					continue
				}
				for _, to := range al.spell(p, from, s) {
					total := to.cost + al.rest[s.to][afterHan]
					if total-isPlace-placeLetter*float32(to.letters+12) > free {
						continue
					}
					if s.ch != nil && p.ends(to.at) && to.letters >= 3 {
						if t := total - to.bonus(); t < least {
							least, found, node = t, to, s.to
						}
					}
					states[s.to] = join(states[s.to], to)
				}
			}
		}
	}
	return found, node
}

// join adds a state unless a cheaper one has spelt the same.
func join(states []*spelling, s *spelling) []*spelling {
	for i, o := range states {
		if o.at == s.at {
			if s.cost < o.cost {
				states[i] = s
			}
			return states
		}
	}
	return append(states, s)
}

// spell goes one step: over unread ink, or to every next letter that the character may be.
func (al *addressLattice) spell(p *Places, from *spelling, s *step) (out []*spelling) {
	if s.ch == nil {
		return []*spelling{{from.at, from.cost + s.cost, from.letters, from, s, 0}}
	}
	own := s.ch.Answers[0].Dist
	add := func(b branch, r rune, extra float32) {
		if d, ok := al.m.DistTo(s.ch.V, r); ok && d-own < worstLetter {
			b.r = r
			out = append(out, &spelling{b, from.cost + s.cost + d - own + extra, from.letters + 1, from, s, d})
		}
	}
	for _, b := range p.next(from.at) {
		add(b, b.r, 0)
		if from.letters >= 2 && p.ends(b) && isRank(b.r) {
			for _, r := range ranks {
				if r != b.r {
					add(branch{b.lo, b.lo + 1, b.depth, r}, r, formerRank)
				}
			}
		}
	}
	return out
}

var ranks = [...]rune{'县', '市', '区'}

func isRank(r rune) bool { return r == ranks[0] || r == ranks[1] || r == ranks[2] }

// write puts the characters of a division into the lines.
func (s *spelling) write(out [][]Char) {
	if s.back == nil {
		return
	}
	s.back.write(out)
	if s.by.ch == nil {
		return
	}
	c := *s.by.ch
	c.Answers = []glyph.Answer{{R: s.at.r, Dist: s.dist}}
	c.fixed = true
	out[s.by.line] = append(out[s.by.line], c)
}
