package venue

import (
	"math"
	"time"

	"github.com/kangma/kangma"
)

// Coordinates is a place on earth in degrees, WGS 84.
type Coordinates struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// valid refuses what is no place: not a number, infinite, outside the ranges, and (0, 0), which phones report when they
// do not know.
func (p Coordinates) valid() bool {
	ok := func(v, most float64) bool { return v >= -most && v <= most } // false for NaN
	return ok(p.Lat, 90) && ok(p.Lon, 180) && p != Coordinates{}
}

const earthRadius = 6_371_008.8 // metres, mean radius of IUGG

// metres gives the distance on the sphere by the haversine formula (R. W. Sinnott, Sky and Telescope 68, 1984). It is off
// by at most 0.6 % on the ellipsoid, far below what a phone knows of itself.
func metres(a, b Coordinates) float64 {
	rad := func(deg float64) float64 { return deg * math.Pi / 180 }
	half := func(x float64) float64 { return math.Sin(x/2) * math.Sin(x/2) }
	h := half(rad(b.Lat-a.Lat)) + math.Cos(rad(a.Lat))*math.Cos(rad(b.Lat))*half(rad(b.Lon-a.Lon))
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}

// Position is where the phone says it is.
type Position struct {
	Coordinates
	Accuracy float64   // metres, as the phone gives it
	At       time.Time // of the fix
}

const (
	maxAccuracy  = 500 // metres; a fix less exact tells no venue from its neighbour
	accuracyHelp = 100 // metres of a fix's own doubt that count in its favour at most
	positionLife = 2 * time.Minute
	positionSkew = 30 * time.Second
)

// check says whether a position can be one: kangma.Invalid or nil.
func (p Position) check(now time.Time) error {
	switch {
	case !p.valid() || !(p.Accuracy > 0 && p.Accuracy <= 1e6):
		return kangma.E(kangma.Invalid, "position", "a position has a latitude of -90 to 90, a longitude of -180 to 180 and an accuracy in metres")
	case p.At.IsZero() || p.At.After(now.Add(positionSkew)):
		return kangma.E(kangma.Invalid, "position_time", "a position has the time it was measured, which is not in the future")
	}
	return nil
}

// inside reports whether a position lies in a circle, allowing for part of its own doubt.
func (p Position) inside(centre Coordinates, radius int) bool {
	return metres(p.Coordinates, centre) <= float64(radius)+min(p.Accuracy, accuracyHelp)
}
