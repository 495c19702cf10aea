package ocr

import (
	"slices"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr/internal/idnumber"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// leastCard is the width of a card in pixels of the original photo below which its number cannot be read.
const leastCard = 300

// nothing says why no document was found: the light, the focus, the wrong side, or none there.
func (s *scene) nothing() (*Draft, error) {
	luma := s.rgb.Luma()
	for max(luma.W, luma.H) > 700 {
		luma = luma.Half()
	}
	mean, clipped := brightness(luma)
	_, red := s.emblem()
	switch {
	case mean < 0.06:
		return nil, errTooDark
	case mean > 0.97 || clipped > .6:
		return nil, errOverExposed
	case red:
		return &Draft{Kind: IDCardBack}, errBack
	case sharpness(luma) < .03:
		return nil, errBlurry
	}
	return nil, errNoDocument
}

// noNumber is nothing for ID cards, which may be there without their number, or be too small. scale is how many original
// pixels a working pixel spans.
func (s *scene) noNumber(scale float64) (*Draft, error) {
	if slices.ContainsFunc(s.others, s.isBack) {
		return &Draft{Kind: IDCardBack}, errBack
	}
	card, found := s.outline()
	found = found && card.looksLikeCard()
	d, err := s.nothing()
	switch kangma.CodeOf(err) {
	case "too_blurry":
		if found && card.long*scale < leastCard {
			return nil, errTooSmall
		}
		return nil, err
	case "no_document":
	default:
		return d, err
	}
	if found && card.long*scale < leastCard {
		return nil, errTooSmall
	}
	if rows := s.printedRows(); found || rows >= 3 && rows <= 12 {
		return nil, errNoNumber // rows alone: the fields of a card that fills the picture, its number covered or cut off
	}
	return nil, errNoDocument
}

// brightness gives the mean and the share of pixels that are as bright as the sensor can tell.
func brightness(p *raster.Plane) (mean, clipped float64) {
	for _, v := range p.Pix {
		mean += float64(v)
		if v > .985 {
			clipped++
		}
	}
	n := float64(len(p.Pix))
	return mean / n, clipped / n
}

// sharpness is the Laplacian that three pixels of a thousand exceed, after a smoothing that takes most of the noise. Sharp
// print gives 0.1 and more, a blur of one hundredth of the card's width less than 0.02.
func sharpness(p *raster.Plane) float64 {
	p = p.Gauss(1)
	var hist [1000]int
	n := 0
	for y := 1; y+1 < p.H; y++ {
		a, b, c := p.Row(y-1), p.Row(y), p.Row(y+1)
		for x := 1; x+1 < p.W; x++ {
			l := 4*b[x] - b[x-1] - b[x+1] - a[x] - c[x]
			hist[int(min(max(l, -l)*1000, 999))]++
			n++
		}
	}
	for k, acc := len(hist)-1, 0; k >= 0; k-- {
		if acc += hist[k]; acc*1000 > 3*n {
			return float64(k) / 1000
		}
	}
	return 0
}

// redCells is the side of the grid on which red is counted; redWindow of its cells are as wide as an emblem may be.
const (
	redCells  = 24
	redWindow = 9
)

// emblem looks for the national emblem on the back of the card: one compact red patch of four to a hundred and twenty
// thousandths of the picture on lighter ground, with little red elsewhere. at is the middle of the patch.
func (s *scene) emblem() (at raster.Point, ok bool) {
	var cells [redCells][redCells]float64
	total := 0.0
	least := s.redness()
	for y := 0; y < s.rgb.H; y += 3 {
		for x := 0; x < s.rgb.W; x += 3 {
			p := s.rgb.Pix[3*(y*s.rgb.W+x):]
			r, g, b := int(p[0]), int(p[1]), int(p[2])
			if isRed(r, g, b, least) {
				cells[y*redCells/s.rgb.H][x*redCells/s.rgb.W]++
				total++
			}
		}
	}
	share := total * 9 / float64(s.rgb.W*s.rgb.H)
	if share < .004 || share > .12 {
		return at, false
	}
	best := 0.0
	for y := 0; y+redWindow <= redCells; y++ {
		for x := 0; x+redWindow <= redCells; x++ {
			sum, sx, sy := 0.0, 0.0, 0.0
			for j := range redWindow {
				for i, v := range cells[y+j][x : x+redWindow] {
					sum, sx, sy = sum+v, sx+v*(float64(x+i)+.5), sy+v*(float64(y+j)+.5)
				}
			}
			if sum > best {
				best = sum
				at = raster.Point{X: sx / sum * float64(s.rgb.W) / redCells, Y: sy / sum * float64(s.rgb.H) / redCells}
			}
		}
	}
	return at, best > .85*total
}

// leastRedness is how red an emblem is at least, in hundredths of red to green.
const leastRedness = 160

// isRed says whether a colour is the emblem's: least is the lowest ratio of red to green, in hundredths.
func isRed(r, g, b, least int) bool { return r > 60 && r*100 > g*least && r > b*15/10 }

// redness is how red the emblem is at least, in hundredths of red to green: much redder than three quarters of the picture,
// so that neither a wooden desk nor a warm lamp counts.
func (s *scene) redness() int {
	var hist [400]int
	n := 0
	for y := 0; y < s.rgb.H; y += 9 {
		for x := 0; x < s.rgb.W; x += 9 {
			p := s.rgb.Pix[3*(y*s.rgb.W+x):]
			hist[min(int(p[0])*100/max(int(p[1]), 1), len(hist)-1)]++
			n++
		}
	}
	q, acc := 0, 0
	for q < len(hist)-1 && acc+hist[q] < n*3/4 {
		acc += hist[q]
		q++
	}
	return max(leastRedness, q*3/2)
}

// isBack says whether a line that is no accepted number, or nothing like one, is the validity on the back of a card: the emblem stands above it and
// before its first digit. On the front only a red dress could be taken for it, and the portrait stands behind the first
// digits of the number.
func (s *scene) isBack(f *foundNumber) bool {
	u := f.line.To.Sub(f.line.From).Mul(1 / f.line.To.Sub(f.line.From).Norm())
	up := raster.Point{X: u.Y, Y: -u.X}
	if at, ok := s.emblem(); ok {
		d := at.Sub(f.line.From)
		return d.Dot(u) < f.line.Pitch && d.Dot(up) > 2*f.line.Pitch
	}
	return s.emblemAt(f.line.From, u.Mul(f.line.Pitch), up.Mul(f.line.Pitch))
}

// Where the emblem of a back stands, in steps of its validity's digits before and above the first of them, with room for
// other printings; which share of that place it fills, and how little red may be at the place's sides, which are paper: on a
// front that lies on something red one side is not.
const (
	emblemLeft, emblemRight    = 16, 1
	emblemBottom, emblemTop    = 8, 27
	leastEmblem, largestEmblem = .06, .4
	mostRedAround              = .1
)

// emblemAt looks for the emblem where it must stand if a line that begins at from is the validity. Beside the red of a wooden
// desk or a red cloth the emblem does not show on the whole picture, but the paper around it is not red.
func (s *scene) emblemAt(from, step, up raster.Point) bool {
	inside, rim, reds, rimReds := 0, 0, 0, 0
	for y := float64(emblemBottom); y < emblemTop; y += .5 {
		for x := -float64(emblemLeft); x < emblemRight; x += .5 {
			p := from.Add(step.Mul(x)).Add(up.Mul(y))
			i, j := int(p.X), int(p.Y)
			if i < 0 || j < 0 || i >= s.rgb.W || j >= s.rgb.H {
				continue
			}
			c := s.rgb.Pix[3*(j*s.rgb.W+i):]
			red := isRed(int(c[0]), int(c[1]), int(c[2]), leastRedness)
			inside++
			if red {
				reds++
			}
			if x < 1-emblemLeft || x >= emblemRight-1 || y < emblemBottom+1 || y >= emblemTop-1 {
				rim++
				if red {
					rimReds++
				}
			}
		}
	}
	share := float64(reds) / float64(max(inside, 1))
	return inside > 800 && share > leastEmblem && share < largestEmblem && float64(rimReds) < mostRedAround*float64(rim)
}

// anotherCard says whether a second clear number stands elsewhere on the photo.
func (s *scene) anotherCard(f *foundNumber) bool {
	for _, o := range s.others {
		if !o.isNumber() || !f.isNumber() {
			continue
		}
		mid := func(x *foundNumber) raster.Point { return x.line.From.Add(x.line.To).Mul(.5) }
		if mid(o).Sub(mid(f)).Norm() > 3*f.line.Pitch {
			return true
		}
	}
	return false
}

// isNumber says whether a line is surely a number of eighteen characters and not a part of a longer one.
func (f *foundNumber) isNumber() bool { return f.Verdict != idnumber.Unreadable && f.Outside > alone }

// alone is the log probability from which nothing stands before and after a number.
const alone = -3
