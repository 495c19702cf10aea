// Package grid reads lines of equally spaced characters: the number of an ID card, the machine readable zone of a
// passport, a licence plate. A small net looks at a window around every place of a rectified line; dynamic programming
// finds the best comb of equally spaced characters. The comb, not a segmentation, decides where characters are, so a
// touching or broken character does not shift its neighbours.
package grid

import (
	"github.com/kangma/kangma/ocr/internal/nn"
	"github.com/kangma/kangma/ocr/internal/raster"
)

// A band is a rectified line: capital height Cap pixels, capital tops at row CapTop, BandH rows in all.
const (
	Cap    = 20
	WinW   = 20 // width of the net's window
	WinH   = 28 // height of the net's window; the capitals fill the middle Cap rows
	Slack  = 4  // rows above and below the window, to try other vertical offsets
	BandH  = WinH + 2*Slack
	CapTop = Slack + (WinH-Cap)/2
)

// InkWindow is the width in pixels over which the paper's brightness is taken from a band.
const InkWindow = 48

// Reader reads lines over one alphabet with one net. Class i of the net is Alphabet[i]; the class after the last one is
// "no character here". It is safe for concurrent use.
type Reader struct {
	Net      *nn.Net
	Alphabet string
}

// None is the class "no character here".
func (r *Reader) None() int { return len(r.Alphabet) }

// Normalise turns a band's brightness into ink whose dark end is 1, as the net was trained to see it.
func Normalise(band *raster.Plane) *raster.Plane {
	ink := band.Ink(InkWindow)
	var hist [256]int
	n := 0
	for y := CapTop; y < min(CapTop+Cap, ink.H); y++ {
		for _, v := range ink.Row(y) {
			hist[int(min(max(v, 0), 1)*255)]++
			n++
		}
	}
	acc, p := 0, 255
	for p > 0 && acc+hist[p] < n/25 {
		acc += hist[p]
		p--
	}
	gain := 1 / max(float32(p)/255, 0.08)
	for i, v := range ink.Pix {
		ink.Pix[i] = min(max(v*gain-0.08, 0), 1.1)
	}
	return ink
}

// Window copies the net's input whose centre is at x, shifted by dy rows, from a normalised band. When f is not 1 the
// window covers f times as many pixels, which undoes a wrong guess of the capital height.
func Window(dst []float32, ink *raster.Plane, x, dy, f float32) {
	if f == 1 && wholeWindow(dst, ink, x, dy) {
		return
	}
	var cols [WinW]raster.Between
	for i := range cols {
		cols[i] = raster.BetweenAt((float32(i)-(WinW-1)/2.0)*f+x, ink.W)
	}
	for j := 0; j < WinH; j++ {
		y := (float32(j)-(WinH-1)/2.0)*f + float32(CapTop) + (Cap-1)/2.0 + dy
		ink.Sample(dst[j*WinW:(j+1)*WinW], cols[:], raster.BetweenAt(y, ink.H))
	}
}

// wholeWindow is Window for whole pixels inside the band, where every value is the mean of two neighbours: the middle of
// an even number of columns lies between two pixels.
func wholeWindow(dst []float32, ink *raster.Plane, x, dy float32) bool {
	x0, y0 := int(x)-WinW/2, CapTop+(Cap-WinH)/2+int(dy)
	if float32(int(x)) != x || float32(int(dy)) != dy || x0 < 0 || x0+WinW >= ink.W || y0 < 0 || y0+WinH > ink.H {
		return false
	}
	for j := 0; j < WinH; j++ {
		row, src := dst[j*WinW:(j+1)*WinW], ink.Row(y0 + j)[x0:x0+WinW+1]
		for i := range row {
			row[i] = (src[i] + src[i+1]) * .5
		}
	}
	return true
}
