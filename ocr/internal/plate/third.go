package plate

import (
	"math"
	"slices"

	"github.com/kangma/kangma/ocr/internal/glyph"
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// Confirm looks at every Chinese character of a finished reading again, from several places, with both nets and with the
// reader of names and addresses, which knows these characters from other faces and by another method (distances from class
// means). What all three together find the likeliest is taken.
//
// Several places, because a part of a character may be another: the right half of 琼 is 京, and who looks at that half only
// is sure of it.
func (r *Reading) Confirm(f *Field) {
	main, err1 := network()
	han, err2 := hanNetwork()
	names, err3 := glyph.Default()
	if err1 != nil || err2 != nil || err3 != nil {
		return
	}
	for i := range r.Chars {
		c := &r.Chars[i]
		if k := ClassOf(c.R); k < Letters || k >= len(Classes) || c.other == nil {
			continue
		}
		t := third{f: f, of: hansOf(r.of.places[i]), main: main, han: han, names: names}
		t.ink = f.inkAt(float32(c.X))
		t.confirm(c)
	}
}

func hansOf(s set) (out []int) {
	for _, k := range s {
		if k >= Letters {
			out = append(out, k)
		}
	}
	return out
}

// third is the state of Confirm for one character.
type third struct {
	f         *Field
	of        []int // the classes in question
	main, han *nn.Net
	names     *glyph.Model
	ink       *raster.Plane
}

// sides are the places looked at, in pixels from where the character was found.
var sides = [...]float32{-6, -3, 0, 3, 6}

// doubt is the least log probability that one reader may give: none overrules the two others alone.
const doubt = -7

// together is how many times more three readers tell than one. It makes a character 0.9 probable when every reader gives it
// 0.75 and the next character is 5.9 nats less likely to all three: of 411 Chinese characters of plates (seeds from 140000 and
// 141000, L1 and L2) 410 were right, 94 in a hundred of them pass, and the wrong one (吉 for 青) had 0.55 and 3.9.
const together = 2.7

func (t *third) confirm(c *Char) {
	sum := make([]float32, len(t.of)) // of the three readers, at the best place of each class
	least := make([]float32, len(t.of))
	for i := range sum {
		sum[i] = 3 * doubt
	}
	near := make([][]float32, len(sides))
	closest := float32(math.MaxFloat32)
	for s, dx := range sides {
		near[s] = t.distances(float32(c.X) + dx)
		closest = min(closest, slices.Min(near[s]))
	}
	for s, dx := range sides {
		a, b, g := t.ask(t.main, float32(c.X)+dx, 0), t.ask(t.han, float32(c.X)+dx, Letters), posterior(near[s], closest)
		for i := range t.of {
			if v := max(a[i], doubt) + max(b[i], doubt) + max(g[i], doubt); v > sum[i] {
				sum[i], least[i] = v, min(a[i], b[i], g[i])
			}
		}
	}
	best := 0
	for i, v := range sum {
		if v > sum[best] {
			best = i
		}
	}
	best = t.whole(best, sum)
	next := float32(3 * doubt)
	for i, v := range sum {
		if i != best {
			next = max(next, v)
		}
	}
	c.R, c.Rival = Classes[t.of[best]], math.Inf(-1)
	lead := -math.Log(1 + math.Exp(float64(next-sum[best])/together))
	c.Logp = min(float64(least[best])/together, lead)
}

// whole prefers a character to its part where both are likely: from aside 琼 looks like 京, but 京 never like 琼.
func (t *third) whole(best int, sum []float32) int {
	if Classes[t.of[best]] != '京' {
		return best
	}
	for i, k := range t.of {
		if Classes[k] == '琼' && sum[i] > sum[best]-4 {
			return i
		}
	}
	return best
}

// ask gives a net's log probabilities of the classes in question at a place, seen through that window which shows the class best.
// first is the class
// with which the net's answers begin.
func (t *third) ask(net *nn.Net, x float32, first int) []float32 {
	s, in := net.NewScratch(), make([]float32, net.In)
	out, mean := make([]float32, len(t.of)), make([]float32, len(t.of))
	for _, w := range [...]Window{Ordinary, Wide} { // the character is drawn as wide as the letters, or wider
		clear(mean)
		for _, dy := range [...]float32{-.6, .6} {
			if net.In == Dim {
				t.f.Features(in, x, dy, w)
			} else {
				t.f.HanFeatures(in, x, dy, w)
			}
			net.Forward(in, s)
			for i, k := range t.of {
				mean[i] += float32(math.Exp(float64(s.Logp[k-first]))) / 2
			}
		}
		for i, p := range mean {
			out[i] = max(out[i], p)
		}
	}
	for i, p := range out {
		out[i] = float32(math.Log(float64(max(p, 1e-6))))
	}
	return out
}

// distances of what stands at x from the means of the classes in question. Nobody knows how wide the character is drawn.
func (t *third) distances(x float32) []float32 {
	near := make([]float32, len(t.of))
	for i := range near {
		near[i] = math.MaxFloat32
	}
	feature, kept := make([]float32, glyph.Dim), make([]float32, t.names.Kept)
	for _, w := range [...]float32{19, 25, 33} {
		for _, h := range [...]float32{27, 30} {
			for _, dy := range [...]float32{-1, 0, 1} {
				glyph.CellFeatures(t.ink, x, CapTop+(Cap-1)/2.0+dy, w, h, feature)
				t.names.Project(feature, kept)
				for i, k := range t.of {
					if d, ok := t.names.DistTo(kept, Classes[k]); ok {
						near[i] = min(near[i], d)
					}
				}
			}
		}
	}
	return near
}

// sharpness of the reader of names, in nats a unit of distance, and the distance of good print from its mean. Both were
// chosen on plates of seeds from 140000: nine of ten provinces lie at least .7 nearer their own means than any other's.
const (
	sharpness = 7
	goodPrint = 2
)

// posterior turns the distances at one place into log probabilities. A place where nothing is as near as the nearest at the
// best place tells less.
func posterior(near []float32, closest float32) []float32 {
	k := float32(sharpness * min(goodPrint/max(closest, .1), 1))
	least := slices.Min(near)
	var sum float64
	for i, d := range near {
		near[i] = -k * (d - least)
		sum += math.Exp(float64(near[i]))
	}
	worse := k * (least - closest) / 2
	for i := range near {
		near[i] -= float32(math.Log(sum)) + worse
	}
	return near
}

// inkAt turns the band into ink of full contrast: 0 the ground around x, 1 the print.
func (f *Field) inkAt(x float32) *raster.Plane {
	var around []float32
	x0, x1 := min(max(int(x)-20, 0), f.band.W), min(max(int(x)+20, 0), f.band.W)
	for y := CapTop; y < CapTop+Cap; y++ {
		around = append(around, f.band.Row(y)[x0:x1]...)
	}
	ink := raster.NewPlane(f.band.W, f.band.H)
	if len(around) == 0 {
		return ink
	}
	slices.Sort(around)
	ground, print := around[len(around)*19/20], around[len(around)/20]
	if f.inverted {
		ground, print = print, ground
	}
	if max(print-ground, ground-print) < .03 {
		return ink
	}
	gain := 1.1 / (print - ground)
	for i, v := range f.band.Pix {
		ink.Pix[i] = min(max((v-ground)*gain-.1, 0), 1.05)
	}
	return ink
}
