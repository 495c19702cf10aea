package kangma

import (
	"fmt"
	"strconv"
)

// Division is an administrative division code of GB/T 2260 (province, city, county: 6 digits) extended by the 3 digits
// of the statistical street code, held as one nine-digit number: 440103000 is the county 440103, 440103001 a street in
// it. The zero Division is nowhere.
type Division uint32

// DivisionRank says how fine a Division is.
type DivisionRank uint8

// Ranks from coarse to fine.
const (
	NoDivision DivisionRank = iota
	Province
	City
	County
	Street
)

// ParseDivision reads 2, 4, 6 or 9 digits. It checks the shape, not whether the division exists (risk/areas knows).
func ParseDivision(s string) (Division, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || s[0] == '+' {
		return 0, errDivision
	}
	switch len(s) {
	case 2:
		n *= 10_000_000
	case 4:
		n *= 100_000
	case 6:
		n *= 1000
	case 9:
	default:
		return 0, errDivision
	}
	d := Division(n)
	if d.Rank() == NoDivision {
		return 0, errDivision
	}
	return d, nil
}

var errDivision = E(Invalid, "division", "a division is a GB/T 2260 code of 6 digits, or 9 with the street")

// Rank tells how fine the division is.
func (d Division) Rank() DivisionRank {
	switch {
	case d < 110_000_000 || d > 999_999_999:
		return NoDivision
	case d%1000 != 0:
		return Street
	case d%100_000 != 0:
		return County
	case d%10_000_000 != 0:
		return City
	}
	return Province
}

// Province gives the province that holds d, City the city, County the county; each is d itself or 0 where d is coarser.
func (d Division) Province() Division { return d / 10_000_000 * 10_000_000 }

// City gives the city (prefecture) that holds d, or 0 when d is a province.
func (d Division) City() Division {
	if d.Rank() < City {
		return 0
	}
	return d / 100_000 * 100_000
}

// County gives the county or district that holds d, or 0 when d is coarser.
func (d Division) County() Division {
	if d.Rank() < County {
		return 0
	}
	return d / 1000 * 1000
}

// Contains reports whether e is d or lies inside d.
func (d Division) Contains(e Division) bool {
	switch d.Rank() {
	case Province:
		return e.Province() == d
	case City:
		return e.City() == d
	case County:
		return e.County() == d
	case Street:
		return e == d
	}
	return false
}

// String gives 6 digits, or 9 for a street; the zero Division is the empty string.
func (d Division) String() string {
	switch d.Rank() {
	case NoDivision:
		return ""
	case Street:
		return fmt.Sprintf("%09d", uint32(d))
	}
	return fmt.Sprintf("%06d", uint32(d)/1000)
}

// MarshalText gives String.
func (d Division) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDivision reads; the empty text is the zero Division.
func (d *Division) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	*d, err = ParseDivision(string(b))
	return err
}

// Level is the risk level of an area. The zero Level means: not on any list.
type Level uint8

// Levels in rising order.
const (
	NoLevel Level = iota
	LowLevel
	MidLevel
	HighLevel
)

var levelNames = [...]string{"none", "low", "mid", "high"}

func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// MarshalText gives the name.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads the name.
func (l *Level) UnmarshalText(b []byte) error {
	for i, n := range levelNames {
		if string(b) == n {
			*l = Level(i)
			return nil
		}
	}
	return E(Invalid, "level", "a level is none, low, mid or high")
}

// Place is where something was: a division, and inside it perhaps a named zone (高新区) and a community as free text.
// The empty Zone and Community mean "not known more closely".
type Place struct {
	Division  Division `json:"division" cbor:"1,keyasint,omitempty"`
	Zone      string   `json:"zone,omitempty" cbor:"2,keyasint,omitempty"`
	Community string   `json:"community,omitempty" cbor:"3,keyasint,omitempty"`
}
