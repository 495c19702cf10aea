package areas

import (
	"time"

	"github.com/kangma/kangma"
)

// Hit is the answer of the risk-area table for one place and interval: the highest level that any part of the interval
// overlapped. The zero Hit means: on no list.
//
// Level is the highest level the stay may have met; Sure the highest level it surely met. They are the same when Exact.
// They differ when the place is known less closely than what is listed: a stay known only by county where one estate is
// high and the rest low has Level high, Sure low, Exact false. A rule set decides which of the two it colours by, and
// shows Note when Exact is false.
type Hit struct {
	Level kangma.Level
	Since time.Time   // when that level came into force; where it did so more than once in the interval, the last time
	Until time.Time   // when it ended; zero: it has not, as far as the table knows
	Exact bool        // true: the listed area surely covers the place (or nothing is listed); false: see Note
	Note  kangma.Text // set when Exact is false: how the place was judged
	Area  string      // name of a listed area of that level, as the list writes it, for people
	Place kangma.Place

	// Beside: Level is reached only by functional zones of the city (or the Xinjiang corps), which stand beside the
	// counties on the lists and have no bounds by code; nothing in the place's own county or street has it. A rule set
	// that does not want a whole city at the level of one zone takes Sure then.
	Beside bool

	Sure      kangma.Level // highest level that surely covered the place
	SureSince time.Time    // as Since, of Sure
	SureUntil time.Time    // as Until, of Sure
}
