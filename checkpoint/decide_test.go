package checkpoint_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
)

var noon = time.Date(2022, 8, 11, 4, 0, 0, 0, time.UTC)

func told(c kangma.Colour) kangma.Assessment {
	a := kangma.Assessment{Told: true, Colour: c, At: noon}
	if c != kangma.Green {
		a.Assignments = []kangma.Assignment{{Rule: "r-" + c.String(), Colour: c, Reason: kangma.Text{Zh: "因", En: "why"}, Guidance: kangma.Text{Zh: "导", En: "what to do"}}}
	}
	return a
}

func TestEveryKindOfGateDecidesEveryColour(t *testing.T) {
	type row struct{ red, yellow, green kangma.Decision }
	want := map[string]row{
		"community": {kangma.TurnBack, kangma.TurnBack, kangma.Pass},
		"metro":     {kangma.TurnBack, kangma.TurnBack, kangma.Pass},
		"venue":     {kangma.TurnBack, kangma.TurnBack, kangma.Pass},
		"school":    {kangma.TurnBack, kangma.TurnBack, kangma.Pass},
		"hospital":  {kangma.Refer, kangma.Refer, kangma.Pass},
		"highway":   {kangma.CentralIsolate, kangma.HomeIsolate, kangma.Pass},
		"border":    {kangma.CentralIsolate, kangma.HomeIsolate, kangma.Pass},
	}
	for _, kind := range checkpoint.GateKinds {
		w, ok := want[kind]
		if !ok {
			t.Errorf("no expectation for a %s gate", kind)
		}
		for colour, decision := range map[kangma.Colour]kangma.Decision{kangma.Red: w.red, kangma.Yellow: w.yellow, kangma.Green: w.green} {
			t.Run(fmt.Sprintf("%s at a %s gate", colour, kind), func(t *testing.T) {
				f := checkpoint.Facts{Assessment: told(colour), At: noon}
				out := checkpoint.Decide(checkpoint.DefaultPolicy(kind), f)
				if out.Decision != decision || out.Reason != f.Assessment.ReasonCode() || out.Why.Zh == "" || out.Guidance.En == "" {
					t.Errorf("got %+v, want %s", out, decision)
				}
				f.Temperature = 373
				if out := checkpoint.Decide(checkpoint.DefaultPolicy(kind), f); out.Decision != kangma.Refer || out.Reason != "fever" {
					t.Errorf("with 37.3 °C: %+v", out)
				}
			})
		}
	}
}

func TestWhatIsNotKnownRefers(t *testing.T) {
	open := checkpoint.Policy{Red: kangma.Pass, Yellow: kangma.Pass, Green: kangma.Pass}
	for what, c := range map[string]struct {
		p      checkpoint.Policy
		f      checkpoint.Facts
		reason string
	}{
		"all zero":                        {checkpoint.Policy{}, checkpoint.Facts{}, "no_rules"},
		"a zero policy and green":         {checkpoint.Policy{}, checkpoint.Facts{Assessment: told(kangma.Green)}, "ok"},
		"a zero policy and red":           {checkpoint.Policy{}, checkpoint.Facts{Assessment: told(kangma.Red)}, "r-red"},
		"no colour, everything may pass":  {open, checkpoint.Facts{Assessment: kangma.Assessment{Colour: kangma.Green}}, "no_rules"},
		"a colour outside the set":        {open, checkpoint.Facts{Assessment: told(kangma.Colour(7))}, "r-" + kangma.Colour(7).String()},
		"a reason that nobody knows":      {open, checkpoint.Facts{Assessment: kangma.Assessment{CannotTell: "new"}}, "new"},
		"fever, though everything passes": {open, checkpoint.Facts{Assessment: told(kangma.Green), Temperature: 400}, "fever"},
	} {
		t.Run(what, func(t *testing.T) {
			out := checkpoint.Decide(c.p, c.f)
			if out.Decision != kangma.Refer || out.Reason != c.reason || out.Why.Zh == "" || out.Why.En == "" || out.Guidance.Zh == "" {
				t.Errorf("got %+v, want refer because %s", out, c.reason)
			}
		})
	}
}

