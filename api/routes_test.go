package api_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/risk/feeds"
)

// TestEveryRouteRefusesWhatItMust walks the route table: nobody, a wrong role, an oversized and a malformed body.
func TestEveryRouteRefusesWhatItMust(t *testing.T) {
	w := newTown(t)
	tokens := map[api.Role]string{api.Resident: w.resident("201").token}
	for _, role := range api.StaffRoles {
		tokens[role] = w.staff(role)
	}
	for _, r := range w.server.Routes() {
		path := strings.NewReplacer("{id}", "x", "{name}", "someone").Replace(r.Path)
		t.Run(r.Method+" "+r.Path, func(t *testing.T) {
			w := w.in(t)
			token := ""
			if len(r.Roles) > 0 {
				token = tokens[r.Roles[0]]
				w.want(w.call(r.Method, path, "", nil), 401, "unauthorized")
				w.want(w.call(r.Method, path, "not-a-token", nil), 401, "unauthorized")
				for role, other := range tokens {
					if !slices.Contains(r.Roles, role) {
						w.want(w.call(r.Method, path, other, nil), 403, "forbidden")
					}
				}
			}
			if r.MaxBody > 0 {
				big := w.call(r.Method, path, token, bytes.Repeat([]byte(" "), int(r.MaxBody)+1))
				w.want(big, 413, "too_large")
			}
			if r.MaxBody > 0 && r.MaxBody <= 64<<10 {
				for _, bad := range []string{`{`, `[]`, `"x"`, `{"no_such_field":1}`, `null`} {
					if a := w.call(r.Method, path, token, bad); a.status != 400 && a.status != 422 {
						t.Errorf("%s: got %d %s", bad, a.status, a.body)
					}
				}
			}
		})
	}
}

func TestUnknownPathsAndMethodsAreProblems(t *testing.T) {
	w := newTown(t)
	w.want(w.call("GET", "/v1/nothing", "", nil), 404, "http_404")
	w.want(w.call("DELETE", "/v1/scans", "", nil), 405, "http_405")
}

func TestRegistrationRefusesBadInput(t *testing.T) {
	w := newTown(t)
	good := func() map[string]string {
		return map[string]string{"name": "测试", "id_number": "44150219900307882" + string(kangma.IDCheckChar("44150219900307882")), "phone": "13812345678", "home": "441502"}
	}
	with := func(k, v string) map[string]string { m := good(); m[k] = v; return m }
	checked := func(first string) string { return first + string(kangma.IDCheckChar(first)) }
	for what, c := range map[string]struct {
		body map[string]string
		code string
	}{
		"wrong checksum":        {with("id_number", "441502199003078820"), "id_checksum"},
		"impossible birth date": {with("id_number", checked("44150219900230882")), "id_birth"},
		"unknown region":        {with("home", "449999"), "unknown_division"},
		"region of letters":     {with("home", "汕尾"), "division"},
		"bad phone":             {with("phone", "12345678901"), "phone"},
		"unknown field":         {with("nick", "x"), "invalid"},
		"empty name":            {with("name", ""), "invalid"},
		"unknown document":      {with("id_type", "11"), "id_type"},
	} {
		a := w.want(w.call("POST", "/v1/residents", "", c.body), 422, c.code)
		for _, secret := range []string{c.body["id_number"], c.body["phone"]} {
			if strings.Contains(string(a.body), secret) {
				t.Errorf("%s: the problem repeats what was sent: %s", what, a.body)
			}
		}
	}
	w.want(w.call("POST", "/v1/residents", "", good()), 201, "")
	w.want(w.call("POST", "/v1/residents", "", good()), 200, "")
	w.want(w.call("POST", "/v1/residents", "", with("phone", "13812345679")), 409, "already_registered")
}

