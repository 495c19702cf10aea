package inbox

import (
	"time"

	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// unreadLonger is how many times as long an item stays that nobody has acknowledged.
const unreadLonger = 3

// Ageing says how long items are kept: keep after their event once somebody acknowledged them, three times as long if nobody did.
func Ageing(keep time.Duration) registry.AgeRule {
	return registry.AgeRule{Kind: recordKind, Young: registry.YoungByEvent(keep), Over: func(rec store.Record, now time.Time) bool {
		it, err := decode(rec)
		if err != nil {
			return false
		}
		age := now.Sub(it.At)
		return age >= unreadLonger*keep || it.Status == Acknowledged && age >= keep
	}}
}
