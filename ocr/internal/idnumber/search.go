package idnumber

import (
	"strings"
	"time"

	"github.com/kangma/kangma"
)

// alphabet is the order of the net's classes.
const alphabet = "0123456789X"

// Verdict says what a reading of eighteen places amounts to. The zero Verdict accepts nothing.
type Verdict uint8

// Verdicts of Judge.
const (
	Unreadable     Verdict = iota // at least one place cannot be read; nothing may be guessed
	ChecksumFailed                // every place is clear, and the printed number is not a valid one
	Accepted                      // clear, valid, and far from any other valid number
)

// Judgement is the outcome for one line.
type Judgement struct {
	Verdict   Verdict
	Printed   string // as read, '?' for an unreadable place
	Number    string // the accepted number, else ""
	Corrected bool   // Number differs from the most likely reading of one or two places
	Test      string // which test a clear number failed: length, date, region, checksum
	Doubtful  []int  // places that are not clear, from 0
	Conf      []float64
}

// Policy holds the bounds of acceptance in natural-log units ("nats"). They are few and deliberately strict: a number
// that is not accepted costs a question to the officer, a wrong one costs somebody else their colour.
type Policy struct {
	MinMean    float64 // mean log probability of an accepted line
	MinPlace   float64 // log probability of its weakest place
	MaxCost    float64 // most a correction may cost
	MaxChanged int     // most places a correction may change
	Margin     float64 // least distance to the second-best valid number
	Clear      float64 // log probability from which one place counts as clearly read
}

// DefaultPolicy is what the reader uses: no place is changed at all. With corrections of up to two places under 3 nats, one
// of ten forged cards at level 5 was "corrected" into a valid stranger's number: a doubtful digit elsewhere fits the
// checksum by chance once in eleven times, which no bound on the cost prevents.
var DefaultPolicy = Policy{MinMean: -0.22, MinPlace: -0.7, MaxCost: 0, MaxChanged: 0, Margin: 2, Clear: -0.35}

// CorrectingPolicy lets the checksum break near ties; it is for documents whose genuineness is known.
var CorrectingPolicy = Policy{MinMean: -0.22, MinPlace: -1.4, MaxCost: 3, MaxChanged: 2, Margin: 2, Clear: -0.35}

// candidate is a valid number near the reading.
type candidate struct {
	text    string
	cost    float64
	changed int
}

// Judge decides about a line read as log probabilities of the eleven characters and "nothing" at eighteen places.
// now bounds the birth date.
func (p Policy) Judge(logp [][]float32, now time.Time) Judgement {
	j := Judgement{Conf: make([]float64, len(logp))}
	if len(logp) != 18 {
		j.Test = "length"
		return j
	}
	text := make([]byte, 18)
	best := make([]float64, 18)
	mean, least := 0.0, 0.0
	for k, lp := range logp {
		c := bestClass(lp, k)
		text[k], best[k] = alphabet[c], float64(lp[c])
		j.Conf[k] = exp(best[k])
		mean += best[k] / 18
		least = min(least, best[k])
		if best[k] < p.Clear {
			j.Doubtful = append(j.Doubtful, k)
		}
	}
	j.Printed = string(text)
	test := Test(j.Printed, now)
	first, second := p.search(logp, text, best, now)
	switch {
	case first.text != "" && p.acceptable(first, second, mean, least):
		j.Verdict, j.Number, j.Corrected = Accepted, first.text, first.changed > 0
	case len(j.Doubtful) == 0 && test != "":
		j.Verdict, j.Test = ChecksumFailed, test
	default:
		j.Verdict, j.Test = Unreadable, test
		j.Printed = masked(text, j.Doubtful)
	}
	return j
}

func (p Policy) acceptable(first, second candidate, mean, least float64) bool {
	if second.text != "" && second.cost-first.cost < p.Margin {
		return false
	}
	if first.changed > p.MaxChanged || first.cost > p.MaxCost {
		return false
	}
	// a correction must explain a doubtful place, so it is judged by what is left of the line
	return mean > p.MinMean && least > p.MinPlace
}

func masked(text []byte, places []int) string {
	t := append([]byte(nil), text...)
	for _, k := range places {
		t[k] = '?'
	}
	return string(t)
}

func bestClass(lp []float32, place int) int {
	b := 0
	for c := 1; c < len(alphabet); c++ {
		if lp[c] > lp[b] && (place == 17 || alphabet[c] != 'X') {
			b = c
		}
	}
	return b
}

// Test says which test of GB 11643-1999 a string of eighteen characters fails, or "" when it passes all.
func Test(s string, now time.Time) string {
	_, err := kangma.NewIDNumber(kangma.DocResidentID, s, now)
	if err == nil {
		return ""
	}
	switch kangma.CodeOf(err) {
	case "id_birth":
		return "date"
	case "id_region":
		return "region"
	case "id_checksum":
		return "checksum"
	}
	return "length"
}

// alternative is another character at a place and what choosing it costs.
type alternative struct {
	place int
	char  byte
	cost  float64
}

// search finds the two cheapest valid numbers that differ from the reading in at most two places. Every number that the
// checksum rejects is dropped before the costlier tests.
func (p Policy) search(logp [][]float32, text []byte, best []float64, now time.Time) (first, second candidate) {
	limit := max(p.MaxCost, 0) + p.Margin + 0.01
	var alts []alternative
	for k, lp := range logp {
		for c := 0; c < len(alphabet); c++ {
			cost := best[k] - float64(lp[c])
			if ch := alphabet[c]; ch != text[k] && (k == 17 || ch != 'X') && cost < limit {
				alts = append(alts, alternative{k, ch, cost})
			}
		}
	}
	try := func(t []byte, cost float64, changed int) {
		if cost > limit || kangma.IDCheckChar(string(t[:17])) != t[17] || Test(string(t), now) != "" {
			return
		}
		c := candidate{string(t), cost, changed}
		switch {
		case first.text == "" || cost < first.cost:
			first, second = c, first
		case second.text == "" || cost < second.cost:
			second = c
		}
	}
	t := []byte(strings.Clone(string(text)))
	try(t, 0, 0)
	for i, a := range alts {
		t[a.place] = a.char
		try(t, a.cost, 1)
		for _, b := range alts[i+1:] {
			if b.place != a.place && a.cost+b.cost < limit {
				old := t[b.place]
				t[b.place] = b.char
				try(t, a.cost+b.cost, 2)
				t[b.place] = old
			}
		}
		t[a.place] = text[a.place]
	}
	return first, second
}
