package main

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/plate"
	"github.com/kangma/kangma/ocr/internal/raster"
	"github.com/kangma/kangma/ocr/synth"
)

// plateStage is a part of the training of a net of plates: epochs of plates drawn afresh, each learnt from so many times, at
// a falling rate.
type plateStage struct {
	seed             uint64
	perEpoch, epochs int
	passes           int
	rate, fall       float64
	draw             drawing
	take             func(*seenLine, *rand.Rand) []nn.Sample // what is learnt of a line
}

// drawing says how plates are drawn for learning.
type drawing struct {
	faces  synth.PlateFaces
	photos int  // of a plate
	light  bool // some under a hard shadow or a glare
}

// trainPlates learns the places of drawn plates of every kind: no free face has the shapes of GA 36 exactly, so several
// are mixed and stretched. Every epoch sees plates drawn afresh; the last two see more of the Chinese characters, which are
// harder than letters and rarer.
func trainPlates() error {
	const seed = 20261130
	known := drawing{synth.KnownFaces, 3, false}
	return trainStages(nn.New(plate.Dim, 192, len(plate.Classes)+1, seed), "ocr/internal/plate/plate.bin",
		plateStage{seed, 1700, 6, 1, .0012, .12, known, placesAnd(0)}, plateStage{seed + 100, 1300, 2, 1, .0004, .1, known, placesAnd(4)})
}

// placesAnd takes every place of a line, and Chinese characters so many times more.
func placesAnd(han int) func(*seenLine, *rand.Rand) []nn.Sample {
	return func(l *seenLine, rng *rand.Rand) []nn.Sample { return l.places(rng, han) }
}

// trainLetters learns the letters and digits of plates alone, seen more finely: the second opinion on them. It sees more
// faces, and worse light.
func trainLetters() error {
	const seed = 20270401
	return trainStages(nn.New(plate.HanDim, 112, plate.Letters+1, seed), "ocr/internal/plate/letters.bin",
		plateStage{seed, 1100, 6, 2, .0012, .04, drawing{synth.TaughtFaces, 4, true}, (*seenLine).letters})
}

// trainStages trains and saves a net. Every stage goes on from what the last one saved.
func trainStages(net *nn.Net, file string, stages ...plateStage) error {
	for i, st := range stages {
		if i > 0 {
			raw, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if net, err = nn.Load(bytes.NewReader(raw)); err != nil {
				return err
			}
		}
		st.run(net)
		if err := saveNet(net, file); err != nil {
			return err
		}
	}
	return nil
}

func (st plateStage) run(net *nn.Net) {
	tr := nn.NewTrainer(net, 2)
	held := st.draw
	held.faces = synth.HeldOutFaces
	check := plateSamples(st.seed+999, st.perEpoch/12, held, st.take)
	rng := rand.New(rand.NewPCG(st.seed, 3))
	rate := st.rate
	for e := range st.epochs {
		samples := plateSamples(st.seed+uint64(e), st.perEpoch, st.draw, st.take)
		var loss, right float64
		for range st.passes { // drawing takes longer than learning
			rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
			loss, right = tr.Epoch(samples, 96, rate)
		}
		fmt.Printf("epoch %2d  %d samples  loss %.4f  right %.4f  held-out faces %.4f\n", e+1, len(samples), loss, right, score(net, check))
		rate *= math.Pow(st.fall, 1/float64(st.epochs))
	}
}

// plateSamples draws n plates in parallel; plate i depends on seed and i only.
func plateSamples(seed uint64, n int, how drawing, take func(*seenLine, *rand.Rand) []nn.Sample) []nn.Sample {
	parts := make([][]nn.Sample, n)
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for i := k; i < n; i += 2 {
				rng := rand.New(rand.NewPCG(seed, uint64(i)+5000))
				kind := synth.PlateKinds[rng.IntN(len(synth.PlateKinds))]
				d, err := synth.DrawPlate(rng, kind, how.faces)
				if err != nil {
					panic(err) // a missing font would teach something else
				}
				for range how.photos {
					for _, l := range seenLines(rng, d, kind, how.light) {
						parts[i] = append(parts[i], take(l, rng)...)
					}
				}
			}
		})
	}
	wg.Wait()
	return slices.Concat(parts...)
}

// seenLines photographs a plate and looks at its lines as the reader would, with the errors that finding a line leaves.
func seenLines(rng *rand.Rand, d *synth.DrawnPlate, kind synth.PlateKind, light bool) []*seenLine {
	inverted := kind.Colour == "blue" || kind.Colour == "black"
	var out []*seenLine
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
		photo, scale, off := photograph(rng, d.Picture, line[0].Cap, capH, inverted, light)
		if l := seeLine(rng, photo, line, scale, off, inverted); l != nil {
			out = append(out, l)
		}
	}
	return out
}

