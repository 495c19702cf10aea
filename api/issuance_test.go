package api_test

import (
	"context"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/checkpoint"
	"github.com/kangma/kangma/codegen"
)

// phone is what a resident's phone keeps of the credentials it drew.
type phone struct {
	w      *town
	chains []*codegen.Chain
	texts  []string
	ids    []codegen.CodeID
	issued []time.Time
	until  []time.Time
}

// draw draws n credentials at a path, as a phone does.
func (w *town) draw(token, path string, n int, named bool) *phone {
	w.t.Helper()
	p := &phone{w: w}
	var anchors []map[string]string
	for i := range n {
		c, err := codegen.NewChain([32]byte{byte(i), 9}, [4]byte{byte(i), 1}, codegen.MaxSlots)
		if err != nil {
			w.t.Fatal(err)
		}
		p.chains = append(p.chains, c)
		anchors = append(anchors, map[string]string{"nonce": hex.EncodeToString(c.Nonce[:]), "anchor": hex.EncodeToString(c.Anchor[:])})
	}
	var out struct {
		Told        bool
		Credentials []struct {
			ID         codegen.CodeID
			Credential string
			Issued     time.Time `json:"issued_at"`
			Expires    time.Time `json:"expires_at"`
		}
		Refresh time.Time `json:"refresh_at"`
	}
	w.want(w.call("POST", path, token, map[string]any{"anchors": anchors, "named": named}), 200, "").into(w.t, &out)
	if len(out.Credentials) != n {
		w.t.Fatalf("%d credentials for %d anchors", len(out.Credentials), n)
	}
	for _, c := range out.Credentials {
		p.texts, p.ids, p.until = append(p.texts, c.Credential), append(p.ids, c.ID), append(p.until, c.Expires)
		p.issued = append(p.issued, c.Issued)
	}
	if now := w.now(); out.Refresh.Before(now.Add(p.until[0].Sub(now)/2-time.Second)) || out.Refresh.After(p.until[0]) {
		w.t.Errorf("to be drawn again at %v, good until %v", out.Refresh, p.until[0])
	}
	return p
}

// show gives the code of credential i at the moment.
func (p *phone) show(i int) string {
	p.w.t.Helper()
	text, err := codegen.Show(p.texts[i], p.chains[i], int(p.w.now().Sub(p.issued[i])/codegen.SlotLength))
	if err != nil {
		p.w.t.Fatal(err)
	}
	return text
}

type scanned struct {
	Decision   string
	Told       bool
	Wire       string
	CannotTell string   `json:"cannot_tell"`
	Name       string   `json:"masked_name"`
	Flags      []string `json:"flags"`
}

func (w *town) scanBody(token string, body map[string]any) (v scanned) {
	w.t.Helper()
	if body["gate"] == nil {
		body["gate"] = "metro-1"
	}
	w.want(w.call("POST", "/v1/scans", token, body), 200, "").into(w.t, &v)
	return v
}

// redden puts a person into a high-risk area two days ago.
func (w *town) redden(p person) {
	w.t.Helper()
	at := w.now().Add(-48 * time.Hour)
	w.want(w.call("POST", "/v1/evidence", w.staff(api.Feeder), stayLine(kangma.NewEventID(at), p.number, "441502", "金町湾小区", at)), 200, "")
}

