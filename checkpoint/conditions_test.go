package checkpoint_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/checkpoint"
)

func TestAGateAsksForVaccineTripsAndDirection(t *testing.T) {
	day := 24 * time.Hour
	policy := checkpoint.DefaultPolicy("metro")
	policy.Vaccine = &checkpoint.VaccineRule{Doses: 2, Days: 14}
	policy.Trip = &checkpoint.TripRule{Days: 14, Divisions: []kangma.Division{420000000, 310000000}, Decision: kangma.TurnBack}
	policy.Leaving = &checkpoint.LeavingRule{Red: kangma.Refer, Yellow: kangma.Pass, Green: kangma.Pass}
	if err := (checkpoint.Gate{ID: "g", Kind: "metro", District: 441502000, Policy: policy}).Check(); err != nil {
		t.Fatal(err)
	}
	good := checkpoint.Facts{Assessment: told(kangma.Green), At: noon, Known: true, Doses: 2, LastDose: noon.Add(-14 * day)}
	for what, c := range map[string]struct {
		change   func(*checkpoint.Facts)
		decision kangma.Decision
		reason   string
	}{
		"all of it":                      {func(*checkpoint.Facts) {}, kangma.Pass, "ok"},
		"one dose":                       {func(f *checkpoint.Facts) { f.Doses = 1 }, kangma.Refer, "vaccine_missing"},
		"the last dose a day too lately": {func(f *checkpoint.Facts) { f.LastDose = noon.Add(-13 * day) }, kangma.Refer, "vaccine_missing"},
		"nothing known":                  {func(f *checkpoint.Facts) { f.Known = false }, kangma.Refer, "vaccine_unknown"},
		"in Wuhan two weeks ago": {func(f *checkpoint.Facts) {
			f.Trips = []checkpoint.Trip{{Division: 420106000, Until: noon.Add(-14 * day)}}
		}, kangma.TurnBack, "trip"},
		"in Wuhan before that": {func(f *checkpoint.Facts) {
			f.Trips = []checkpoint.Trip{{Division: 420106000, Until: noon.Add(-14*day - 1)}}
		}, kangma.Pass, "ok"},
		"in Guangzhou":                {func(f *checkpoint.Facts) { f.Trips = []checkpoint.Trip{{Division: 440103000, Until: noon}} }, kangma.Pass, "ok"},
		"yellow":                      {func(f *checkpoint.Facts) { f.Assessment = told(kangma.Yellow) }, kangma.TurnBack, "r-yellow"},
		"yellow on the way out":       {func(f *checkpoint.Facts) { f.Assessment, f.Direction = told(kangma.Yellow), "out" }, kangma.Pass, "r-yellow"},
		"red on the way out":          {func(f *checkpoint.Facts) { f.Assessment, f.Direction = told(kangma.Red), "out" }, kangma.Refer, "r-red"},
		"unvaccinated on the way out": {func(f *checkpoint.Facts) { f.Doses, f.Direction = 0, "out" }, kangma.Pass, "ok"},
		"a fever on the way out":      {func(f *checkpoint.Facts) { f.Temperature, f.Direction = 385, "out" }, kangma.Refer, "fever"},
		"no colour on the way out": {func(f *checkpoint.Facts) {
			f.Assessment, f.Direction = kangma.Assessment{CannotTell: kangma.TellExpired}, "out"
		}, kangma.Refer, "expired"},
	} {
		t.Run(what, func(t *testing.T) {
			f := good
			c.change(&f)
			if out := checkpoint.Decide(policy, f); out.Decision != c.decision || out.Reason != c.reason || out.Why.En == "" {
				t.Errorf("got %s by %s, want %s by %s", out.Decision, out.Reason, c.decision, c.reason)
			}
		})
	}
	for what, change := range map[string]func(*checkpoint.Policy){
		"no dose":    func(p *checkpoint.Policy) { p.Vaccine = &checkpoint.VaccineRule{} },
		"a year ago": func(p *checkpoint.Policy) { p.Vaccine = &checkpoint.VaccineRule{Doses: 1, Days: 365} },
		"no place":   func(p *checkpoint.Policy) { p.Trip = &checkpoint.TripRule{Days: 14} },
		"a year of trips": func(p *checkpoint.Policy) {
			p.Trip = &checkpoint.TripRule{Days: 365, Divisions: []kangma.Division{420000000}}
		},
		"nowhere": func(p *checkpoint.Policy) { p.Trip = &checkpoint.TripRule{Days: 14, Divisions: []kangma.Division{7}} },
		"passing anyhow": func(p *checkpoint.Policy) {
			p.Trip = &checkpoint.TripRule{Days: 14, Divisions: []kangma.Division{420000000}, Decision: kangma.Pass}
		},
	} {
		p := checkpoint.DefaultPolicy("metro")
		change(&p)
		if err := (checkpoint.Gate{ID: "g", Kind: "metro", District: 441502000, Policy: p}).Check(); kangma.CodeOf(err) != "gate" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestFactsAreOfWhatStands(t *testing.T) {
	at := func(days int) time.Time { return noon.AddDate(0, 0, -days) }
	wrong := kangma.NewEventID(at(3))
	d := &kangma.Dossier{Evidence: []kangma.Evidence{
		{ID: kangma.NewEventID(at(60)), Kind: kangma.KindVaccination, Observed: at(60), Vaccination: &kangma.Vaccination{Dose: 1}},
		{ID: kangma.NewEventID(at(30)), Kind: kangma.KindVaccination, Observed: at(30), Vaccination: &kangma.Vaccination{Dose: 2}},
		{ID: kangma.NewEventID(at(5)), Kind: kangma.KindTrip, Observed: at(5), Trip: &kangma.Trip{Mode: "train", Departed: at(5), From: kangma.Place{Division: 420106000}, To: kangma.Place{Division: 440103000}}},
		{ID: wrong, Kind: kangma.KindTest, Observed: at(1), Test: &kangma.Test{Method: "pcr", Result: "negative"}},
		{ID: kangma.NewEventID(at(0)), Kind: kangma.KindWithdrawal, Observed: at(0), Withdrawal: &kangma.Withdrawal{Event: wrong}},
	}}
	f := checkpoint.FactsOf(told(kangma.Green), d, noon)
	if !f.Known || f.Doses != 2 || !f.LastDose.Equal(at(30)) || len(f.Trips) != 2 || f.Trips[0].Division != 420106000 {
		t.Errorf("%+v", f)
	}
	if !f.LatestNegative.IsZero() {
		t.Error("a negative test that was withdrawn opens the gate")
	}
	if f := checkpoint.FactsOf(told(kangma.Green), nil, noon); f.Known {
		t.Error("nobody is known")
	}
}

func TestWhereabouts(t *testing.T) {
	var w checkpoint.Whereabouts
	p := kangma.NewPersonID()
	if w.TooFast(p, 441502000, noon) {
		t.Error("never seen before")
	}
	w.Note(p, 441502000, noon)
	for _, c := range []struct {
		place kangma.Division
		after time.Duration
		fast  bool
	}{
		{441502000, 0, false}, {441521000, time.Minute, true}, {441521000, 6 * time.Minute, false}, {440103000, 19 * time.Minute, true},
		{110101000, 40 * time.Minute, true}, {110101000, 46 * time.Minute, false},
	} {
		if got := w.TooFast(p, c.place, noon.Add(c.after)); got != c.fast {
			t.Errorf("%v after %v: %v", c.place, c.after, got)
		}
	}
	w.Note(p, 110101000, noon.Add(-10*time.Minute)) // a late upload does not move anybody back
	if w.TooFast(p, 441502000, noon.Add(time.Minute)) {
		t.Error("moved back by what was earlier")
	}
}
