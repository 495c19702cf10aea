package mrz

import "sort"

// Zone is a zone as read.
type Zone struct {
	Format   *Format
	Lines    []string
	Conf     []float64 // for each line the probability of its weakest character
	Failures []string  // check digits that do not fit
	Changed  int       // characters that the check digits corrected
}

// limits of a correction, in nats, as for ID numbers: it may only break a near tie.
const (
	maxCost    = 3.0
	maxChanged = 2
	margin     = 1.5
)

type swap struct {
	line, col int
	ch        byte
	cost      float64
}

// Solve turns the log probabilities of every place into the best zone. logp[line][column][class].
func Solve(f *Format, logp [][][]float32) Zone {
	z := Zone{Format: f}
	var doubts []swap
	text := make([][]byte, f.Lines)
	for l := range text {
		text[l] = make([]byte, f.Columns)
		conf := 0.0
		for c := range text[l] {
			best := -1
			for k := range Alphabet {
				if f.Allowed(l, c, Alphabet[k]) && (best < 0 || logp[l][c][k] > logp[l][c][best]) {
					best = k
				}
			}
			text[l][c] = Alphabet[best]
			conf = min(conf, float64(logp[l][c][best]))
			for k := range Alphabet {
				if cost := float64(logp[l][c][best] - logp[l][c][k]); k != best && cost < maxCost && f.Allowed(l, c, Alphabet[k]) {
					doubts = append(doubts, swap{l, c, Alphabet[k], cost})
				}
			}
		}
		z.Conf = append(z.Conf, conf)
	}
	z.mend(f, text, doubts)
	for i, l := range text {
		z.Lines = append(z.Lines, string(l))
		z.Conf[i] = expOf(z.Conf[i])
	}
	z.Failures = f.Failures(z.Lines)
	return z
}

// mend changes up to two doubtful characters when that makes every check digit fit and no other change nearly does.
func (z *Zone) mend(f *Format, text [][]byte, doubts []swap) {
	lines := func() []string {
		out := make([]string, len(text))
		for i, l := range text {
			out[i] = string(l)
		}
		return out
	}
	if len(f.Failures(lines())) == 0 {
		return
	}
	sort.Slice(doubts, func(i, j int) bool { return doubts[i].cost < doubts[j].cost })
	doubts = doubts[:min(len(doubts), 40)]
	type fix struct {
		s    []swap
		cost float64
	}
	var found []fix
	apply := func(s swap) byte {
		old := text[s.line][s.col]
		text[s.line][s.col] = s.ch
		return old
	}
	for i, a := range doubts {
		oa := apply(a)
		if len(f.Failures(lines())) == 0 {
			found = append(found, fix{[]swap{a}, a.cost})
		}
		for _, b := range doubts[i+1:] {
			if a.cost+b.cost > maxCost || b.line == a.line && b.col == a.col {
				continue
			}
			ob := apply(b)
			if len(f.Failures(lines())) == 0 {
				found = append(found, fix{[]swap{a, b}, a.cost + b.cost})
			}
			text[b.line][b.col] = ob
		}
		text[a.line][a.col] = oa
	}
	sort.Slice(found, func(i, j int) bool { return found[i].cost < found[j].cost })
	if len(found) == 0 || len(found) > 1 && found[1].cost-found[0].cost < margin {
		return
	}
	for _, s := range found[0].s[:min(maxChanged, len(found[0].s))] {
		apply(s)
		z.Changed++
	}
}
