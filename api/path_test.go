package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/codegen"
)

type codeAnswer struct {
	Code       string
	Told       bool
	CannotTell string `json:"cannot_tell"`
	Colour     string
	Reason     string
	Expires    time.Time `json:"expires_at"`
	Refresh    time.Time `json:"refresh_at"`
	Reasons    []struct {
		Rule          string
		Why, Guidance kangma.Text
	}
	MaskedName string `json:"masked_name"`
}

type scanAnswer struct {
	Event, Decision, Colour, Wire, Reason string
	Told                                  bool
	CannotTell                            string `json:"cannot_tell"`
	Why, Guidance                         kangma.Text
	MaskedName                            string `json:"masked_name"`
}

func (w *town) code(p person) (c codeAnswer) {
	w.t.Helper()
	w.want(w.call("GET", "/v1/me/code", p.token, nil), 200, "").into(w.t, &c)
	return c
}

func (w *town) scan(token, gate, code string) (v scanAnswer) {
	w.t.Helper()
	w.want(w.call("POST", "/v1/scans", token, map[string]string{"code": code, "gate": gate}), 200, "").into(w.t, &v)
	return v
}

func stayLine(id kangma.EventID, number, county, community string, at time.Time) string {
	return fmt.Sprintf(`{"id":%q,"kind":"stay","id_number":%q,"observed_at":%q,"stay":{"place":{"division":%q,"community":%q},"from":%q,"to":%q}}`,
		id, number, at.Format(time.RFC3339), county, community, at.Format(time.RFC3339), at.Add(time.Hour).Format(time.RFC3339))
}

func TestTheWholePathFromRegistrationToTheHourlyCount(t *testing.T) {
	w := newTown(t)
	p := w.resident("101")
	gate, feeder := w.staff(api.GateStaff), w.staff(api.Feeder)

	w.want(w.call("POST", "/v1/me/declarations", p.token, map[string]any{"temperature": 36.6, "contact": "no"}), 202, "")
	w.want(w.call("POST", "/v1/me/trips", p.token, map[string]any{"mode": "train", "number": "D7401", "departed": w.now().Add(-26 * time.Hour), "from": "440100", "to": "441502"}), 202, "")
	c := w.code(p)
	if !c.Told || c.Colour != "green" || !strings.HasPrefix(c.Code, "KM1:") || c.MaskedName != "欧**试" || !c.Expires.After(c.Refresh) {
		t.Errorf("code: %+v", c)
	}
	v := w.scan(gate, "metro-1", c.Code)
	if v.Decision != "pass" || v.Colour != "green" || v.Wire != "00" || v.MaskedName != "欧**试" || v.Why.Zh == "" || v.Why.En == "" {
		t.Errorf("green at the metro: %+v", v)
	}

	// a feed says: was in a high-risk area two days ago. The very code shown before is now judged red.
	id := kangma.NewEventID(w.now())
	line := stayLine(id, p.number, "441502", "金町湾小区", w.now().Add(-48*time.Hour))
	var fed struct{ Lines, Accepted int }
	w.want(w.call("POST", "/v1/evidence", feeder, line+"\n"), 200, "").into(t, &fed)
	w.want(w.call("POST", "/v1/evidence", feeder, line+"\n"), 200, "").into(t, &fed) // the same event twice
	if fed.Accepted != 1 {
		t.Errorf("fed: %+v", fed)
	}
	v = w.scan(gate, "metro-1", c.Code)
	if v.Decision != "turn-back" || v.Colour != "red" || v.Wire != "10" || v.Guidance.Zh == "" || v.Guidance.En == "" {
		t.Errorf("red at the metro: %+v", v)
	}
	if v := w.scan(gate, "post-1", w.code(p).Code); v.Decision != "central-isolate" {
		t.Errorf("red at the highway: %+v", v)
	}
	var a kangma.Assessment
	w.want(w.call("GET", "/v1/me/assessment", p.token, nil), 200, "").into(t, &a)
	if a.Colour != kangma.Red || len(a.Assignments) != 1 || len(a.Assignments[0].Evidence) != 1 || a.Assignments[0].Evidence[0].ID != id || a.Assignments[0].Until.IsZero() {
		t.Errorf("assessment: %+v", a)
	}

	w.ship()
	var mine, atGate struct {
		Passages []struct{ Decision, Gate string }
	}
	w.want(w.call("GET", "/v1/me/passages", p.token, nil), 200, "").into(t, &mine)
	w.want(w.call("GET", "/v1/gates/metro-1/passages", gate, nil), 200, "").into(t, &atGate)
	if len(mine.Passages) != 3 || len(atGate.Passages) != 2 {
		t.Errorf("passages: mine %+v, at the gate %+v", mine, atGate)
	}
	var hours struct {
		Rows []struct {
			Keys  []string
			Count int
		}
	}
	w.want(w.call("GET", "/v1/analytics/passages-by-hour", w.staff(api.Epidemiologist), nil), 200, "").into(t, &hours)
	if len(hours.Rows) != 1 || hours.Rows[0].Count != 3 || hours.Rows[0].Keys[0] != "2022-08-11T12:00:00+08:00" {
		t.Errorf("by hour: %+v", hours)
	}
	for _, secret := range []string{p.number, p.phone, "测试", c.Code[4:60], w.otps["138****0101"]} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log shows %q", secret)
		}
	}
}