func TestEvidenceRefusesBadLinesAndKeepsTheGood(t *testing.T) {
	w := newTown(t)
	p, feeder := w.resident("202"), w.staff(api.Feeder)
	id := func() kangma.EventID { return kangma.NewEventID(w.now()) }
	lines := []string{
		stayLine(id(), p.number, "441502", "", w.now().Add(-time.Hour)),
		`not json`,
		`{"id":"` + id().String() + `","kind":"stay","id_number":"` + p.number + `","nonsense":1}`,
		stayLine(id(), p.number, "441502", "", w.now().Add(time.Hour)),                                                             // the future
		stayLine(id(), p.number, "441502", "", w.now().Add(-400*24*time.Hour)),                                                     // before retention
		stayLine(id(), p.number, "449999", "", w.now().Add(-time.Hour)),                                                            // no such division
		stayLine(id(), "441502199003078820", "441502", "", w.now().Add(-time.Hour)),                                                // wrong checksum
		stayLine(id(), "44150219900307999"+string(kangma.IDCheckChar("44150219900307999")), "441502", "", w.now().Add(-time.Hour)), // nobody
		strings.Replace(stayLine(id(), p.number, "441502", "", w.now().Add(-time.Hour)), `"stay",`, `"magic",`, 1),
	}
	var out struct {
		Lines, Accepted int
		Refused         []struct {
			Line   int
			Errors []struct{ Code string }
		}
	}
	w.want(w.call("POST", "/v1/evidence", feeder, strings.Join(lines, "\n")), 200, "").into(t, &out)
	if out.Lines != len(lines) || out.Accepted != 1 || len(out.Refused) != len(lines)-1 {
		t.Fatalf("%+v", out)
	}
	for i, r := range out.Refused {
		if r.Line != i+2 || len(r.Errors) == 0 {
			t.Errorf("refused %d: %+v", i, r)
		}
	}
	pid, err := kangma.ParsePersonID(p.id)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := w.registry.Dossier(t.Context(), pid); err != nil || len(d.Evidence) != 1 || d.Evidence[0].Source != "cdc" {
		t.Errorf("kept: %d pieces, %v", len(d.Evidence), err)
	}
}

func TestDeclarationsInTheFutureOrTooOldAreRefused(t *testing.T) {
	w := newTown(t)
	p := w.resident("203")
	trip := func(at time.Time) map[string]any {
		return map[string]any{"mode": "train", "departed": at, "from": "440100", "to": "441502"}
	}
	for _, at := range []time.Time{w.now().Add(24 * time.Hour), w.now().Add(-400 * 24 * time.Hour)} {
		if a := w.call("POST", "/v1/me/trips", p.token, trip(at)); a.status != 422 {
			t.Errorf("%v: %d %s", at, a.status, a.body)
		}
	}
	if a := w.call("POST", "/v1/me/declarations", p.token, map[string]any{"symptoms": []string{"love"}}); a.status != 422 {
		t.Errorf("symptom: %d %s", a.status, a.body)
	}
	body := map[string]any{"id": kangma.NewEventID(w.now()).String(), "temperature": 36.5}
	w.want(w.call("POST", "/v1/me/declarations", p.token, body), 202, "")
	w.want(w.call("POST", "/v1/me/declarations", p.token, body), 202, "")
	pid, _ := kangma.ParsePersonID(p.id)
	if d, err := w.registry.Dossier(t.Context(), pid); err != nil || len(d.Evidence) != 1 {
		t.Errorf("the same event twice: %d pieces, %v", len(d.Evidence), err)
	}
}

