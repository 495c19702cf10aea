package ocr

import (
	"math"
	"sort"

	"github.com/kangma/kangma/ocr/internal/locate"
	"github.com/kangma/kangma/ocr/internal/plate"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// readPlate reads a row of marks as one line or as the lower line of two. What is read once tells the true pitch; the line
// is then rectified and read again.
func (s *scene) readPlate(p *platePlane, l locate.Line) *foundPlate {
	var best *foundPlate
	for range 2 {
		b, ok := p.cut(l, 5)
		if !ok {
			break
		}
		f := s.readLines(p, l, b)
		if f == nil {
			break
		}
		if best == nil || betterPlate(f.foundPlate, best) {
			best = f.foundPlate
		}
		gap := f.main.Gap()
		if math.Abs(gap/plate.Pitch-1) < .04 {
			break
		}
		l.Pitch *= gap / plate.Pitch
	}
	return best
}

type readLine struct {
	*foundPlate
	main plate.Reading
}

func (s *scene) readLines(p *platePlane, l locate.Line, b plateBand) *readLine {
	one, ok := plate.Read(b.Field, &plate.Seven, &plate.Small, &plate.Large, &plate.Embassy)
	var found *readLine
	if ok && one.Score > plate.Hopeless {
		colour := s.ground(b, one, p.inverted)
		one.Without(colour)
		found = &readLine{&foundPlate{text: one.Text(), conf: one.Least(), rival: one.Rival(), score: one.Score, agree: 1, colour: colour}, one}
		found.corner = b.quad(one, plate.BandH)
		found.lines = []plateLine{{b.Field, one}}
		if one.Score > surePlateScore {
			return found
		}
	}
	low, ok := plate.Read(b.Field, &plate.Lower)
	if !ok || low.Score < -.4 || low.Least() < .2 || found != nil && found.score > low.Score-.1 {
		return found
	}
	up, agree, ok := p.upperLine(l, b, low)
	if !ok {
		return found
	}
	score := min(low.Score, up.Score)
	if found != nil && found.score > score {
		return found
	}
	colour := s.ground(b, low, p.inverted)
	low.Without(colour)
	two := &foundPlate{text: up.Text() + low.Text(), conf: min(low.Least(), up.Least(), agree), rival: max(low.Rival(), up.Rival()), score: score, agree: agree, two: true, colour: colour}
	lower := b.quad(low, plate.BandH)
	two.corner = raster.Quad{up.quad[0], up.quad[1], lower[2], lower[3]}
	two.lines = []plateLine{{up.field, up.Reading}, {b.Field, low}}
	return &readLine{two, low}
}

// quad is the part of the photo that a reading takes.
func (b *plateBand) quad(r plate.Reading, h float64) raster.Quad {
	x0, x1 := r.Chars[0].X-plate.Pitch, r.Chars[len(r.Chars)-1].X+plate.Pitch
	return raster.Quad{
		b.toPhoto.Apply(raster.Point{X: x0, Y: 4}), b.toPhoto.Apply(raster.Point{X: x1, Y: 4}),
		b.toPhoto.Apply(raster.Point{X: x1, Y: h - 4}), b.toPhoto.Apply(raster.Point{X: x0, Y: h - 4}),
	}
}

// upperLine looks for the province and the letter above the lower line of a double-layer plate. By GA 36 they are .55 of
// its height and their middle lies .91 of its height above its middle; drawings differ, so several heights, sizes and
// widths are tried. Where these tries disagree the reading is doubtful, however clear the best of them looks: agree is the
// share of the tries, weighted by how well they fit, that read the same.
func (p *platePlane) upperLine(l locate.Line, b plateBand, low plate.Reading) (best upperReading, agree float64, ok bool) {
	n := len(low.Chars)
	mid := plate.CapTop + plate.Cap/2.0
	x0, x1 := low.Chars[0].X, low.Chars[n-1].X
	votes, all, clear := map[string]float64{}, 0.0, 0
	clearest := map[string]upperReading{}
	for _, tall := range [...]float64{.55, .63, .48} {
		for _, rise := range [...]float64{.91, .84, 1.0} {
			y := mid - rise*plate.Cap
			from, to := b.toPhoto.Apply(raster.Point{X: x0, Y: y}), b.toPhoto.Apply(raster.Point{X: x1, Y: y})
			u := locate.Line{From: from, To: to, Height: [2]float64{l.Height[0] * tall, l.Height[1] * tall}}
			pitch := to.Sub(from).Norm() / (x1 - x0) * plate.Pitch
			for _, wide := range [...]float64{1.2, .95, .75} {
				if clear >= 4 { // enough to compare
					break
				}
				u.Pitch = pitch * wide
				ub, cut := p.cut(u, .3)
				if !cut {
					continue
				}
				r, read := plate.Read(ub.Field, &plate.Upper)
				if !read {
					continue
				}
				w := math.Exp(8 * r.Score)
				votes[r.Text()] += w
				all += w
				if r.Score > -.12 {
					clear++
				}
				if c, known := clearest[r.Text()]; !known || r.Score > c.Score {
					clearest[r.Text()] = upperReading{r, ub.Field, ub.quad(r, plate.BandH)}
				}
			}
		}
	}
	most := 0.0
	for text, w := range votes {
		if w > most || w == most && text < best.Text() {
			most, best, ok = w, clearest[text], true
		}
	}
	if !ok || best.Score < plate.Hopeless {
		return best, 0, false
	}
	return best, most / all, true
}

type upperReading struct {
	plate.Reading
	field *plate.Field
	quad  raster.Quad
}

// ground names the colour between the characters, in the terms of GA 36.
func (s *scene) ground(b plateBand, r plate.Reading, inverted bool) string {
	var ch [3][]float64
	for i := 1; i < len(r.Chars); i++ {
		x := (r.Chars[i-1].X + r.Chars[i].X) / 2
		for _, y := range [...]float64{.15, .3, .5, .7, .85} {
			q := b.toPhoto.Apply(raster.Point{X: x, Y: plate.CapTop + y*plate.Cap})
			px, py := int(q.X+.5), int(q.Y+.5)
			if px < 0 || py < 0 || px >= s.rgb.W || py >= s.rgb.H {
				continue
			}
			c := s.rgb.Pix[3*(py*s.rgb.W+px):]
			for k := range ch {
				ch[k] = append(ch[k], float64(c[k]))
			}
		}
	}
	if len(ch[0]) == 0 {
		return ""
	}
	var v [3]float64
	for k := range ch {
		sort.Float64s(ch[k])
		v[k] = ch[k][len(ch[k])/2]
	}
	return plateColour(v[0], v[1], v[2], inverted, len(r.Chars) == 8)
}

// plateColour names a ground by its medians in red, green and blue. Between green and white, which a coloured light may
// confuse, the count of characters decides: only green plates have eight.
func plateColour(r, g, b float64, inverted, eight bool) string {
	top := max(r, g, b, 1)
	switch {
	case inverted && b-r > max(.25*top, 22) && b > g:
		return "blue"
	case inverted:
		return "black"
	case b < .72*min(r, g*1.15):
		return "yellow"
	case g > 1.2*r && g > 1.05*b, eight && g > 1.06*r:
		return "green"
	}
	return "white"
}
