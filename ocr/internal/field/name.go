package field

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/kangma/kangma/ocr/internal/glyph"
)

// name reads the name from the nearest line above sex and nation that looks like one, and drops its label.
func (r *Region) name(m *glyph.Model, lines []Line) Value {
	for i := len(lines) - 1; i >= 0; i-- {
		gs := groups(dropLabel(m, lines[i], "姓名"), 1.6)
		if len(gs) == 0 {
			continue
		}
		longest := gs[0]
		for _, g := range gs[1:] {
			if !lines[i].anchored && len(g.Chars) > len(longest.Chars)+1 {
				longest = g
			}
		}
		if longest.mean() > 2.6 {
			continue // no print
		}
		before := longest
		longest = r.reread(m, longest)
		v := r.value([]Line{r.addMarks(longest)})
		v.fixName(m, r)
		if !lines[i].anchored || longest.shorterThan(&before) || lines[i].inkBehind(v.Chars) { // a character may be missing
			v.loose = true
			v.settle(m)
		}
		return v
	}
	return Value{}
}

// shorterThan says whether a line lost ink of another reading at either end.
func (l *Line) shorterThan(o *Line) bool {
	return l.Chars[0].X0 > o.Chars[0].X0+.3*l.Em || l.Chars[len(l.Chars)-1].X1 < o.Chars[len(o.Chars)-1].X1-.3*l.Em
}

// inkBehind says whether something is printed right behind a name: of three hundred names one had as much as this, whose last
// character lay under glare, and the others a fifth of it at most.
func (l *Line) inkBehind(name []Char) bool {
	if l.reader == nil || len(name) == 0 {
		return false
	}
	x := name[len(name)-1].X1
	end := len(l.reader.cols)
	return l.reader.inkBetween(min(int(x+.08*l.Em), end), min(int(x+1.5*l.Em), end)) > .08
}

// reread reads a line again as one without digits and letters, when some were read.
func (r *Region) reread(m *glyph.Model, l Line) Line {
	n := len(l.Chars)
	if !slices.ContainsFunc(l.Chars, func(c Char) bool { return c.Narrow && c.R() != '·' || c.Narrow && c.X1-c.X0 > .25*l.Em }) {
		return l
	}
	x0, x1 := max(int(l.Chars[0].X0)-2, 0), min(int(l.Chars[n-1].X1+.5*l.Em), r.Ink.W)
	again := readLine(m, r.Ink, float32(l.Y0+l.Y1)/2, l.Em, x0, x1, true, false)
	if len(again.Chars) == 0 {
		return l
	}
	again.Y0, again.Y1 = l.Y0, l.Y1
	return again
}

// fixName keeps only what names are made of: full-width characters and the middle dot. Every character is looked at again
// from slightly different places, and the frequency of characters in names breaks near ties.
func (v *Value) fixName(m *glyph.Model, r *Region) {
	for i := range v.Chars {
		c := &v.Chars[i]
		if c.Narrow {
			if d, ok := c.distTo('·'); ok && c.R() != '·' && d < c.Answers[0].Dist+.5 {
				c.Answers = append([]glyph.Answer{{R: '·', Dist: d}}, c.Answers...)
			}
			continue
		}
		if !c.flat {
			r.look(m, c)
		}
	}
	v.settle(m)
}

// settle chooses the characters of a name by how they look and how common they are, and says how sure that is.
func (v *Value) settle(m *glyph.Model) {
	v.Confidence = 1
	first := true
	dotted := slices.ContainsFunc(v.Chars, func(c Char) bool { return c.R() == '·' })
	for i := range v.Chars {
		c := &v.Chars[i]
		p := 1.0
		switch {
		case !c.Narrow:
			p = c.settle(float64(m.Sharpness), priorOf(first, dotted))
			first = false
		case c.R() != '·' || i == 0 || i == len(v.Chars)-1:
			p = .1 // nothing narrow but a dot within it is part of a name
		default:
			first = true
		}
		v.Confidence *= p
	}
	v.Text = (&Line{Chars: v.Chars}).Text()
	if len(v.Chars) < 2 || v.loose {
		v.Confidence *= .5
	}
}

// Shape of the confidence of a character of a name.
const (
	otherReader  = 1.5 // nats that another reader's full confidence speaks for what it read, …
	otherSure    = 3   // and so many more where its confidence is halfway from surelySaid to 1 and the nearest is common too
	surelySaid   = 0.97
	priorWeight  = 2    // how much of the prior counts when a character is chosen: look-alikes are nearer to each other than the sharpness of all characters says
	priorTrust   = 0.5  // and when probabilities are told
	farFromClass = 1.75 // a character farther than this from its class may be none of those known
)

