package issuance

import (
	"encoding/json"
	"time"

	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Ageing says that numeric codes go an hour after they counted last: until then, who says them late is told so.
func Ageing() registry.AgeRule {
	return registry.AgeRule{Kind: shortKind, Plain: true, Over: func(rec store.Record, now time.Time) bool {
		var w spoken
		return json.Unmarshal(rec.Data, &w) == nil && !now.Before(w.Until.Add(time.Hour))
	}}
}
