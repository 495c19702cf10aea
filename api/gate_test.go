package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/registry"
)

type flagged struct {
	Event, Decision, Wire, Reason string
	Told                          bool
	CannotTell                    string `json:"cannot_tell"`
	MaskedName                    string `json:"masked_name"`
	Flags                         []string
}

func (w *town) scanAs(token string, body map[string]any) (v flagged) {
	w.t.Helper()
	w.want(w.call("POST", "/v1/scans", token, body), 200, "").into(w.t, &v)
	return v
}

func TestAHolderProofPassesOnceAndTheNextOnePassesAgain(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("301"), w.staff(api.GateStaff)
	ph := w.draw(p.token, "/v1/me/credentials", 1, true)
	photo := ph.show(0)
	first := map[string]any{"code": photo, "gate": "metro-1", "event": kangma.NewEventID(w.now()).String()}
	for range 2 { // and its retry
		if v := w.scanAs(gate, first); v.Decision != "pass" || v.Flags != nil {
			t.Fatalf("the holder: %+v", v)
		}
	}
	v := w.scanAs(gate, map[string]any{"code": photo, "gate": "metro-1"})
	if v.Decision != "refer" || v.Told || v.CannotTell != "replayed" || v.MaskedName != "欧**试" || len(v.Flags) != 1 || v.Flags[0] != "replay" {
		t.Errorf("the photo: %+v", v)
	}
	w.pass(30 * time.Second)
	if v := w.scanAs(gate, map[string]any{"code": ph.show(0), "gate": "metro-1"}); v.Decision != "pass" || v.Flags != nil {
		t.Errorf("the next slot: %+v", v)
	}
	w.ship()
	var at struct{ Passages []struct{ Reason string } }
	w.want(w.call("GET", "/v1/gates/metro-1/passages", gate, nil), 200, "").into(t, &at)
	if len(at.Passages) != 3 {
		t.Errorf("kept: %+v", at)
	}
}

func TestACodeInTwoPlacesIsFlagged(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("302"), w.staff(api.GateStaff)
	far := checkpoint.Gate{ID: "post-1", Kind: "highway", District: 441581000, Policy: checkpoint.DefaultPolicy("highway")}
	if err := w.registry.PutDoc(t.Context(), "gate", far.ID, far, nil); err != nil {
		t.Fatal(err)
	}
	code := w.code(p).Code
	if v := w.scanAs(gate, map[string]any{"code": code, "gate": "metro-1"}); v.Flags != nil {
		t.Errorf("the first: %+v", v)
	}
	w.pass(40 * time.Second)
	if v := w.scanAs(gate, map[string]any{"code": code, "gate": "post-1"}); v.Decision != "pass" || len(v.Flags) != 1 || v.Flags[0] != "travel" {
		t.Errorf("in another county 40 s later: %+v", v)
	}
}

func TestTheResidentSeesWhoSawTheirName(t *testing.T) {
	w := newTown(t)
	p, other, gate := w.resident("303"), w.resident("304"), w.staff(api.GateStaff)
	event := kangma.NewEventID(w.now()).String()
	for range 2 {
		w.scanAs(gate, map[string]any{"code": w.code(p).Code, "gate": "metro-1", "event": event})
	}
	w.scanAs(gate, map[string]any{"code": w.code(p).Code, "gate": "post-1"})
	var out struct {
		Accesses []struct {
			ID, Account, Organisation, Role, Purpose, Case string
			Fields                                         []string
		}
	}
	deadline := time.Now().Add(20 * time.Second) // the list follows the journal
	for len(out.Accesses) < 2 && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
		w.want(w.call("GET", "/v1/me/accesses", p.token, nil), 200, "").into(t, &out)
	}
	if len(out.Accesses) != 2 {
		t.Fatalf("two scans, one of them sent twice: %+v", out)
	}
	for _, a := range out.Accesses {
		if a.Account != "gate-1" || a.Organisation != "test" || a.Role != "gate" || a.Purpose != "checkpoint" || len(a.Fields) != 2 || a.ID == event {
			t.Errorf("%+v", a)
		}
	}
	w.want(w.call("GET", "/v1/me/accesses", other.token, nil), 200, "").into(t, &out)
	if len(out.Accesses) != 0 {
		t.Errorf("somebody else's list: %+v", out)
	}
}

