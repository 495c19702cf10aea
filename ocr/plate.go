package ocr

import (
	"context"
	"image"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr/internal/plate"
	"github.com/kangma/kangma/ocr/internal/raster"
)

var errNoPlate = kangma.E(kangma.Invalid, "plate_not_found", "no licence plate was found; go closer and straighter")

// foundPlate is a plate as read, with its place.
type foundPlate struct {
	text   string
	conf   float64 // probability of the weakest character
	score  float64 // mean log probability, nothing beside the characters included
	rival  float64 // probability of another letter or digit, the likeliest of any place
	agree  float64 // of two layers: how far the readings of the upper one agree
	two    bool    // two layers
	colour string
	corner raster.Quad // around the text, on the working picture
	lines  []plateLine // as read, the upper one of two first
}

// plateLine is a line of a found plate.
type plateLine struct {
	field *plate.Field
	plate.Reading
}

// Plate reads a licence plate of GA 36-2018, cropped or on a vehicle: blue, yellow, white and black ones of seven characters,
// green ones of eight, double-layer ones, and those of police (警), trainers (学), trailers (挂), Hong Kong and Macao
// (港, 澳), consulates (领) and embassies (使). The plate is sure only when every character, the province included, is
// clear and colour, count and special characters agree. Plates of the armed forces are not known.
func (r *Reader) Plate(ctx context.Context, img []byte) (*Draft, error) {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m, scale, err := decode(ctx, img, plateShape)
	if err != nil {
		return nil, err
	}
	s := &scene{rgb: m}
	best, err := s.findPlate(ctx)
	if err != nil {
		return nil, err
	}
	if best == nil {
		if _, err := newScene(m, r.o.Now()).nothing(); kangma.CodeOf(err) != "no_document" && kangma.CodeOf(err) != "idcard_back" {
			return nil, err
		}
		return nil, errNoPlate
	}
	d := &Draft{Kind: Plate, PlateColour: best.colour}
	d.Plate = Field{Value: best.text, Confidence: best.conf, Unsure: !best.sure(), Crop: scaleRect(best.crop(), scale)}
	if d.Plate.Unsure {
		d.Problem = "partial"
	}
	return d, nil
}

// confirm asks a third reader about the Chinese characters.
func (f *foundPlate) confirm() {
	f.text, f.conf, f.rival = "", f.agree, 0
	for i := range f.lines {
		l := &f.lines[i]
		l.Confirm(l.field)
		f.text += l.Text()
		f.conf, f.rival = min(f.conf, l.Least()), max(f.rival, l.Rival())
	}
}

// surePlate is the probability of the weakest character, and surePlateScore the mean log probability, from which a plate
// need not be confirmed by hand. No other letter or digit may have more than mostRival by either net: of 340 plates (seeds from
// 140000 and 141000) 257 were sure without this rule, 225 are with it, and M taken for W (0.96, rival 0.04) in a glare is not.
const (
	surePlate      = 0.9
	surePlateScore = -0.35
	mostRival      = 0.03
)

func (f *foundPlate) sure() bool {
	return f.conf >= surePlate && f.rival <= mostRival && f.score >= surePlateScore && f.plausible()
}

// plausible checks the colour against the count of characters and the special characters (GA 36-2018).
func (f *foundPlate) plausible() bool {
	t := []rune(f.text)
	first, last := t[0], t[len(t)-1]
	switch {
	case len(t) == 8:
		return f.colour == "green" && newEnergy(t)
	case f.colour == "green":
		return false
	case first == '使', last == '领', last == '港', last == '澳':
		return f.colour == "black" && (first == '使' || last == '领' || t[0] == '粤' && t[1] == 'Z')
	case last == '学' || last == '挂':
		return f.colour == "yellow"
	case last == '警':
		return f.colour == "white"
	}
	return plate.IsProvince(first) && atMostTwoLetters(t[2:])
}

// newEnergy checks the serial of a green plate: its first place (small vehicles) or its last (large ones) is a letter from
// A to K, which tells how the vehicle is driven; the other places are digits but for the second.
func newEnergy(t []rune) bool {
	mark := func(r rune) bool { return r >= 'A' && r <= 'K' }
	small := mark(t[2]) && allDigits(t[4:])
	large := mark(t[7]) && allDigits(t[2:7])
	return small || large
}

func allDigits(t []rune) bool {
	for _, r := range t {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

func atMostTwoLetters(t []rune) bool {
	n := 0
	for _, r := range t {
		if r >= 'A' && r <= 'Z' {
			n++
		}
	}
	return n <= 2
}

// crop bounds the text and a little of the ground around it.
func (f *foundPlate) crop() image.Rectangle {
	var out image.Rectangle
	for i, p := range f.corner {
		q := image.Rect(int(p.X), int(p.Y), int(p.X)+1, int(p.Y)+1)
		if i == 0 {
			out = q
		}
		out = out.Union(q)
	}
	return out
}