func TestPicturesAreDrawn(t *testing.T) {
	w := newTown(t)
	p := w.resident("102")
	svg := w.want(w.call("GET", "/v1/me/code.svg", p.token, nil), 200, "")
	png := w.want(w.call("GET", "/v1/me/code.png", p.token, nil), 200, "")
	if !strings.Contains(string(svg.body), "<svg") || svg.header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("svg: %.80s %v", svg.body, svg.header)
	}
	if !strings.HasPrefix(string(png.body), "\x89PNG") || png.header.Get("Content-Type") != "image/png" {
		t.Errorf("png: %v", png.header)
	}
}

func TestARetriedScanIsOnePassage(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("103"), w.staff(api.GateStaff)
	code := w.code(p).Code
	event := kangma.NewEventID(w.now()).String()
	for range 3 {
		w.want(w.call("POST", "/v1/scans", gate, map[string]string{"code": code, "gate": "metro-1", "event": event}), 200, "")
		w.pass(time.Second)
	}
	w.ship()
	var mine struct{ Passages []struct{ Event string } }
	w.want(w.call("GET", "/v1/me/passages", p.token, nil), 200, "").into(t, &mine)
	if len(mine.Passages) != 1 || mine.Passages[0].Event != event {
		t.Errorf("%+v", mine)
	}
}

func TestBadCodesAreVerdictsWithTheirReasonAndAreKept(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("104"), w.staff(api.GateStaff)
	good := w.code(p).Code
	flip := func(at int) string {
		b := []byte(good)
		if b[at] == 'A' {
			b[at] = 'B'
		} else {
			b[at] = 'A'
		}
		return string(b)
	}
	for what, c := range map[string]struct{ code, reason string }{
		"not ours":       {"https://example.org/", "not_ours"},
		"foreign HCERT":  {"HC1:NCFOXN", "malformed"},
		"truncated":      {good[:len(good)/2], "malformed"},
		"one char short": {good[:len(good)-1], "malformed"},
	} {
		if v := w.scan(gate, "metro-1", c.code); v.Decision != "refer" || v.Told || v.Colour != "" || v.CannotTell != c.reason || v.Why.En == "" || v.MaskedName != "" {
			t.Errorf("%s: %+v, want refer because %s", what, v, c.reason)
		}
	}
	for at := 10; at < len(good); at += 7 {
		if v := w.scan(gate, "metro-1", flip(at)); v.Decision != "refer" || v.Told {
			t.Errorf("character %d altered: %+v", at, v)
		}
	}
	w.pass(5 * time.Minute)
	if v := w.scan(gate, "metro-1", good); v.CannotTell != "expired" || v.Decision != "refer" {
		t.Errorf("expired: %+v", v)
	}
	w.pass(-time.Hour)
	if v := w.scan(gate, "metro-1", good); v.CannotTell != "not_yet_valid" {
		t.Errorf("from the future: %+v", v)
	}
}

func TestACodeOfAnotherIssuerIsOfAnUnknownKey(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("106"), w.staff(api.GateStaff)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := codegen.NewIssuer(codegen.IssuerConfig{Region: region, Key: key, SubjectKey: [32]byte{99}})
	if err != nil {
		t.Fatal(err)
	}
	id, err := kangma.ParsePersonID(p.id)
	if err != nil {
		t.Fatal(err)
	}
	code, err := stranger.Issue(codegen.Claims{Region: region, Issued: w.now(), Expires: w.now().Add(90 * time.Second), Colour: kangma.Green, Kind: codegen.Dynamic, Person: id})
	if err != nil {
		t.Fatal(err)
	}
	if v := w.scan(gate, "metro-1", code.Text); v.Decision != "refer" || v.CannotTell != "unknown_key" || v.MaskedName != "" {
		t.Errorf("%+v", v)
	}
}

func TestNoRuleSetMeansNoCodeAndNoColour(t *testing.T) {
	w := newTown(t)
	p, gate := w.resident("105"), w.staff(api.GateStaff)
	code := w.code(p).Code
	if err := w.forgetRules(); err != nil {
		t.Fatal(err)
	}
	if c := w.code(p); c.Told || c.Code != "" || c.CannotTell != "no_rules" {
		t.Errorf("%+v", c)
	}
	w.want(w.call("GET", "/v1/me/code.svg", p.token, nil), 409, "cannot_tell")
	if v := w.scan(gate, "metro-1", code); v.Decision != "refer" || v.Told || v.CannotTell != "no_rules" {
		t.Errorf("%+v", v)
	}
}

func TestTheOpenAPIDocumentHasEveryRoute(t *testing.T) {
	w := newTown(t)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	w.want(w.call("GET", "/openapi.json", "", nil), 200, "").into(t, &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %q", doc.OpenAPI)
	}
	n := 0
	for _, r := range w.server.Routes() {
		if _, ok := doc.Paths[r.Path][strings.ToLower(r.Method)]; !ok {
			t.Errorf("%s %s is not in the document", r.Method, r.Path)
		}
	}
	for _, ops := range doc.Paths {
		n += len(ops)
	}
	if n != len(w.server.Routes()) {
		t.Errorf("the document has %d operations, the table %d", n, len(w.server.Routes()))
	}
}

// forgetRules takes the rules out of force, as on a machine where none was ever published.
func (w *town) forgetRules() error {
	ctx := w.t.Context()
	rec, err := w.registry.Records().Get(ctx, "active", "rules")
	if err != nil {
		return err
	}
	rec.Version, rec.Deleted, rec.Data = rec.Version+1, true, nil
	return errors.Join(w.registry.PutRecord(ctx, rec), w.registry.Reload(ctx))
}