func TestRiskAreaListsAreWholeOrRefused(t *testing.T) {
	w := newTown(t)
	official := w.staff(api.Official)
	_, before, _ := w.registry.InForce()
	good := areaList("2022-08-11 12", "另一小区") // nobody has been anywhere: nobody changes, so it is not held
	for what, bad := range map[string]string{
		"truncated": good[:len(good)-40], "not json": "hello", "wrong count": strings.Replace(good, `"hcount":1`, `"hcount":7`, 1),
		"no time": strings.Replace(good, "2022-08-11 12时", "soon", 1), "older": areaList("2022-08-01 11", "x"),
		"the future": areaList("2022-08-20 11", "x"),
	} {
		if a := w.call("PUT", "/v1/risk-areas", official, []byte(bad)); a.status != 422 && a.status != 409 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	w.want(w.call("PUT", "/v1/risk-areas?day=2022-08-10", official, []byte(good)), 422, "area_list_day")
	if _, after, _ := w.registry.InForce(); after != before {
		t.Error("a refused list changed the table")
	}
	w.want(w.call("PUT", "/v1/risk-areas?day=2022-08-11", official, []byte(good)), 200, "")
	if _, after, _ := w.registry.InForce(); after == before {
		t.Error("a good list changed nothing")
	}
}

func TestAChangeThatRecoloursManyWaitsForASecondPerson(t *testing.T) {
	w := newTown(t)
	p := w.resident("205")
	feeder, official, admin := w.staff(api.Feeder), w.staff(api.Official), w.staff(api.Admin)
	at := w.now().Add(-24 * time.Hour)
	w.want(w.call("POST", "/v1/evidence", feeder, stayLine(kangma.NewEventID(at), p.number, "441581", "碣石湾小区", at)), 200, "")
	list := strings.Replace(areaList("2022-08-11 12", "碣石湾小区"), "城区", "陆丰市", 2)
	at = w.now().Add(10 * time.Minute) // and again while the list that comes is in force
	w.pass(80 * time.Minute)
	w.want(w.call("POST", "/v1/evidence", feeder, stayLine(kangma.NewEventID(at), p.number, "441581", "碣石湾小区", at)), 200, "")
	var held struct {
		InForce bool `json:"in_force"`
		Held    struct{ ID, Status string }
	}
	w.want(w.call("PUT", "/v1/risk-areas", official, []byte(list)), 202, "").into(t, &held)
	if held.InForce || held.Held.Status != "held" || w.code(p).Colour != "green" {
		t.Fatalf("%+v", held)
	}
	path := "/v1/approvals/" + held.Held.ID
	w.want(w.call("POST", path, official, map[string]bool{"release": true}), 403, "two_persons")
	w.want(w.call("POST", path, admin, map[string]bool{"release": true}), 403, "two_persons") // the same organisation
	w.want(w.call("PUT", "/v1/accounts/second", admin, map[string]any{"role": "official", "organisation": "another", "password": "long enough"}), 200, "")
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"username": "second", "password": "long enough"}), 200, "").into(t, &login)
	w.want(w.call("POST", path, login.Token, map[string]bool{"release": true}), 200, "")
	if c := w.code(p); c.Colour != "red" {
		t.Errorf("released: %+v", c)
	}
	w.want(w.call("POST", path, login.Token, map[string]bool{"release": true}), 409, "not_held")
	var all struct {
		Held []struct{ Status, Name string }
	}
	w.want(w.call("GET", "/v1/approvals", official, nil), 200, "").into(t, &all)
	if len(all.Held) != 1 || all.Held[0].Status != "released" {
		t.Fatalf("%+v", all)
	}
	w.want(w.call("DELETE", "/v1/risk-areas/"+all.Held[0].Name, official, nil), 204, "")
	if c := w.code(p); c.Colour != "green" {
		t.Errorf("taken back: %+v", c)
	}
}

func TestOneTimePasswordsAreSpent(t *testing.T) {
	w := newTown(t)
	p := w.resident("204")
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"phone": p.phone}), 202, "")
	w.mu.Lock()
	otp := w.otps["138****0204"]
	w.mu.Unlock()
	wrong := "000000"
	if otp == wrong {
		wrong = "000001"
	}
	for range 5 {
		w.want(w.call("POST", "/v1/sessions", "", map[string]string{"phone": p.phone, "otp": wrong}), 401, "wrong_otp")
	}
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"phone": p.phone, "otp": otp}), 401, "wrong_otp")
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"phone": "13911112222"}), 202, "") // nobody's: the same answer
	if _, sent := w.otps["139****2222"]; sent {
		t.Error("a one-time password went to somebody who is not registered")
	}
}

