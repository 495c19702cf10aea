package entry

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/kangma/kangma"
)

// PlateKind says what sort of licence plate it is.
type PlateKind string

// The kinds of plate of GA 36-2018 that pass a post.
const (
	Civil       PlateKind = "civil"            // 粤A12345
	NewEnergy   PlateKind = "new-energy"       // 粤AD12345, small
	NewEnergyL  PlateKind = "new-energy-large" // 粤A12345D
	HongKong    PlateKind = "hong-kong"        // 粤Z1234港
	Macao       PlateKind = "macao"            // 粤Z1234澳
	Police      PlateKind = "police"           // 粤A1234警
	Learner     PlateKind = "learner"          // 粤A1234学
	Trailer     PlateKind = "trailer"          // 粤A1234挂
	Embassy     PlateKind = "embassy"          // 使123456 (2007), 123456使 (2018)
	Consulate   PlateKind = "consulate"        // 粤A1234领
	NoPlateKind PlateKind = ""
)

// Plate is a licence plate. Like a name it is personal: every way of printing it gives the masked form.
type Plate struct {
	v    string
	kind PlateKind
}

// Provinces as plates write them, the letter of the issuing office, and serial characters without I and O.
const (
	plateProvince = `[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]`
	plateOffice   = `[A-HJ-NP-Z]`
	plateSerial   = `[A-HJ-NP-Z0-9]`
)

var plateShapes = []struct {
	kind  PlateKind
	shape *regexp.Regexp
}{
	{HongKong, regexp.MustCompile(`^粤Z` + plateSerial + `{4}港$`)},
	{Macao, regexp.MustCompile(`^粤Z` + plateSerial + `{4}澳$`)},
	{Police, regexp.MustCompile(`^` + plateProvince + plateOffice + plateSerial + `{4}警$`)},
	{Learner, regexp.MustCompile(`^` + plateProvince + plateOffice + plateSerial + `{4}学$`)},
	{Trailer, regexp.MustCompile(`^` + plateProvince + plateOffice + plateSerial + `{4}挂$`)},
	{Consulate, regexp.MustCompile(`^` + plateProvince + plateOffice + plateSerial + `{4}领$`)},
	{Embassy, regexp.MustCompile(`^(使[0-9]{6}|[0-9]{6}使)$`)},
	{NewEnergy, regexp.MustCompile(`^` + plateProvince + plateOffice + `[A-HJK]` + plateSerial + `[0-9]{4}$`)},
	{NewEnergyL, regexp.MustCompile(`^` + plateProvince + plateOffice + `[0-9]{5}[A-HJK]$`)},
	{Civil, regexp.MustCompile(`^` + plateProvince + plateOffice + plateSerial + `{5}$`)},
}

var errPlate = kangma.E(kangma.Invalid, "plate", "this is not a licence plate of GA 36, such as 粤A12345, 粤AD12345 or 粤Z1234港")

// ParsePlate reads a plate as people and cameras write it: spaces, dots and hyphens do not count, full-width and lower-case
// letters are the same. kangma.Invalid: no plate of GA 36-2018.
func ParsePlate(s string) (Plate, error) {
	if len(s) > 64 {
		return Plate{}, errPlate
	}
	s = strings.ToUpper(strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(" \t·•・.-－　", r):
			return -1
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		}
		return r
	}, s))
	for _, p := range plateShapes {
		if p.shape.MatchString(s) {
			return Plate{s, p.kind}, nil
		}
	}
	return Plate{}, errPlate
}

// Kind says what sort of plate it is; the zero Plate has none.
func (p Plate) Kind() PlateKind { return p.kind }

// Reveal gives the plate in clear.
func (p Plate) Reveal() string { return p.v }

// Masked keeps the first two and the last two characters: 粤A***45.
func (p Plate) Masked() string {
	r := []rune(p.v)
	if len(r) < 5 {
		return ""
	}
	return string(r[:2]) + strings.Repeat("*", len(r)-4) + string(r[len(r)-2:])
}

func (p Plate) String() string { return p.Masked() }

// Format masks under every verb of package fmt, %#v included.
func (p Plate) Format(f fmt.State, _ rune) { fmt.Fprint(f, p.Masked()) }

// MarshalText masks: JSON and every text encoder show the masked form.
func (p Plate) MarshalText() ([]byte, error) { return []byte(p.Masked()), nil }

// LogValue masks in structured logs.
func (p Plate) LogValue() slog.Value { return slog.StringValue(p.Masked()) }
