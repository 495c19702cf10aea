// Package degrade spoils clean pictures the way a phone does: blur, motion, sensor noise, JPEG. The trainers and the
// generator of synthetic documents use it, always with a seeded generator.
package degrade

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/raster"
)

// Between draws uniformly from a..b.
func Between(rng *rand.Rand, a, b float64) float64 { return a + (b-a)*rng.Float64() }

// Motion blurs along a direction (radians) over length pixels.
func Motion(p *raster.Plane, length, angle float64) *raster.Plane {
	n := int(math.Ceil(length)) + 1
	out := raster.NewPlane(p.W, p.H)
	dx, dy := math.Cos(angle)*length, math.Sin(angle)*length
	for k := 0; k < n; k++ {
		f := float64(k)/float64(max(n-1, 1)) - .5
		ox, oy := float32(dx*f), float32(dy*f)
		for y := 0; y < p.H; y++ {
			row := out.Row(y)
			for x := range row {
				row[x] += p.At(float32(x)+ox, float32(y)+oy)
			}
		}
	}
	for i := range out.Pix {
		out.Pix[i] /= float32(n)
	}
	return out
}

// normals is a fixed table of normal deviates: drawing runs of it is ten times cheaper than drawing each value.
var normals = func() (t [1 << 14]float32) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range t {
		t[i] = float32(rng.NormFloat64())
	}
	return t
}()

// Noise adds normal noise; sigma is in units of 0..1.
func Noise(rng *rand.Rand, p *raster.Plane, sigma float64) {
	const run = 48
	for i := 0; i < len(p.Pix); i += run {
		t := normals[rng.IntN(len(normals)-run):]
		for k, end := 0, min(run, len(p.Pix)-i); k < end; k++ {
			p.Pix[i+k] += t[k] * float32(sigma)
		}
	}
}

// JPEG compresses and decompresses a grey plane.
func JPEG(p *raster.Plane, quality int) *raster.Plane {
	var buf bytes.Buffer
	if jpeg.Encode(&buf, p.Gray(), &jpeg.Options{Quality: quality}) != nil {
		return p
	}
	img, err := jpeg.Decode(&buf)
	if err != nil {
		return p
	}
	g, ok := img.(*image.Gray)
	if !ok {
		return p
	}
	out := raster.NewPlane(p.W, p.H)
	for y := 0; y < p.H; y++ {
		for x, row := 0, out.Row(y); x < p.W; x++ {
			row[x] = float32(g.Pix[y*g.Stride+x]) * (1.0 / 255)
		}
	}
	return out
}

// Weight makes printed strokes heavier (by > 0) or lighter (by < 0) and rounds their ends. r is the reach in pixels; by is
// -1..1. The mask is coverage 0..1.
func Weight(mask *raster.Plane, r int, by float64) *raster.Plane {
	if r < 1 {
		return mask
	}
	out := mask.Box(r)
	mid := float32(.5 - .32*by)
	gain := float32(max(r, 2)) * .9
	for i, v := range out.Pix {
		out.Pix[i] = min(max((v-mid)*gain+.5, 0), 1)
	}
	return out
}
