package api_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
)

type dependent struct {
	ID, Person, Name, Status string
	Until                    time.Time
}

func idNumber(first17 string) string { return first17 + string(kangma.IDCheckChar(first17)) }

// ask asks to show somebody's codes.
func (w *town) ask(token, name, number, relation string, status int) (d dependent) {
	w.t.Helper()
	a := w.call("POST", "/v1/me/dependents", token, map[string]any{"name": name, "id_number": number, "relation": relation, "home": "441502"})
	w.want(a, status, "").into(w.t, &d)
	return d
}

type guardian struct{ ID, Guardian, For, Status string }

func (w *town) guardians(token string) []guardian {
	w.t.Helper()
	var out struct{ Guardians []guardian }
	w.want(w.call("GET", "/v1/me/guardians", token, nil), 200, "").into(w.t, &out)
	return out.Guardians
}

func TestAParentShowsTheCodeOfAChild(t *testing.T) {
	w := newTown(t)
	mother, father, gate := w.resident("401"), w.resident("402"), w.staff(api.GateStaff)
	child := idNumber("44150220150307401") // seven years old
	d := w.ask(mother.token, "欧阳小", child, "child", 201)
	if d.Status != "accepted" || d.Name != "欧*小" {
		t.Fatalf("%+v", d)
	}
	var code struct{ Code string }
	w.want(w.call("GET", "/v1/me/dependents/"+d.Person+"/code", mother.token, nil), 200, "").into(t, &code)
	if v := w.scanBody(gate, map[string]any{"code": code.Code}); v.Decision != "pass" || v.Name != "欧*小" {
		t.Errorf("the child at a gate: %+v", v)
	}
	ph := w.draw(mother.token, "/v1/me/dependents/"+d.Person+"/credentials", 1, true)
	if v := w.scanBody(gate, map[string]any{"code": ph.show(0)}); v.Decision != "pass" {
		t.Errorf("the child's credential: %+v", v)
	}
	for _, path := range []string{"code.svg", "code.png", "assessment", "passages", "accesses"} {
		w.want(w.call("GET", "/v1/me/dependents/"+d.Person+"/"+path, mother.token, nil), 200, "")
		w.want(w.call("GET", "/v1/me/dependents/"+d.Person+"/"+path, father.token, nil), 403, "not_guardian")
	}
	w.want(w.call("GET", "/v1/me/dependents/"+mother.id+"/code", mother.token, nil), 403, "not_guardian")

	t.Run("the father asks, and the mother consents", func(t *testing.T) {
		w := w.in(t)
		if asked := w.ask(father.token, "欧阳小", child, "child", 202); asked.Status != "waiting" || asked.Name != "" {
			t.Errorf("%+v", asked)
		}
		if mine := w.guardians(father.token); len(mine) != 0 {
			t.Errorf("the father's guardians: %+v", mine)
		}
		for range 1 { // his request on the mother's page
			all := w.guardians(mother.token)
			if len(all) != 1 || all[0].Status != "waiting" || all[0].For != "欧*小" {
				t.Fatalf("%+v", all)
			}
			w.want(w.call("POST", "/v1/me/guardians/"+all[0].ID, father.token, map[string]bool{"accept": true}), 404, "no_guardianship")
			w.want(w.call("POST", "/v1/me/guardians/"+all[0].ID, mother.token, map[string]bool{"accept": true}), 200, "")
		}
		w.want(w.call("GET", "/v1/me/dependents/"+d.Person+"/code", father.token, nil), 200, "")
	})
	t.Run("both see who looked", func(t *testing.T) {
		w := w.in(t)
		var seen struct {
			Accesses []struct {
				Role, Purpose string
				Fields        []string
			}
		}
		waitFor(t, func() bool {
			w.want(w.call("GET", "/v1/me/dependents/"+d.Person+"/accesses", mother.token, nil), 200, "").into(t, &seen)
			return slices.ContainsFunc(seen.Accesses, func(a struct {
				Role, Purpose string
				Fields        []string
			}) bool {
				return a.Role == "guardian" && a.Fields[0] == "code"
			})
		})
	})
	t.Run("it ends by itself", func(t *testing.T) {
		w := w.in(t)
		w.pass(366 * 24 * time.Hour)
		w.want(w.call("GET", "/v1/me/dependents/"+d.Person+"/code", w.again(mother), nil), 403, "not_guardian")
	})
}

// again logs a resident in again.
func (w *town) again(p person) string {
	w.t.Helper()
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"phone": p.phone}), 202, "")
	w.mu.Lock()
	otp := w.otps["138****0"+p.phone[8:]]
	w.mu.Unlock()
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"phone": p.phone, "otp": otp}), 200, "").into(w.t, &login)
	return login.Token
}

