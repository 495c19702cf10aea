package synth

import (
	"bytes"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"github.com/kangma/kangma/ocr/internal/degrade"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Photo is a photo with what is on it.
type Photo struct {
	JPEG  []byte
	Level Level
	Seed  uint64
	Quad  raster.Quad // corners of the document on the photo, as its text is read
	Truth Truth
	Face  string // in which a zone is printed; "" for other documents
}

// Truth is what a perfect reader would say.
type Truth struct {
	Person Person
	Valid  bool // the number is a valid one
	MRZ    []string
	Plate  string
}

// shoot photographs a flat document with the defects of a level.
func shoot(rng *rand.Rand, doc *raster.RGB, level Level) ([]byte, raster.Quad, error) {
	c, err := level.conditions()
	if err != nil {
		return nil, raster.Quad{}, err
	}
	return shootIn(rng, doc, c)
}

func shootIn(rng *rand.Rand, doc *raster.RGB, c conditions) ([]byte, raster.Quad, error) {
	draw := func(s span) float64 { return degrade.Between(rng, s[0], s[1]) }
	long := draw(c.longSide)
	w, h := int(long), int(long*.75)
	if c.scan {
		h = int(long * float64(doc.H) / float64(doc.W) * 1.01)
	}
	quarter := 0
	if rng.Float64() < c.turn[0] {
		quarter = 1 + rng.IntN(3)
	}
	if quarter%2 == 1 {
		w, h = h, w
	}
	quad := place(rng, c, doc, w, h, quarter)
	planes := paintScene(rng, doc, quad, w, h, c.scan)
	light(rng, c, planes, quad)
	sensor(rng, c, planes)
	out := toRGB(planes)
	var buf bytes.Buffer
	err := jpeg.Encode(&buf, out.Image(), &jpeg.Options{Quality: int(draw(c.jpeg))})
	return buf.Bytes(), quad, err
}

// place decides where the document's corners fall: size, tilt, quarter turns, perspective.
func place(rng *rand.Rand, c conditions, doc *raster.RGB, w, h, quarter int) raster.Quad {
	long := float64(max(w, h))
	cw := long * degrade.Between(rng, c.cover[0], c.cover[1])
	ch := cw * float64(doc.H) / float64(doc.W)
	tilt := degrade.Between(rng, c.tilt[0], c.tilt[1]) * math.Pi / 180
	if rng.IntN(2) == 0 {
		tilt = -tilt
	}
	// shrink until the tilted rectangle fits the frame
	for {
		bw := cw*math.Cos(tilt) + ch*math.Abs(math.Sin(tilt))
		bh := ch*math.Cos(tilt) + cw*math.Abs(math.Sin(tilt))
		if quarter%2 == 1 {
			bw, bh = bh, bw
		}
		if c.full || bw < float64(w)*.995 && bh < float64(h)*.995 || cw < 200 {
			break
		}
		cw, ch = cw*.98, ch*.98
	}
	angle := tilt + float64(quarter)*math.Pi/2
	sin, cos := math.Sincos(angle)
	slackX := (float64(w) - cw*math.Abs(cos) - ch*math.Abs(sin)) / 2
	slackY := (float64(h) - ch*math.Abs(cos) - cw*math.Abs(sin)) / 2
	mid := raster.Point{X: float64(w)/2 + degrade.Between(rng, -.8, .8)*max(slackX, 0), Y: float64(h)/2 + degrade.Between(rng, -.8, .8)*max(slackY, 0)}
	var q raster.Quad
	for i, k := range [4][2]float64{{-.5, -.5}, {.5, -.5}, {.5, .5}, {-.5, .5}} {
		x, y := k[0]*cw, k[1]*ch
		x += -k[0] * 2 * cw * degrade.Between(rng, 0, c.perspective[1])
		y += -k[1] * 2 * ch * degrade.Between(rng, 0, c.perspective[1])
		q[i] = mid.Add(raster.Point{X: x*cos - y*sin, Y: x*sin + y*cos})
	}
	return q
}

// paintScene draws background, drop shadow, document and fingers into three planes.
func paintScene(rng *rand.Rand, doc *raster.RGB, quad raster.Quad, w, h int, scan bool) [3]*raster.Plane {
	planes := background(rng, w, h)
	side := quad[1].Sub(quad[0]).Norm()
	for n := float64(doc.W) / side; n >= 2; n = float64(doc.W) / side {
		doc, _ = raster.Shrink(doc.Image(), max(doc.W, doc.H)/2)
	}
	hm, ok := raster.RectTo(float64(doc.W), float64(doc.H), quad)
	if !ok {
		return planes
	}
	inv, _ := hm.Inverse()
	if !scan {
		dropShadow(rng, planes, &inv, doc, side)
	}
	src := split(doc)
	radius := .037 * float64(doc.W)
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			p := inv.Apply(raster.Point{X: float64(x), Y: float64(y)})
			a := cornerAlpha(p, float64(doc.W), float64(doc.H), radius)
			if a <= 0 {
				continue
			}
			i, at := y*w+x, cellAt(src[0], float32(p.X), float32(p.Y))
			for k := range planes {
				o := &planes[k].Pix[i]
				*o += (at.read(src[k]) - *o) * a
			}
		}
	}
	if !scan && rng.Float64() < .25 {
		finger(rng, planes, quad)
	}
	return planes
}

