package venue

import (
	"encoding/json"
	"time"

	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Ageing says how long check-ins are kept.
func Ageing(keep time.Duration) registry.AgeRule {
	return registry.AgeRule{Kind: visitKind, Young: registry.YoungByEvent(keep), Over: func(rec store.Record, now time.Time) bool {
		var v Visit
		return json.Unmarshal(rec.Data, &v) == nil && now.Sub(v.At) >= keep
	}}
}