func TestAPhoneDrawsCredentialsAndShowsThemWithoutTheServer(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("201"), w.staff(api.GateStaff)
	ph := w.draw(p.token, "/v1/me/credentials", 4, true)
	if err := w.issuance.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.pass(40 * time.Second)
	shown := ph.show(0)
	if len(shown) > 300 || len(ph.show(1)) > 300 {
		t.Errorf("%d characters with a name", len(shown))
	}
	if v := w.scanBody(gate, map[string]any{"code": shown}); v.Decision != "pass" || v.Wire != "00" || v.Name == "" {
		t.Errorf("online: %+v", v)
	}
	if v := w.scanBody(gate, map[string]any{"code": shown}); v.CannotTell != "replayed" {
		t.Errorf("the same proof again: %+v", v)
	}
	o := w.offline(gate, "metro-1")
	if v, _, err := o.Scan(checkpoint.Scan{Code: ph.show(1)}, w.now()); err != nil || v.Decision != kangma.Pass || v.Colour != kangma.Green {
		t.Errorf("offline: %+v %v", v, err)
	}
	w.want(w.call("POST", "/v1/me/credentials", p.token, map[string]any{"anchors": []any{}}), 422, "invalid")
	twice := map[string]string{"nonce": "00000001", "anchor": strings.Repeat("ab", 12)}
	w.want(w.call("POST", "/v1/me/credentials", p.token, map[string]any{"anchors": []any{twice, twice}}), 422, "anchors")
	w.want(w.call("POST", "/v1/me/credentials", p.token, map[string]any{"anchors": []any{map[string]string{"nonce": "0000000", "anchor": "00"}}}), 422, "invalid")

	t.Run("voided, it is refused online at once and asked about offline after the next list", func(t *testing.T) {
		w := w.in(t)
		w.want(w.call("DELETE", "/v1/me/codes/"+ph.ids[2].String(), p.token, nil), 200, "")
		w.want(w.call("DELETE", "/v1/me/codes/"+ph.ids[2].String(), p.token, nil), 404, "no_code")
		w.want(w.call("DELETE", "/v1/me/codes/xyz", p.token, nil), 422, "code_id")
		if v := w.scanBody(gate, map[string]any{"code": ph.show(2)}); v.CannotTell != "revoked" || v.Name != "" {
			t.Errorf("online: %+v", v)
		}
		w.pass(5 * time.Minute)
		if err := w.issuance.Publish(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Second)
		o := w.offline(gate, "metro-1")
		if v, _, _ := o.Scan(checkpoint.Scan{Code: ph.show(2)}, w.now()); v.CannotTell != kangma.TellCheckOnline {
			t.Errorf("offline: %+v", v)
		}
		if v, _, _ := o.Scan(checkpoint.Scan{Code: ph.show(3)}, w.now()); v.Decision != kangma.Pass {
			t.Errorf("another credential of that phone: %+v", v)
		}
	})
	t.Run("turned red, its green codes are on the list and the new ones are red", func(t *testing.T) {
		w := w.in(t)
		w.redden(p)
		w.pass(5 * time.Minute)
		if err := w.issuance.Publish(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Second)
		o := w.offline(gate, "metro-1")
		if v, _, _ := o.Scan(checkpoint.Scan{Code: ph.show(3)}, w.now()); v.CannotTell != kangma.TellCheckOnline {
			t.Errorf("a green credential of a red person: %+v", v)
		}
		red := w.draw(p.token, "/v1/me/credentials", 1, false)
		if v, _, _ := o.Scan(checkpoint.Scan{Code: red.show(0)}, w.now()); v.Told && v.Colour != kangma.Red {
			t.Errorf("a red credential: %+v", v)
		}
	})
}

func TestAGenuineCodeThatWasNeverIssuedIsATheft(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("206"), w.staff(api.GateStaff)
	id, err := kangma.ParsePersonID(p.id)
	if err != nil {
		t.Fatal(err)
	}
	code, err := w.issuer.Issue(codegen.Claims{Issued: w.now(), Expires: w.now().Add(30 * 24 * time.Hour), Kind: codegen.Paper, Person: id})
	if err != nil {
		t.Fatal(err)
	}
	if v := w.scanBody(gate, map[string]any{"code": code.Text}); v.CannotTell != "revoked" || v.Decision != "refer" {
		t.Errorf("%+v", v)
	}
	if w.issuance.Orphans() != 1 || !strings.Contains(w.log.String(), "never issued") {
		t.Errorf("%d orphans counted; the log says %q", w.issuance.Orphans(), w.log)
	}
}

