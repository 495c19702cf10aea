package field

import (
	"image"
	"math"
	"strings"

	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Value is one field as read.
type Value struct {
	Text       string
	Confidence float64
	Crop       image.Rectangle // on the photo
	Rows       []Row           // its lines, for a further reader
	Chars      []Char
}

// Row is one line of a value: its brightness, and which of the value's characters stand on it.
type Row struct {
	Gray     *raster.Plane
	From, To int
}

// Card is what is written above the number.
type Card struct {
	Name, Sex, Nation, Birth, Address Value
	Lines                             []Line // all lines read, from the top
	BirthRow                          int    // which of them holds the birth date; -1 when it was not found
}

// Read reads the fields of a card whose number is known. born is the birth date in the number, yyyymmdd.
func Read(m *glyph.Model, p *raster.Plane, f Frame, born string, places []string) Card {
	r := NewRegion(p, f)
	rows := r.findRows()
	c := Card{BirthRow: -1}
	em := emOf(rows)
	x1 := textRight
	for _, s := range rows {
		l := readLine(m, r.Ink, float32(s.y0+s.y1)/2, em, textLeft, x1)
		l.dropFaint()
		l.Y0, l.Y1 = s.y0, s.y1
		if len(l.Chars) > 0 {
			c.Lines = append(c.Lines, l)
		}
	}
	c.BirthRow = birthRow(m, c.Lines, born)
	if c.BirthRow < 0 {
		return c
	}
	c.assign(m, r, born, places)
	return c
}

// emOf is the size of full-width characters: most lines are about 0.92 em tall.
func emOf(rows []span) float32 {
	var tall []float64
	for _, s := range rows {
		if h := float64(s.y1 - s.y0); h > glyph.Em*.6 && h < glyph.Em*1.4 {
			tall = append(tall, h)
		}
	}
	if len(tall) == 0 {
		return glyph.Em
	}
	top := 0.0
	for _, h := range tall {
		top += h / float64(len(tall))
	}
	return float32(math.Min(math.Max(top/.93, glyph.Em*.84), glyph.Em*1.16))
}

// birthRow finds the line that reads most like the birth date of the number: year, month and day in this order.
func birthRow(m *glyph.Model, lines []Line, born string) int {
	want := born[:4] + strings.TrimPrefix(born[4:6], "0") + strings.TrimPrefix(born[6:8], "0")
	best, bestScore := -1, 0.45
	for i := range lines {
		var digits []byte
		for k := range lines[i].Chars {
			if r := lines[i].Chars[k].R(); r >= '0' && r <= '9' {
				digits = append(digits, byte(r))
			}
		}
		score := 1 - float64(editDistance(string(digits), want))/float64(len(want))
		if score > bestScore {
			best, bestScore = i, score
		}
	}
	return best
}

// editDistance is Levenshtein's, over bytes.
func editDistance(a, b string) int {
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur := make([]int, len(b)+1)
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			sub := prev[j-1]
			if a[i-1] != b[j-1] {
				sub++
			}
			cur[j] = min(sub, prev[j]+1, cur[j-1]+1)
		}
		prev = cur
	}
	return prev[len(b)]
}

// assign gives the lines their meaning: the birth row divides the card; sex and nation stand just above it, the name
// above them, the address below.
func (c *Card) assign(m *glyph.Model, r *Region, born string, places []string) {
	b := c.BirthRow
	c.Birth = r.value(c.Lines[b : b+1])
	c.Birth.Text = born[:4] + "-" + born[4:6] + "-" + born[6:8]
	c.Birth.Confidence = printedBirth(c.Lines[b], born)
	if b >= 1 {
		c.Sex, c.Nation = r.sexAndNation(m, c.Lines[b-1])
	}
	if b >= 2 {
		c.Name = r.name(m, c.Lines[:b-1])
	}
	if b+1 < len(c.Lines) {
		c.Address = r.address(m, c.Lines[b+1:], places)
	}
}

// printedBirth is how well the printed digits agree with the number's, 0..1.
func printedBirth(l Line, born string) float64 {
	want := born[:4] + strings.TrimPrefix(born[4:6], "0") + strings.TrimPrefix(born[6:8], "0")
	var digits []byte
	for k := range l.Chars {
		if d := l.Chars[k].R(); d >= '0' && d <= '9' {
			digits = append(digits, byte(d))
		}
	}
	return math.Max(0, 1-float64(editDistance(string(digits), want))/4)
}

// value collects lines into one value with its crop and confidence.
func (r *Region) value(lines []Line) Value {
	var v Value
	for i := range lines {
		l := &lines[i]
		v.Text += l.Text()
		if g := r.lineImage(l); g != nil {
			v.Rows = append(v.Rows, Row{g, len(v.Chars), len(v.Chars) + len(l.Chars)})
		}
		v.Chars = append(v.Chars, l.Chars...)
		if n := len(l.Chars); n > 0 {
			v.Crop = v.Crop.Union(r.Bounds(float64(l.Chars[0].X0)-3, float64(l.Y0)-2, float64(l.Chars[n-1].X1)+3, float64(l.Y1)+2))
		}
	}
	v.Confidence = confidence(v.Chars)
	return v
}

// lineImage is the brightness of a line with a margin, for another reader.
func (r *Region) lineImage(l *Line) *raster.Plane {
	n := len(l.Chars)
	if n == 0 {
		return nil
	}
	x0, x1 := int(l.Chars[0].X0)-10, int(l.Chars[n-1].X1)+10
	y0, y1 := l.Y0-6, l.Y1+6
	return r.Gray.Crop(x0, y0, x1-x0, y1-y0)
}

// confidence is the chance that all characters are right, from how much nearer each is to its class than to the next.
func confidence(chars []Char) float64 {
	p := 1.0
	for i := range chars {
		p *= charConfidence(&chars[i])
	}
	if len(chars) == 0 {
		return 0
	}
	return p
}

func charConfidence(c *Char) float64 {
	d := float64(c.Answers[0].Dist)
	margin := 1.0
	if len(c.Answers) > 1 {
		margin = float64(c.Answers[1].Dist) - d
	}
	score := 9*margin - 1.6*(d-1.2) + 1.2 + 2.5*float64(c.Agreed)
	return 1 / (1 + math.Exp(-score))
}
