package api_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/checkpoint/entry"
	"github.com/kangma/kangma/checkpoint/inbox"
	"github.com/kangma/kangma/checkpoint/venue"
	"github.com/kangma/kangma/issuance"
	"github.com/kangma/kangma/registry"
	"github.com/kangma/kangma/store"
)

const day = 24 * time.Hour

// ageAll runs the job to its end in small steps and gives what it deleted.
func (w *town) ageAll(a *registry.Ager) map[string]uint64 {
	w.t.Helper()
	for range 1000 {
		more, err := a.Run(w.t.Context(), 3)
		if err != nil {
			w.t.Fatal(err)
		}
		if !more {
			return a.Deleted()
		}
	}
	w.t.Fatal("the job never ends")
	return nil
}

func (w *town) kept(kind string) int {
	w.t.Helper()
	recs, _, err := w.registry.Records().List(w.t.Context(), store.RecordQuery{Kind: kind, Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(recs)
}

func TestRecordsOfWhatPeopleDidAreDeletedByAge(t *testing.T) {
	w := newTown(t)
	official, gate := w.staff(api.Official), w.staff(api.GateStaff)
	driver := w.resident("581")
	var old []string
	for range 5 {
		e := w.file(driver, w.filing(obj{"self": true}))
		w.inspect(gate, e.ID, obj{"event": w.event(), "occupant": "1", "temperature": 36.5})
		old = append(old, e.ID)
	}
	w.want(w.call("PUT", "/v1/venues/mall-1", official, obj{"name": both("广场"), "kind": "mall", "district": "441502", "organisation": "test", "mode": "screen"}), 200, "")
	var shown struct{ Code string }
	w.want(w.call("GET", "/v1/venues/mall-1/code", official, nil), 200, "").into(t, &shown)
	w.want(w.call("POST", "/v1/venues/mall-1/check-ins", driver.token, obj{"code": shown.Code, "event": w.event()}), 201, "")
	w.want(w.call("POST", "/v1/me/short-code", driver.token, nil), 200, "")
	rules := append(api.Ageing(), entry.Ageing(28*day), venue.Ageing(21*day), inbox.Ageing(60*day), issuance.Ageing(), checkpoint.Ageing())
	ager := w.registry.NewAger(rules...)
	before := map[string]int{}
	for _, r := range rules {
		before[r.Kind] = w.kept(r.Kind)
	}
	if before["vehicle-entry"] != 5 || before["check-in"] != 1 || before["inbox"] != 5 || before["short-code"] != 1 || before["session"] == 0 {
		t.Fatalf("there is too little to delete: %v", before)
	}
	if got := w.ageAll(ager); got["vehicle-entry"]+got["check-in"]+got["inbox"]+got["short-code"]+got["session"] != 0 {
		t.Fatalf("deleted before its time: %v", got)
	}
	after := func(d time.Duration) map[string]int {
		w.pass(d)
		w.ageAll(ager)
		left := map[string]int{}
		for _, r := range rules {
			left[r.Kind] = w.kept(r.Kind)
		}
		return left
	}
	if left := after(2 * time.Hour); left["short-code"] != 0 || left["check-in"] != 1 {
		t.Errorf("after hours: %v", left)
	}
	if left := after(21 * day); left["check-in"] != 0 || left["vehicle-entry"] != 5 {
		t.Errorf("after 21 days: %v", left)
	}
	official = w.staff(api.Official)
	var page struct{ Items []struct{ Event string } }
	w.want(w.call("GET", "/v1/inbox?status=new", official, nil), 200, "").into(t, &page)
	w.want(w.call("POST", "/v1/inbox/"+page.Items[0].Event+"/acknowledge", official, nil), 200, "")
	if left := after(10 * day); left["vehicle-entry"] != 0 || left["inbox"] != 5 || left["session"] != 0 {
		t.Errorf("after 31 days: %v", left)
	}
	if left := after(30 * day); left["inbox"] != 4 {
		t.Errorf("after 61 days, one of five acknowledged: %v", left)
	}
	if left := after(120 * day); left["inbox"] != 0 {
		t.Errorf("after 181 days: %v", left)
	}
	if got := ager.Deleted(); got["vehicle-entry"] != 5 || got["inbox"] != 5 || got["check-in"] != 1 {
		t.Errorf("counted: %v", got)
	}
	driver2 := w.resident("582")
	w.want(w.call("GET", "/v1/me/vehicle-entries/"+old[0], driver2.token, nil), 404, "no_entry")
}

// A record that is changed while the job looks at it stays, and a job that is cut off goes on where it was.
func TestTheAgerStopsAtWhatIsYoung(t *testing.T) {
	w := newTown(t)
	driver := w.resident("583")
	for range 4 {
		w.file(driver, w.filing(obj{"self": true}))
	}
	looked := 0
	rule := entry.Ageing(28 * day)
	over := rule.Over
	rule.Over = func(rec store.Record, now time.Time) bool { looked++; return over(rec, now) }
	w.pass(40 * day)
	driver = w.resident("584")
	for range 4 {
		w.file(driver, w.filing(obj{"self": true}))
	}
	a := w.registry.NewAger(rule)
	if _, err := a.Run(t.Context(), 2); err != nil || w.kept("vehicle-entry") != 6 {
		t.Errorf("two at once: %v, %d kept", err, w.kept("vehicle-entry"))
	}
	w.ageAll(a)
	if looked != 4 || w.kept("vehicle-entry") != 4 || a.Deleted()["vehicle-entry"] != 4 {
		t.Errorf("looked at %d, %d kept, %v deleted", looked, w.kept("vehicle-entry"), a.Deleted())
	}
}
