package backtest

import (
	"strconv"

	"github.com/kangma/kangma"
)

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Count) UnmarshalJSON(b []byte) error {
	if string(b) == `"hidden"` {
		*c = Hidden
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < 0 {
		return kangma.E(kangma.Invalid, "backtest_count", "a count is a number that is not negative, or the text hidden")
	}
	*c = Count(n)
	return nil
}
