package field

import (
	"strings"
	"time"
)

// birthRow finds the line that reads most like the birth date of the number: year, month and day in this order.
func birthRow(lines []Line, born string) int {
	want := shortDate(born)
	best, bestScore := -1, 0.45
	for i := range lines {
		digits, _ := digitsOf(&lines[i])
		score := 1 - dateDistance(digits, want)/float64(len(want))
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	if best < 0 { // another date than the number's may be printed
		for i := range lines {
			if _, conf := printedDate(&lines[i]); conf > .5 {
				return i
			}
		}
	}
	return best
}

// dateDistance is how many digits of a line have to be changed to give the date. What follows behind it, as the edges of the
// portrait read, counts little.
func dateDistance(digits, want string) float64 {
	least := float64(editDistance(digits, want))
	for n := len(digits) - 1; n >= len(want)-1; n-- {
		least = min(least, float64(editDistance(digits[:n], want))+strayDigit*float64(len(digits)-n))
	}
	return least
}

// strayDigit is what a digit behind the date counts, beside one of it.
const strayDigit = 0.25

// printedDate reads a line as a date on its own: four digits, one or two, one or two, apart. conf is the chance that all of
// them are right, 0 when the line is no date.
func printedDate(l *Line) (date string, conf float64) {
	var parts []string
	conf = 1
	apart := true
	chars := withoutStray(l)
	for i := range chars {
		c := &chars[i]
		if r := c.R(); r < '0' || r > '9' {
			apart = true
			continue
		}
		if i > 0 && standsApart(l, i) {
			apart = true
		}
		if apart {
			parts = append(parts, "")
			apart = false
		}
		parts[len(parts)-1] += string(c.R())
		conf *= charConfidence(c)
	}
	if len(parts) != 3 || len(parts[0]) != 4 || len(parts[1]) > 2 || len(parts[2]) > 2 {
		return "", 0
	}
	t, err := time.Parse("2006-1-2", strings.Join(parts, "-"))
	if err != nil {
		return "", 0
	}
	return t.Format("2006-01-02"), conf
}

// standsApart reports whether there is a gap before a character, as between the year, the month and the day.
func standsApart(l *Line, i int) bool { return l.Chars[i].X0-l.Chars[i-1].X1 > .42*l.Em }

// beyondDate is the white, in ems, behind which nothing is of the date any more: year, month and day stand at most three
// apart.
const beyondDate = 4.5

// withoutStray leaves out what stands far apart at the end of a line, and what stands apart there and reads like nothing in
// particular: the edges of the portrait. A digit of the date that reads badly goes too if it stands alone, and then the rest
// is no date.
func withoutStray(l *Line) []Char {
	end := len(l.Chars)
	for i := 1; i < end; i++ {
		if l.Chars[i].X0-l.Chars[i-1].X1 > beyondDate*l.Em {
			end = i
		}
	}
	for end > 0 {
		start := end - 1
		clear := charConfidence(&l.Chars[start]) > .3
		for start > 0 && !standsApart(l, start) {
			start--
			clear = clear || charConfidence(&l.Chars[start]) > .3
		}
		if clear {
			break
		}
		end = start
	}
	return l.Chars[:end]
}

// shortDate is a birth date as cards print it, without leading zeros: 19470811 is 1947811.
func shortDate(born string) string {
	return born[:4] + strings.TrimPrefix(born[4:6], "0") + strings.TrimPrefix(born[6:8], "0")
}

// digitsOf gives the digits of a line and which characters they are.
func digitsOf(l *Line) (digits string, at []int) {
	var b []byte
	for k := range l.Chars {
		if d := l.Chars[k].R(); d >= '0' && d <= '9' {
			b, at = append(b, byte(d)), append(at, k)
		}
	}
	return string(b), at
}

// yearStart is where the printed birth year begins, which is where all values of a card begin. Every digit of the year that
// was read votes, so that a missing first digit does not matter.
func yearStart(l *Line, born string) (float32, bool) {
	const step = .56 // digits of common faces measure about so many ems
	digits, at := digitsOf(l)
	type vote struct {
		x float32
		n int
	}
	var votes []vote
	for i := range digits {
		if i > 5 {
			break
		}
		for k := 0; k < 4; k++ {
			if digits[i] != born[k] {
				continue
			}
			c := &l.Chars[at[i]]
			x := (c.X0+c.X1)/2 - (float32(k)+.5)*step*l.Em
			v := vote{x, 0}
			for j := range votes {
				if d := votes[j].x - x; d > -.3*l.Em && d < .3*l.Em {
					votes[j].n++
					v.n++
				}
			}
			votes = append(votes, v)
		}
	}
	best := vote{}
	for _, v := range votes {
		if v.n > best.n || v.n == best.n && v.n > 0 && v.x < best.x {
			best = v
		}
	}
	return best.x, best.n >= 2
}
