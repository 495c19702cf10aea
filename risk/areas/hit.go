// Package areas holds the bitemporal risk-area table. Pure: no I/O, no clock.
package areas

import (
	"time"

	"github.com/kangma/kangma"
)

// Hit is the answer of the risk-area table for one place and interval: the highest level that any part of the interval
// overlapped. The zero Hit means: on no list.
type Hit struct {
	Level kangma.Level
	Since time.Time // when that level came into force
	Until time.Time // when it ended; zero: it has not, as far as the table knows
	Exact bool      // false: the place is known less closely than the listed area, and the worst inside it was taken
	Note  kangma.Text
	Area  string // name of the listed area, for people
}