// settle sorts the answers of one character by their probability, with the prior of names, and gives that of the first.
func (c *Char) settle(sharp float64, prior func(rune) float64) float64 {
	nearest := slices.MinFunc(c.Answers, func(a, b glyph.Answer) int { return cmp.Compare(a.Dist, b.Dist) }).R
	unknown := grade(nearest) > 1 && grade(c.said) == 1 && prior(c.said) < prior(nearest) // who does not know 昊 reads 吴
	logp := func(a glyph.Answer) float64 {
		p := -sharp*float64(a.Dist) + priorWeight*prior(a.R)
		if a.R == c.said && !unknown {
			p += otherReader * float64(c.saidTo)
			if grade(nearest) == 1 {
				p += otherSure * min(max((float64(c.saidTo)-surelySaid)/(1-surelySaid)*2, 0), 1)
			}
		}
		if c.heard != nil {
			p += c.heard.says(a.R, c.knows)
		}
		return p
	}
	slices.SortStableFunc(c.Answers, func(a, b glyph.Answer) int {
		switch x, y := logp(a), logp(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	top := c.Answers[0]
	sum := 0.0
	for _, a := range c.Answers {
		odds := -sharp*float64(a.Dist-top.Dist) + priorTrust*(prior(a.R)-prior(top.R))
		if c.heard != nil {
			odds += c.heard.says(a.R, c.knows) - c.heard.says(top.R, c.knows)
		}
		sum += math.Exp(math.Min(odds, 20))
	}
	p := 1 / sum
	if far := float64(top.Dist) - farFromClass; far > 0 {
		p *= math.Exp(-3 * far)
	}
	if top.R == c.said {
		c.Agreed = 1
	}
	if c.Agreed == 1 && len(c.Answers) > 1 && grade(top.R) == 1 && grade(c.Answers[1].R) > 1 {
		return p // others read 吴 for 昊 too, which they do not know
	}
	if c.Agreed != 0 { // another reader speaks for or against it
		odds := p / (1 - math.Min(p, 1-1e-9)) * math.Exp(2.5*float64(c.Agreed))
		p = odds / (1 + odds)
	}
	return p
}

// jitters are the places, in shares of an em, and the sizes that a character is looked at from again.
var jitters = [...][3]float32{{0, 0, 1}, {-.035, 0, 1}, {.035, 0, 1}, {0, -.035, 1}, {0, .035, 1}, {0, 0, .96}, {0, 0, 1.045},
	{-.03, -.03, 1}, {.03, .03, 1}, {-.03, .03, 1}, {.03, -.03, 1}}

// look names a character again from the mean of what is seen from several places: noise and an inexact cell weigh less.
func (r *Region) look(m *glyph.Model, c *Char) {
	sum := make([]float32, m.Kept)
	f, v := make([]float32, glyph.Dim), make([]float32, m.Kept)
	for _, j := range jitters {
		glyph.CellFeatures(r.Ink, c.cx+j[0]*c.em, c.cy+j[1]*c.em, c.em*j[2]*glyph.WideCell/glyph.Em, c.em*j[2]*glyph.WideCell/glyph.Em, f)
		m.Project(f, v)
		for i, x := range v {
			sum[i] += x / float32(len(jitters))
		}
	}
	c.V = sum
	c.Answers = m.NearestOf(sum, mostAnswers)
}

// priorOf is how likely characters are in a name: at its start, in one that has a middle dot, or else.
func priorOf(surname, dotted bool) func(rune) float64 {
	if dotted {
		return transcribedPrior
	}
	return func(r rune) float64 { return namePrior(r, surname) }
}

// namePrior is how much more likely, in nats, a character is in a name than a rare one that looks the same. It is small: it
// breaks ties and does not override what is clearly seen.
func namePrior(r rune, surname bool) float64 {
	if surname {
		return surnamePrior(r)
	}
	switch {
	case commonestSet()[r]:
		return 2.4
	case nameSet()[r]:
		return 1.8
	case unnamedSet()[r]:
		return -1
	case modernSet()[r]:
		return 1
	case strings.ContainsRune(surnames, r): // 吴 is hardly ever a given name, 昊 often
		return -.3
	case grade(r) == 1:
		return .7
	case grade(r) == 2:
		return .2
	}
	return 0
}

// surnamePrior falls with the rank of a surname about as half of the logarithm of how many bear it does: a fiftieth of China is
// called by the tenth surname, a thousandth by the hundred-and-fiftieth. Other characters are hardly ever surnames.
func surnamePrior(r rune) float64 {
	if i := strings.IndexRune(surnames, r); i >= 0 && r != '\n' {
		return max(3.4-.6*math.Log1p(float64(i/3)/6), 1) // 3 bytes a letter; the common ones come first
	}
	if grade(r) == 1 {
		return -.5
	}
	return -.7
}

// transcribedPrior is namePrior in a name with a middle dot, which is spelt with few characters.
func transcribedPrior(r rune) float64 {
	if strings.ContainsRune(transcribed, r) {
		return 2.8
	}
	return min(namePrior(r, false), 1.2)
}
