package checkpoint

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
)

func TestHowOldAnAnswerMayBeIsTheGatesAffair(t *testing.T) {
	for _, c := range []struct {
		minutes int
		age     time.Duration
		told    bool
	}{
		{0, time.Hour, true}, {0, time.Hour + time.Second, false}, // a gate stored before there was a copy
		{5, 5 * time.Minute, true}, {5, 6 * time.Minute, false}, {1440, 24 * time.Hour, true},
		{NeverStale, 0, false}, {NeverStale, time.Second, false},
	} {
		a := kangma.Assessment{Told: true, Colour: kangma.Green, AsOf: shownAt.Add(-c.age)}
		if got := (Policy{StaleMinutes: c.minutes}).fresh(a, shownAt); got.Told != c.told {
			t.Errorf("%d minutes, %v old: told %v", c.minutes, c.age, got.Told)
		}
		if got := (Policy{StaleMinutes: c.minutes}).fresh(kangma.Assessment{Told: true}, shownAt); !got.Told {
			t.Errorf("%d minutes: an answer of the register itself is refused", c.minutes)
		}
	}
	for minutes, ok := range map[int]bool{NeverStale: true, 0: true, 1440: true, -2: false, 1441: false} {
		g := Gate{ID: "g", Kind: "metro", District: 441502000, Policy: Policy{StaleMinutes: minutes}}
		if err := g.Check(); (err == nil) != ok {
			t.Errorf("%d minutes: %v", minutes, err)
		}
	}
}
