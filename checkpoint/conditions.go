package checkpoint

import (
	"fmt"
	"slices"
	"time"

	"github.com/kangma/kangma"
)

// VaccineRule asks for doses of vaccine, the last of them some days ago. Who has not is referred.
type VaccineRule struct {
	Doses int `json:"doses"`          // 1 to 5
	Days  int `json:"days,omitempty"` // since the last one, 0 to 90
}

// TripRule asks whether somebody was in these divisions lately (行程).
type TripRule struct {
	Days      int               `json:"days"` // 1 to 28
	Divisions []kangma.Division `json:"divisions"`
	Decision  kangma.Decision   `json:"decision"` // for whom it was; left out: refer
}

// LeavingRule is what a gate does with those who leave, by colour alone.
type LeavingRule struct {
	Red    kangma.Decision `json:"red"`
	Yellow kangma.Decision `json:"yellow"`
	Green  kangma.Decision `json:"green"`
}

func (l *LeavingRule) of(c kangma.Colour) kangma.Decision {
	switch c {
	case kangma.Green:
		return l.Green
	case kangma.Yellow:
		return l.Yellow
	}
	return l.Red
}

func (p Policy) checkConditions(bad func(where, what string)) {
	if v := p.Vaccine; v != nil && (v.Doses < 1 || v.Doses > 5 || v.Days < 0 || v.Days > 90) {
		bad("policy.vaccine", "1 to 5 doses of vaccine, the last 0 to 90 days ago")
	}
	t := p.Trip
	if t == nil {
		return
	}
	if t.Days < 1 || t.Days > 28 || len(t.Divisions) == 0 || len(t.Divisions) > 200 ||
		slices.ContainsFunc(t.Divisions, func(d kangma.Division) bool { return d.Rank() == kangma.NoDivision }) {
		bad("policy.trip", "trips of the last 1 to 28 days to 1 to 200 divisions of GB/T 2260")
	}
	if t.Decision == kangma.Pass {
		bad("policy.trip", "whom a trip concerns is not simply let pass")
	}
}

// conditions asks what a policy asks besides colour and test. asked is false where all of it is met.
func (p Policy) conditions(f Facts) (out Outcome, asked bool) {
	if v := p.Vaccine; v != nil {
		switch {
		case !f.Known:
			return unknownOutcome("vaccine_unknown"), true
		case f.Doses < v.Doses || f.At.Sub(f.LastDose) < time.Duration(v.Days)*24*time.Hour:
			return vaccineOutcome(*v), true
		}
	}
	if t := p.Trip; t != nil {
		switch {
		case !f.Known:
			return unknownOutcome("trip_unknown"), true
		case slices.ContainsFunc(f.Trips, func(x Trip) bool { return t.concerns(x, f.At) }):
			return tripOutcome(*t), true
		}
	}
	return Outcome{}, false
}

func (t *TripRule) concerns(x Trip, at time.Time) bool {
	return at.Sub(x.Until) <= time.Duration(t.Days)*24*time.Hour &&
		slices.ContainsFunc(t.Divisions, func(d kangma.Division) bool { return d.Contains(x.Division) })
}

func unknownOutcome(reason string) Outcome {
	return Outcome{
		Decision: kangma.Refer, Reason: reason,
		Why:      kangma.Text{Zh: "离线无法得知疫苗或行程", En: "Vaccination and trips are not known without a network"},
		Guidance: kangma.Text{Zh: "请联网核验，或查看纸质证明", En: "Check online, or look at papers"},
	}
}

func vaccineOutcome(v VaccineRule) Outcome {
	return Outcome{
		Decision: kangma.Refer, Reason: "vaccine_missing",
		Why:      kangma.Text{Zh: fmt.Sprintf("未满 %d 剂疫苗接种要求", v.Doses), En: fmt.Sprintf("Fewer than %d doses of vaccine, or too lately", v.Doses)},
		Guidance: kangma.Text{Zh: "请查看接种凭证", En: "Look at the vaccination record"},
	}
}

func tripOutcome(t TripRule) Outcome {
	return Outcome{
		Decision: t.Decision, Reason: "trip",
		Why:      kangma.Text{Zh: fmt.Sprintf("%d 天内到过本卡口管控的地区", t.Days), En: fmt.Sprintf("Was within %d days in a place that this gate asks about", t.Days)},
		Guidance: kangma.Text{Zh: "请按本卡口规定处置", En: "Follow this gate's instructions"},
	}
}
