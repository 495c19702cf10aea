package facts

import (
	"strings"

	"github.com/kangma/kangma"
)

// Nearness is what the seat geometry says of a shared journey.
type Nearness uint8

// The three answers. The zero Nearness is "cannot say": near_case is false then too, and an investigator decides.
const (
	Unclear Nearness = iota
	Far
	Near
)

// rowsAround is how many rows before and after a case count, besides its own.
const rowsAround = 3

// NearCase applies the published geometry of close contacts on transport (domain.md P11): on a plane the row of the case
// and three rows before and after, and the cabin crew; on a sealed, air-conditioned train the whole carriage or
// compartment, and staff; on an unsealed train the row and the bays beside it, taken as three rows; on a sealed coach
// everyone; on a ventilated coach three rows before and after, and the crew; on a ship the cabin. Where a seat or
// carriage that decides is not known the answer is Unclear.
func NearCase(c *kangma.Contact) Nearness {
	if c == nil || c.Trip == nil {
		return Unclear
	}
	t := c.Trip
	carriage := sameText(t.Carriage, c.CaseCarriage)
	switch t.Mode {
	case "flight":
		if t.Crew {
			return orNear(carriage)
		}
		return rowsNear(t.Seat, c.CaseSeat)
	case "train":
		if t.Sealed || t.Crew || carriage != Near {
			return carriage
		}
		return rowsNear(t.Seat, c.CaseSeat)
	case "coach":
		if t.Sealed || t.Crew {
			return Near
		}
		return rowsNear(t.Seat, c.CaseSeat)
	case "ship":
		return carriage
	}
	return Unclear
}

// orNear: crew count as near unless they are known to have served elsewhere.
func orNear(n Nearness) Nearness {
	if n == Far {
		return Far
	}
	return Near
}

func sameText(a, b string) Nearness {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	switch {
	case a == "" || b == "":
		return Unclear
	case strings.EqualFold(a, b):
		return Near
	}
	return Far
}

func rowsNear(a, b string) Nearness {
	x, okA := row(a)
	y, okB := row(b)
	switch {
	case !okA || !okB:
		return Unclear
	case x-y <= rowsAround && y-x <= rowsAround:
		return Near
	}
	return Far
}

// row reads the row of a seat such as 12F or 03A: its leading digits.
func row(seat string) (n int, ok bool) {
	for i, r := range strings.TrimSpace(seat) {
		if r < '0' || r > '9' {
			return n, i > 0
		}
		if n = n*10 + int(r-'0'); n > 999 {
			return 0, false
		}
	}
	return n, seat != "" && strings.TrimSpace(seat) != ""
}
