package codegen

import (
	"bytes"
	"image"
	"image/color"
	"image/png"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/kangma/kangma"
)

// Palette of a PNG: white, black and the ink of the frame.
const (
	pxWhite = iota
	pxBlack
	pxInk
)

// PNG draws the QR code of a text with a palette: 1 bit a pixel without a frame, 2 bits with one. The word of the frame
// is in English only, for want of a small free Chinese font. The errors are those of SizeOf; kangma.Invalid: Scale.
func PNG(text string, look Look) ([]byte, error) {
	scale := look.Scale
	if scale == 0 {
		scale = 8
	}
	if scale < 1 || scale > 40 {
		return nil, kangma.E(kangma.Invalid, "qr_scale", "a module is 1 to 40 pixels wide")
	}
	m, err := Matrix(text, look.Level)
	if err != nil {
		return nil, err
	}
	side := len(m) + 2*QuietZone
	palette := color.Palette{color.Gray{Y: 0xff}, color.Gray{Y: 0}}
	var img *image.Paletted
	if look.Framed {
		st := look.style()
		palette = append(palette, color.RGBA{st.rgb[0], st.rgb[1], st.rgb[2], 0xff})
		img = image.NewPaletted(image.Rect(0, 0, (side+2*frameWidth)*scale, (side+frameWidth+frameBanner)*scale), palette)
		fill(img, img.Rect, pxInk)
		fill(img, image.Rect(frameWidth*scale, frameWidth*scale, (frameWidth+side)*scale, (frameWidth+side)*scale), pxWhite)
		drawModules(img, m, frameWidth+QuietZone, scale)
		drawBanner(img, st, look.Label, (frameWidth+side)*scale, scale)
	} else {
		img = image.NewPaletted(image.Rect(0, 0, side*scale, side*scale), palette)
		drawModules(img, m, QuietZone, scale)
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&b, img); err != nil {
		return nil, kangma.E(kangma.Internal, "png", "the picture could not be written").Because(err)
	}
	return b.Bytes(), nil
}

func fill(img *image.Paletted, r image.Rectangle, px uint8) {
	r = r.Intersect(img.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := img.Pix[y*img.Stride+r.Min.X : y*img.Stride+r.Max.X]
		for i := range row {
			row[i] = px
		}
	}
}

func drawModules(img *image.Paletted, m [][]bool, at, scale int) {
	for y, row := range m {
		for x, black := range row {
			if black {
				fill(img, image.Rect((at+x)*scale, (at+y)*scale, (at+x+1)*scale, (at+y+1)*scale), pxBlack)
			}
		}
	}
}

// drawBanner draws shape, word and label in white on the frame, from the pixel row top on.
func drawBanner(img *image.Paletted, st style, label string, top, scale int) {
	unit := frameBanner * scale
	drawShape(img, st.shape, frameWidth*scale+unit/3, top+unit/2, unit/3)
	size := max(1, unit/2/basicfont.Face7x13.Ascent)
	drawText(img, st.en, frameWidth*scale+unit, top+unit/4, size)
	if label = latin(label); label != "" {
		w := font.MeasureString(basicfont.Face7x13, label).Ceil() * size
		drawText(img, label, img.Rect.Max.X-frameWidth*scale-w, top+unit/4, size)
	}
}

// latin keeps what the small font can draw.
func latin(s string) string {
	for _, r := range s {
		if r < ' ' || r > '~' {
			return ""
		}
	}
	return s
}

// drawShape fills the shape of radius r around (cx, cy) in white.
func drawShape(img *image.Paletted, s shape, cx, cy, r int) {
	for y := -r; y <= r; y++ {
		for x := -r; x <= r; x++ {
			if inside(s, x, y, r) {
				img.SetColorIndex(cx+x, cy+y, pxWhite)
			}
		}
	}
}

func inside(s shape, x, y, r int) bool {
	ax, ay := max(x, -x), max(y, -y)
	switch s {
	case circle:
		return x*x+y*y <= r*r
	case triangle:
		return 2*ax <= y+r
	case octagon:
		return 5*(ax+ay) <= 7*r
	}
	return 10*max(ax, ay) <= 9*r
}

// drawText draws Latin text, each pixel of the small font size pixels wide, its top left corner at (x, y).
func drawText(img *image.Paletted, s string, x, y, size int) {
	face := basicfont.Face7x13
	mask := image.NewAlpha(image.Rect(0, 0, font.MeasureString(face, s).Ceil(), face.Height))
	d := font.Drawer{Dst: mask, Src: image.White, Face: face, Dot: fixed.P(0, face.Ascent)}
	d.DrawString(s)
	for py := range mask.Rect.Max.Y {
		for px := range mask.Rect.Max.X {
			if mask.AlphaAt(px, py).A > 0x7f {
				fill(img, image.Rect(x+px*size, y+py*size, x+(px+1)*size, y+(py+1)*size), pxWhite)
			}
		}
	}
}
