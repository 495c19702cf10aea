package field

import (
	"cmp"
	"image"
	"math"
	"slices"

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
	loose      bool // it does not begin where values begin
}

// Row is one line of a value: its brightness, the column and the row of the region that it begins at, and which of the value's
// characters stand on it. Wide shows more to both sides and begins at column WideX; nil in a row whose ends are sure.
type Row struct {
	Gray     *raster.Plane
	X0, Y0   int
	From, To int
	Wide     *raster.Plane
	WideX    int
}

// Card is what is written above the number.
type Card struct {
	Name, Sex, Nation, Birth, Address Value
	Lines                             []Line // the lines that were read, from the top
	BirthRow                          int    // which of them holds the birth date; -1 when it was not found
	SexRow                            Row    // where sex and nation stand; no picture when that was not found
	BirthDiffers                      bool   // clearly another date is printed than the number tells; Birth is the printed one
}

// surelyText is how many rows next to the number are of the card's text: one of the address at least, birth, sex and name,
// and as a rule one more.
const surelyText = 5

// mostRows is how many rows are read upwards from the number: three of the address, birth, sex, two of the name, and a
// stray one.
const mostRows = 8

// Read reads the fields of a card whose number is known. born is the birth date in the number, yyyymmdd.
//
// A printed desk above the card may bend its rows; where a reading leaves sex, nation or name doubtful the rows near the number
// alone tell how they lie, and the better reading is kept.
func Read(m *glyph.Model, p *raster.Plane, f Frame, born string, places *Places) Card {
	r := NewRegion(p, f, bendAbove)
	best := readAt(m, r, born, places)
	if best.worth() >= clearCard {
		return best
	}
	near := NewRegion(p, f, nearAbove)
	if math.Abs(near.bend-r.bend) < sameBend && best.BirthRow >= 0 {
		return best
	}
	if c := readAt(m, near, born, places); c.worth() > best.worth() {
		return c
	}
	return best
}

const (
	sameBend  = 0.012 // slopes of the top row that differ by less give the same reading
	clearCard = 4.8   // what a card is worth of which everything above the birth date was read clearly
)

// worth says how much of what stands above the birth date was read how clearly; 0 when the birth date was not found.
func (c *Card) worth() float64 {
	if c.BirthRow < 0 {
		return 0
	}
	w := 1 + c.Sex.Confidence + c.Nation.Confidence
	if len(c.Name.Chars) >= 2 {
		w += 1 + min(1, 2*c.Name.Confidence)
	}
	return w
}

func readAt(m *glyph.Model, r *Region, born string, places *Places) Card {
	rows := r.findRows()
	em := r.emOf(rows)
	if em < .8*glyph.Em || em > 1.3*glyph.Em {
		r.rescale(em)
		rows = r.findRows()
		em = r.emOf(rows)
	}
	c := Card{BirthRow: -1}
	rows = rows[max(0, len(rows)-mostRows):]
	c.read(m, r, rows, float32(min(max(em, .84*glyph.Em), 1.3*glyph.Em)), born)
	if c.BirthRow < 0 {
		return c
	}
	c.assign(m, r, born, places)
	return c
}

// read reads rows upwards from the number until three rows above the birth date are read: what is farther up may be the
// desk.
func (c *Card) read(m *glyph.Model, r *Region, rows []span, em float32, born string) {
	end := r.textEnd(rows)
	for i := len(rows) - 1; i >= 0 && birthRow(c.Lines, born) < 3; i-- {
		quick := birthRow(c.Lines, born) < 0 // the address and the birth date are long, and the address is read again
		s := rows[i]
		l := readLine(m, r.Ink, float32(s.y0+s.y1)/2, em, r.column(-textLeft), end, false, quick)
		l.dropFaint()
		l.Y0, l.Y1 = s.y0, s.y1
		if len(l.Chars) > 0 {
			c.Lines = append([]Line{l}, c.Lines...)
		}
	}
	c.BirthRow = birthRow(c.Lines, born)
}

// emOf is the size of full-width characters: most lines are about 0.93 em tall, lines of digits or of few characters lower,
// so a line counts by how much of it is inked. The lines next to the number are surely text; farther up may be the edge of
// the card.
func (r *Region) emOf(rows []span) float64 {
	type tall struct {
		height float64
		weight int
	}
	var all []tall
	total := 0
	for _, s := range rows[max(0, len(rows)-surelyText):] {
		if h := float64(s.y1 - s.y0); h > glyph.Em*.4 && h < glyph.Em*1.9 {
			w := min(r.inkedColumns(s), 9*glyph.Em)
			all = append(all, tall{h, w})
			total += w
		}
	}
	if len(all) == 0 {
		return glyph.Em
	}
	slices.SortFunc(all, func(a, b tall) int { return cmp.Compare(a.height, b.height) })
	acc := 0
	for _, t := range all {
		if acc += t.weight; acc*10 > total*6 {
			return t.height / .93
		}
	}
	return all[len(all)-1].height / .93
}

// inkedColumns is how many columns of a row hold ink where values are printed.
func (r *Region) inkedColumns(s span) int {
	n := 0
	for x := r.column(-rowsLeft); x < r.column(rowsRight); x++ {
		for y := s.y0; y < s.y1; y++ {
			if r.Ink.Pix[y*r.Ink.W+x] > .4 {
				n++
				break
			}
		}
	}
	return n
}

