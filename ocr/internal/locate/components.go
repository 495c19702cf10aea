// Package locate finds where on a photo a document and its lines of print are. It proposes; whoever reads the lines
// decides (a proposal is proved by what can be read there).
package locate

import (
	"math"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// Blob is a connected group of dark pixels.
type Blob struct {
	Label          int32
	X0, Y0, X1, Y1 int // inclusive bounds
	Area           int
	C              raster.Point // centre of the bounds
	Diag           float64
	ends           [][2]int32 // first and last pixel of every row, once they were asked for
}

// Blobs is a labelled picture.
type Blobs struct {
	W, H   int
	Labels []int32 // 0 is paper
	List   []Blob  // those of a size that a printed character can have
}

// FindBlobs marks pixels darker than their surroundings and groups them. window is the width of the surroundings in
// pixels, about three capital heights.
func FindBlobs(p *raster.Plane, window int) *Blobs {
	mask := darker(p, window)
	b := &Blobs{W: p.W, H: p.H, Labels: make([]int32, p.W*p.H)}
	boxes := label(mask, b.Labels, p.W, p.H)
	for i, c := range boxes {
		w, h := c.X1-c.X0+1, c.Y1-c.Y0+1
		if c.Area < 12 || max(w, h) < 6 || max(w, h) > 4*window/3 || c.Area*9 < w*h {
			continue
		}
		c.Label = int32(i + 1)
		c.C = raster.Point{X: float64(c.X0+c.X1) / 2, Y: float64(c.Y0+c.Y1) / 2}
		c.Diag = math.Hypot(float64(w), float64(h))
		b.List = append(b.List, c)
	}
	return b
}

// darker thresholds against the local mean less a part of the local deviation, so that glare and shadow do not matter.
func darker(p *raster.Plane, window int) []bool {
	r := max(window/2, 2)
	mean := p.Box(r)
	sq := raster.NewPlane(p.W, p.H)
	for i, v := range p.Pix {
		d := v - mean.Pix[i]
		sq.Pix[i] = d * d
	}
	vari := sq.Box(r)
	out := make([]bool, len(p.Pix))
	for i, v := range p.Pix {
		dev := float32(math.Sqrt(float64(vari.Pix[i])))
		out[i] = v < mean.Pix[i]-max(0.45*dev, 0.07*mean.Pix[i], 0.02)
	}
	return out
}

// label groups dark pixels that touch by a side or a corner, by union of runs.
func label(mask []bool, labels []int32, w, h int) []Blob {
	parent := make([]int32, 1, 1024)
	find := func(a int32) int32 {
		for parent[a] != a {
			parent[a] = parent[parent[a]]
			a = parent[a]
		}
		return a
	}
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			i := y*w + x
			if !mask[i] {
				continue
			}
			var l int32
			for _, j := range [...][2]int{{-1, 0}, {-1, -1}, {0, -1}, {1, -1}} {
				nx, ny := x+j[0], y+j[1]
				if nx < 0 || nx >= w || ny < 0 || labels[ny*w+nx] == 0 {
					continue
				}
				m := find(labels[ny*w+nx])
				switch {
				case l == 0:
					l = m
				case m != l:
					parent[max(l, m)] = min(l, m)
					l = min(l, m)
				}
			}
			if l == 0 {
				l = int32(len(parent))
				parent = append(parent, l)
			}
			labels[i] = l
		}
	}
	return flatten(parent, find, labels, w)
}

func flatten(parent []int32, find func(int32) int32, labels []int32, w int) []Blob {
	dense := make([]int32, len(parent))
	var out []Blob
	for i, l := range labels {
		if l == 0 {
			continue
		}
		root := find(l)
		if dense[root] == 0 {
			out = append(out, Blob{X0: 1 << 30, Y0: 1 << 30})
			dense[root] = int32(len(out))
		}
		d := dense[root]
		labels[i] = d
		b := &out[d-1]
		x, y := i%w, i/w
		b.X0, b.X1 = min(b.X0, x), max(b.X1, x)
		b.Y0, b.Y1 = min(b.Y0, y), max(b.Y1, y)
		b.Area++
	}
	return out
}
