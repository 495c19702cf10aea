package ocr

import (
	"math"
	"slices"

	"github.com/kangma/kangma/ocr/internal/locate"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// outline is the rectangle around what stands out from the ground at the border of a picture.
type outline struct {
	long, short float64 // sides in working pixels
	fill        float64 // share of the rectangle that stands out
	touching    int     // how many borders of the picture it reaches
}

// looksLikeCard says whether the outline has the proportions of ISO/IEC 7810 ID-1 (1.586), with room for perspective, or
// is cut by one border of the picture.
func (o outline) looksLikeCard() bool {
	ratio := o.long / max(o.short, 1)
	if o.touching > 0 {
		return o.fill > .8 && ratio > 1.1 && ratio < 3
	}
	return o.fill > .8 && ratio > 1.3 && ratio < 1.95
}

// outlineSide is the longer side of the picture that outlines are looked for in.
const outlineSide = 200

// outline floods the ground from the border of a small copy and measures the largest thing left.
func (s *scene) outline() (outline, bool) {
	small := s.small
	shrunk := s.shrunk
	for max(small.W, small.H) > 2*outlineSide {
		small, shrunk = small.Half(), shrunk*2
	}
	small = small.Gauss(1)
	ground := flood(small)
	part, ok := largest(ground, small.W, small.H)
	if !ok {
		return outline{}, false
	}
	o := rectangle(part, small.W, small.H)
	o.long, o.short = o.long*shrunk, o.short*shrunk
	return o, o.long > float64(max(s.rgb.W, s.rgb.H))/12
}

// flood marks the pixels that can be reached from the border over small steps of brightness.
func flood(p *raster.Plane) []bool {
	const step = .045
	ground := make([]bool, len(p.Pix))
	var todo []int
	push := func(i int) {
		if !ground[i] {
			ground[i] = true
			todo = append(todo, i)
		}
	}
	border := borderOf(p.W, p.H)
	shades := make([]float32, len(border))
	for k, i := range border {
		shades[k] = p.Pix[i]
	}
	slices.Sort(shades)
	usual := shades[len(shades)/2]
	for _, i := range border { // a card cut by the border is no ground
		if d := p.Pix[i] - usual; d < unusual && d > -unusual {
			push(i)
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		x := i % p.W
		for _, j := range [...]int{i - 1, i + 1, i - p.W, i + p.W} {
			if j < 0 || j >= len(p.Pix) || j == i-1 && x == 0 || j == i+1 && x == p.W-1 {
				continue
			}
			if d := p.Pix[j] - p.Pix[i]; d < step && d > -step {
				push(j)
			}
		}
	}
	return ground
}

// unusual is how far a pixel of the border may be from the usual ground and still be ground.
const unusual = .2

// borderOf lists the outermost pixels.
func borderOf(w, h int) (out []int) {
	for x := range w {
		out = append(out, x, (h-1)*w+x)
	}
	for y := range h {
		out = append(out, y*w, y*w+w-1)
	}
	return out
}

// largest gives the pixels of the largest connected part that is not ground, when it is worth naming.
func largest(ground []bool, w, h int) ([]int, bool) {
	seen := make([]bool, len(ground))
	var best []int
	for start := range ground {
		if ground[start] || seen[start] {
			continue
		}
		seen[start] = true
		part := []int{start}
		for k := 0; k < len(part); k++ {
			i := part[k]
			x := i % w
			for _, j := range [...]int{i - 1, i + 1, i - w, i + w} {
				if j < 0 || j >= w*h || ground[j] || seen[j] || j == i-1 && x == 0 || j == i+1 && x == w-1 {
					continue
				}
				seen[j] = true
				part = append(part, j)
			}
		}
		if len(part) > len(best) {
			best = part
		}
	}
	return best, len(best) > w*h/200
}

// rectangle finds the smallest rectangle around the pixels among sixty directions. Holes count as filled: print is one.
func rectangle(part []int, w, h int) outline {
	// the ends of every row are enough for the extent; what lies between them is the filled area
	lo, hi := make([]int, h), make([]int, h)
	for y := range lo {
		lo[y] = w
		hi[y] = -1
	}
	for _, i := range part {
		x, y := i%w, i/w
		lo[y], hi[y] = min(lo[y], x), max(hi[y], x)
	}
	best, area := outline{}, 0.0
	for y := range lo {
		area += float64(max(hi[y]-lo[y]+1, 0))
	}
	size := math.Inf(1)
	for k := range 60 {
		sin, cos := math.Sincos(float64(k) * math.Pi / 120)
		u0, u1, v0, v1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
		for y := range lo {
			if hi[y] < 0 {
				continue
			}
			for _, x := range [...]int{lo[y], hi[y]} {
				u, v := float64(x)*cos+float64(y)*sin, float64(y)*cos-float64(x)*sin
				u0, u1, v0, v1 = min(u0, u), max(u1, u), min(v0, v), max(v1, v)
			}
		}
		if a := (u1 - u0 + 1) * (v1 - v0 + 1); a < size {
			size = a
			best = outline{long: max(u1-u0, v1-v0) + 1, short: min(u1-u0, v1-v0) + 1, fill: area / a}
		}
	}
	best.touching = borders(lo, hi, w)
	return best
}

// borders counts the sides of the picture that a shape comes within two pixels of.
func borders(lo, hi []int, w int) (n int) {
	h := len(lo)
	left, right := false, false
	for y := range lo {
		if hi[y] >= 0 {
			left, right = left || lo[y] <= 2, right || hi[y] >= w-3
		}
	}
	for _, b := range [...]bool{left, right, max(hi[0], hi[1], hi[2]) >= 0, max(hi[h-1], hi[h-2], hi[h-3]) >= 0} {
		if b {
			n++
		}
	}
	return n
}

// printedRows counts short rows of marks of equal size in one direction, such as the written fields of a card. A printed
// page has more of them, or longer ones.
func (s *scene) printedRows() int {
	lines := s.marks.ChainsOf(4, 40, locate.Proportion{Min: .8, Max: 1.5, Want: 8})
	most := 0
	for i := range lines {
		n := 0
		for j := range lines {
			a, b := lines[i].To.Sub(lines[i].From), lines[j].To.Sub(lines[j].From)
			if turn := math.Abs(a.X*b.Y - a.Y*b.X); turn < .1*a.Norm()*b.Norm() && lines[j].Count <= 14 {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}
