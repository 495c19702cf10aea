package cached

import (
	"testing"
	"time"
)

// TestStoringBehindStandsBackAndEnds asks, with a clock of its own, when what waits is stored.
func TestStoringBehindStandsBackAndEnds(t *testing.T) {
	began := time.Date(2022, 7, 9, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name       string
		people     int
		bytes      int64
		calm, busy time.Duration // after which it is stored, to a second
	}{
		{"a few", 10, 1000, fewAge, busyAge},
		{"many", few, 1000, manyAge, busyAge},
		{"more than half the room", few, 501_000, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, busy := range []bool{false, true} {
				b := &behind{limit: 1_000_000, since: began, people: c.people, bytes: c.bytes, busy: func() bool { return busy }}
				after := time.Duration(0)
				for ; !b.due(began.Add(after)) && after < time.Hour; after += time.Second {
				}
				if want := map[bool]time.Duration{false: c.calm, true: c.busy}[busy]; after != want {
					t.Errorf("others are urgent: %v; stored after %v, want %v", busy, after, want)
				}
			}
		})
	}
}