func TestAFixedDeviceScansWithItsKeyInAFewBytes(t *testing.T) {
	w := newTown(t)
	p, admin := w.resident("305"), w.staff(api.Admin)
	put := func(gates ...string) (key string) {
		var out struct{ Key string }
		w.want(w.call("PUT", "/v1/devices/turnstile-1", admin, map[string]any{"organisation": "metro", "gates": gates}), 200, "").into(t, &out)
		return out.Key
	}
	key := put("metro-1")
	w.pass(365 * 24 * time.Hour) // the key has no end
	w.pass(-365 * 24 * time.Hour)
	a := w.want(w.call("POST", "/v1/scans?brief=true", key, map[string]any{"code": w.code(p).Code, "gate": "metro-1"}), 200, "")
	var v flagged
	a.into(t, &v)
	if len(a.body) >= 300 || v.Decision != "pass" || v.Wire != "00" || !v.Told || strings.Contains(string(a.body), "欧") {
		t.Errorf("%d bytes: %s", len(a.body), a.body)
	}
	a = w.want(w.call("POST", "/v1/scans?brief=true", key, map[string]any{"code": "KM1:nonsense", "gate": "metro-1"}), 200, "")
	if len(a.body) >= 300 || strings.Contains(string(a.body), "wire") || !strings.Contains(string(a.body), `"malformed"`) {
		t.Errorf("no colour: %s", a.body)
	}
	w.want(w.call("POST", "/v1/scans", key, map[string]any{"code": "x", "gate": "post-1"}), 403, "scope")
	w.want(w.call("PUT", "/v1/accounts/turnstile-1", admin, map[string]any{"role": "admin", "organisation": "x", "password": "long enough"}), 409, "is_device")
	w.want(w.call("PUT", "/v1/devices/gate-1", admin, map[string]any{"organisation": "x", "gates": []string{"metro-1"}}), 409, "is_account")
	w.want(w.call("PUT", "/v1/devices/other", admin, map[string]any{"organisation": "x", "gates": []string{"nowhere"}}), 404, "no_gate")
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"username": "turnstile-1", "password": "long enough"}), 401, "wrong_login")
	w.want(w.call("GET", "/v1/rule-sets/current", key, nil), 200, "")
	next := put("metro-1", "post-1")
	w.want(w.call("GET", "/v1/gates", key, nil), 401, "unauthorized")
	w.want(w.call("GET", "/v1/gates", next, nil), 200, "")
	w.want(w.call("GET", "/v1/gates", next+"x", nil), 401, "unauthorized")
	acc, _, err := registry.GetDoc[api.Account](t.Context(), w.registry.Records(), "account", "turnstile-1")
	if acc.Disabled = true; err != nil || api.SaveAccount(t.Context(), w.registry, acc) != nil {
		t.Fatal(err)
	}
	w.want(w.call("GET", "/v1/gates", next, nil), 401, "unauthorized")
	if a := w.want(w.call("PUT", "/v1/devices/turnstile-1", admin, map[string]any{"organisation": "metro", "gates": []string{"metro-1"}, "disabled": true}), 200, ""); strings.Contains(string(a.body), "kmd.") {
		t.Errorf("a disabled device got a key: %s", a.body)
	}
	w.want(w.call("GET", "/v1/gates", next, nil), 401, "unauthorized")
	rec, err := w.registry.Records().Get(t.Context(), "account", "turnstile-1")
	if err != nil || strings.Contains(string(rec.Data), key[len("kmd.turnstile-1."):]) {
		t.Errorf("the key itself is stored: %v", err)
	}
}

func TestAnAccountHasABudgetOfScans(t *testing.T) {
	w := newTownWith(t, func(c *api.Config) { c.ScanBudget = 3 })
	gate, second := w.staff(api.GateStaff), w.staff(api.GateStaff)
	body := map[string]any{"code": "x", "gate": "metro-1"}
	for range 3 {
		w.want(w.call("POST", "/v1/scans", gate, body), 200, "")
	}
	if a := w.want(w.call("POST", "/v1/scans", second, body), 429, "too_many"); a.header.Get("Retry-After") != "1200" {
		t.Errorf("Retry-After %q, want 1200 s", a.header.Get("Retry-After"))
	}
	w.pass(20 * time.Minute)
	w.want(w.call("POST", "/v1/scans", gate, body), 200, "")
}
