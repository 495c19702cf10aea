package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"sync"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/plate"
	"github.com/kangma/kangma/ocr/internal/raster"
	"github.com/kangma/kangma/ocr/synth"
)

const platesFile = "ocr/internal/plate/plate.bin"

// plateStage is a part of the training: epochs of plates drawn afresh, at a falling rate, with so many extra windows of
// every Chinese character, which are harder than letters and rarer.
type plateStage struct {
	seed             uint64
	perEpoch, epochs int
	rate, fall       float64
	han              int
}

var plateStages = []plateStage{
	{20261130, 1700, 6, .0012, .12, 0},
	{20261230, 1300, 2, .0004, .1, 4},
}

// trainPlates learns the places of drawn plates of every kind: no free face has the shapes of GA 36 exactly, so several
// are mixed and stretched. Every epoch sees plates drawn afresh. Stages are numbered from 0; a later one goes on from the
// saved weights, so that the last can be made again without the first.
func trainPlates(from int) error {
	for i, st := range plateStages {
		if i < from {
			continue
		}
		net := nn.New(plate.Dim, 192, len(plate.Classes)+1, st.seed)
		if i > 0 {
			raw, err := os.ReadFile(platesFile)
			if err != nil {
				return err
			}
			if net, err = nn.Load(bytes.NewReader(raw)); err != nil {
				return err
			}
		}
		if err := st.run(net); err != nil {
			return err
		}
	}
	return nil
}

func (st plateStage) run(net *nn.Net) error {
	tr := nn.NewTrainer(net, 2)
	check := plateSamples(plateStages[0].seed+999, 150, true, 0)
	rng := rand.New(rand.NewPCG(st.seed, 3))
	rate := st.rate
	for e := range st.epochs {
		samples := plateSamples(st.seed+uint64(e), st.perEpoch, false, st.han)
		rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		loss, right := tr.Epoch(samples, 96, rate)
		fmt.Printf("epoch %2d  %d samples  loss %.4f  right %.4f  held-out faces %.4f\n", e+1, len(samples), loss, right, score(net, check))
		rate *= math.Pow(st.fall, 1/float64(st.epochs))
	}
	var buf bytes.Buffer
	if err := net.Save(&buf); err != nil {
		return err
	}
	fmt.Println("writing", platesFile, buf.Len(), "bytes")
	return os.WriteFile(platesFile, buf.Bytes(), 0o644)
}

// plateSamples draws n plates in parallel, three photos of each; plate i depends on seed and i only.
func plateSamples(seed uint64, n int, heldOut bool, han int) []nn.Sample {
	parts := make([][]nn.Sample, n)
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for i := k; i < n; i += 2 {
				rng := rand.New(rand.NewPCG(seed, uint64(i)+5000))
				kind := synth.PlateKinds[rng.IntN(len(synth.PlateKinds))]
				d, err := synth.DrawPlate(rng, kind, heldOut)
				if err != nil {
					panic(err) // a missing font would teach something else
				}
				for range 3 {
					parts[i] = append(parts[i], onePlate(rng, d, kind, han)...)
				}
			}
		})
	}
	wg.Wait()
	var out []nn.Sample
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// onePlate photographs a plate and looks at its lines as the reader would, with the errors that finding a line leaves.
func onePlate(rng *rand.Rand, d *synth.DrawnPlate, kind synth.PlateKind, han int) []nn.Sample {
	inverted := kind.Colour == "blue" || kind.Colour == "black"
	var out []nn.Sample
	for _, upper := range []bool{false, true} {
		var line []synth.PlateBox
		for _, b := range d.Boxes {
			if b.Upper == upper {
				line = append(line, b)
			}
		}
		if len(line) == 0 {
			continue
		}
		capH := math.Exp(degrade.Between(rng, math.Log(11), math.Log(60)))
		photo, scale, off := photograph(rng, d.Picture, line[0].Cap, capH, inverted)
		out = append(out, lineOf(rng, photo, line, scale, off, inverted, han)...)
	}
	return out
}