func TestLogOutEndsTheSession(t *testing.T) {
	w := newTown(t)
	token := w.staff(api.Admin)
	w.want(w.call("GET", "/v1/session", token, nil), 200, "")
	w.want(w.call("DELETE", "/v1/sessions/current", token, nil), 204, "")
	w.want(w.call("GET", "/v1/session", token, nil), 401, "unauthorized")
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"username": "admin-1", "password": "wrong"}), 401, "wrong_login")
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"username": "nobody", "password": "wrong"}), 401, "wrong_login")
}

func TestGateStaffSeeTheirGatesOnly(t *testing.T) {
	w := newTown(t)
	admin, gate := w.staff(api.Admin), w.staff(api.GateStaff)
	w.want(w.call("PUT", "/v1/gates/other", admin, map[string]any{"name": map[string]string{"zh": "别处", "en": "Elsewhere"}, "kind": "venue", "district": "441521"}), 200, "")
	w.want(w.call("POST", "/v1/scans", gate, map[string]string{"code": "x", "gate": "other"}), 403, "scope")
	w.want(w.call("GET", "/v1/gates/other/passages", gate, nil), 403, "scope")
	w.want(w.call("POST", "/v1/scans", w.staff(api.GateStaff), map[string]string{"code": "x", "gate": "metro-1", "direction": "sideways"}), 422, "invalid")
}

func TestCrossSiteWritesAreRefused(t *testing.T) {
	w := newTown(t)
	req, _ := http.NewRequest("POST", w.url+"/v1/sessions", strings.NewReader(`{}`))
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 403 {
		t.Errorf("got %d, want 403", res.StatusCode)
	}
}

func TestProblemsSpeakChinese(t *testing.T) {
	w := newTown(t)
	req, _ := http.NewRequest("GET", w.url+"/v1/me", nil)
	req.Header.Set("Accept-Language", "zh-CN,zh;q=0.9")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil || !strings.Contains(b.String(), "请先登录") || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v %s", err, b.String())
	}
}

func TestPhotosWithoutAReaderAreRefusedClearly(t *testing.T) {
	w := newTown(t)
	w.want(w.call("POST", "/v1/ocr/id-card", w.staff(api.GateStaff), []byte("x")), 503, "no_reader")
}

func TestABatchThatRecoloursManyIsHeldAndOneThatWasKeptIsTakenBackExactly(t *testing.T) {
	w := newTown(t)
	feeder, admin := w.staff(api.Feeder), w.staff(api.Admin)
	var lines []string
	var first person
	for i := range 30 {
		p := w.resident(fmt.Sprintf("%03d", 300+i))
		if i == 0 {
			first = p
		}
		at := w.now().Add(-48 * time.Hour)
		lines = append(lines, stayLine(kangma.NewEventID(at), p.number, "441502", "金町湾小区", at))
	}
	var out struct {
		Batch    string
		Accepted int
		Held     *struct{ ID string }
	}
	w.want(w.call("POST", "/v1/evidence", feeder, strings.Join(lines, "\n")), 202, "").into(t, &out)
	if out.Held == nil || out.Accepted != 0 || w.code(first).Colour != "green" {
		t.Fatalf("30 of 30 people would turn red: %+v", out)
	}
	w.want(w.call("POST", "/v1/approvals/"+out.Held.ID, admin, map[string]bool{"release": true}), 403, "two_persons")
	w.want(w.call("PUT", "/v1/accounts/second", admin, map[string]any{"role": "official", "organisation": "another", "password": "long enough"}), 200, "")
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"username": "second", "password": "long enough"}), 200, "").into(t, &login)
	w.want(w.call("POST", "/v1/approvals/"+out.Held.ID, login.Token, map[string]bool{"release": true}), 200, "")
	if c := w.code(first); c.Colour != "red" {
		t.Errorf("released: %+v", c)
	}
	var back struct{ People int }
	body := map[string]string{"batch": out.Batch, "reason": "wrong district"}
	w.want(w.call("POST", "/v1/batches/withdraw", login.Token, body), 200, "").into(t, &back)
	w.want(w.call("POST", "/v1/batches/withdraw", login.Token, body), 200, "")
	if back.People != 30 || w.code(first).Colour != "green" {
		t.Errorf("taken back from %d people: %+v", back.People, w.code(first))
	}
	w.want(w.call("POST", "/v1/batches/withdraw", login.Token, map[string]string{"batch": "no/such", "reason": "x"}), 404, "no_batch")
	var status struct{ Feeds []struct{ Source string } }
	w.want(w.call("GET", "/v1/feeds", admin, nil), 200, "").into(t, &status)
}