// textEnd is the column where the portrait begins: the first one with much ink between the rows of text, where text has
// none.
func (r *Region) textEnd(rows []span) int {
	first, last := r.column(3), r.Ink.W
	if len(rows) < 3 {
		return r.column(rowsRight + 2)
	}
	var gaps []span
	for i := 1; i < len(rows); i++ {
		if g := (span{rows[i-1].y1 + 2, rows[i].y0 - 2}); g.y1 > g.y0 {
			gaps = append(gaps, g)
		}
	}
	for x := first; x+3 < last; x++ {
		inked := 0
		for _, g := range gaps {
			for y := g.y0; y < g.y1; y++ {
				if row := r.Ink.Row(y); row[x] > .4 && row[x+1] > .3 {
					inked++
					break
				}
			}
		}
		if 2*inked > len(gaps) {
			return x
		}
	}
	return last
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

// assign gives the lines their meaning: the birth row divides the card; sex and nation stand above it, the name above
// them, the address below.
func (c *Card) assign(m *glyph.Model, r *Region, born string, places *Places) {
	b := c.BirthRow
	c.Birth = r.value(c.Lines[b : b+1])
	c.Birth.Text = born[:4] + "-" + born[4:6] + "-" + born[6:8]
	digits, _ := digitsOf(&c.Lines[b])
	if printed, conf := printedDate(&c.Lines[b]); conf > .9 && printed != c.Birth.Text {
		c.Birth.Text, c.BirthDiffers = printed, true
	}
	c.Birth.Confidence = math.Max(0, 1-float64(editDistance(digits, shortDate(born)))/4)
	x, known := yearStart(&c.Lines[b], born)
	if known {
		for i := range c.Lines {
			if i != b {
				c.Lines[i].from(x)
			}
		}
	}
	sex := c.findSex(m, r, x, known)
	if sex >= 0 {
		c.SexRow = r.sexRow(&c.Lines[sex], x, known)
	}
	if sex >= 1 {
		c.Name = r.name(m, c.Lines[:sex])
	}
	if !known {
		x = -1
	}
	c.Address = r.address(m, addressLines(c.Lines[b:]), x, places)
}

// findSex reads sex and nation from one of the two lines above the birth date and says which. x is the column where values
// begin, when that is known. Where neither line holds a sex they are read again as lines without digits and letters, since
// a lone 女 may look like one.
func (c *Card) findSex(m *glyph.Model, r *Region, x float32, known bool) int {
	b := c.BirthRow
	for _, again := range [...]bool{false, true} {
		for i := b - 1; i >= 0 && i >= b-2; i-- {
			l := c.Lines[i]
			if again {
				l = r.reread(m, l)
			}
			c.Sex, c.Nation = r.sexAndNation(m, l)
			r.better(m, l, x, known, &c.Sex, &c.Nation)
			if c.Sex.Text != "" {
				return i
			}
		}
	}
	return b - 1
}

// addressLines are the lines below the first one as long as they follow each other closely.
func addressLines(lines []Line) []Line {
	n := 1
	for n < len(lines) && n <= 4 {
		limit := 1.1
		if n == 1 {
			limit = 1.8
		}
		if float64(lines[n].Y0-lines[n-1].Y1) > limit*float64(lines[n].Em) {
			break
		}
		n++
	}
	return lines[1:n]
}

// from drops the characters of a line that stand before the column x, unless that leaves nothing.
func (l *Line) from(x float32) {
	i := 0
	for i < len(l.Chars) && (l.Chars[i].X0+l.Chars[i].X1)/2 < x-.12*l.Em {
		i++
	}
	if i < len(l.Chars) {
		l.Chars = l.Chars[i:]
		l.anchored = l.Chars[0].X0 < x+.6*l.Em
	}
}

// value collects lines into one value with its crop and confidence.
func (r *Region) value(lines []Line) Value {
	var v Value
	for i := range lines {
		l := &lines[i]
		v.Text += l.Text()
		if g, x, y := r.lineImage(l); g != nil {
			v.Rows = append(v.Rows, Row{Gray: g, X0: x, Y0: y, From: len(v.Chars), To: len(v.Chars) + len(l.Chars)})
		}
		v.Chars = append(v.Chars, l.Chars...)
		if n := len(l.Chars); n > 0 {
			v.Crop = v.Crop.Union(r.Bounds(float64(l.Chars[0].X0)-3, float64(l.Y0)-2, float64(l.Chars[n-1].X1)+3, float64(l.Y1)+2))
		}
	}
	v.Confidence = confidence(v.Chars)
	return v
}

// lineImage is the brightness of a line with a margin, for another reader, and where it begins.
func (r *Region) lineImage(l *Line) (g *raster.Plane, x, y int) {
	n := len(l.Chars)
	if n == 0 {
		return nil, 0, 0
	}
	x0, x1 := int(l.Chars[0].X0)-10, int(l.Chars[n-1].X1)+10
	y0, y1 := l.Y0-6, l.Y1+6
	return r.Gray.Crop(x0, y0, x1-x0, y1-y0), x0, y0
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

// takenWorth is how much the word of another reader alone is worth.
const takenWorth = 0.95

func charConfidence(c *Char) float64 {
	if c.taken {
		return takenWorth * float64(c.heard.P)
	}
	d := float64(c.Answers[0].Dist)
	if c.Narrow && c.R() != '·' && c.Agreed >= 0 {
		return glyph.Probability(c.Answers[0].Dist)
	}
	margin := 1.0
	if len(c.Answers) > 1 {
		margin = float64(c.Answers[1].Dist) - d
	}
	score := 9*margin - 1.6*(d-1.2) + 1.2 + 2.5*float64(c.Agreed)
	return 1 / (1 + math.Exp(-score))
}
