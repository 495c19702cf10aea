// Package checkpoint is the gate: it verifies a shown code, has the person assessed live, decides by the gate's policy
// and keeps the passage before it answers. The decision itself is pure.
package checkpoint

import (
	"fmt"
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// GateKinds is the closed set of what a gate is.
var GateKinds = []string{"community", "metro", "venue", "hospital", "school", "highway", "border"}

// Gate (卡口) is one checkpoint as kept in the records (kind "gate").
type Gate struct {
	ID       string          `json:"id"`
	Name     kangma.Text     `json:"name"`
	Kind     string          `json:"kind"`
	District kangma.Division `json:"district"`
	Policy   Policy          `json:"policy"`
}

// Policy says what a gate does with each colour and what else it asks. A missing colour means refer.
type Policy struct {
	Red       kangma.Decision `json:"red"`
	Yellow    kangma.Decision `json:"yellow"`
	Green     kangma.Decision `json:"green"`
	TestHours int             `json:"test_hours,omitempty"` // a green person needs a negative PCR test this recent: 24, 48, 72; 0: none
	// OfflineHours is how old the gate's own data may be: 1 to 168; 0: 24.
	OfflineHours int `json:"offline_hours,omitempty"`
	// StaleMinutes is how old a colour may be that this gate's server knows from its own copy while the register does not
	// answer: 1 to 1440; 0: 60, which is also for gates of before there was such a copy. -1: nobody is let through on it;
	// everybody is referred.
	StaleMinutes int `json:"stale_minutes,omitempty"`
	// Challenge has the gate show a number of two digits for each person, which the code must carry: for posts at high risk, where
	// somebody may show another's code from a picture.
	Challenge bool `json:"challenge,omitempty"`
	Fever     int  `json:"fever"` // tenths of °C from which a measured temperature refers; 0: 373

	Vaccine *VaccineRule `json:"vaccine,omitempty"` // asked of whom the colour lets pass; nil: not asked
	Trip    *TripRule    `json:"trip,omitempty"`    // the same
	Leaving *LeavingRule `json:"leaving,omitempty"` // for direction out; nil: as those who come in
}

// DefaultPolicy gives the usual policy of a kind of gate: posts on highways and borders isolate, all others turn back.
func DefaultPolicy(kind string) Policy {
	p := Policy{Red: kangma.TurnBack, Yellow: kangma.TurnBack, Green: kangma.Pass, Fever: feverTenths, StaleMinutes: staleMinutes}
	switch kind {
	case "highway", "border":
		p.Red, p.Yellow = kangma.CentralIsolate, kangma.HomeIsolate
	case "hospital":
		p.Red, p.Yellow = kangma.Refer, kangma.Refer // the fever clinic's own way in
	}
	return p
}

// NeverStale is the StaleMinutes of a gate that lets nobody through on what was known a while ago.
const NeverStale = -1

// staleMinutes is the usual patience: what a credential drawn an hour ago says offline, a gate may say online.
const staleMinutes = 60

const feverTenths = 373 // 37.3 °C, domain.md section 5 P6

// Check reports every fault of a gate.
func (g Gate) Check() error {
	var faults []kangma.Fault
	bad := func(where, what string) {
		faults = append(faults, kangma.Fault{Where: where, Code: "gate", What: what})
	}
	if g.ID == "" || len(g.ID) > 64 {
		bad("id", "a gate id has 1 to 64 characters")
	}
	if !slices.Contains(GateKinds, g.Kind) {
		bad("kind", fmt.Sprintf("a gate is one of %v", GateKinds))
	}
	if g.District.Rank() == kangma.NoDivision {
		bad("district", "a gate stands in a division of GB/T 2260")
	}
	if !slices.Contains([]int{0, 24, 48, 72}, g.Policy.TestHours) {
		bad("policy.test_hours", "a test may be asked within 24, 48 or 72 hours, or not (0)")
	}
	if g.Policy.Fever != 0 && (g.Policy.Fever < 350 || g.Policy.Fever > 420) {
		bad("policy.fever", "the fever limit is given in tenths of a degree, 350 to 420")
	}
	if g.Policy.OfflineHours < 0 || g.Policy.OfflineHours > 168 {
		bad("policy.offline_hours", "a gate may decide without a network for 1 to 168 hours")
	}
	if g.Policy.StaleMinutes < NeverStale || g.Policy.StaleMinutes > 1440 {
		bad("policy.stale_minutes", "a gate may decide from the server's own copy for 1 to 1440 minutes, as usual (0: 60), or not (-1)")
	}
	g.Policy.checkConditions(bad)
	if len(faults) > 0 {
		return &kangma.Error{Kind: kangma.Invalid, Code: "gate", Public: "the gate is not valid", Faults: faults}
	}
	return nil
}

// Outcome is a decision with its reason.
type Outcome struct {
	Decision kangma.Decision
	Reason   string // code
	Why      kangma.Text
	Guidance kangma.Text
}

// Decide applies a policy. It is pure and total: what it does not know refers.
func Decide(p Policy, f Facts) Outcome {
	a := f.Assessment
	if !a.Told {
		return Untold(kangma.CannotTell(a.ReasonCode()))
	}
	limit := p.Fever
	if limit == 0 {
		limit = feverTenths
	}
	if f.Temperature >= limit {
		return feverOutcome
	}
	out := Outcome{Reason: a.ReasonCode(), Why: greenWhy, Guidance: greenGuidance}
	if len(a.Assignments) > 0 {
		out.Why, out.Guidance = a.Assignments[0].Reason, a.Assignments[0].Guidance
	}
	if p.Leaving != nil && f.Direction == "out" {
		out.Decision = p.Leaving.of(a.Colour)
		return out
	}
	switch a.Colour {
	case kangma.Red:
		out.Decision = p.Red
	case kangma.Yellow:
		out.Decision = p.Yellow
	case kangma.Green:
		out.Decision = p.Green
	}
	if out.Decision == kangma.Pass && p.TestHours > 0 && !recent(f.LatestNegative, f.At, p.TestHours) {
		return testOutcome(p.TestHours)
	}
	if out.Decision == kangma.Pass {
		if other, asked := p.conditions(f); asked {
			return other
		}
	}
	return out
}

func recent(test, at time.Time, hours int) bool {
	return !test.IsZero() && !test.After(at) && at.Sub(test) <= time.Duration(hours)*time.Hour
}