func TestEveryCannotTellRefersWithItsOwnWords(t *testing.T) {
	seen := map[string]kangma.CannotTell{}
	for _, why := range allCannotTell {
		out := checkpoint.Decide(checkpoint.DefaultPolicy("metro"), checkpoint.Facts{Assessment: kangma.Assessment{CannotTell: why}, At: noon})
		if out.Decision != kangma.Refer || out.Reason != string(why) {
			t.Errorf("%s: %+v", why, out)
		}
		if other, ok := seen[out.Why.Zh]; ok {
			t.Errorf("%s and %s have the same words", why, other)
		}
		seen[out.Why.Zh] = why
	}
}

func TestFeverIsFromTheLimitOn(t *testing.T) {
	for _, c := range []struct {
		limit, measured int
		fever           bool
	}{{0, 372, false}, {0, 373, true}, {0, 0, false}, {380, 379, false}, {380, 380, true}} {
		p := checkpoint.DefaultPolicy("metro")
		p.Fever = c.limit
		out := checkpoint.Decide(p, checkpoint.Facts{Assessment: told(kangma.Green), Temperature: c.measured, At: noon})
		if got := out.Reason == "fever"; got != c.fever || (out.Decision == kangma.Pass) == c.fever {
			t.Errorf("limit %d, measured %d: %+v", c.limit, c.measured, out)
		}
	}
}

func TestAGateThatAsksForATestPassesGreenOnlyWithARecentOne(t *testing.T) {
	for _, hours := range []int{24, 48, 72} {
		limit := time.Duration(hours) * time.Hour
		for what, c := range map[string]struct {
			test time.Time
			pass bool
		}{
			"none":             {time.Time{}, false},
			"just in time":     {noon.Add(-limit), true},
			"a moment too old": {noon.Add(-limit - time.Nanosecond), false},
			"now":              {noon, true},
			"from the future":  {noon.Add(time.Second), false},
		} {
			p := checkpoint.DefaultPolicy("metro")
			p.TestHours = hours
			out := checkpoint.Decide(p, checkpoint.Facts{Assessment: told(kangma.Green), LatestNegative: c.test, At: noon})
			if (out.Decision == kangma.Pass) != c.pass || !c.pass && (out.Decision != kangma.Refer || out.Reason != "test_missing") {
				t.Errorf("%d h, test %s: %+v", hours, what, out)
			}
			if out := checkpoint.Decide(p, checkpoint.Facts{Assessment: told(kangma.Red), LatestNegative: noon, At: noon}); out.Decision != kangma.TurnBack {
				t.Errorf("%d h: a test does not open the barrier for red: %+v", hours, out)
			}
		}
	}
}

func TestAGateIsCheckedWhole(t *testing.T) {
	good := checkpoint.Gate{ID: "g", Kind: "metro", District: 441502000, Policy: checkpoint.DefaultPolicy("metro")}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	bad := checkpoint.Gate{Kind: "barn", Policy: checkpoint.Policy{TestHours: 12, Fever: 1000}}
	var where []string
	for _, f := range faults(bad.Check()) {
		where = append(where, f.Where)
	}
	if want := []string{"id", "kind", "district", "policy.test_hours", "policy.fever"}; !slices.Equal(where, want) {
		t.Errorf("got faults at %v, want %v", where, want)
	}
}

func faults(err error) []kangma.Fault {
	if e, ok := err.(*kangma.Error); ok {
		return e.Faults
	}
	return nil
}

var allCannotTell = []kangma.CannotTell{
	kangma.TellNoRules, kangma.TellUnknownPerson, kangma.TellExpired, kangma.TellNotYetValid, kangma.TellUnknownKey, kangma.TellForged,
	kangma.TellMalformed, kangma.TellNotOurs, kangma.TellSpecimen, kangma.TellStaleGate, kangma.TellClock, kangma.TellReplayed,
	kangma.TellRevoked, kangma.TellForeign, kangma.TellCheckOnline,
}
