package checkpoint

import (
	"time"

	"github.com/kangma/kangma"
)

// fresh gives the assessment as this gate takes it: one from a copy that is older than the policy allows tells nothing.
func (p Policy) fresh(a kangma.Assessment, at time.Time) kangma.Assessment {
	minutes := p.StaleMinutes
	if minutes == 0 {
		minutes = staleMinutes
	}
	if a.AsOf.IsZero() || at.Sub(a.AsOf) <= time.Duration(minutes)*time.Minute && a.Told {
		return a
	}
	return kangma.Assessment{Person: a.Person, At: a.At, AsOf: a.AsOf, CannotTell: kangma.TellStaleGate, Rules: a.Rules}
}

// clock is the zone that staff read times in.
var clock = time.FixedZone("CST", 8*60*60)

// asOf says at the beginning of an outcome's reason how old it is.
func (out Outcome) asOf(t time.Time) Outcome {
	if t.IsZero() {
		return out
	}
	hm := t.In(clock).Format("15:04")
	out.Why = kangma.Text{Zh: "按 " + hm + " 的数据：" + out.Why.Zh, En: "As of " + hm + ": " + out.Why.En}
	return out
}
