package entry

import (
	"encoding/json"
	"time"

	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Ageing says how long vehicle entries are kept after the filed arrival, or the last decision if that was later: with them go
// the sealed identities of those who never became persons.
func Ageing(keep time.Duration) registry.AgeRule {
	return registry.AgeRule{Kind: entryKind, Young: registry.YoungByEvent(keep), Over: func(rec store.Record, now time.Time) bool {
		var e Entry
		if json.Unmarshal(rec.Data, &e) != nil {
			return false // damaged: a person looks
		}
		last := e.Arrival
		for _, o := range e.Occupants {
			for _, s := range o.Seen {
				if s.At.After(last) {
					last = s.At
				}
			}
		}
		return now.Sub(last) >= keep
	}}
}
