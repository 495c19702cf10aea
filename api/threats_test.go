package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/codegen"
)

// A photo of a shown code is worth its slot and the clocks' difference, and that only where nobody has scanned it yet.
func TestAPhotoOfAShownCodeIsWorthItsHalfMinute(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		tell  string
	}{{0, ""}, {29 * time.Second, ""}, {31 * time.Second, ""}, {59 * time.Second, ""}, {61 * time.Second, "expired"}, {time.Hour, "expired"}} {
		w := newTown(t)
		gate := w.staff(api.GateStaff)
		photo := w.draw(w.resident("611").token, "/v1/me/credentials", 1, true).show(0)
		w.pass(c.after)
		if v := w.scanAs(gate, obj{"code": photo, "gate": "metro-1"}); v.CannotTell != c.tell || (v.Decision == "pass") != (c.tell == "") {
			t.Errorf("a photo of %v ago: %+v", c.after, v)
		}
		if c.tell == "" {
			if v := w.scanAs(gate, obj{"code": photo, "gate": "metro-1"}); v.CannotTell != "replayed" {
				t.Errorf("%v, once more: %+v", c.after, v)
			}
		}
	}
}

// A credential with the proof of another phone's chain is nobody's.
func TestOnePhonesCredentialWithAnothersProof(t *testing.T) {
	w := newTown(t)
	gate := w.staff(api.GateStaff)
	mine, other := w.draw(w.resident("612").token, "/v1/me/credentials", 1, false), w.draw(w.resident("613").token, "/v1/me/credentials", 2, false)
	a, b := mine.show(0), other.show(1)
	if v := w.scanAs(gate, obj{"code": crossed(t, a, b), "gate": "metro-1"}); v.CannotTell != "forged" {
		t.Errorf("%+v", v)
	}
	if v := w.scanAs(gate, obj{"code": a, "gate": "metro-1"}); v.Decision != "pass" {
		t.Errorf("the right one: %+v", v)
	}
}

// A gate phone that was stolen gives nobody's name, and its login ends as soon as somebody disables the account.
func TestAStolenGatePhone(t *testing.T) {
	w := newTown(t)
	admin := w.staff(api.Admin)
	p := w.resident("614")
	w.draw(p.token, "/v1/me/credentials", 2, true)
	account := obj{"role": "gate", "organisation": "test", "gates": []string{"metro-1"}, "password": "long enough"}
	w.want(w.call("PUT", "/v1/accounts/phone-7", admin, account), 200, "")
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", obj{"username": "phone-7", "password": "long enough"}), 200, "").into(t, &login)
	bundle := w.want(w.call("GET", "/v1/gates/metro-1/bundle", login.Token, nil), 200, "").body
	for _, secret := range []string{"欧阳", p.number, p.number[:14], p.phone, p.id, strings.ReplaceAll(p.id, "-", "")} {
		if strings.Contains(string(bundle), secret) {
			t.Errorf("the bundle has %q", secret)
		}
	}
	code := obj{"code": w.code(p).Code, "gate": "metro-1"}
	w.want(w.call("POST", "/v1/scans", login.Token, code), 200, "")
	account["disabled"] = true
	delete(account, "password")
	w.want(w.call("PUT", "/v1/accounts/phone-7", admin, account), 200, "")
	for _, path := range []string{"/v1/gates/metro-1/bundle", "/v1/gates"} {
		w.want(w.call("GET", path, login.Token, nil), 401, "unauthorized")
	}
	w.want(w.call("POST", "/v1/scans", login.Token, code), 401, "unauthorized")
	w.want(w.call("POST", "/v1/sessions", "", obj{"username": "phone-7", "password": "long enough"}), 401, "wrong_login")
}

// Who turned red after the bundle was made is let pass by an old green credential for as long as the gate's data may be old, is
// caught by the next status list, and by a clock that is set back not at all.
func TestAnOldGreenCodeAfterRed(t *testing.T) {
	w := newTown(t)
	gate := w.staff(api.GateStaff)
	p := w.resident("615")
	ph := w.draw(p.token, "/v1/me/credentials", 1, false)
	before := w.offline(gate, "metro-1")
	at := w.now().Add(-time.Hour)
	w.want(w.call("POST", "/v1/evidence", w.staff(api.Feeder), stayLine(kangma.NewEventID(at), p.number, "441502", "金町湾小区", at)), 200, "")
	if v, _ := w.scanOffline(before, ph.show(0)); v.Decision != kangma.Pass {
		t.Errorf("the gate cannot know yet: %+v", v)
	}
	w.pass(6 * time.Minute)
	if err := w.issuance.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.pass(3 * time.Second)
	if v, _ := w.scanOffline(w.offline(gate, "metro-1"), ph.show(0)); v.Decision != kangma.Refer || v.CannotTell != kangma.TellCheckOnline {
		t.Errorf("with the next list: %+v", v)
	}
	old := w.offline(gate, "metro-1")
	shown := ph.show(0)
	w.pass(25 * time.Hour)
	if v, _ := w.scanOffline(old, shown); v.Decision == kangma.Pass {
		t.Errorf("a day later: %+v", v)
	}
	w.pass(-25 * time.Hour)
	if v, _ := w.scanOffline(old, shown); v.Decision == kangma.Pass || v.CannotTell != kangma.TellClock {
		t.Errorf("the clock set back: %+v", v)
	}
}

// crossed puts the proof of one shown code behind the credential of another.
func crossed(t *testing.T, credential, proof string) string {
	t.Helper()
	a, err1 := codegen.DecodeBase45(nil, strings.TrimPrefix(credential, codegen.Prefix))
	b, err2 := codegen.DecodeBase45(nil, strings.TrimPrefix(proof, codegen.Prefix))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	const proofBytes = 15 // head, slot, link
	return codegen.Prefix + string(codegen.AppendBase45(nil, append(a[:len(a)-proofBytes], b[len(b)-proofBytes:]...)))
}
