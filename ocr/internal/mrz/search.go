package mrz

import (
	"math"
	"sort"
	"strings"
)

// Zone is a zone as read.
type Zone struct {
	Format   *Format
	Lines    []string
	Conf     []float64 // for each line the probability of its weakest character
	Bare     []float64 // the same of the characters that no check digit covers: names, states, sex
	Failures []string  // check digits that do not fit
	Changed  int       // characters chosen by the check digits that are not twins in shape
	Mean     float64   // mean log probability of the characters
	LetterO  bool      // a document number has the letter O, which issuers avoid and which looks like 0
}

// Usable says whether the zone may be shown at all: one line alone is believed only when all its check digits fit.
func (z *Zone) Usable() bool { return z.Format.Lines > 1 || len(z.Failures) == 0 }

// Limits of a choice by the check digits, in nats: it may only break a near tie. Twins in shape (0 and O) are hardly
// told apart in print, so for them the check digit is better evidence than the picture.
const (
	maxCost    = 3.0
	maxChanged = 3
	margin     = 1.5
	twinFactor = 0.4
)

// twins are characters that OCR-B draws nearly alike.
var twins = map[[2]byte]bool{}

func init() {
	for _, t := range []string{"0O", "1I", "2Z", "5S", "8B", "0D", "0Q"} {
		twins[[2]byte{t[0], t[1]}], twins[[2]byte{t[1], t[0]}] = true, true
	}
}

type swap struct {
	line, col int
	ch        byte
	cost      float64
	twin      bool
}

// digitsFirst is how much clearer O must be than 0 to be taken for it where both may stand: issuers avoid O.
const digitsFirst = 2.0

// Solve turns the log probabilities of every place into the best zone. logp[line][column][class].
func Solve(f *Format, logp [][][]float32) Zone {
	z := Zone{Format: f}
	var doubts []swap
	text := make([][]byte, f.Lines)
	conf := make([][]float64, f.Lines)
	for l := range text {
		text[l], conf[l] = make([]byte, f.Columns), make([]float64, f.Columns)
		for c := range text[l] {
			best := f.best(l, c, logp[l][c])
			text[l][c] = Alphabet[best]
			conf[l][c] = float64(logp[l][c][best])
			for k := range Alphabet {
				s := swap{l, c, Alphabet[k], float64(logp[l][c][best] - logp[l][c][k]), twins[[2]byte{Alphabet[k], Alphabet[best]}]}
				if s.twin {
					s.cost = max(s.cost, 0) * twinFactor
				}
				if k != best && s.cost < maxCost && f.Allowed(l, c, Alphabet[k]) {
					s.cost = max(s.cost, 0)
					doubts = append(doubts, s)
				}
			}
		}
	}
	f.zeros(text, logp, conf)
	f.knownStates(text, conf, logp)
	f.nameTail(text, conf, logp)
	z.mend(f, text, doubts)
	n := 0.0
	for i, l := range text {
		z.Lines = append(z.Lines, string(l))
		least, bare := 0.0, 0.0
		for c, v := range conf[i] {
			v = max(v, float64(logp[i][c][strings.IndexByte(Alphabet, l[c])]))
			least = min(least, v)
			if !f.covered(i, c) {
				bare = min(bare, v)
			}
			z.Mean += v
			n++
		}
		z.Conf = append(z.Conf, math.Exp(least))
		z.Bare = append(z.Bare, math.Exp(bare))
	}
	z.Mean /= n
	z.Failures = f.Failures(z.Lines)
	d := f.fields[0]
	z.LetterO = strings.Contains(z.Lines[d.line][d.from:d.to], "O")
	return z
}

// best is the most probable class that may stand at a place.
func (f *Format) best(l, c int, logp []float32) int {
	best := -1
	for k := range Alphabet {
		if f.Allowed(l, c, Alphabet[k]) && (best < 0 || logp[k] > logp[best]) {
			best = k
		}
	}
	if Alphabet[best] == 'O' && f.Allowed(l, c, '0') && logp[best]-logp[0] < digitsFirst {
		return 0
	}
	return best
}

// zeros settles what is O and what is 0 in the document number, which OCR-B draws alike: issuers avoid O, and behind a digit
// none stands; where the check digit then fits only zeros, they are.
func (f *Format) zeros(text [][]byte, logp [][][]float32, conf [][]float64) {
	s := f.fields[0]
	row := text[s.line]
	zero := func(c int) {
		row[c] = '0'
		conf[s.line][c] = max(conf[s.line][c], float64(logp[s.line][c][0])) // the shape, which both have
	}
	for c := s.from + 1; c < s.to; c++ {
		if row[c] == 'O' && row[c-1] >= '0' && row[c-1] <= '9' {
			zero(c)
		}
	}
	read := string(row[s.from:s.to])
	zeros := strings.ReplaceAll(read, "O", "0")
	if zeros == read || CheckDigit(read) == row[s.check] || CheckDigit(zeros) != row[s.check] {
		return
	}
	for c := s.from; c < s.to; c++ {
		if row[c] == 'O' {
			zero(c)
		}
	}
}

