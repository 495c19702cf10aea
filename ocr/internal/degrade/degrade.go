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

// Noise adds normal noise; sigma is in units of 0..1.
func Noise(rng *rand.Rand, p *raster.Plane, sigma float64) {
	for i := range p.Pix {
		p.Pix[i] += float32(rng.NormFloat64() * sigma)
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
