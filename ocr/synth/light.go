package synth

import (
	"math"
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// background paints one of five grounds: wood, noise, white desk, printed paper, blobs.
func background(rng *rand.Rand, w, h int) [3]*raster.Plane {
	var out [3]*raster.Plane
	for k := range out {
		out[k] = raster.NewPlane(w, h)
	}
	base := [3]float32{}
	kind := rng.IntN(5)
	for k := range base {
		base[k] = float32(degrade.Between(rng, .1, .8))
	}
	switch kind {
	case 0:
		base = [3]float32{.55, .36, .2}
	case 2, 3:
		v := float32(degrade.Between(rng, .85, .97))
		base = [3]float32{v, v * .99, v * .97}
	}
	tex := texture(rng, kind, w, h)
	for k := range out {
		for i, t := range tex.Pix {
			out[k].Pix[i] = base[k] * (1 + t)
		}
	}
	return out
}

// texture is a relative change of brightness.
func texture(rng *rand.Rand, kind, w, h int) *raster.Plane {
	p := raster.NewPlane(w, h)
	switch kind {
	case 0: // wood: stretched noise along x
		small := raster.NewPlane(max(w/60, 2), max(h/3, 2))
		degrade.Noise(rng, small, .22)
		return small.Resize(w, h)
	case 1: // cloth: fine noise
		small := raster.NewPlane(max(w/3, 2), max(h/3, 2))
		degrade.Noise(rng, small, .18)
		return small.Resize(w, h)
	case 3: // printed paper: rows of dark dashes like text
		gap := 14 + rng.IntN(20)
		for y := gap; y < h; y += gap {
			for x := 10; x < w-10; {
				n := 4 + rng.IntN(gap/2)
				for j := 0; j < gap/2 && y+j < h; j++ {
					for i := x; i < min(x+n, w); i++ {
						if rng.IntN(3) > 0 {
							p.Pix[(y+j)*w+i] = -.7
						}
					}
				}
				x += n + 3 + rng.IntN(5)
			}
		}
		return p
	case 4: // blobs: coarse smooth noise
		small := raster.NewPlane(max(w/150, 2), max(h/150, 2))
		degrade.Noise(rng, small, .4)
		return small.Resize(w, h)
	}
	degrade.Noise(rng, p, .012)
	return p
}

// light applies the light's slope, its colour, a hard shadow edge and glare.
func light(rng *rand.Rand, c conditions, planes [3]*raster.Plane, q raster.Quad) {
	w, h := planes[0].W, planes[0].H
	ang := rng.Float64() * 2 * math.Pi
	slope := degrade.Between(rng, 0, .3)
	gain := degrade.Between(rng, .75, 1.08)
	shade := raster.NewPlane(w, h)
	edge := rng.Float64() < c.shadow
	eAng, ePos, eDark := rng.Float64()*2*math.Pi, degrade.Between(rng, -.3, .3), degrade.Between(rng, .3, .6)
	ex, ey := math.Cos(eAng), math.Sin(eAng)
	sx, sy := math.Cos(ang), math.Sin(ang)
	long := float64(max(w, h))
	for y := 0; y < h; y++ {
		v := (float64(y) - float64(h)/2) / long
		for x, row := 0, shade.Row(y); x < w; x++ {
			u := (float64(x) - float64(w)/2) / long
			f := gain * (1 + slope*(u*sx+v*sy))
			if edge {
				d := (u*ex + v*ey - ePos) / .008
				f *= 1 - eDark/(1+math.Exp(-d))
			}
			row[x] = float32(f)
		}
	}
	var glare *raster.Plane
	if rng.Float64() < c.glare {
		glare = glareSpot(rng, c, q, w, h)
	}
	for k := range planes {
		cast := float32(degrade.Between(rng, .9, 1.06))
		for i, f := range shade.Pix {
			planes[k].Pix[i] *= f * cast
			if glare != nil {
				planes[k].Pix[i] += glare.Pix[i]
			}
		}
	}
}

// glareSpot is a soft bright spot on the document; on the portrait side unless it falls on text.
func glareSpot(rng *rand.Rand, c conditions, q raster.Quad, w, h int) *raster.Plane {
	hm, _ := raster.RectTo(1, 1, q)
	at := raster.Point{X: degrade.Between(rng, .65, .95), Y: degrade.Between(rng, .1, .6)}
	peak := degrade.Between(rng, .3, .8)
	if rng.Float64() < c.glareOnT {
		at = raster.Point{X: degrade.Between(rng, .1, .9), Y: degrade.Between(rng, .1, .95)}
		peak = degrade.Between(rng, .15, .45)
	}
	mid := hm.Apply(at)
	r := q[1].Sub(q[0]).Norm() * degrade.Between(rng, .05, .14)
	p := raster.NewPlane(w, h)
	for y := 0; y < h; y++ {
		for x, row := 0, p.Row(y); x < w; x++ {
			dx, dy := float64(x)-mid.X, float64(y)-mid.Y
			if d := (dx*dx + dy*dy) / (r * r); d < 9 {
				row[x] = float32(peak * math.Exp(-d))
			}
		}
	}
	return p
}

// sensor applies the lens and the chip: blur, motion, noise.
func sensor(rng *rand.Rand, c conditions, planes [3]*raster.Plane) {
	sigma := degrade.Between(rng, c.blur[0], c.blur[1])
	moved := rng.Float64() < c.motion
	length, angle := degrade.Between(rng, 1, 3), rng.Float64()*math.Pi
	noise := degrade.Between(rng, c.noise[0], c.noise[1]) / 255
	for k := range planes {
		planes[k] = planes[k].Gauss(sigma)
		if moved {
			planes[k] = degrade.Motion(planes[k], length, angle)
		}
		degrade.Noise(rng, planes[k], noise)
	}
}