// photograph lays the plate on a ground of any brightness, shrinks it until letters are capH pixels tall and spoils it.
// off is where the plate's corner is on the photo.
func photograph(rng *rand.Rand, m *raster.RGB, capDrawn, capH float64, inverted, light bool) (p *raster.Plane, scale, off float64) {
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
	if light {
		lightOnPlate(rng, p, capH)
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

// lightOnPlate throws a hard shadow over a part of a photo, or a glare that drowns the print, or neither.
func lightOnPlate(rng *rand.Rand, p *raster.Plane, capH float64) {
	b := func(lo, hi float64) float64 { return degrade.Between(rng, lo, hi) }
	x0, y0 := b(0, float64(p.W)), b(.2, .8)*float64(p.H)
	switch rng.IntN(6) {
	case 0:
		a, soft, dark := b(0, 2*math.Pi), b(.5, .2*capH+1), b(.35, .8)
		cos, sin := math.Cos(a), math.Sin(a)
		for i := range p.Pix {
			d := (float64(i%p.W)-x0)*cos + (float64(i/p.W)-y0)*sin
			p.Pix[i] *= float32(1 - (1-dark)*min(max(d/soft+.5, 0), 1))
		}
	case 1:
		rx, ry, gain := b(.6, 4)*capH, b(.5, 2.5)*capH, b(.2, 1.1)
		for i := range p.Pix {
			dx, dy := (float64(i%p.W)-x0)/rx, (float64(i/p.W)-y0)/ry
			if r := dx*dx + dy*dy; r < 6 {
				p.Pix[i] = min(p.Pix[i]+float32(gain*math.Exp(-r)), 1)
			}
		}
	}
}

// seenLine is a rectified line and where its characters are.
type seenLine struct {
	field *plate.Field
	line  []synth.PlateBox
	x     []float64 // of the characters
	edge  float64   // half of a character's cell
}

// seeLine rectifies one line with errors of place, size, tilt and slant.
func seeLine(rng *rand.Rand, photo *raster.Plane, line []synth.PlateBox, scale, off float64, inverted bool) *seenLine {
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
	l := &seenLine{line: line, edge: max(first.W, pitch*.8) / pitch * plate.Pitch / 2}
	l.field = plate.NewField(photo.Warp(&hm, width, plate.BandH), inverted, int(lead), width-int(lead))
	for _, c := range line {
		l.x = append(l.x, inv.Apply(raster.Point{X: c.X*scale + off, Y: c.Y*scale + off}).X)
	}
	return l
}

// places takes windows on the characters, so many more on Chinese ones, and between and beside them.
func (l *seenLine) places(rng *rand.Rand, han int) []nn.Sample {
	b := func(lo, hi float64) float64 { return degrade.Between(rng, lo, hi) }
	none := len(plate.Classes)
	var out []nn.Sample
	add := func(x float64, class int, w plate.Window) {
		v := make([]float32, plate.Dim)
		l.field.Features(v, float32(x), 0, w)
		out = append(out, nn.Sample{X: v, Class: class})
	}
	for i, c := range l.line {
		x, class := l.x[i], plate.ClassOf(c.R)
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
	for i, x := range l.x {
		if i > 0 && rng.IntN(4) > 0 {
			w := plate.Ordinary
			if rng.IntN(5) == 0 {
				w = plate.Wide
			}
			add((l.x[i-1]+x)/2+b(-.06, .06)*plate.Pitch, none, w)
		}
	}
	add(l.x[0]-l.edge-b(.3, 2)*plate.Pitch, none, plate.Ordinary)
	add(l.x[0]-l.edge-b(.3, 1)*plate.Pitch, none, plate.Wide)
	for range 2 {
		add(l.x[len(l.x)-1]+l.edge+b(.25, 2)*plate.Pitch, none, plate.Ordinary)
	}
	return out
}

// letters takes windows on the letters and digits, and a few on Chinese characters, which are none.
func (l *seenLine) letters(rng *rand.Rand) []nn.Sample {
	b := func(lo, hi float64) float64 { return degrade.Between(rng, lo, hi) }
	var out []nn.Sample
	add := func(x float64, class int) {
		v := make([]float32, plate.HanDim)
		l.field.HanFeatures(v, float32(x), float32(b(-1, 1)), plate.Ordinary)
		out = append(out, nn.Sample{X: v, Class: class})
	}
	for i, c := range l.line {
		switch {
		case !c.Other:
			add(l.x[i]+b(-2.4, 2.4), plate.ClassOf(c.R))
			add(l.x[i]+b(-2.4, 2.4), plate.ClassOf(c.R))
		case rng.IntN(4) == 0:
			add(l.x[i]+b(-2.4, 2.4), plate.Letters)
		}
	}
	return out
}
