package backtest

import (
	"fmt"

	"github.com/kangma/kangma"
)

// DefaultBlastLimit is the share of people that one change may recolour without being held: one in a thousand.
const DefaultBlastLimit = 0.001

// Breaker is the blast-radius breaker: it holds a rule set, an area list or a batch of evidence that would change the
// colour of more people than its limit, until two people release it. The zero Breaker holds at one in a thousand.
type Breaker struct {
	Limit float64 // share of people; 0: DefaultBlastLimit; negative holds everything that changes anyone
}

// Verdict is what the breaker says of one change. The zero Verdict is not a release: ask Held of a Verdict that Check gave.
type Verdict struct {
	Held    bool        `json:"held"`
	Share   float64     `json:"share"`
	Limit   float64     `json:"limit"`
	Why     kangma.Text `json:"why"`
	Counted bool        `json:"counted"` // false: there was nobody to count on
}

// Check decides on a change that recolours changed of people. A change that was tried on nobody is held: nothing is known
// of what it does.
func (b Breaker) Check(changed, people int64) Verdict {
	v := Verdict{Limit: b.Limit, Counted: people > 0}
	switch {
	case b.Limit == 0:
		v.Limit = DefaultBlastLimit
	case b.Limit < 0:
		v.Limit = 0
	}
	if people <= 0 || changed < 0 || changed > people {
		v.Held, v.Counted = true, false
		v.Why = kangma.Text{Zh: "没有可供试算的人员，变更暂缓，须两人放行。", En: "There was nobody to try the change on; it is held for release by two people."}
		return v
	}
	v.Share = float64(changed) / float64(people)
	v.Held = v.Share > v.Limit
	if v.Held {
		v.Why = kangma.Text{
			Zh: fmt.Sprintf("将有%.2f%%的人员变色，超过%.2f%%的限度，变更暂缓，须两人放行。", 100*v.Share, 100*v.Limit),
			En: fmt.Sprintf("%.2f %% of people would change colour, over the limit of %.2f %%; it is held for release by two people.", 100*v.Share, 100*v.Limit),
		}
	}
	return v
}