// cell is a place between four pixels, found once for three planes of one size.
type cell struct {
	a, b, c, d int
	fx, fy     float32
}

func cellAt(p *raster.Plane, x, y float32) cell {
	x, y = min(max(x, 0), float32(p.W-1)), min(max(y, 0), float32(p.H-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, p.W-1), min(y0+1, p.H-1)
	return cell{y0*p.W + x0, y0*p.W + x1, y1*p.W + x0, y1*p.W + x1, x - float32(x0), y - float32(y0)}
}

// read is what raster.Plane.At gives there.
func (c *cell) read(p *raster.Plane) float32 {
	a, b, d, e := p.Pix[c.a], p.Pix[c.b], p.Pix[c.c], p.Pix[c.d]
	top, bot := a+(b-a)*c.fx, d+(e-d)*c.fx
	return top + (bot-top)*c.fy
}

func split(m *raster.RGB) [3]*raster.Plane {
	var out [3]*raster.Plane
	for k := range out {
		out[k] = raster.NewPlane(m.W, m.H)
		for i := range out[k].Pix {
			out[k].Pix[i] = float32(m.Pix[3*i+k]) * (1.0 / 255)
		}
	}
	return out
}

func toRGB(p [3]*raster.Plane) *raster.RGB {
	m := raster.NewRGB(p[0].W, p[0].H)
	for k := range p {
		for i, v := range p[k].Pix {
			m.Pix[3*i+k] = uint8(min(max(v, 0), 1)*255 + .5)
		}
	}
	return m
}

// cornerAlpha is the coverage of a rectangle with round corners.
func cornerAlpha(p raster.Point, w, h, r float64) float32 {
	if p.X < -1 || p.Y < -1 || p.X > w+1 || p.Y > h+1 {
		return 0
	}
	dx := max(r-p.X, p.X-(w-r), 0)
	dy := max(r-p.Y, p.Y-(h-r), 0)
	d := r - math.Hypot(dx, dy)
	return float32(min(max(d+.5, 0), 1))
}

func dropShadow(rng *rand.Rand, planes [3]*raster.Plane, inv *raster.Homography, doc *raster.RGB, side float64) {
	off := raster.Point{X: degrade.Between(rng, -.02, .02) * side, Y: degrade.Between(rng, .0, .025) * side}
	soft := .012 * float64(doc.W)
	dark := float32(degrade.Between(rng, .1, .45))
	w, h := planes[0].W, planes[0].H
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			p := inv.Apply(raster.Point{X: float64(x) - off.X, Y: float64(y) - off.Y})
			d := min(p.X, p.Y, float64(doc.W)-p.X, float64(doc.H)-p.Y)
			if d < -soft {
				continue
			}
			f := 1 - dark*float32(min((d+soft)/(2*soft), 1))
			for k := range planes {
				planes[k].Pix[y*w+x] *= f
			}
		}
	}
}

// finger lays a thumb over an edge of the document where no text is printed: the right edge or the corners.
func finger(rng *rand.Rand, planes [3]*raster.Plane, q raster.Quad) {
	t := degrade.Between(rng, .1, .6)
	edge := q[1].Add(q[2].Sub(q[1]).Mul(t))
	in := q[0].Sub(q[1])
	side := in.Norm()
	in = in.Mul(1 / side)
	tip := edge.Add(in.Mul(side * degrade.Between(rng, .01, .05)))
	r := side * .055
	skin := [3]float32{.78, .58, .47}
	w, h := planes[0].W, planes[0].H
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			d := raster.Point{X: float64(x), Y: float64(y)}.Sub(tip)
			along := -d.Dot(in)
			across := math.Abs(d.X*-in.Y + d.Y*in.X)
			if along < -r || across > r || along < 0 && d.Norm() > r {
				continue
			}
			shade := float32(1 - .35*across/r)
			for k := range planes {
				planes[k].Pix[y*w+x] = skin[k] * shade
			}
		}
	}
}