// photograph lays the plate on a ground of any brightness, shrinks it until letters are capH pixels tall and spoils it.
// off is where the plate's corner is on the photo.
func photograph(rng *rand.Rand, m *raster.RGB, capDrawn, capH float64, inverted bool) (p *raster.Plane, scale, off float64) {
	src := m.Luma()
	if inverted {
		for i := range src.Pix {
			src.Pix[i] = float32(m.Pix[3*i]) * (1.0 / 255)
		}
	}
	scale = capH / capDrawn
	off = 2.5 * capH
	small := src.Resize(int(float64(m.W)*scale), int(float64(m.H)*scale))
	p = raster.NewPlane(small.W+int(2*off), small.H+int(2*off))
	ground := float32(degrade.Between(rng, .02, .95))
	slope := degrade.Between(rng, -.4, .4)
	gain := degrade.Between(rng, .35, 1.1)
	for i := range p.Pix {
		p.Pix[i] = ground
	}
	if rng.IntN(3) == 0 { // bars
		n := 2 + rng.IntN(12)
		for y := range p.H {
			if y/n%2 == 0 {
				for x := range p.W {
					p.Pix[y*p.W+x] *= .6
				}
			}
		}
	}
	for y := range small.H {
		copy(p.Row(y + int(off))[int(off):], small.Row(y))
	}
	for y := range p.H {
		for x, row := 0, p.Row(y); x < p.W; x++ {
			row[x] *= float32(gain * (1 + slope*(float64(x)/float64(p.W)-.5)))
		}
	}
	sigma := .3 + rng.Float64()*rng.Float64()*min(.13*capH, 3)
	p = p.Gauss(sigma)
	if rng.IntN(4) == 0 {
		p = degrade.Motion(p, rng.Float64()*.16*capH, rng.Float64()*math.Pi)
	}
	degrade.Noise(rng, p, degrade.Between(rng, 0, .05))
	if rng.IntN(5) > 0 {
		p = degrade.JPEG(p, 35+rng.IntN(60))
	}
	return p, scale, off
}

// lineOf rectifies one line with errors of place, size, tilt and slant and takes its windows.
func lineOf(rng *rand.Rand, photo *raster.Plane, line []synth.PlateBox, scale, off float64, inverted bool, han int) []nn.Sample {
	b := func(lo, hi float64) float64 { return degrade.Between(rng, lo, hi) }
	first, last := line[0], line[len(line)-1]
	pitch := first.Pitch
	if first.Upper { // two characters far apart: what matters is their width
		pitch = first.W * 1.25
	}
	ky := first.Cap * scale / plate.Cap * b(.9, 1.12)
	kx := pitch * scale / plate.Pitch * b(.86, 1.16)
	lead := 2.6 * plate.Pitch
	width := int((last.X-first.X)*scale/kx + 2*lead)
	tilt, shear, dy := b(-.03, .03), b(-.16, .16), b(-1.8, 1.8)
	x0, y0 := first.X*scale+off, first.Y*scale+off
	// band (u, v) -> photo: u - lead along the line, v - middle across it
	mid := plate.CapTop + (plate.Cap-1)/2.0 + dy
	half := (last.X - first.X) * scale / 2
	hm := raster.Homography{kx, shear * ky, x0 - lead*kx - shear*ky*mid, tilt * kx, ky, y0 - ky*mid - tilt*(lead*kx+half), 0, 0, 1}
	inv, ok := hm.Inverse()
	if !ok {
		return nil
	}
	f := plate.NewField(photo.Warp(&hm, width, plate.BandH), inverted, int(lead), width-int(lead))
	none := len(plate.Classes)
	var out []nn.Sample
	add := func(x float64, class int, w plate.Window) {
		v := make([]float32, plate.Dim)
		f.Features(v, float32(x), 0, w)
		out = append(out, nn.Sample{X: v, Class: class})
	}
	var xs []float64
	for _, c := range line {
		x := inv.Apply(raster.Point{X: c.X*scale + off, Y: c.Y*scale + off}).X
		xs = append(xs, x)
		class := plate.ClassOf(c.R)
		for range 2 {
			add(x+b(-2.2, 2.2), class, plate.Ordinary)
		}
		switch {
		case c.Other:
			add(x+b(-3, 3), class, plate.Wide)
			for k := range han {
				add(x+b(-2.5, 2.5), class, [2]plate.Window{plate.Ordinary, plate.Wide}[k%2])
			}
		case rng.IntN(3) == 0:
			add(x+b(-5, 5), none, plate.Wide)
		}
	}
	for i, x := range xs {
		if i > 0 && rng.IntN(4) > 0 {
			w := plate.Ordinary
			if rng.IntN(5) == 0 {
				w = plate.Wide
			}
			add((xs[i-1]+x)/2+b(-.06, .06)*plate.Pitch, none, w)
		}
	}
	edge := max(first.W, pitch*.8) / pitch * plate.Pitch / 2
	add(xs[0]-edge-b(.3, 2)*plate.Pitch, none, plate.Ordinary)
	add(xs[0]-edge-b(.3, 1)*plate.Pitch, none, plate.Wide)
	for range 2 {
		add(xs[len(xs)-1]+edge+b(.25, 2)*plate.Pitch, none, plate.Ordinary)
	}
	return out
}
