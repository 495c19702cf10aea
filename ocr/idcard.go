package ocr

import (
	"context"
	"image"
	"math"

	"github.com/kangma/kangma/ocr/internal/field"
	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/idnumber"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// sure is the confidence from which a field need not be confirmed by hand; a name must be clearer, because nothing else on
// the card contradicts a wrong one.
const (
	sure     = 0.9
	sureName = 0.97
)

// IDCard reads the front of a resident ID card from a JPEG or PNG. An error means that there is nothing to show (its code
// is one of the list in docs/ocr.md). A draft whose Problem is set was read, but must not be used unasked; the back of a
// card gives both a draft of that kind and the error idcard_back.
func (r *Reader) IDCard(ctx context.Context, img []byte) (*Draft, error) {
	return r.idCard(ctx, img, true)
}

func (r *Reader) idCard(ctx context.Context, img []byte, fields bool) (*Draft, error) {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m, scale, err := decode(ctx, img, cardShape)
	if err != nil {
		return nil, err
	}
	s := newScene(m, r.o.Now())
	f, err := s.findNumber(ctx)
	if err != nil {
		return nil, err
	}
	if r.o.Finder != nil && (f == nil || f.Verdict == idnumber.Unreadable) {
		f = s.askFinder(ctx, r.o.Finder, f)
	}
	if f == nil || !f.stands() {
		return s.noNumber(scale)
	}
	if f.Verdict != idnumber.Accepted && s.isBack(f) {
		return &Draft{Kind: IDCardBack}, errBack
	}
	if f.Verdict == idnumber.Unreadable && f.line.Pitch*pitchesPerCard*scale < leastCard {
		return nil, errTooSmall
	}
	if s.anotherCard(f) {
		return nil, errMultiple
	}
	s.marks = nil // the fields need memory
	d := &Draft{Kind: IDCardFront}
	d.setNumber(f, scale)
	if !fields || f.Verdict == idnumber.Unreadable && f.Mean < doubtfulLine {
		return d, nil
	}
	r.readFields(ctx, d, s, f, scale)
	d.cross()
	return d, nil
}

// Mean log probabilities of the characters of a line: below notANumber it is not a number line at all; below
// doubtfulLine too little of it is clear to look for fields around it.
const (
	notANumber   = -1.1
	doubtfulLine = -0.7
	mostDoubtful = 9 // places; a line with more of them is no number either
)

// mostCovered is how many places of a number may be unreadable when fields are looked for around it.
const mostCovered = 6

// stands says whether a line is a number at all, if perhaps not a readable or a valid one: neither a few marks nor a part
// of a longer row of digits.
func (f *foundNumber) stands() bool {
	switch f.Verdict {
	case idnumber.Accepted:
		return f.Outside > 2*alone
	case idnumber.ChecksumFailed:
		return f.Outside > alone
	}
	return f.Mean >= notANumber && len(f.Doubtful) <= mostDoubtful
}

// pitchesPerCard is the width of a card in digits of its number.
const pitchesPerCard = 31

func (d *Draft) setNumber(f *foundNumber, scale float64) {
	conf := 1.0
	for _, c := range f.Conf {
		conf = math.Min(conf, c)
	}
	d.Number = Field{Value: f.Printed, Confidence: conf, Unsure: f.Verdict != idnumber.Accepted, Crop: f.crop(scale)}
	switch f.Verdict {
	case idnumber.Accepted:
		d.Number.Value, d.NumberAccepted = f.Number, true
		if f.Corrected {
			d.Warnings = append(d.Warnings, "number_corrected")
		}
	case idnumber.ChecksumFailed:
		d.Problem, d.FailedTest = "checksum_failed", f.Test
	default:
		d.Problem = "number_unreadable"
	}
}

// crop is the rectangle of the number on the original photo.
func (f *foundNumber) crop(scale float64) image.Rectangle {
	pitch := float64(f.Pitch)
	x0, x1 := float64(f.X[0])-pitch*.7, float64(f.X[17])+pitch*.7
	var out image.Rectangle
	for i, c := range [4][2]float64{{x0, 2}, {x1, 2}, {x1, grid.BandH - 2}, {x0, grid.BandH - 2}} {
		p := f.band.ToPhoto.Apply(raster.Point{X: c[0], Y: c[1]}).Mul(scale)
		q := image.Rect(int(p.X), int(p.Y), int(p.X)+1, int(p.Y)+1)
		if i == 0 {
			out = q
		}
		out = out.Union(q)
	}
	return out
}

// frame fits the digits' places on the photo by a quadratic, which tells the pitch at both ends.
func (f *foundNumber) frame() field.Frame {
	mid := float64(grid.CapTop) + grid.Cap/2 + float64(f.DY)
	p := make([]raster.Point, len(f.X))
	for i, x := range f.X {
		p[i] = f.band.ToPhoto.Apply(raster.Point{X: float64(x), Y: mid})
	}
	u := p[17].Sub(p[0])
	length := u.Norm()
	u = u.Mul(1 / length)
	// mean pitch of the first and the second half, at places 4.25 and 12.75
	half := func(a, b int) float64 { return p[b].Sub(p[a]).Dot(u) / float64(b-a) }
	p0, p1 := half(0, 8), half(9, 17)
	slope := (p1 - p0) / 9 / 2 // the step is quantised: half of the measured change is believed
	first, last := length/17-8.5*slope, length/17+8.5*slope
	return field.Frame{Origin: p[0], Step: u.Mul(first), Down: raster.Point{X: -u.Y, Y: u.X}.Mul(first), Ratio: min(max(last/first, .85), 1.18)}
}

// readFields reads what stands above the number. The birth date of the number is the anchor, so a number whose date is
// impossible gives no fields.
func (r *Reader) readFields(ctx context.Context, d *Draft, s *scene, f *foundNumber, scale float64) {
	if r.model == nil {
		return
	}
	text := f.Printed
	if d.NumberAccepted {
		text = f.Number
	}
	odd := oddParts(text[6:14])
	if f.Verdict == idnumber.Unreadable && (len(f.Doubtful) > mostCovered || odd > 0) || odd > 1 {
		return
	}
	c := field.Read(r.model, s.max, f.frame(), text[6:14], r.places)
	if r.o.TextEngine != nil && d.NumberAccepted {
		d.secondOpinion(ctx, r, &c.Name, true)
		d.secondOpinion(ctx, r, &c.Address, false)
		d.hearNation(ctx, r, &c)
	}
	set := func(dst *Field, v field.Value) {
		*dst = Field{Value: v.Text, Confidence: v.Confidence, Unsure: v.Confidence < sure, Crop: scaleRect(v.Crop, scale)}
	}
	set(&d.Name, c.Name)
	d.Name.Unsure = d.Name.Confidence < sureName
	set(&d.Sex, c.Sex)
	set(&d.Nation, c.Nation)
	set(&d.Birth, c.Birth)
	if c.BirthDiffers && d.NumberAccepted {
		d.Problem = "inconsistent"
	}
	set(&d.Address, c.Address)
}

// oddParts counts the parts (century, month, day) of yyyymmdd, in which ? is any digit, that no date of birth has. One
// misprinted digit makes one odd part; where an unreadable number has one, or another number two, there is no anchor for the
// fields: it is a wrong row, or no ID number at all.
func oddParts(s string) (n int) {
	like := func(from int, known ...string) int {
		for _, k := range known {
			fits := true
			for i := range k {
				fits = fits && (s[from+i] == '?' || s[from+i] == k[i] || k[i] == '*')
			}
			if fits {
				return 0
			}
		}
		return 1
	}
	return like(0, "18", "19", "20") + like(4, "0*", "10", "11", "12") + like(6, "0*", "1*", "2*", "30", "31")
}

func scaleRect(r image.Rectangle, k float64) image.Rectangle {
	f := func(v int) int { return int(float64(v) * k) }
	return image.Rect(f(r.Min.X), f(r.Min.Y), f(r.Max.X), f(r.Max.Y))
}

// cross checks the number against what is printed beside it. A contradiction is flagged and the printed value kept.
func (d *Draft) cross() {
	if !d.NumberAccepted {
		d.markUnread()
		return
	}
	want := "女"
	if (d.Number.Value[16]-'0')%2 == 1 {
		want = "男"
	}
	switch {
	case d.Sex.Value == "":
		d.Sex.Unsure = true
	case d.Sex.Value != want && d.Sex.Confidence >= sure:
		d.Problem = "inconsistent"
		d.Sex.Unsure, d.Number.Unsure = true, true
	case d.Sex.Value != want:
		d.Sex.Unsure = true
	default:
		d.Sex.Unsure = false // two readings that agree
	}
	d.Birth.Unsure = d.Birth.Confidence < .5
	if d.Problem == "inconsistent" {
		d.Birth.Unsure = d.Birth.Unsure || d.Birth.Value != d.Number.birth()
		d.Number.Unsure = true
	}
	d.markUnread()
	if d.Problem == "" && len(d.Unsure()) > 0 {
		d.Problem = "partial"
	}
}

// birth is the date in an accepted number, as 2006-01-02.
func (f *Field) birth() string {
	return f.Value[6:10] + "-" + f.Value[10:12] + "-" + f.Value[12:14]
}

func (d *Draft) markUnread() {
	for _, f := range d.fields() {
		if f.F.Value == "" {
			f.F.Unsure = true
		}
	}
}
