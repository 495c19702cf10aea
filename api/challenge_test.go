package api_test

import (
	"testing"
	"time"

	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
)

// answer shows a credential with the number of a gate.
func (p *phone) answer(i, challenge int) string {
	p.w.t.Helper()
	text, err := codegen.Answer(p.texts[i], p.chains[i], int(p.w.now().Sub(p.issued[i])/codegen.SlotLength), challenge)
	if err != nil {
		p.w.t.Fatal(err)
	}
	return text
}

// challenging makes a gate that shows a number to everybody.
func (w *town) challenging(id string) {
	w.t.Helper()
	g := checkpoint.Gate{ID: id, Kind: "border", District: 441502000, Policy: checkpoint.DefaultPolicy("border")}
	g.Policy.Challenge = true
	if err := w.registry.PutDoc(w.t.Context(), "gate", g.ID, g, nil); err != nil {
		w.t.Fatal(err)
	}
}

// staffAt logs in an account for these gates.
func (w *town) staffAt(gates ...string) string {
	w.t.Helper()
	account := obj{"role": "gate", "organisation": "test", "gates": gates, "password": "long enough"}
	w.want(w.call("PUT", "/v1/accounts/posts", w.staff(api.Admin), account), 200, "")
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", obj{"username": "posts", "password": "long enough"}), 200, "").into(w.t, &login)
	return login.Token
}

// T3: at a post at high risk only the code that carries the number on its screen passes.
func TestAGateThatShowsANumber(t *testing.T) {
	w := newTown(t)
	w.challenging("b-1")
	w.challenging("b-2")
	gate := w.staffAt("metro-1", "b-1", "b-2")
	p := w.resident("971")
	ph := w.draw(p.token, "/v1/me/credentials", 3, true)
	tell := func(what string, want string, body obj) flagged {
		t.Helper()
		v := w.scanAs(gate, body)
		if v.CannotTell != want || (v.Decision == "pass") != (want == "") {
			t.Errorf("%s: %+v, want %q", what, v, want)
		}
		return v
	}
	dynamic := func(query string) string {
		var v struct{ Code string }
		w.want(w.call("GET", "/v1/me/code"+query, p.token, nil), 200, "").into(t, &v)
		return v.Code
	}

	shown := ph.show(0)
	if v := tell("a code without the number", "challenge_missing", obj{"gate": "b-1", "challenge": 47, "code": shown}); v.MaskedName != "" || v.Flags != nil {
		t.Errorf("it says whose it is, or is flagged: %+v", v)
	}
	tell("with another number", "challenge_wrong", obj{"gate": "b-1", "challenge": 47, "code": ph.answer(0, 74)})
	tell("a device that shows none", "challenge_missing", obj{"gate": "b-1", "code": ph.answer(0, 74)})
	tell("with the number, after it was refused twice", "", obj{"gate": "b-1", "challenge": 47, "code": ph.answer(0, 47)})
	tell("a picture of it, at the other gate, which shows another", "challenge_wrong", obj{"gate": "b-2", "challenge": 48, "code": ph.answer(0, 47)})
	tell("a picture of it, at the other gate, which shows the same", "replayed", obj{"gate": "b-2", "challenge": 47, "code": ph.answer(0, 47)})
	tell("its link at a gate without a number", "replayed", obj{"gate": "metro-1", "code": shown})
	w.pass(time.Minute)
	tell("and a minute later", "replayed", obj{"gate": "metro-1", "code": ph.show(0)})
	tell("a number where none is asked for", "", obj{"gate": "metro-1", "code": ph.answer(1, 11)})

	tell("server-made, without", "challenge_missing", obj{"gate": "b-1", "challenge": 99, "code": dynamic("")})
	tell("server-made, another", "challenge_wrong", obj{"gate": "b-1", "challenge": 99, "code": dynamic("?challenge=98")})
	tell("server-made", "", obj{"gate": "b-1", "challenge": 99, "code": dynamic("?challenge=99")})
	for _, bad := range []string{"9", "100", "-1", "4x", ""} {
		w.want(w.call("GET", "/v1/me/code?challenge="+bad, p.token, nil), map[bool]int{true: 200, false: 422}[bad == ""], "")
	}
	for _, bad := range []any{9, 100, "47", 47.5, -47} {
		w.want(w.call("POST", "/v1/scans", gate, obj{"gate": "b-1", "challenge": bad, "code": shown}), 422, "")
	}
	for _, form := range []string{"svg", "png"} {
		w.want(w.call("GET", "/v1/me/code."+form+"?challenge=42", p.token, nil), 200, "")
	}
}

func TestWhatCarriesNoNumberIsReferred(t *testing.T) {
	w := newTown(t)
	w.challenging("b-1")
	gate := w.staffAt("b-1")
	p := w.resident("972")
	var paper struct{ Code string }
	w.want(w.call("POST", "/v1/me/paper-codes", p.token, obj{"days": 30}), 200, "").into(t, &paper)
	var short struct{ Digits string }
	w.want(w.call("POST", "/v1/me/short-code", p.token, nil), 200, "").into(t, &short)
	for what, body := range map[string]obj{"paper": {"code": paper.Code}, "digits": {"short_code": short.Digits}} {
		for _, n := range []int{0, 47} {
			body["gate"] = "b-1"
			if delete(body, "challenge"); n != 0 {
				body["challenge"] = n
			}
			if v := w.scanAs(gate, body); v.CannotTell != "challenge_impossible" || v.Decision != "refer" {
				t.Errorf("%s: %+v", what, v)
			}
		}
	}
	card := obj{"gate": "b-1", "document": obj{"number": p.number, "name": "欧阳测试"}}
	if v := w.scanAs(gate, card); v.Decision != "pass" {
		t.Errorf("who is looked up by the card they hold needs no code: %+v", v)
	}
}
