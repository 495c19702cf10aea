package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/registry"
)

func TestAResidentIsToldOfEveryChangeOfColourAndAnalystsOnlyHowMany(t *testing.T) {
	w := newTown(t)
	p, feeder, epi := w.resident("301"), w.staff(api.Feeder), w.staff(api.Epidemiologist)
	sweep := func() {
		t.Helper()
		if _, err := w.registry.Sweep(t.Context(), registry.SweepConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	type inbox struct{ Notices []registry.Notice }
	notices := func(query string) (in inbox) {
		t.Helper()
		w.want(w.call("GET", "/v1/me/notices"+query, p.token, nil), 200, "").into(t, &in)
		return in
	}
	w.pass(time.Minute)
	sweep()
	if in := notices(""); len(in.Notices) != 0 {
		t.Errorf("green from the start is no news: %+v", in)
	}
	w.pass(time.Minute)
	w.want(w.call("POST", "/v1/evidence", feeder, stayLine(kangma.NewEventID(w.now()), p.number, "441502", "金町湾小区", w.now().Add(-48*time.Hour))), 200, "")
	sweep()
	in := notices("")
	if len(in.Notices) != 1 || in.Notices[0].From != "green" || in.Notices[0].To != "red" || in.Notices[0].Why.Zh == "" || in.Notices[0].Why.En == "" || in.Notices[0].Rule == "" {
		t.Fatalf("%+v", in)
	}
	if later := notices("?since=" + in.Notices[0].At.Format(time.RFC3339Nano)); len(later.Notices) != 0 {
		t.Errorf("nothing is newer: %+v", later)
	}
	raw := string(w.call("GET", "/v1/me/notices", p.token, nil).body)
	for _, secret := range []string{p.number, p.phone, p.id, "测试", "金町湾"} {
		if strings.Contains(raw, secret) {
			t.Errorf("a notice shows %q", secret)
		}
	}
	var counted struct {
		Rows     []registry.TransitionCount
		Withheld int
	}
	w.want(w.call("GET", "/v1/analytics/transitions?by_district=true", epi, nil), 200, "").into(t, &counted)
	if len(counted.Rows) != 0 || counted.Withheld != 1 {
		t.Errorf("one person is too few to show: %+v", counted)
	}
	w.want(w.call("GET", "/v1/analytics/transitions?since=2020-01-01T00:00:00Z", epi, nil), 413, "transition_span")
}
