package checkpoint_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
)

// Clocks wrong by 30 s, an hour, a day; a gate a week without a network. A wrong clock never makes a bad code pass, and
// one within the allowed 30 s never keeps a good one out.
func TestClocksThatAreWrong(t *testing.T) {
	b := newBureau(t)
	policy := checkpoint.DefaultPolicy("metro")
	for what, c := range map[string]struct {
		gate time.Duration // the gate's clock, from the truth
		tell kangma.CannotTell
	}{
		"right": {0, ""}, "30 s slow": {-30 * time.Second, ""}, "30 s fast": {30 * time.Second, ""},
		"31 s slow":    {-31 * time.Second, kangma.TellClock}, // before its own bundle was signed
		"an hour slow": {-time.Hour, kangma.TellClock}, "a day slow": {-24 * time.Hour, kangma.TellClock},
		"an hour fast": {time.Hour, kangma.TellExpired}, "a day fast": {24 * time.Hour, kangma.TellStaleGate},
		"a week fast": {7 * 24 * time.Hour, kangma.TellStaleGate}, "in 2038": {time.Until(time.Date(2038, 1, 20, 0, 0, 0, 0, time.UTC)) + time.Since(noon), kangma.TellStaleGate},
	} {
		t.Run(what, func(t *testing.T) {
			green := b.issue(t, codegen.Dynamic, kangma.Green, 90*time.Second)
			v, p, err := b.gate(t, policy, nil).Scan(checkpoint.Scan{Code: green.Text}, noon.Add(c.gate))
			if err != nil || v.CannotTell != c.tell || v.Told != (c.tell == "") || (v.Decision == kangma.Pass) != (c.tell == "") || p.Told != v.Told {
				t.Errorf("%+v %v", v, err)
			}
		})
	}
}

func TestAClockThatIsTurnedBackBringsNothingToLife(t *testing.T) {
	b := newBureau(t)
	o := b.gate(t, checkpoint.DefaultPolicy("metro"), nil)
	green := b.issue(t, codegen.Dynamic, kangma.Green, 90*time.Second)
	scan := func(after time.Duration) kangma.CannotTell {
		v, _, err := o.Scan(checkpoint.Scan{Code: green.Text}, noon.Add(after))
		if err != nil {
			t.Fatal(err)
		}
		return v.CannotTell
	}
	for _, step := range []struct {
		after time.Duration
		want  kangma.CannotTell
	}{{10 * time.Second, ""}, {time.Hour, kangma.TellExpired}, {20 * time.Second, kangma.TellClock}, {time.Hour - 31*time.Second, kangma.TellClock},
		{time.Hour - 29*time.Second, kangma.TellExpired}} {
		if got := scan(step.after); got != step.want {
			t.Errorf("after %v: %q, want %q", step.after, got, step.want)
		}
	}
	t.Run("not even when the gate is switched off and on", func(t *testing.T) {
		kept := o.State()
		again := b.gate(t, checkpoint.DefaultPolicy("metro"), nil)
		if err := again.Resume(kept); err != nil {
			t.Fatal(err)
		}
		if v, _, _ := again.Scan(checkpoint.Scan{Code: green.Text}, noon.Add(20*time.Second)); v.CannotTell != kangma.TellClock {
			t.Errorf("%+v", v)
		}
	})
}

func TestAGateTakesNoOlderBundle(t *testing.T) {
	b := newBureau(t)
	at := func(when time.Time) *checkpoint.Offline {
		raw, err := checkpoint.SignBundle(b.list, checkpoint.Gate{ID: "g", Kind: "metro", District: 441502000}, b.trusted, nil, sealTo, when)
		if err != nil {
			t.Fatal(err)
		}
		bundle, err := checkpoint.OpenBundle(raw, b.pins(), when)
		if err != nil {
			t.Fatal(err)
		}
		o, err := checkpoint.NewOffline(bundle)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	newer, older, same := at(noon.Add(time.Hour)), at(noon), at(noon.Add(time.Hour))
	if err := newer.Resume(checkpoint.GateState{}); err != nil {
		t.Fatal(err)
	}
	if err := older.Resume(newer.State()); kangma.CodeOf(err) != "bundle_old" {
		t.Errorf("an older bundle: %v", err)
	}
	if err := same.Resume(newer.State()); err != nil {
		t.Errorf("the same bundle again: %v", err)
	}
	if a := newer.Ages(noon.Add(80 * time.Minute)); a.Bundle != 20*time.Minute || a.Status >= 0 || !a.Amber {
		t.Errorf("ages %+v", a)
	}
	t.Run("a clock that jumped ahead once is set right by the next bundle", func(t *testing.T) {
		newer.Scan(checkpoint.Scan{Code: "x"}, noon.AddDate(16, 0, 0))
		next := at(noon.Add(2 * time.Hour))
		if err := next.Resume(newer.State()); err != nil {
			t.Fatal(err)
		}
		if v, _, _ := next.Scan(checkpoint.Scan{Code: "x"}, noon.Add(2*time.Hour)); v.CannotTell != kangma.TellNotOurs {
			t.Errorf("%+v", v)
		}
	})
}

// A gate that may be a week without a network decides for a week by its own data and not a moment longer.
func TestAGateAWeekOffline(t *testing.T) {
	b := newBureau(t)
	policy := checkpoint.DefaultPolicy("metro")
	policy.OfflineHours = 168
	o := b.gate(t, policy, []codegen.CodeID{})
	for _, c := range []struct {
		after time.Duration
		tell  kangma.CannotTell
	}{{24 * time.Hour, ""}, {6 * 24 * time.Hour, ""}, {168*time.Hour - time.Second, ""}, {168 * time.Hour, kangma.TellStaleGate}} {
		code, err := b.issuer.Issue(codegen.Claims{Kind: codegen.Dynamic, Colour: kangma.Green, Issued: noon.Add(c.after), Expires: noon.Add(c.after + 90*time.Second), Person: kangma.NewPersonID()})
		if err != nil {
			t.Fatal(err)
		}
		v, p, err := o.Scan(checkpoint.Scan{Code: code.Text}, noon.Add(c.after))
		if err != nil || v.CannotTell != c.tell || (v.Decision == kangma.Pass) != (c.tell == "") {
			t.Errorf("after %v: %+v %v", c.after, v, err)
		}
		if stale := len(p.Flags) == 2; stale != (c.tell == kangma.TellStaleGate) {
			t.Errorf("after %v: flags %v", c.after, p.Flags)
		}
	}
}
