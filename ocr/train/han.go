package main

import (
	"math"
	"math/rand/v2"
	"sync"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/plate"
	"github.com/kangma/kangma/ocr/internal/raster"
	"github.com/kangma/kangma/ocr/synth"
)

// trainHan learns the Chinese characters of plates alone: the second opinion on provinces.
func trainHan() error {
	const seed = 20270115
	samples, err := hanSamples(seed, 26000)
	if err != nil {
		return err
	}
	check, err := hanSamples(seed+1, 1500)
	if err != nil {
		return err
	}
	net := nn.New(plate.HanDim, 144, len(plate.HanClasses)+1, seed)
	return trainNet(net, samples, check, 7, seed, "ocr/internal/plate/han.bin")
}

// hanSamples draws n characters in parallel and looks at each three times; character i depends on seed and i only.
func hanSamples(seed uint64, n int) ([]nn.Sample, error) {
	parts := make([][]nn.Sample, n)
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for k := range errs {
		wg.Go(func() {
			for i := k; i < n && errs[k] == nil; i += len(errs) {
				parts[i], errs[k] = hanSample(rand.New(rand.NewPCG(seed, uint64(i)+9000)))
			}
		})
	}
	wg.Wait()
	var out []nn.Sample
	for _, p := range parts {
		out = append(out, p...)
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// hanSample is one character, or a letter or a place beside it, which is none.
func hanSample(rng *rand.Rand) ([]nn.Sample, error) {
	b := func(lo, hi float64) float64 { return degrade.Between(rng, lo, hi) }
	class := rng.IntN(len(plate.HanClasses))
	r := plate.HanClasses[class]
	if rng.IntN(12) == 0 {
		class, r = len(plate.HanClasses), rune("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"[rng.IntN(34)])
	}
	c, err := synth.DrawPlateChar(rng, r, !plate.IsProvince(r) && r != '使')
	if err != nil {
		return nil, err
	}
	inverted := rng.IntN(2) == 0
	capH := math.Exp(b(math.Log(10), math.Log(60)))
	scale := capH / c.Cap
	photo := hanPhoto(rng, c.Mask.Resize(int(float64(c.Mask.W)*scale), int(float64(c.Mask.H)*scale)), capH, inverted)
	ky := capH / plate.Cap * b(.9, 1.12)
	kx := max(c.W*1.2, c.Cap*.55) * scale / plate.Pitch * b(.82, 1.18)
	if rng.IntN(2) == 0 { // the pitch is that of the letters, whatever the character's width
		kx = c.Cap * b(.52, .72) * scale / plate.Pitch
	}
	width := int(float64(photo.W) / kx)
	tilt, shear := b(-.04, .04), b(-.16, .16)
	x0, y0 := c.X*scale, c.Y*scale
	u, mid := x0/kx, plate.CapTop+(plate.Cap-1)/2.0+b(-1.8, 1.8)
	hm := raster.Homography{kx, shear * ky, x0 - u*kx - shear*ky*mid, tilt * kx, ky, y0 - ky*mid - tilt*u*kx, 0, 0, 1}
	f := plate.NewField(photo.Warp(&hm, width, plate.BandH), inverted, 0, width)
	var out []nn.Sample
	add := func(x float64, class int, w plate.Window) {
		v := make([]float32, plate.HanDim)
		f.HanFeatures(v, float32(x), 0, w)
		out = append(out, nn.Sample{X: v, Class: class})
	}
	add(u+b(-2.4, 2.4), class, plate.Ordinary)
	add(u+b(-2.4, 2.4), class, plate.Ordinary)
	add(u+b(-3, 3), class, plate.Wide)
	if rng.IntN(8) == 0 {
		add(u+[2]float64{-1, 1}[rng.IntN(2)]*plate.Pitch*b(.5, 1), len(plate.HanClasses), plate.Ordinary)
	}
	return out, nil
}

// hanPhoto turns a mask of print into a photo of a plate.
func hanPhoto(rng *rand.Rand, mask *raster.Plane, capH float64, inverted bool) *raster.Plane {
	ground, ink := degrade.Between(rng, .4, 1), degrade.Between(rng, .02, .3)
	if inverted {
		ground, ink = degrade.Between(rng, .02, .35), degrade.Between(rng, .5, 1)
	}
	gain, slope := degrade.Between(rng, .35, 1), degrade.Between(rng, -.5, .5)
	p := raster.NewPlane(mask.W, mask.H)
	for y := range p.H {
		row := p.Row(y)
		for x, v := range mask.Row(y) {
			row[x] = float32((ground + (ink-ground)*float64(v)) * gain * (1 + slope*(float64(x)/float64(p.W)-.5)))
		}
	}
	p = p.Gauss(.3 + rng.Float64()*rng.Float64()*min(.14*capH, 3.2))
	if rng.IntN(4) == 0 {
		p = degrade.Motion(p, rng.Float64()*.16*capH, rng.Float64()*math.Pi)
	}
	degrade.Noise(rng, p, degrade.Between(rng, 0, .05))
	if rng.IntN(4) > 0 {
		p = degrade.JPEG(p, 30+rng.IntN(65))
	}
	return p
}
