package ocr

import (
	"context"
	"image"
	"math"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/grid"
	"github.com/kangma/kangma/ocr/internal/locate"
	"github.com/kangma/kangma/ocr/internal/plate"
	"github.com/kangma/kangma/ocr/internal/raster"
)

var errNoPlate = kangma.E(kangma.Invalid, "plate_not_found", "no licence plate was found; go closer and straighter")

// foundPlate is a plate as read, with its place.
type foundPlate struct {
	plate.Reading
	colour string
	crop   image.Rectangle
	conf   float64
}

// Plate reads a licence plate: blue, yellow, white and black ones of seven characters and green ones of eight. The
// province and every character must be clear, else the plate is unsure. Of a double-layer plate only what is on the lower
// line can be found, so it is never accepted.
func (r *Reader) Plate(ctx context.Context, img []byte) (*Draft, error) {
	ctx, done, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	m, scale, err := decode(ctx, img)
	if err != nil {
		return nil, err
	}
	s := newScene(m, r.o.Now())
	best, err := s.findPlate(ctx, r.model)
	if err != nil {
		return nil, err
	}
	if best == nil {
		if _, err := s.nothing(); kangma.CodeOf(err) != "no_document" && kangma.CodeOf(err) != "idcard_back" {
			return nil, err
		}
		return nil, errNoPlate
	}
	d := &Draft{Kind: Plate, PlateColour: best.colour}
	d.Plate = Field{Value: best.Text, Confidence: best.conf, Unsure: best.conf < sure || !best.plausible(), Crop: scaleRect(best.crop, scale)}
	if d.Plate.Unsure {
		d.Problem = "partial"
	}
	return d, nil
}

// plausible checks the colour against the count of characters and the special last characters (GA 36-2018).
func (f *foundPlate) plausible() bool {
	t := []rune(f.Text)
	last := t[len(t)-1]
	switch last {
	case '学':
		return f.colour == "yellow"
	case '警':
		return f.colour == "white"
	case '港', '澳':
		return f.colour == "black"
	}
	return f.Eight == (f.colour == "green")
}

// findPlate looks for rows of upright marks, light on dark and dark on light, and proves each by reading it.
func (s *scene) findPlate(ctx context.Context, m *glyph.Model) (*foundPlate, error) {
	red, luma := raster.NewPlane(s.rgb.W, s.rgb.H), s.rgb.Luma()
	for i := range red.Pix { // blue and black plates: light print, dark in red light
		red.Pix[i] = 1 - float32(s.rgb.Pix[3*i])*(1.0/255)
	}
	var best *foundPlate
	for k, p := range [...]*raster.Plane{red, luma} {
		small := p
		for f := s.shrunk; f > 1; f /= 2 {
			small = small.Half()
		}
		for _, window := range [...]int{61, 31} {
			for _, l := range locate.FindBlobs(small.Gauss(.6), window).ChainsOf(4, 30, locate.Plates) {
				if ctx.Err() != nil {
					return nil, errDeadline.Because(ctx.Err())
				}
				f := s.tryPlate(m, p, l.Scaled(s.shrunk), k == 0)
				if f != nil && (best == nil || f.Mean > best.Mean) {
					best = f
				}
			}
			if best != nil && best.conf > sure && best.plausible() {
				return best, nil
			}
		}
	}
	return best, nil
}

func (s *scene) tryPlate(m *glyph.Model, p *raster.Plane, l locate.Line, inverted bool) *foundPlate {
	if l.To.X < l.From.X { // plates stand upright on cars
		l = l.Reversed()
	}
	const extra = 5.2
	band, ok := l.Cut(p, extra, locate.Geometry{Cap: grid.Cap, H: grid.BandH, Top: grid.CapTop})
	big, ok2 := l.Cut(p, extra, locate.Geometry{Cap: plate.GlyphCap, H: 54, Top: 12})
	if !ok || !ok2 {
		return nil
	}
	toBand, ok := band.ToPhoto.Inverse()
	if !ok {
		return nil
	}
	at := l.From.Add(l.To.Sub(l.From).Mul(l.Marks[len(l.Marks)/2]))
	b := plate.Band{
		Ink:   grid.Normalise(band.Resize(int(float64(band.W)*plate.Stretch), band.H)),
		Glyph: glyph.Normalise(big.Resize(int(float64(big.W)*plate.Stretch), big.H)),
		X:     toBand.Apply(at).X * plate.Stretch, Pitch: band.Pitch * plate.Stretch,
	}
	rd, ok := plate.Read(m, b)
	if !ok || rd.Mean < -.9 || len(rd.Chars) == 0 {
		return nil
	}
	f := &foundPlate{Reading: rd, conf: 1}
	for _, c := range rd.Chars {
		f.conf = min(f.conf, math.Exp(c.Logp))
	}
	u := l.To.Sub(l.From)
	reach := u.Mul(3 * l.Pitch / u.Norm())
	a, z := l.From.Sub(reach), l.To.Add(reach)
	h := int(l.Height[0] * .9)
	f.crop = image.Rect(int(a.X), int(a.Y), int(z.X), int(z.Y)).Canon().Inset(-h)
	f.colour = s.plateColour(l, inverted)
	return f
}

// plateColour names the ground between the characters, in the terms of GA 36.
func (s *scene) plateColour(l locate.Line, inverted bool) string {
	u := l.To.Sub(l.From)
	n := raster.Point{X: -u.Y / u.Norm(), Y: u.X / u.Norm()}
	var r, g, b, count float64
	for i := 0; i <= 40; i++ {
		for _, side := range [...]float64{-.68, .68} { // just above and below the characters
			p := l.From.Add(u.Mul(float64(i) / 40)).Add(n.Mul(side * l.Height[0]))
			x, y := int(p.X), int(p.Y)
			if x < 0 || y < 0 || x >= s.rgb.W || y >= s.rgb.H {
				continue
			}
			c := s.rgb.Pix[3*(y*s.rgb.W+x):]
			r, g, b, count = r+float64(c[0]), g+float64(c[1]), b+float64(c[2]), count+1
		}
	}
	if count == 0 {
		return ""
	}
	r, g, b = r/count, g/count, b/count
	top := max(r, g, b)
	switch {
	case inverted && b > 1.35*r && b > 1.1*g:
		return "blue"
	case inverted:
		return "black"
	case g > 1.12*r && g > 1.08*b:
		return "green"
	case top > 0 && b < .72*r:
		return "yellow"
	}
	return "white"
}
