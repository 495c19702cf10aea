package field

import (
	"slices"
	"strings"
)

// nationHeard is the least probability of every character of a nation that is taken from a reader of rows, and overruled the
// confidence of ours below which it is taken from it where ours is another.
const (
	nationHeard = 0.8
	overruled   = 0.7
)

// sexRow is the picture of the row of sex and nation, from the column where values begin, for a reader of rows.
func (r *Region) sexRow(l *Line, x float32, known bool) Row {
	x0, x1 := r.column(-textLeft), r.column(rowsRight)
	if known {
		x0 = max(int(x-.3*l.Em), 0)
	}
	y0, y1 := l.Y0-6, l.Y1+6
	return Row{Gray: r.Gray.Crop(x0, y0, x1-x0, y1-y0), X0: x0, Y0: y0}
}

// HeedNation takes the nation, and the sex where none was read, from what a reader of rows says of their row, where ours is
// doubtful. Both are of closed sets: what is not said in full is not taken.
func (c *Card) HeedNation(h *Hearing) {
	var text []rune
	var least []float32
	for _, s := range h.Chars {
		text, least = append(text, s.R), append(least, s.P)
	}
	from := slices.IndexFunc(text, func(r rune) bool { return r == '男' || r == '女' })
	if from < 0 || least[from] < nationHeard {
		return
	}
	if c.Sex.Text == "" {
		c.Sex.Text, c.Sex.Confidence = string(text[from]), takenWorth*float64(least[from])
	}
	rest, p := text[from+1:], least[from+1:]
	if i := slices.Index(rest, '族'); i >= 0 && i < 3 {
		rest, p = rest[i+1:], p[i+1:]
	} else if len(rest) > 0 && rest[0] == '民' {
		rest, p = rest[1:], p[1:]
	}
	name := ""
	for _, n := range nations { // the longest that it begins with: 土家, not 土
		if strings.HasPrefix(string(rest), n) && len(n) > len(name) {
			name = n
		}
	}
	if name == "" || slices.Min(p[:len([]rune(name))]) < nationHeard {
		return
	}
	conf := takenWorth * float64(slices.Min(p[:len([]rune(name))]))
	switch {
	case name == c.Nation.Text:
		c.Nation.Confidence = max(c.Nation.Confidence, conf)
	case c.Nation.Confidence < overruled:
		c.Nation.Text, c.Nation.Confidence = name, conf
	}
}