func TestAnAdultIsShownOnlyWithConsent(t *testing.T) {
	w := newTown(t)
	son, elder := w.resident("411"), w.resident("412")
	real := w.ask(son.token, "欧阳测试", elder.number, "elder", 202)
	wrongName := w.ask(son.token, "别人", elder.number, "elder", 202)
	nobody := w.ask(son.token, "老人家", idNumber("44150219400307411"), "elder", 202)
	for _, d := range []dependent{real, wrongName, nobody} {
		if d.Status != "waiting" || d.Name != "" || d.Person == "" {
			t.Errorf("an answer that tells who is registered: %+v", d)
		}
		w.want(w.call("GET", "/v1/me/dependents/"+d.Person+"/code", son.token, nil), 403, "not_guardian")
	}
	all := w.guardians(elder.token)
	if len(all) != 1 || all[0].ID != real.ID || all[0].For != "me" {
		t.Fatalf("the elder reads %+v", all)
	}
	w.want(w.call("POST", "/v1/me/guardians/"+real.ID, elder.token, map[string]bool{"accept": true}), 200, "")
	w.want(w.call("GET", "/v1/me/dependents/"+elder.id+"/code", son.token, nil), 200, "")
	var paper struct{ Code string }
	w.want(w.call("POST", "/v1/me/dependents/"+elder.id+"/paper-codes", son.token, map[string]any{}), 200, "").into(t, &paper)
	var digits struct{ Digits string }
	w.want(w.call("POST", "/v1/me/dependents/"+elder.id+"/short-code", son.token, nil), 200, "").into(t, &digits)

	w.want(w.call("DELETE", "/v1/me/guardianships/"+real.ID, w.resident("413").token, nil), 404, "no_guardianship")
	w.want(w.call("DELETE", "/v1/me/guardianships/"+real.ID, elder.token, nil), 204, "")
	w.want(w.call("GET", "/v1/me/dependents/"+elder.id+"/code", son.token, nil), 403, "not_guardian")
	if v := w.scanBody(w.staff(api.GateStaff), map[string]any{"code": paper.Code}); v.CannotTell != "revoked" {
		t.Errorf("what the son drew, after it ended: %+v", v)
	}
	w.want(w.call("POST", "/v1/me/guardians/"+wrongName.ID, elder.token, map[string]bool{"accept": true}), 404, "no_guardianship")
}

func TestAnElderWithoutAPhoneIsHelpedAtTheDesk(t *testing.T) {
	w := newTown(t)
	son, desk := w.resident("421"), w.staff(api.Official)
	number := idNumber("44150219400307421")
	elder := map[string]any{"name": "林老太", "id_number": number, "relation": "elder", "months": 6}
	body := map[string]any{"guardian_phone": son.phone, "for": elder}
	var d dependent
	w.want(w.call("POST", "/v1/guardianships", desk, body), 201, "").into(t, &d)
	w.want(w.call("GET", "/v1/me/dependents/"+d.Person+"/code", son.token, nil), 200, "")
	elder["name"] = "别人"
	w.want(w.call("POST", "/v1/guardianships", desk, body), 409, "other_name")
	body["guardian_phone"] = "13900000000"
	w.want(w.call("POST", "/v1/guardianships", desk, body), 404, "no_guardian")

	// later she has a phone of her own: the registration becomes hers
	var reg struct{ Person string }
	w.want(w.call("POST", "/v1/residents", "", map[string]string{"name": "林老头", "id_number": number, "phone": "13800000422"}), 409, "already_registered")
	w.want(w.call("POST", "/v1/residents", "", map[string]string{"name": "林老太", "id_number": number, "phone": "13800000422"}), 200, "").into(t, &reg)
	if reg.Person != d.Person {
		t.Errorf("she became somebody else: %s, was %s", reg.Person, d.Person)
	}
	w.want(w.call("POST", "/v1/residents", "", map[string]string{"name": "林老太", "id_number": number, "phone": "13800000423"}), 409, "already_registered")
}

func TestAnAccountHasUpToEightDependents(t *testing.T) {
	w := newTown(t)
	p := w.resident("431")
	for i := range 8 {
		w.ask(p.token, "孩子", idNumber("4415022015030743"+string(rune('0'+i))), "child", 201)
	}
	a := w.call("POST", "/v1/me/dependents", p.token, map[string]any{"name": "孩子", "id_number": idNumber("44150220150307439"), "relation": "child"})
	w.want(a, 429, "too_many_dependents")
}
