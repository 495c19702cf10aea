package codegen

import (
	qrcode "github.com/skip2/go-qrcode"

	"github.com/kangma/kangma"
)

// Level is an error correction level of a QR code (ISO/IEC 18004). The zero Level is LevelAuto.
type Level uint8

// Levels. LevelAuto is M, or L when M would need more than version 9; on screens both read alike.
const (
	LevelAuto Level = iota
	LevelL
	LevelM
	LevelQ
)

var levelNames = [...]string{"auto", "L", "M", "Q"}

func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "?"
}

// MarshalText gives the letter.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText gives.
func (l *Level) UnmarshalText(b []byte) error {
	for i, n := range levelNames {
		if string(b) == n {
			*l = Level(i)
			return nil
		}
	}
	return kangma.E(kangma.Invalid, "qr_level", "a level is L, M or Q")
}

// MaxVersion is the largest QR version that is drawn: readers fail in the dark from version 10 (57 modules) on.
const MaxVersion = 9

// capacity45 is how many alphanumeric characters versions 1 to 9 hold at levels L, M and Q (ISO/IEC 18004, table 7).
var capacity45 = [...][MaxVersion]int{
	LevelL: {25, 47, 77, 114, 154, 195, 224, 279, 335},
	LevelM: {20, 38, 61, 90, 122, 154, 178, 221, 262},
	LevelQ: {16, 29, 47, 67, 87, 108, 125, 157, 189},
}

// QRSize says how large a text is as a QR code.
type QRSize struct {
	Version int   `json:"version"`
	Modules int   `json:"modules"` // on a side
	Level   Level `json:"level"`
}

// SizeOf gives the size of the QR code of a text in the alphanumeric mode. kangma.TooLarge: over version 9.
// kangma.Invalid: empty, or characters outside that mode.
func SizeOf(text string, level Level) (QRSize, error) {
	if text == "" {
		return QRSize{}, errNotText
	}
	for i := range len(text) {
		if values45[text[i]] == 0xff {
			return QRSize{}, errNotText
		}
	}
	levels := []Level{level}
	if level == LevelAuto {
		levels = []Level{LevelM, LevelL}
	}
	for _, l := range levels {
		if l > LevelQ {
			return QRSize{}, kangma.E(kangma.Invalid, "qr_level", "a level is L, M or Q")
		}
		for v, n := range capacity45[l] {
			if len(text) <= n {
				return QRSize{Version: v + 1, Modules: 21 + 4*v, Level: l}, nil
			}
		}
	}
	return QRSize{}, kangma.E(kangma.TooLarge, "qr_size", "the text needs a QR code over version 9, which phones do not read in the dark")
}

var errNotText = kangma.E(kangma.Invalid, "qr_text", "a code holds the characters of Base45 only: 0-9 A-Z space $%*+-./:")

// Matrix draws the modules of a text: rows of true for black, without the quiet zone. The errors are those of SizeOf.
func Matrix(text string, level Level) ([][]bool, error) {
	size, err := SizeOf(text, level)
	if err != nil {
		return nil, err
	}
	recovery := map[Level]qrcode.RecoveryLevel{LevelL: qrcode.Low, LevelM: qrcode.Medium, LevelQ: qrcode.High}[size.Level]
	qr, err := qrcode.NewWithForcedVersion(text, size.Version, recovery)
	if err != nil {
		return nil, kangma.E(kangma.Internal, "qr", "the code could not be drawn").Because(err)
	}
	qr.DisableBorder = true
	return qr.Bitmap(), nil
}
