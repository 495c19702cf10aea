package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kangma/kangma"
	"github.com/kangma/kangma/api"
	"github.com/kangma/kangma/risk/rules"
)

const draftCases = `day0: 2022-08-12
cases:
  - name: somebody who was nowhere is green
    want:
      - {at: "d0 08:00", colour: green, rules: []}
`

// second gives the token of an official of another organisation.
func (w *town) second(admin string) string {
	w.t.Helper()
	w.want(w.call("PUT", "/v1/accounts/second", admin, map[string]any{"role": "official", "organisation": "another", "password": "long enough"}), 200, "")
	var login struct{ Token string }
	w.want(w.call("POST", "/v1/sessions", "", map[string]string{"username": "second", "password": "long enough"}), 200, "").into(w.t, &login)
	return login.Token
}

type backtestAnswer struct {
	ID, Status string
	Report     *struct{ People int }
}

func (w *town) backtest(token, draft string) (b backtestAnswer) {
	w.t.Helper()
	w.want(w.call("POST", "/v1/backtests", token, map[string]string{"draft": draft, "from": "2022-08-01", "to": "2022-08-03"}), 202, "").into(w.t, &b)
	for range 600 {
		w.want(w.call("GET", "/v1/backtests/"+b.ID, token, nil), 200, "").into(w.t, &b)
		if b.Status != "running" {
			return b
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.t.Fatal("the back-test never ended")
	return b
}

func TestARuleSetGoesFromDraftToItsDatedActivationInEveryStep(t *testing.T) {
	w := newTown(t)
	w.resident("501")
	official, admin := w.staff(api.Official), w.staff(api.Admin)
	raw, err := rules.PresetFile("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("in_force: {from: 2022-06-28, to: 2022-11-11}", "in_force: {from: 2022-08-12}", `version: "2022-06-28"`, `version: "next"`).Replace(string(raw))
	const draft = "/v1/rule-drafts/next"
	w.want(w.call("PUT", draft+"/cases", official, []byte(draftCases)), 422, "no_rules_yet")
	w.want(w.call("PUT", draft, official, []byte(text+"\nnonsense: 1\n")), 422, "rules")
	w.want(w.call("PUT", draft, official, []byte(text)), 200, "")
	lacks := func(codes ...string) {
		t.Helper()
		body := string(w.want(w.call("POST", draft+"/publish", official, nil), 409, "draft_not_ready").body)
		for _, code := range codes {
			if !strings.Contains(body, code) {
				t.Errorf("%s is not said in %s", code, body)
			}
		}
	}
	lacks("draft_no_cases", "draft_no_backtest")
	var d struct {
		Expectations int
		Failed       []string
	}
	w.want(w.call("PUT", draft+"/cases", official, []byte(strings.Replace(draftCases, "colour: green, rules: []", "colour: red", 1))), 200, "").into(t, &d)
	if d.Expectations != 1 || len(d.Failed) != 1 {
		t.Errorf("a case that fails: %+v", d)
	}
	lacks("draft_cases_fail", "draft_no_backtest")
	w.want(w.call("PUT", draft+"/cases", official, []byte(draftCases)), 200, "").into(t, &d)
	if d.Expectations != 1 || len(d.Failed) != 0 {
		t.Errorf("a case that holds: %+v", d)
	}
	b := w.backtest(official, "next")
	if b.Status != "done" || b.Report == nil || b.Report.People != 1 {
		t.Fatalf("%+v", b)
	}
	if svg := w.want(w.call("GET", "/v1/backtests/"+b.ID+"/picture.svg", official, nil), 200, ""); !strings.Contains(string(svg.body), "<svg") {
		t.Errorf("%.100s", svg.body)
	}
	if cells := w.want(w.call("GET", "/v1/backtests/"+b.ID+"/cells.csv", official, nil), 200, ""); !strings.HasPrefix(string(cells.body), "district,day,old,new,people") || !strings.Contains(string(cells.body), "hidden") {
		t.Errorf("one person is too few to show: %s", cells.body)
	}
	w.want(w.call("PUT", draft, official, []byte(text+"# changed\n")), 200, "")
	lacks("draft_no_backtest")
	w.want(w.call("PUT", draft, official, []byte(text)), 200, "")
	w.backtest(official, "next")

	var out struct {
		State string
		Held  struct{ ID string }
	}
	w.want(w.call("POST", draft+"/publish", official, nil), 202, "").into(t, &out)
	w.want(w.call("POST", "/v1/approvals/"+out.Held.ID, admin, map[string]bool{"release": true}), 403, "two_persons")
	w.want(w.call("POST", "/v1/approvals/"+out.Held.ID, w.second(admin), map[string]bool{"release": true}), 200, "")
	planned := func() (s string) {
		t.Helper()
		var all struct {
			Sets []struct {
				Rules kangma.RuleSetRef
				State string
			} `json:"rule_sets"`
		}
		w.want(w.call("GET", "/v1/rule-sets", "", nil), 200, "").into(t, &all)
		for _, p := range all.Sets {
			s += p.Rules.Version + " " + p.State + ", "
		}
		return s
	}
	if got := planned(); got != "2022-06-28 in_force, next scheduled, " {
		t.Errorf("released: %s", got)
	}
	w.pass(time.Date(2022, 8, 11, 16, 0, 0, 0, time.UTC).Sub(w.now())) // midnight in China
	official, admin = w.staff(api.Official), w.staff(api.Admin)        // a night is longer than a session
	if got := planned(); got != "2022-06-28 over, next in_force, " {
		t.Errorf("at midnight: %s", got)
	}
	w.want(w.call("POST", "/v1/rule-sets/roll-back", admin, nil), 200, "")
	if got := planned(); got != "2022-06-28 over, next over, 2022-06-28 in_force, " && got != "2022-06-28 in_force, " {
		t.Errorf("rolled back: %s", got)
	}
	w.want(w.call("GET", "/v1/backtests/x", official, nil), 404, "no_backtest")
	w.want(w.call("POST", "/v1/backtests", official, map[string]string{"draft": "none", "from": "2022-08-01", "to": "2022-08-03"}), 404, "no_draft")
	w.want(w.call("POST", "/v1/backtests", official, map[string]string{"draft": "next", "from": "2022-08-05", "to": "2022-08-03"}), 422, "bad_order")
}

func TestTwoRuleSetsAtOnceAreRefusedOverHTTPAndTheOldStays(t *testing.T) {
	w := newTown(t)
	admin := w.staff(api.Admin)
	raw, err := rules.PresetFile("national-9th-2022")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), "id: national-9th-2022", "id: another", 1)
	before := string(w.call("GET", "/v1/rule-sets", "", nil).body)
	a := w.want(w.call("PUT", "/v1/rule-sets/another", admin, []byte(text)), 409, "rules_overlap")
	if !strings.Contains(string(a.body), "national-9th-2022") {
		t.Errorf("which one is in the way is not said: %s", a.body)
	}
	for what, bad := range map[string]string{"not YAML": "\t", "empty": "", "over": strings.Replace(text, "to: 2022-11-11", "to: 2022-07-01", 1)} {
		if a := w.call("PUT", "/v1/rule-sets/another", admin, []byte(bad)); a.status < 400 || a.status >= 500 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	if after := string(w.call("GET", "/v1/rule-sets", "", nil).body); after != before {
		t.Errorf("refused, yet %s became %s", before, after)
	}
	w.want(w.call("PUT", "/v1/rule-sets/another?supersede=true", admin, []byte(text)), 200, "")
}

func TestWhatIfSaysTheColourKeepsNothingAndIsSeenByThePerson(t *testing.T) {
	w := newTown(t)
	p, official := w.resident("502"), w.staff(api.Official)
	at := w.now().Add(-time.Hour).Format(time.RFC3339)
	positive := fmt.Sprintf(`{"kind":"test","observed_at":%q,"test":{"method":"pcr","result":"positive"}}`, at)
	var a kangma.Assessment
	w.want(w.call("POST", "/v1/me/what-if", p.token, positive), 200, "").into(t, &a)
	if !a.Told || a.Colour != kangma.Red {
		t.Errorf("%+v", a)
	}
	path := "/v1/what-if?reason=appeal&person=" + p.id
	w.want(w.call("POST", path, official, positive), 200, "").into(t, &a)
	if a.Colour != kangma.Red {
		t.Errorf("%+v", a)
	}
	w.want(w.call("POST", path, official, positive+"\n"+`{"kind":"test"}`), 422, "required")
	w.want(w.call("POST", "/v1/what-if?reason=x&person="+kangma.NewPersonID().String(), official, positive), 404, "unknown_person")
	w.want(w.call("POST", "/v1/me/what-if", p.token, strings.Repeat(positive+"\n", 51)), 413, "what_if_size")
	if c := w.code(p); c.Colour != "green" || len(w.evidence(t, p)) != 0 {
		t.Errorf("something was kept: %+v", c)
	}
	eventually(t, "the person sees that it was asked", func() bool {
		return strings.Contains(string(w.call("GET", "/v1/me/accesses", p.token, nil).body), `"purpose":"what-if"`)
	})
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 600 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}
