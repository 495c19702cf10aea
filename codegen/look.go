package codegen

import (
	"github.com/kangma/kangma"
)

// QuietZone is the white border a QR code needs, in modules (ISO/IEC 18004 section 9.1).
const QuietZone = 4

// Look says what is drawn around the modules, which are always black on white: yellow or inverted modules are not read.
// The zero Look draws no frame.
type Look struct {
	Kind   Kind
	Colour kangma.Colour
	Framed bool   // a thick frame in the colour with a word and a shape: never the colour alone
	Label  string // second line under the word, e.g. the expiry as "10:32"; drawn as given in SVG, digits only in PNG
	Level  Level
	Scale  int // pixels a module in PNG: 1 to 40, 0: 8
}

// LookOf gives the look of a code on a screen.
func LookOf(c Claims) Look { return Look{Kind: c.Kind, Colour: c.Colour, Framed: true} }

// shape is the form that carries the colour for those who cannot tell colours apart.
type shape uint8

const (
	circle   shape = iota // green
	triangle              // yellow
	octagon               // red
	square                // no colour: paper, specimen
)

// style is how a colour is drawn. Inks have a contrast to white of at least 4.5 and differ in lightness.
type style struct {
	ink    string // #rrggbb
	rgb    [3]uint8
	zh, en string
	shape  shape
}

func (l Look) style() style {
	switch {
	case l.Kind == Specimen:
		return style{"#5f5f5f", [3]uint8{0x5f, 0x5f, 0x5f}, "样码", "SPECIMEN", square}
	case l.Kind == Paper:
		return style{"#1f3a5f", [3]uint8{0x1f, 0x3a, 0x5f}, "纸质码", "PAPER", square}
	case l.Colour == kangma.Green:
		return style{"#006b3c", [3]uint8{0x00, 0x6b, 0x3c}, "绿码", "GREEN", circle}
	case l.Colour == kangma.Yellow:
		return style{"#8a5a00", [3]uint8{0x8a, 0x5a, 0x00}, "黄码", "YELLOW", triangle}
	}
	return style{"#b00020", [3]uint8{0xb0, 0x00, 0x20}, "红码", "RED", octagon}
}
