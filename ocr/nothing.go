package ocr

import (
	"github.com/kangma/kangma/ocr/internal/idnumber"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// nothing says why no number was found: the light, the focus, the wrong side, or no document at all.
func (s *scene) nothing() (*Draft, error) {
	luma := s.rgb.Luma()
	for max(luma.W, luma.H) > 700 {
		luma = luma.Half()
	}
	mean, energy := sharpness(luma)
	switch {
	case mean < 0.06:
		return nil, errTooDark
	case mean > 0.97:
		return nil, errOverExposed
	case s.emblem():
		return &Draft{Kind: IDCardBack}, errBack
	case energy < 0.00006:
		return nil, errBlurry
	}
	return nil, errNoDocument
}

// sharpness gives the mean brightness and the mean squared Laplacian, which falls fast with blur.
func sharpness(p *raster.Plane) (mean, energy float64) {
	for y := 1; y+1 < p.H; y++ {
		a, b, c := p.Row(y-1), p.Row(y), p.Row(y+1)
		for x := 1; x+1 < p.W; x++ {
			l := 4*b[x] - b[x-1] - b[x+1] - a[x] - c[x]
			energy += float64(l * l)
			mean += float64(b[x])
		}
	}
	n := float64(max((p.W-2)*(p.H-2), 1))
	return mean / n, energy / n
}

// emblem looks for the national emblem on the back of the card: one compact red patch of one to ten hundredths of the
// picture on lighter ground, with little red elsewhere.
func (s *scene) emblem() bool {
	const n = 24
	var cells [n * n]float64
	total := 0.0
	for y := 0; y < s.rgb.H; y += 3 {
		for x := 0; x < s.rgb.W; x += 3 {
			p := s.rgb.Pix[3*(y*s.rgb.W+x):]
			r, g, b := int(p[0]), int(p[1]), int(p[2])
			if r > 90 && r > g*16/10 && r > b*15/10 {
				cells[y*n/s.rgb.H*n+x*n/s.rgb.W]++
				total++
			}
		}
	}
	share := total * 9 / float64(s.rgb.W*s.rgb.H)
	if share < .004 || share > .12 {
		return false
	}
	best := 0.0
	const k = 7 // a window of 7/24 of each side
	for y := 0; y+k <= n; y++ {
		for x := 0; x+k <= n; x++ {
			sum := 0.0
			for j := 0; j < k; j++ {
				for i := 0; i < k; i++ {
					sum += cells[(y+j)*n+x+i]
				}
			}
			best = max(best, sum)
		}
	}
	return best > .85*total
}

// anotherCard says whether a second clear number stands elsewhere on the photo.
func (s *scene) anotherCard(f *foundNumber) bool {
	for _, o := range s.others {
		if o.Verdict == idnumber.Unreadable || f.Verdict == idnumber.Unreadable {
			continue
		}
		mid := func(x *foundNumber) raster.Point { return x.line.From.Add(x.line.To).Mul(.5) }
		if mid(o).Sub(mid(f)).Norm() > 3*f.line.Pitch {
			return true
		}
	}
	return false
}