func TestAPaperCodeVoidsTheOneBefore(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("202"), w.staff(api.GateStaff)
	var first, second struct{ ID, Code, Page string }
	w.want(w.call("POST", "/v1/me/paper-codes", p.token, map[string]any{}), 200, "").into(t, &first)
	w.want(w.call("POST", "/v1/me/paper-codes", p.token, map[string]any{"days": 30, "sheet": "label"}), 200, "").into(t, &second)
	if !strings.Contains(first.Page, `width="210mm"`) || !strings.Contains(second.Page, `width="70mm"`) || !strings.Contains(second.Page, second.ID) {
		t.Error("the pages are not those asked for")
	}
	if v := w.scanBody(gate, map[string]any{"code": first.Code}); v.CannotTell != "revoked" {
		t.Errorf("the old page: %+v", v)
	}
	if v := w.scanBody(gate, map[string]any{"code": second.Code}); v.Wire != "00" || v.Decision != "pass" {
		t.Errorf("the new page: %+v", v)
	}
	w.redden(p)
	if v := w.scanBody(gate, map[string]any{"code": second.Code}); v.Wire != "10" || v.Decision == "pass" {
		t.Errorf("the page of somebody who is red now: %+v", v)
	}
	w.want(w.call("DELETE", "/v1/me/codes", p.token, nil), 200, "")
	if v := w.scanBody(gate, map[string]any{"code": second.Code}); v.CannotTell != "revoked" {
		t.Errorf("a lost page: %+v", v)
	}
	w.want(w.call("POST", "/v1/me/paper-codes", p.token, map[string]any{"days": 401}), 422, "invalid")
}

func TestDigitsSaidAtAGate(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("203"), w.staff(api.GateStaff)
	var s struct{ Digits string }
	w.want(w.call("POST", "/v1/me/short-code", p.token, nil), 200, "").into(t, &s)
	if v := w.scanBody(gate, map[string]any{"short_code": s.Digits}); v.Wire != "00" || v.Name == "" {
		t.Errorf("the right digits: %+v", v)
	}
	wrong := []byte(strings.ReplaceAll(s.Digits, " ", ""))
	wrong[0] = '0' + (wrong[0]-'0'+1)%10
	if v := w.scanBody(gate, map[string]any{"short_code": string(wrong)}); v.CannotTell != "malformed" {
		t.Errorf("one digit misheard: %+v", v)
	}
	w.pass(21 * time.Minute)
	if v := w.scanBody(gate, map[string]any{"short_code": s.Digits}); v.CannotTell != "expired" || v.Told {
		t.Errorf("after their time: %+v", v)
	}
	w.want(w.call("POST", "/v1/scans", gate, map[string]any{"gate": "metro-1"}), 422, "scan_what")
	w.want(w.call("POST", "/v1/scans", gate, map[string]any{"gate": "metro-1", "code": "x", "short_code": "y"}), 422, "scan_what")
	refused := 0
	for i := range 30 { // guessing
		digits := fmt.Sprintf("%07d", 1_000_000+i)
		for c := '0'; c <= '9'; c++ {
			if _, tell := codegen.ParseShortCode(digits + string(c)); tell == "" {
				digits += string(c)
				break
			}
		}
		if a := w.call("POST", "/v1/scans", gate, map[string]any{"gate": "metro-1", "short_code": digits}); a.status == 429 {
			refused++
		}
	}
	if refused < 5 {
		t.Errorf("%d of 30 guesses were refused", refused)
	}
}

func TestAnIDCardAtAGate(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("204"), w.staff(api.GateStaff)
	doc := func(name string) map[string]any {
		return map[string]any{"document": map[string]string{"number": p.number, "name": name}}
	}
	if v := w.scanBody(gate, doc("欧阳测试")); v.Wire != "00" || v.Decision != "pass" || v.Name == "" {
		t.Errorf("the card of a resident: %+v", v)
	}
	if v := w.scanBody(gate, doc("别人")); v.CannotTell != "unknown_person" || v.Name != "" {
		t.Errorf("the right number under another name: %+v", v)
	}
	w.want(w.call("POST", "/v1/scans", gate, map[string]any{"gate": "metro-1", "document": map[string]string{"number": "441502199003072011", "name": "x"}}), 422, "id_checksum")
	var seen struct {
		Accesses []struct{ Account, Purpose string }
	}
	waitFor(t, func() bool {
		w.want(w.call("GET", "/v1/me/accesses", p.token, nil), 200, "").into(t, &seen)
		return len(seen.Accesses) == 1
	})
	many := false
	for range 40 {
		many = many || w.call("POST", "/v1/scans", gate, withGate(doc("欧阳测试"))).status == 429
	}
	if !many {
		t.Error("one person may be looked up by their card without end")
	}
}

