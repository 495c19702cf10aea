package api_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/kangma/kangma/api"
)

// release lets a person of another organisation put a held change in force, and gives its status.
func (w *town) release(a answer, by string) string {
	w.t.Helper()
	var out struct {
		Held struct{ ID, Status, Reason string }
	}
	w.want(a, 202, "").into(w.t, &out)
	if out.Held.ID == "" || out.Held.Status != "held" || out.Held.Reason != "rain" {
		w.t.Fatalf("held: %s", a.body)
	}
	var done struct{ Status string }
	w.want(w.call("POST", "/v1/approvals/"+out.Held.ID, by, obj{"release": true}), 200, "").into(w.t, &done)
	return done.Status
}

func TestWhatAGateDecidesByIsChangedByTwoPersons(t *testing.T) {
	w := newTown(t)
	admin, gate := w.staff(api.Admin), w.staff(api.GateStaff)
	second := w.second(admin)
	p := w.resident("571")
	mine := obj{"name": both("地铁"), "kind": "metro", "district": "441502"}
	put := func(by, query string, body obj) answer { return w.call("PUT", "/v1/gates/metro-1"+query, by, body) }
	scan := func() string {
		var v struct{ Decision string }
		w.want(w.call("POST", "/v1/scans", gate, obj{"code": w.code(p).Code, "gate": "metro-1", "event": w.event()}), 200, "").into(t, &v)
		return v.Decision
	}
	w.want(put(admin, "", mine), 200, "") // a new name alone is nobody's danger
	if scan() != "pass" {
		t.Fatal("a green person")
	}
	tested := obj{"name": both("地铁"), "kind": "metro", "district": "441502", "policy": obj{"green": "pass", "yellow": "refer", "red": "turn-back", "test_hours": 24, "fever": 373}}
	w.want(put(admin, "", tested), 422, "change_reason")
	w.want(put(admin, "?reason=rain&effective=soon", tested), 422, "time")
	w.want(put(admin, "?reason=rain&effective="+url.QueryEscape(w.now().AddDate(1, 0, 0).Format(time.RFC3339)), tested), 422, "change_from")
	a := put(admin, "?reason=rain", tested)
	var held struct{ Held struct{ ID string } }
	w.want(a, 202, "").into(t, &held)
	w.want(w.call("POST", "/v1/approvals/"+held.Held.ID, admin, obj{"release": true}), 403, "two_persons")
	w.want(w.call("POST", "/v1/approvals/"+held.Held.ID, w.staff(api.Official), obj{"release": true}), 403, "two_persons") // another account of the same organisation
	if scan() != "pass" {
		t.Error("a draft decided")
	}
	if s := w.release(a, second); s != "released" || scan() == "pass" {
		t.Errorf("released: %q, and an untested person %s", s, scan())
	}
	w.want(w.call("POST", "/v1/approvals/"+held.Held.ID, second, obj{"release": true}), 409, "not_held")

	at := w.now().Add(time.Hour)
	if s := w.release(put(admin, "?reason=rain&effective="+url.QueryEscape(at.Format(time.RFC3339)), mine), second); s != "scheduled" {
		t.Errorf("released ahead of its time: %q", s)
	}
	carried := func() int {
		n, err := w.registry.CarryScheduled(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if carried() != 0 || scan() == "pass" {
		t.Error("it took effect before its time")
	}
	w.pass(time.Hour)
	if carried() != 1 || carried() != 0 || scan() != "pass" {
		t.Error("it did not take effect once at its time")
	}
}

func TestVenuesChangeByTwoPersonsWhereItMatters(t *testing.T) {
	w := newTown(t)
	admin, official := w.staff(api.Admin), w.staff(api.Official)
	second := w.second(admin)
	venue := func(more obj) obj {
		v := obj{"name": both("市场"), "kind": "market", "district": "441502", "mode": "screen", "organisation": "test"}
		for k, x := range more {
			v[k] = x
		}
		return v
	}
	w.want(w.call("PUT", "/v1/venues/mm", official, venue(nil)), 200, "")
	w.want(w.call("PUT", "/v1/venues/mm", official, venue(obj{"closed": true})), 200, "") // closing is not deciding
	lax := venue(obj{"policy": obj{"green": "pass", "yellow": "pass", "red": "pass", "fever": 373}})
	var out struct{ Policy struct{ Red string } }
	a := w.call("PUT", "/v1/venues/mm?reason=rain", official, lax)
	if s := w.release(a, second); s != "released" {
		t.Error(s)
	}
	again := w.call("PUT", "/v1/venues/mm", official, lax)
	w.want(again, 200, "").into(t, &out) // now it is what is in force: nothing to hold
	if out.Policy.Red != "pass" {
		t.Errorf("%s", again.body)
	}
}

// A new gate or venue with the usual policy is anybody's who may; by another policy two persons decide, from its first day.
func TestANewGateWithItsOwnPolicyTakesTwoPersons(t *testing.T) {
	w := newTown(t)
	admin := w.staff(api.Admin)
	second := w.second(admin)
	gate := func(policy obj) obj {
		b := obj{"name": both("街"), "kind": "border", "district": "441502"}
		if policy != nil {
			b["policy"] = policy
		}
		return b
	}
	usual := obj{"red": "central-isolate", "yellow": "home-isolate", "green": "pass", "fever": 373, "stale_minutes": 60}
	w.want(w.call("PUT", "/v1/gates/left-out", admin, gate(nil)), 200, "")
	w.want(w.call("PUT", "/v1/gates/as-it-is", admin, gate(usual)), 200, "")
	usual["challenge"] = true
	w.want(w.call("PUT", "/v1/gates/with-a-number", admin, gate(usual)), 200, "")

	lax := gate(obj{"red": "pass", "yellow": "pass", "green": "pass", "fever": 420})
	w.want(w.call("PUT", "/v1/gates/lax", admin, lax), 422, "change_reason")
	a := w.call("PUT", "/v1/gates/lax?reason=rain", admin, lax)
	exists := func() bool {
		var all struct{ Gates []struct{ ID string } }
		w.want(w.call("GET", "/v1/gates", admin, nil), 200, "").into(t, &all)
		for _, g := range all.Gates {
			if g.ID == "lax" {
				return true
			}
		}
		return false
	}
	if exists() {
		t.Error("it is there before the second person has seen it")
	}
	if s := w.release(a, second); s != "released" || !exists() {
		t.Errorf("released: %q, exists %v", s, exists())
	}

	venue := obj{"name": both("街"), "kind": "market", "district": "441502", "organisation": "test", "mode": "screen"}
	official := w.staff(api.Official)
	w.want(w.call("PUT", "/v1/venues/street-1", official, venue), 200, "")
	venue["policy"] = obj{"red": "pass", "yellow": "pass", "green": "pass", "fever": 420}
	a = w.call("PUT", "/v1/venues/street-2?reason=rain", official, venue)
	w.want(w.call("GET", "/v1/venues/street-2/code", official, nil), 404, "")
	if s := w.release(a, second); s != "released" {
		t.Error(s)
	}
	w.want(w.call("GET", "/v1/venues/street-2/code", official, nil), 200, "")
}