// nameTail uses that a name field ends in fillers only, and that within a name at most two fillers stand together (Doc 9303
// part 3, section 4.6): the end of the name is where all places taken together fit best. Behind the third filler nothing
// else is possible, so those places are not doubtful.
func (f *Format) nameTail(text [][]byte, conf [][]float64, logp [][][]float32) {
	s := f.name()
	if s.to == 0 {
		return
	}
	row := text[s.line]
	filler := strings.IndexByte(Alphabet, '<')
	fill := func(c int) float64 { return float64(logp[s.line][c][filler]) }
	tail := 0.0
	for c := s.from; c < s.to; c++ {
		tail += fill(c)
	}
	// end is the first place of the tail
	head, best, end := 0.0, math.Inf(-1), s.to
	for c := s.from; c <= s.to; c++ {
		if v := head + tail; v >= best && c > s.from {
			best, end = v, c
		}
		if c == s.to || c >= s.from+3 && string(row[c-2:c+1]) == "<<<" {
			break
		}
		head += conf[s.line][c]
		tail -= fill(c)
	}
	for end > s.from && row[end-1] == '<' {
		end--
	}
	for c := end; c < s.to; c++ {
		row[c], conf[s.line][c] = '<', fill(c)
		if c >= end+2 {
			conf[s.line][c] = 0
		}
	}
}

// mend changes a few doubtful characters when that makes check digits fit and no other change nearly does: first each field
// with its own check digit, then the whole.
func (z *Zone) mend(f *Format, text [][]byte, doubts []swap) {
	for _, s := range f.checked() {
		var own []swap
		for _, d := range doubts {
			if d.line == s.line && (d.col >= s.from && d.col < s.to || d.col == s.check) {
				own = append(own, d)
			}
		}
		z.mendBy(text, own, func() bool {
			l := text[s.line]
			c := CheckDigit(string(l[s.from:s.to]))
			return c == l[s.check] || s.optional && l[s.check] == '<' && strings.Trim(string(l[s.from:s.to]), "<") == ""
		})
	}
	z.mendBy(text, doubts, func() bool {
		lines := make([]string, len(text))
		for i, l := range text {
			lines[i] = string(l)
		}
		return len(f.Failures(lines)) == 0
	})
}

// mendBy looks for the cheapest set of swaps for which fits becomes true.
func (z *Zone) mendBy(text [][]byte, doubts []swap, fits func() bool) {
	if fits() {
		return
	}
	sort.SliceStable(doubts, func(i, j int) bool { return doubts[i].cost < doubts[j].cost })
	doubts = doubts[:min(len(doubts), 28)]
	var found [2]struct {
		s    []swap
		cost float64
	}
	found[0].cost, found[1].cost = math.Inf(1), math.Inf(1)
	var try func(from int, used []swap, cost float64)
	try = func(from int, used []swap, cost float64) {
		for i := from; i < len(doubts); i++ {
			d := doubts[i]
			if cost+d.cost > maxCost {
				return // they are sorted
			}
			if taken(used, d) {
				continue
			}
			old := text[d.line][d.col]
			text[d.line][d.col] = d.ch
			now := append(used[:len(used):len(used)], d)
			c := cost + d.cost
			switch {
			case c < found[1].cost && fits():
				found[1].s, found[1].cost = now, c
				if c < found[0].cost {
					found[0], found[1] = found[1], found[0]
				}
			case len(now) < maxChanged:
				try(i+1, now, c)
			}
			text[d.line][d.col] = old
		}
	}
	try(0, nil, 0)
	if math.IsInf(found[0].cost, 1) || found[1].cost-found[0].cost < margin*twinFactor {
		return
	}
	onlyTwins := true
	for _, s := range found[0].s {
		onlyTwins = onlyTwins && s.twin
	}
	if !onlyTwins && found[1].cost-found[0].cost < margin {
		return
	}
	for _, s := range found[0].s {
		text[s.line][s.col] = s.ch
		if !s.twin {
			z.Changed++
		}
	}
}

func taken(used []swap, d swap) bool {
	for _, u := range used {
		if u.line == d.line && u.col == d.col {
			return true
		}
	}
	return false
}