func withGate(m map[string]any) map[string]any { m["gate"] = "metro-1"; return m }

func waitFor(t *testing.T, f func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen within a minute")
		}
	}
}

func TestListsAreSignedNumberedAndCacheable(t *testing.T) {
	w := newTown(t)
	p := w.resident("205")
	pins := []*ecdsa.PublicKey{&w.lists.key.PublicKey}
	a := w.want(w.call("GET", "/v1/trust-list", "", nil), 200, "")
	trust, err := codegen.OpenTrustList(a.body, pins, 0, w.now(), 0)
	if err != nil || len(trust.Keys) != 1 || a.header.Get("ETag") != fmt.Sprintf(`"%d"`, trust.Number) {
		t.Fatalf("%+v %v %v", trust, err, a.header)
	}
	if b := w.callWith("GET", "/v1/trust-list", "", nil, map[string]string{"If-None-Match": a.header.Get("ETag")}); b.status != 304 || len(b.body) > 0 {
		t.Errorf("unchanged: %d, %d bytes", b.status, len(b.body))
	}
	if cc := a.header.Get("Cache-Control"); !strings.HasPrefix(cc, "public, max-age=") {
		t.Errorf("Cache-Control %q", cc)
	}
	var set struct{ Keys []map[string]any }
	w.want(w.call("GET", "/.well-known/jwks.json", "", nil), 200, "").into(t, &set)
	if len(set.Keys) != 1 || set.Keys[0]["kty"] != "EC" {
		t.Errorf("JWKS %v", set)
	}
	before := w.want(w.call("GET", "/v1/status-list", "", nil), 200, "")
	list, err := codegen.OpenStatusList(before.body, pins, 0, w.now(), 0)
	if err != nil {
		t.Fatal(err)
	}
	w.want(w.call("GET", fmt.Sprintf("/v1/status-list/deltas/%d", list.Number), "", nil), 404, "no_delta")

	ph := w.draw(p.token, "/v1/me/credentials", 3, false)
	w.redden(p)
	w.pass(5*time.Minute + time.Second)
	if err := w.issuance.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	delta := w.want(w.call("GET", fmt.Sprintf("/v1/status-list/deltas/%d", list.Number), "", nil), 200, "")
	next, err := list.Apply(delta.body, pins, w.now(), 0)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := codegen.OpenStatusList(w.call("GET", "/v1/status-list", "", nil).body, pins, list.Number, w.now(), 0)
	if err != nil || whole.Number != next.Number || whole.Number <= list.Number {
		t.Fatalf("list %d, with the delta %d: %v", whole.Number, next.Number, err)
	}
	for _, l := range []*codegen.StatusList{whole, next} {
		if !l.Hit(ph.ids[0]) || !l.Hit(ph.ids[2]) || l.Hit(codegen.CodeID{1}) {
			t.Errorf("list of %d entries", l.Len())
		}
	}
	if _, err := codegen.OpenStatusList(before.body, pins, whole.Number, w.now(), 0); kangma.CodeOf(err) != "status_list_old" {
		t.Errorf("going back: %v", err)
	}
	w.want(w.call("GET", "/v1/status-list/deltas/x", "", nil), 422, "invalid")
	if age := before.header.Get("Kangma-List-Age"); age == "" {
		t.Error("no age")
	}
}

func TestEveryPublicTextOfIssuanceHasItsChinese(t *testing.T) {
	w := newTown(t)
	a := w.callWith("GET", "/v1/status-list/deltas/1", "", nil, map[string]string{"Accept-Language": "zh-CN"})
	var p struct{ Detail string }
	if err := json.Unmarshal(a.body, &p); err != nil || !strings.Contains(p.Detail, "名单") {
		t.Errorf("%s", a.body)
	}
}

// credential draws a day's credential and returns what draws it in the slot of a moment.
func (w *town) credential(p person) (show func(time.Time) string) {
	w.t.Helper()
	ph, issued := w.draw(p.token, "/v1/me/credentials", 1, true), w.now()
	return func(at time.Time) string {
		text, err := codegen.Show(ph.texts[0], ph.chains[0], int(at.Sub(issued)/codegen.SlotLength))
		if err != nil {
			w.t.Fatal(err)
		}
		return text
	}
}
