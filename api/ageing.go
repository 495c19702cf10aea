package api

import (
	"encoding/json"
	"time"

	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

// Ageing says that sessions, one-time passwords and applications for consent go an hour after they expired.
func Ageing() (rules []registry.AgeRule) {
	for _, kind := range []string{sessionKind, otpKind, applyKind} {
		rules = append(rules, registry.AgeRule{Kind: kind, Plain: true, Over: func(rec store.Record, now time.Time) bool {
			var v struct {
				Expires time.Time `json:"expires"`
			}
			return json.Unmarshal(rec.Data, &v) == nil && !v.Expires.IsZero() && now.After(v.Expires.Add(time.Hour))
		}})
	}
	return append(rules, triesAgeing())
}