func TestAFeedTakesBackItsOwnEventsOnly(t *testing.T) {
	w := newTown(t)
	p, feeder, admin := w.resident("207"), w.staff(api.Feeder), w.staff(api.Admin)
	w.want(w.call("PUT", "/v1/accounts/lab", admin, map[string]any{"role": "feeder", "organisation": "lab", "feed": "lab", "password": "long enough"}), 200, "")
	var lab struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"username": "lab", "password": "long enough"}), 200, "").into(t, &lab)
	at := w.now().Add(-48 * time.Hour)
	stay := kangma.NewEventID(at)
	w.want(w.call("POST", "/v1/evidence", feeder, stayLine(stay, p.number, "441502", "金町湾小区", at)), 200, "")
	back := fmt.Sprintf(`{"id":%q,"kind":"withdrawal","id_number":%q,"observed_at":%q,"withdrawal":{"event":%q,"reason":"mistake"}}`,
		kangma.NewEventID(w.now()), p.number, w.now().Format(time.RFC3339), stay)
	var out struct{ Accepted int }
	w.want(w.call("POST", "/v1/evidence", lab.Token, back), 200, "").into(t, &out)
	if c := w.code(p); out.Accepted != 0 || c.Colour != "red" {
		t.Errorf("another feed took it back: %+v %+v", out, c)
	}
	w.want(w.call("POST", "/v1/evidence", feeder, back), 200, "").into(t, &out)
	if c := w.code(p); out.Accepted != 1 || c.Colour != "green" {
		t.Errorf("its own feed takes it back: %+v %+v", out, c)
	}
}

func TestAFeedWithAKeyMustSign(t *testing.T) {
	w := newTown(t)
	p, feeder, admin := w.resident("206"), w.staff(api.Feeder), w.staff(api.Admin)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	key := map[string]string{"provider": "cdc", "pem": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}
	w.want(w.call("PUT", "/v1/feed-keys/k1", admin, map[string]string{"provider": "cdc", "pem": "nonsense"}), 422, "pem")
	w.want(w.call("PUT", "/v1/feed-keys/k1", admin, key), 200, "")
	at := w.now().Add(-time.Hour)
	line := stayLine(kangma.NewEventID(at), p.number, "441502", "", at) + "\n"
	w.want(w.call("POST", "/v1/evidence", feeder, line), 422, "no_manifest")
	sum := sha256.Sum256([]byte(line))
	m := feeds.Manifest{Provider: "cdc", Batch: "cdc/1", Content: feeds.EvidenceContent, Format: feeds.NDJSON, Date: w.now(), Count: 1, SHA256: hex.EncodeToString(sum[:])}
	send := func(m feeds.Manifest, body string) answer {
		signed, err := feeds.SignManifest(m, "k1", private)
		if err != nil {
			t.Fatal(err)
		}
		return w.callWith("POST", "/v1/evidence", feeder, body, map[string]string{"Kangma-Manifest": signed})
	}
	if a := send(m, line+line); a.status == 200 {
		t.Errorf("another file than signed: %d %s", a.status, a.body)
	}
	m.Count = 2
	if a := send(m, line); a.status == 200 {
		t.Errorf("another count than signed: %d %s", a.status, a.body)
	}
	m.Count = 1
	w.want(send(m, line), 200, "")
}
