package ocr

import (
	"context"
	"math"
	"sort"

	"github.com/kangma/kangma/ocr/internal/locate"
	"github.com/kangma/kangma/ocr/internal/plate"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// plateLines is the shape of the rows of letters that plates have, drawn ones included.
var plateLines = locate.Proportion{Min: .38, Max: 1.45, Want: 6}

// platePlane is a picture in which one kind of plate shows its print, at halving sizes.
type platePlane struct {
	whole    raster.Tint     // at the size of the working picture
	sizes    []*raster.Plane // nil for the first size of a photo in which nothing is looked for at that size
	inverted bool            // print is lighter than its ground
}

// largestSought is the longest side of a picture in which marks are looked for.
const largestSought = 1300

func (s *scene) platePlanes() [2]platePlane {
	// the ground of blue plates is darkest in red light, red print on black is lightest
	out := [2]platePlane{{whole: s.rgb.RedTint(), inverted: true}, {whole: s.rgb.LumaTint()}}
	for k := range out {
		p := out[k].whole.Plane()
		if max(p.W, p.H) > largestSought { // of the first size only strips are looked at, and the whole of it takes much memory
			out[k].sizes = append(out[k].sizes, nil)
		} else {
			out[k].sizes = append(out[k].sizes, p)
		}
		for max(p.W, p.H) > 200 {
			p = p.Half()
			out[k].sizes = append(out[k].sizes, p)
		}
	}
	return out
}

// at is what strips of a size are cut from.
func (p *platePlane) at(size int) raster.Warper {
	if p.sizes[size] == nil {
		return p.whole
	}
	return p.sizes[size]
}

// findPlate looks for rows of upright marks at several sizes, light on dark and dark on light, and proves each by reading
// it. The best reading is given even when it is not sure; nil when nothing looks like a plate.
func (s *scene) findPlate(ctx context.Context) (*foundPlate, error) {
	planes := s.platePlanes()
	base := 0 // the largest size at which marks are looked for
	for planes[0].sizes[base] == nil || max(planes[0].sizes[base].W, planes[0].sizes[base].H) > largestSought && base+1 < len(planes[0].sizes) {
		base++
	}
	best, err := s.bestPlate(ctx, &planes, []int{base + 1, base, base + 2, base + 3}, rows{0, mostProbed})
	if err == nil && best == nil { // a grille or a net before the vehicle makes many rows that are better spaced than letters
		best, err = s.bestPlate(ctx, &planes, []int{base + 1, base}, rows{mostProbed, 4 * mostProbed})
	}
	if err != nil || best == nil {
		return nil, err
	}
	best.confirm()
	return best, nil
}

// rows are those to be probed of all rows of marks, the most regular ones first.
type rows struct{ from, to int }

func (s *scene) bestPlate(ctx context.Context, planes *[2]platePlane, levels []int, which rows) (best *foundPlate, err error) {
	for _, level := range levels {
		for _, window := range [...]int{31, 61} {
			for k := range planes {
				if level >= len(planes[k].sizes) {
					continue
				}
				f, err := s.platesAt(ctx, &planes[k], level, window, which)
				if err != nil {
					return nil, err
				}
				if f != nil && (best == nil || betterPlate(f, best)) {
					best = f
				}
			}
			if best != nil && (best.sure() || window > 31 && best.settled()) {
				return best, nil
			}
		}
	}
	return best, nil
}

func betterPlate(a, b *foundPlate) bool {
	if a.sure() != b.sure() {
		return a.sure()
	}
	return a.rank() > b.rank()
}

// settled says that looking at other sizes would hardly find a better reading, though this one is not sure.
func (f *foundPlate) settled() bool {
	return f.conf >= .6 && f.score >= -.2 && f.plausible()
}

// rank tells how likely a reading is to be a plate's: a badge on a vehicle may be clearer than the plate, but its first
// character is no province, and hardly any other text keeps the rules of plates.
func (f *foundPlate) rank() float64 {
	r := f.score + .12*math.Log(max(f.conf, .001))
	if !f.plausible() {
		r -= .25
	}
	return r
}

// plateCandidate is a row of marks in reading direction, in pixels of the working picture.
type plateCandidate struct {
	line  locate.Line
	probe float64
}

// most rows of marks probed and read at one size.
const (
	mostProbed = 24
	mostRead   = 5
)

func (s *scene) platesAt(ctx context.Context, p *platePlane, level, window int, which rows) (*foundPlate, error) {
	small := p.sizes[level]
	seen := small
	if p.inverted {
		seen = raster.NewPlane(small.W, small.H)
		for i, v := range small.Pix {
			seen.Pix[i] = 1 - v
		}
	}
	var cs []plateCandidate
	lines := locate.FindBlobs(seen.Gauss(.5), window).ChainsOf(3, which.to, plateLines)
	for _, l := range lines[min(which.from, len(lines)):] {
		if ctx.Err() != nil {
			return nil, errDeadline.Because(ctx.Err())
		}
		l = l.Scaled(float64(int(1) << level))
		a, b := p.probe(l), p.probe(l.Reversed())
		if l.To.X < l.From.X { // plates stand upright more often than not
			a -= .3
		} else {
			b -= .3
		}
		if a > -1.6 && a > b-1 { // letters turned round look much like letters: only reading them tells
			cs = append(cs, plateCandidate{l, a})
		}
		if b > -1.6 && b > a-1 {
			cs = append(cs, plateCandidate{l.Reversed(), b})
		}
	}
	sort.SliceStable(cs, func(i, j int) bool { return cs[i].probe > cs[j].probe })
	var best *foundPlate
	for _, c := range cs[:min(len(cs), mostRead)] {
		if ctx.Err() != nil {
			return nil, errDeadline.Because(ctx.Err())
		}
		if f := s.readPlate(p, c.line); f != nil && (best == nil || betterPlate(f, best)) {
			best = f
		}
		if best != nil && best.sure() {
			break
		}
	}
	return best, nil
}

// plateBand is a rectified line with its field.
type plateBand struct {
	*plate.Field
	toPhoto raster.Homography // band to working picture
}

// cut rectifies a line, longer by extra pitches at both ends, stretched so that letters are plate.Pitch apart, from the
// size at which letters are about as tall as in the band.
func (p *platePlane) cut(l locate.Line, extra float64) (plateBand, bool) {
	k := 0
	for h := (l.Height[0] + l.Height[1]) / 2; h > 1.8*plate.Cap && k+1 < len(p.sizes); h /= 2 {
		k++
	}
	f := float64(int(1) << k)
	b, ok := l.Scaled(1/f).Cut(p.at(k), extra, locate.Geometry{Cap: plate.Cap, H: plate.BandH, Top: plate.CapTop})
	if !ok || b.Pitch < 4 {
		return plateBand{}, false
	}
	stretch := plate.Pitch / b.Pitch
	w := int(float64(b.W) * stretch)
	if w > 40*plate.Pitch {
		return plateBand{}, false
	}
	hm := b.ToPhoto
	for _, i := range [...]int{0, 3, 6} {
		hm[i] /= stretch
	}
	band := p.at(k).Warp(&hm, w, plate.BandH)
	margin := int(max(extra-.5, 0) * plate.Pitch)
	out := plateBand{plate.NewField(band, p.inverted, margin, w-margin), hm}
	for i := range 3 { // pixels of the working picture: (x+.5)*f - .5
		out.toPhoto[i] = hm[i]*f + hm[6+i]*(f-1)/2
		out.toPhoto[3+i] = hm[3+i]*f + hm[6+i]*(f-1)/2
	}
	return out, true
}

// probe tells how much the marks of a line look like characters.
func (p *platePlane) probe(l locate.Line) float64 {
	const extra = .9
	b, ok := p.cut(l, extra)
	if !ok {
		return -99
	}
	inv, ok := b.toPhoto.Inverse()
	if !ok {
		return -99
	}
	var xs []float64
	for i := 0; i < len(l.Marks); i += max(len(l.Marks)/6, 1) {
		xs = append(xs, inv.Apply(l.From.Add(l.To.Sub(l.From).Mul(l.Marks[i]))).X)
	}
	return plate.Probe(b.Field, xs)
}
