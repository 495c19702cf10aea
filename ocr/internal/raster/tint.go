package raster

// Warper is what can be sampled through a homography.
type Warper interface {
	Warp(hm *Homography, w, h int) *Plane
}

// Tint is one channel of a colour picture, made from its bytes where it is looked at: a plane of a photo of three megapixels
// takes twelve megabytes, and a reader that looks at a few strips of it has no need of the rest.
type Tint struct {
	*RGB
	luma bool // otherwise the red channel
}

// RedTint is the red channel, 0..1.
func (m *RGB) RedTint() Tint { return Tint{m, false} }

// LumaTint is the luma of Luma.
func (m *RGB) LumaTint() Tint { return Tint{m, true} }

// Plane is the whole channel.
func (t Tint) Plane() *Plane {
	if t.luma {
		return t.Luma()
	}
	out := NewPlane(t.W, t.H)
	for i := range out.Pix {
		out.Pix[i] = t.value(i)
	}
	return out
}

// value of pixel i, as Plane has it.
func (t Tint) value(i int) float32 {
	p := t.Pix[3*i : 3*i+3 : 3*i+3]
	if t.luma {
		return (0.299*float32(p[0]) + 0.587*float32(p[1]) + 0.114*float32(p[2])) * (1.0 / 255)
	}
	return float32(p[0]) * (1.0 / 255)
}

// Warp gives what Plane().Warp gives.
func (t Tint) Warp(hm *Homography, w, h int) *Plane {
	return warp(t.at, hm, w, h)
}

// at is At of the channel: bilinear, the edge repeated.
func (t Tint) at(x, y float32) float32 {
	x = min(max(x, 0), float32(t.W-1))
	y = min(max(y, 0), float32(t.H-1))
	x0, y0 := int(x), int(y)
	fx, fy := x-float32(x0), y-float32(y0)
	x1, y1 := min(x0+1, t.W-1), min(y0+1, t.H-1)
	a, b := y0*t.W, y1*t.W
	left, right := t.value(a+x0), t.value(a+x1)
	top := left + (right-left)*fx
	left, right = t.value(b+x0), t.value(b+x1)
	bot := left + (right-left)*fx
	return top + (bot-top)*fy
}
